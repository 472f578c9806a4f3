// Which key a layer's colours have, and what it says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyTitle, labelsOf, sideOf } from "../../../../bigviz/static/figure/legend/layer-key.js";
import { traitsOf } from "../../traits.js";

/** @param {{glyph?: string, agg?: string, planes?: string[]|null, known?: boolean}} o @returns {any} */
const layer = ({ glyph = "points", agg = "count", planes = null, known = true }) => ({
  definition: known ? { glyph } : null,
  choice: { glyph, agg },
  info: known ? { traits: traitsOf(agg) } : null,
  planes,
  raster: null,
});

test("values have a bar, categories a legend, and what has one colour has no key", () => {
  assert.equal(sideOf(layer({})), "bar");
  assert.equal(sideOf(layer({ known: false })), "bar");
  assert.equal(sideOf(layer({ planes: ["a", "b"] })), "legend");
  assert.equal(sideOf(layer({ glyph: "histogram", planes: ["a"] })), "legend");
  assert.equal(sideOf({ ...layer({}), raster: { isAlwaysPlain: true } }), "none");
  for (const glyph of ["line", "histogram", "bar"]) assert.equal(sideOf(layer({ glyph })), "none");
  assert.equal(sideOf(undefined), "none");
});

test("the title is the reduction, or the column of categories that are counted", () => {
  assert.equal(keyTitle(layer({ agg: "mean(v)" })), "mean(v)");
  assert.equal(keyTitle(layer({ agg: "by(k)" })), "k");
  assert.equal(keyTitle(layer({ agg: "by(k, sum(n))" })), "k, sum(n)");
  assert.equal(keyTitle(layer({ agg: "sum(n)", known: false })), "sum(n)");
  assert.deepEqual(labelsOf(layer({})), []);
});
