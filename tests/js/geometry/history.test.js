// Undo and redo.

import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../../bigviz/static/geometry/history.js";

const equal = (/** @type {number} */ a, /** @type {number} */ b) => a === b;

test("undo and redo walk the states; a new one forgets what was undone", () => {
  const history = new History(0, equal, 4);
  assert.equal(history.undo(), null);
  for (const state of [1, 1, 2]) history.push(state);
  assert.equal(history.undo(), 1);
  assert.equal(history.undo(), 0);
  assert.ok(!history.canUndo && history.canRedo);
  assert.equal(history.redo(), 1);
  history.push(7);
  assert.equal(history.redo(), null);
  for (const k of [8, 9, 10, 11]) history.push(k);
  const seen = [];
  for (let step = history.undo(); step !== null; step = history.undo()) seen.push(step);
  assert.deepEqual(seen, [10, 9, 8], "the oldest are dropped");
});

test("a state is amended in its place, one that cannot be shown is forgotten", () => {
  const history = new History(0, equal);
  for (const state of [1, 2]) history.push(state);
  history.undo();
  history.amend(5);
  assert.deepEqual([history.undo(), history.redo(), history.redo()], [0, 5, 2], "what was undone stays");
  history.withdraw();
  assert.equal(history.now, 5);
  assert.ok(!history.canRedo);
  history.undo();
  history.withdraw();
  assert.equal(history.now, 5, "without one before it, the one after it");
  history.withdraw();
  assert.equal(history.now, 5, "one stays");
});
