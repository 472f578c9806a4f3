// Which rows look like a table, which like bands, and which like a cloud.

import assert from "node:assert/strict";
import { test } from "node:test";
import { latticeOf } from "../../../../bigviz/static/layers/tiles/lattice.js";
import { random } from "../../random.js";
import { rowsOf } from "../rasters.js";

const BOTH = { x: true, y: true };

/** @param {number} columns @param {number} rows @param {number} [step] */
function table(columns, rows, step = 1) {
  const cells = Array.from({ length: columns * rows }, (_, k) => [step * (k % columns), Math.floor(k / columns)]);
  return rowsOf({ x: cells.map(([x]) => x), y: cells.map(([, y]) => y) });
}

test("a table has the steps of its numbers, on axes of whole numbers alone", () => {
  assert.deepEqual(latticeOf(table(12, 7), BOTH), { x: 1, y: 1 });
  assert.deepEqual(latticeOf(table(12, 7, 10), BOTH), { x: 10, y: 1 });
  assert.equal(latticeOf(table(12, 7), { x: false, y: false }), null);
  assert.equal(latticeOf(table(12, 7), { x: true, y: false }), null);
  const { x, y } = table(6, 6);
  const coded = rowsOf({
    x: [...x, ...x],
    y: [...y, ...y],
    code: Array.from({ length: 72 }, (_, k) => Math.floor(k / 36)),
  });
  assert.deepEqual(latticeOf(coded, BOTH), { x: 1, y: 1 }, "a coordinate of two categories is one");
});

test("a cloud of whole numbers is none", () => {
  const rand = random(3);
  const whole = (/** @type {number} */ most) => Array.from({ length: 100 }, () => Math.floor(rand() * most));
  assert.equal(latticeOf(rowsOf({ x: whole(40), y: whole(60) }), BOTH), null);
  assert.equal(latticeOf(rowsOf({ x: [], y: [] }), BOTH), null);
  assert.equal(latticeOf(rowsOf({ x: [1, 2], y: [1, 2] }), BOTH), null);
});

test("many rows on few numbers of one axis are bands", () => {
  const rand = random(4);
  const rows = (/** @type {number} */ n) =>
    rowsOf({ x: Array.from({ length: n }, (_, k) => k % 4), y: Array.from({ length: n }, () => rand()) });
  assert.deepEqual(latticeOf(rows(400), { x: true, y: false }), { x: 1, y: 0 });
  assert.equal(latticeOf(rows(100), { x: true, y: false }), null, "few are discs");
  const { x, y } = rows(400);
  assert.deepEqual(latticeOf(rowsOf({ x: [...y], y: [...x] }), { x: false, y: true }), { x: 0, y: 1 });
});
