// Layouts: how wide the columns of figures with widths of their own are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tracksOf } from "../../../../bigviz/static/ui/page/layout.js";

const figure = (/** @type {number|null} */ width) => /** @type {any} */ ({ type: "figure", width });
const row = /** @type {any} */ ({ type: "row", children: [] });

test("a column is as wide as its widest figure, others share what is left", () => {
  assert.equal(tracksOf([figure(600), figure(400)], 2), "minmax(0, 600px) minmax(0, 400px)");
  assert.equal(tracksOf([figure(600), figure(null), row], 3), "minmax(0, 600px) minmax(0, 1fr) minmax(0, 1fr)");
  assert.equal(tracksOf([figure(300), figure(null), figure(500), row], 2), "minmax(0, 500px) minmax(0, 1fr)");
  assert.equal(tracksOf([figure(300), figure(200), row], 2), "minmax(0, 1fr) minmax(0, 200px)");
  assert.equal(tracksOf([figure(null), row], 2), null);
});
