import assert from "node:assert/strict";
import { test } from "node:test";
import { readLabels, writeLabels } from "../../../../bigviz/static/layers/hidden-labels.js";
import { pressed } from "../../../../bigviz/static/ui/legend/category-keys.js";

const LABELS = ["a", "b", "c"];

test("a press hides a category or shows it again, in the order of all", () => {
  assert.deepEqual(pressed(LABELS, [], "b", false), ["b"]);
  assert.deepEqual(pressed(LABELS, ["c"], "a", false), ["a", "c"]);
  assert.deepEqual(pressed(LABELS, ["a", "c"], "a", false), ["c"]);
  assert.deepEqual(pressed(LABELS, ["gone"], "a", false), ["a"]);
});

test("a double press keeps one alone, and shows all where it is alone already", () => {
  assert.deepEqual(pressed(LABELS, [], "b", true), ["a", "c"]);
  assert.deepEqual(pressed(LABELS, ["b"], "b", true), ["a", "c"]);
  assert.deepEqual(pressed(LABELS, ["a", "c"], "b", true), []);
});

test("hidden labels are a JSON list, or nothing", () => {
  assert.equal(writeLabels([]), "");
  assert.deepEqual(readLabels(writeLabels(["a,b", 'c"'])), ["a,b", 'c"']);
  for (const text of ["x", "{}", "[1]", "[[]]", '"a"']) assert.equal(readLabels(text), null);
});
