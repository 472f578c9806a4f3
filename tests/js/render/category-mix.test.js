import assert from "node:assert/strict";
import { test } from "node:test";
import { valuesAt } from "../../../bigviz/static/layers/cell-hit.js";
import { shownRows } from "../../../bigviz/static/layers/rows/row-places.js";
import { mix } from "../../../bigviz/static/render/category-mix.js";
import { coloursWithout, GLASBEY, isLeftOut } from "../../../bigviz/static/render/palette.js";
import { CELLS } from "../../../bigviz/static/wire/frames.js";
import { random } from "../random.js";

/** @param {number} seed */
function planeOf(seed) {
  const next = random(seed);
  const data = Uint32Array.from({ length: CELLS }, () => Math.max(0, Math.floor(next() * 6) - 3));
  const filled = data.reduce((sum, n) => sum + (n > 0 ? 1 : 0), 0);
  return { data, constant: 0, counts: true, filled, low: 1, high: 2 };
}

const PLANES = /** @type {any[]} */ ([1, 2, 3].map(planeOf));
const NONE = /** @type {any} */ ({ data: null, constant: 0, counts: true, filled: 0, low: 0, high: 0 });

test("equal palettes are one, and colours stay with their category", () => {
  assert.equal(coloursWithout([]), GLASBEY);
  assert.equal(coloursWithout([1, 2]), coloursWithout([1, 2]));
  assert.notEqual(coloursWithout([1]), coloursWithout([2]));
  assert.deepEqual(coloursWithout([1]), GLASBEY);
  assert.deepEqual(
    [0, 1, 2].map((code) => isLeftOut(coloursWithout([1]), code)),
    [false, true, false],
  );
});

test("a hidden category is mixed as if it had no row", () => {
  const hidden = mix(PLANES, coloursWithout([1]));
  const empty = mix([PLANES[0], NONE, PLANES[2]], GLASBEY);
  assert.deepEqual(hidden.totals, empty.totals);
  assert.deepEqual(hidden.mixed, empty.mixed);
  assert.equal(hidden.high, empty.high);
  const nothing = mix(PLANES, coloursWithout([0, 1, 2]));
  assert.equal(nothing.counts, true);
  assert.ok(nothing.totals.every((total) => total === 0));
});

test("what a cell holds is told of what is shown", () => {
  const facts = { planes: ["a", "b", "c"], traits: { total: /** @type {"sum"} */ ("sum") } };
  const at = PLANES[0].data.findIndex(
    (/** @type {number} */ n, /** @type {number} */ k) => n > 0 && PLANES[1].data[k] > 0,
  );
  const all = valuesAt(PLANES, at, facts);
  const some = valuesAt(PLANES, at, facts, coloursWithout([1]));
  assert.equal(Number(all.value) - Number(some.value), PLANES[1].data[at]);
  assert.ok(some.planes?.every(({ label }) => label !== "b"));
});

test("rows of hidden categories are no marks", () => {
  const rows = /** @type {any} */ ({
    n: 4,
    matched: 4,
    window: null,
    xorigin: 0n,
    yorigin: 0n,
    x: Float64Array.of(1, 2, 3, 4),
    y: Float64Array.of(5, 6, 7, 8),
    xwhole: BigInt64Array.of(1n, 2n, 3n, 4n),
    ywhole: null,
    row: Float64Array.of(10, 11, 12, 13),
    number: Uint32Array.of(1, 2, 1, 1),
    code: Int32Array.of(0, 1, 2, 1),
    value: Float64Array.of(1, 2, 3, 4),
    exact: null,
  });
  assert.equal(shownRows(rows), rows);
  assert.equal(shownRows(rows, coloursWithout([5])), rows);
  const shown = shownRows(rows, coloursWithout([1]));
  assert.equal(shown.n, 2);
  assert.deepEqual([...shown.x, ...shown.row, ...(shown.code ?? [])], [1, 3, 10, 12, 0, 2]);
  assert.deepEqual([...(shown.xwhole ?? [])], [1n, 3n]);
});
