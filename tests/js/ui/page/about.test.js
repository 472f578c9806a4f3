import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf } from "../../../../bigviz/static/ui/page/about.js";
import { notesOf } from "../../../../bigviz/static/ui/status/row-facts.js";

const layer = (/** @type {string[]} */ ...notes) => ({
  notes,
  info: null,
  definition: null,
  error: null,
  raster: null,
});

test("notes about the datasets are shown once each", () => {
  const figure = /** @type {any} */ ({ view: null, axes: {}, layers: [layer("a", "b"), layer(), layer("b", "<c>")] });
  assert.deepEqual(notesOf(figure), ["a", "b", "<c>"]);
  assert.deepEqual(factsOf(figure), [
    ["note", "a"],
    ["note", "b"],
    ["note", "<c>"],
  ]);
  assert.deepEqual(factsOf(/** @type {any} */ ({ ...figure, layers: [layer()] })), []);
});
