// Columns that come after those that a page has.

import assert from "node:assert/strict";
import { test } from "node:test";
import { joinKept } from "../../../bigviz/static/wire/columns.js";
import { ProtocolError } from "../../../bigviz/static/wire/frames.js";

/** @param {number[]} rows @param {object} [o] @returns {any} */
const columnsOf = (rows, o = {}) => ({
  n: rows.length,
  kept: 0,
  width: 9,
  xorigin: 0n,
  yorigin: 5n,
  flagged: [],
  column: Int32Array.from(rows),
  run: Int32Array.from(rows, () => 1),
  row: Float64Array.from(rows),
  x: Float64Array.from(rows),
  y: Float64Array.from(rows, (row) => -row),
  xwhole: null,
  ywhole: null,
  ...o,
});

test("the first rows are kept, those after them are others", () => {
  const joined = joinKept(columnsOf([1, 2, 3, 4]), columnsOf([7, 8], { kept: 3, flagged: [2] }));
  assert.deepEqual(joined, columnsOf([1, 2, 3, 7, 8], { flagged: [2] }));
  assert.deepEqual(joinKept(columnsOf([1, 2]), columnsOf([], { kept: 2 })), columnsOf([1, 2]));
  const whole = columnsOf([5]);
  assert.equal(joinKept(null, whole), whole);
});

test("whole numbers beyond doubles are kept as they are", () => {
  const [before, after] = [
    columnsOf([1, 2], { ywhole: BigInt64Array.of(2n ** 60n, -1n) }),
    columnsOf([3], { kept: 1, ywhole: BigInt64Array.of(7n) }),
  ];
  assert.deepEqual(joinKept(before, after).ywhole, BigInt64Array.of(2n ** 60n, 7n));
});

test("columns that do not fit to those at hand break the protocol", () => {
  for (const [before, after] of [
    [null, columnsOf([], { kept: 1 })],
    [columnsOf([1]), columnsOf([], { kept: 2 })],
    [columnsOf([1], { yorigin: 6n }), columnsOf([], { kept: 1 })],
    [columnsOf([1], { xorigin: 6n }), columnsOf([], { kept: 1 })],
    [columnsOf([1], { xwhole: BigInt64Array.of(1n) }), columnsOf([], { kept: 1 })],
  ])
    assert.throws(() => joinKept(before, after), ProtocolError);
});
