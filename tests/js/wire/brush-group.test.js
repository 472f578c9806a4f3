// Frames of a step come out together, and one that a newer step has replaced is known by the field of its error.

import assert from "node:assert/strict";
import test from "node:test";

import { BrushGroup } from "../../../bigviz/static/wire/brush-group.js";

const message = (/** @type {string} */ type, /** @type {number} */ id, json = {}) =>
  /** @type {any} */ ({ type, id, figure: 0, layer: 0, json });

test("the parts of a step are held until its end", () => {
  const group = new BrushGroup();
  group.expect(1);
  assert.ok(group.holds(message("image", 1)) && !group.holds(message("image", 2)));
  assert.equal(group.take(message("image", 1)), null);
  assert.equal(group.take(message("columns", 1)), null);
  const found = group.take(message("done", 1, { brush: 7 }));
  assert.deepEqual([found?.parts.length, found?.end?.brush, found?.error], [2, 7, null]);
  assert.equal(group.take(message("done", 1, { brush: 7 }))?.parts.length, 0, "an exact answer comes once more");
});

test("errors say whether a newer step came first", () => {
  const group = new BrushGroup();
  for (const [id, field] of /** @type {[number, string|null][]} */ ([
    [1, "seq"],
    [2, "targets"],
    [3, null],
  ])) {
    group.expect(id);
    const found = group.take(message("error", id, { error: "No.", field, got: null }));
    assert.deepEqual([found?.error, found?.isReplaced, found?.end], ["No.", field === "seq", null]);
  }
});
