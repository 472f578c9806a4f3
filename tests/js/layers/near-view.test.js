// Rows far apart: exact where the view is, and under the pointer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { nearView, placeOf } from "../../../bigviz/static/layers/near-view.js";
import { nearestRow, placeRows } from "../../../bigviz/static/layers/rows/row-places.js";
import { span } from "../../../bigviz/static/geometry/span.js";
import { View } from "../../../bigviz/static/geometry/view.js";
import { rowsOf } from "./rasters.js";

const FAR = 2n ** 62n + 3n;

/** Rows at -FAR, and at FAR and its next two neighbours, from origin 10. */
function farRows() {
  const whole = BigInt64Array.of(-FAR - 10n, FAR - 10n, FAR - 9n, FAR - 8n);
  return { ...rowsOf({ x: [...whole].map(Number), y: [0, 1, 2, 3] }), xorigin: 10n, xwhole: whole };
}

/** @param {bigint} origin @param {number} lo @param {number} hi */
const viewAt = (origin, lo, hi) =>
  new View({ x: span(lo, hi, origin, true), y: span(0, 4, 0n, true), width: 400, height: 400 });

test("neighbours are apart where the view shows them", () => {
  const rows = farRows();
  const view = viewAt(FAR, -1, 3);
  const { px } = placeRows(rows, view, new Uint8Array(3));
  assert.deepEqual([...px.subarray(1)], [100, 200, 300]);
  const hit = nearestRow(rows, view, 201, 199, 30, null);
  assert.deepEqual([hit?.x, hit?.px, hit?.row], [{ origin: FAR + 1n, offset: 0 }, 200, 12]);
});

test("the whole range is drawn too, and each row shown to its last digit", () => {
  const rows = farRows();
  const view = viewAt(0n, -Number(FAR), Number(FAR));
  const { px } = placeRows(rows, view, new Uint8Array(3));
  assert.ok(Math.abs(px[0]) < 1e-9 && Math.abs(px[3] - 400) < 1e-9);
  assert.deepEqual(placeOf(rows, "x", 3), { origin: FAR + 2n, offset: 0 });
  assert.deepEqual(placeOf(rows, "y", 3), { origin: 0n, offset: 3 });
});

test("positions that doubles hold stay what they are, others are made once a view", () => {
  const near = rowsOf({ x: [1], y: [2] });
  assert.equal(nearView(near, viewAt(5n, 0, 1)), near);
  const rows = farRows();
  assert.equal(nearView(rows, viewAt(FAR, 0, 3)), nearView(rows, viewAt(FAR, 1, 4)));
  assert.notEqual(nearView(rows, viewAt(FAR, 0, 3)), nearView(rows, viewAt(0n, 0, 3)));
});
