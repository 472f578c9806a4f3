// Undo and redo.

import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../../bigviz/static/geometry/history.js";
import { span } from "../../../bigviz/static/geometry/span.js";

test("undo and redo walk the views; a new one forgets what was undone", () => {
  const at = (/** @type {number} */ k) => ({ x: span(k, k + 1), y: span(0, 1) });
  const history = new History(at(0), 4);
  assert.equal(history.undo(), null);
  history.push(at(1));
  history.push(at(1));
  history.push(at(2));
  assert.equal(history.undo()?.x.lo, 1);
  assert.equal(history.undo()?.x.lo, 0);
  assert.ok(!history.canUndo && history.canRedo);
  assert.equal(history.redo()?.x.lo, 1);
  history.push(at(7));
  assert.equal(history.redo(), null);
  for (const k of [8, 9, 10, 11]) history.push(at(k));
  const seen = [];
  for (let step = history.undo(); step; step = history.undo()) seen.push(step.x.lo);
  assert.deepEqual(seen, [10, 9, 8], "the oldest are dropped");
});
