// About how many rows a region holds, from cells of known counts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { regionRows } from "../../../../bigviz/static/figure/rows/region-estimate.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";

const VIEW = new View({ x: span(0, 10), y: span(0, 10), width: 100, height: 200 });

/** A layer with `count` rows in each cell of one by one. @param {number} count @returns {any} */
const layer = (count, counts = true) => ({
  info: { traits: { counts } },
  shownRaster: {
    valueAt: (/** @type {View} */ view, /** @type {number} */ px, /** @type {number} */ py) => {
      const [x, y] = [Math.floor(view.xAt(px)), Math.floor(view.yAt(py))];
      return { value: count, x: [x, x + 1], y: [y, y + 1] };
    },
  },
});

test("a box has the rows of its cells, and parts of those that it cuts", () => {
  const box = /** @type {const} */ ({ kind: "box", x: span(2, 5), y: span(1, 5.5) });
  assert.ok(Math.abs((regionRows(box, VIEW, layer(7)) ?? 0) - 7 * 3 * 4.5) < 1e-6);
});

test("a lasso has the rows inside it", () => {
  const at = (/** @type {number} */ x, /** @type {number} */ y) => ({
    x: { origin: 0n, offset: x },
    y: { origin: 0n, offset: y },
  });
  const lasso = /** @type {const} */ ({ kind: "lasso", points: [at(1, 1), at(9, 1), at(5, 9)] });
  const rows = regionRows(lasso, VIEW, layer(100)) ?? 0;
  assert.ok(Math.abs(rows - 3_200) < 0.03 * 3_200, String(rows));
});

test("nothing is said of values that are no counts, nor beyond the view", () => {
  const box = /** @type {const} */ ({ kind: "box", x: span(2, 5), y: span(1, 5.5) });
  assert.equal(regionRows(box, VIEW, layer(7, false)), null);
  assert.equal(regionRows({ ...box, x: span(2, 50) }, VIEW, layer(7)), null);
});
