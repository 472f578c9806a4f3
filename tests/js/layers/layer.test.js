// What of a choice is left where the server refuses it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Layer } from "../../../bigviz/static/layers/layer.js";

const SPEC = /** @type {any} */ ({
  dataset: "trips",
  x: "a",
  y: "b",
  agg: "mean(v)",
  glyph: "points",
  root: "default",
  cmap: "fire",
  how: "eq_hist",
  low: null,
  high: null,
});

/** @param {Partial<import("../../../bigviz/static/layers/layer.js").Choice>} choice */
function chosen(choice) {
  const layer = new Layer({ spec: SPEC, axes: { x: "linear", y: "linear" }, columns: [], notes: [], index: 0 });
  layer.choice = { ...layer.choice, ...choice };
  return layer;
}

test("what its error is about is as published, and the rest as chosen", () => {
  const choice = { x: "c", xaxis: "log", agg: "by(k)", cmap: "bmy", filter: "v > 1" };
  const layer = chosen(choice);
  layer.retract("agg");
  assert.deepEqual(layer.choice, { ...layer.published, ...choice, agg: "mean(v)" });
  layer.retract("filter");
  assert.deepEqual(layer.choice, { ...layer.published, ...choice, agg: "mean(v)", filter: "" });
  layer.retract("filter");
  assert.deepEqual(layer.choice, { ...layer.published }, "it was so already: the error is about something else");
});

test("another glyph has its own reduction", () => {
  const layer = chosen({ glyph: "line", agg: "sum(v)" });
  layer.retract("agg");
  assert.deepEqual([layer.choice.glyph, layer.choice.agg], ["line", "any"]);
  layer.retract("glyph");
  assert.equal(layer.choice.glyph, "points");
  layer.retract("agg");
  assert.equal(layer.choice.agg, "mean(v)");
});

test("an error that names nothing of it, or something else, leaves what is published", () => {
  for (const field of [null, undefined, "dataset", "cmap", "toString"]) {
    const layer = chosen({ x: "c", agg: "count", cmap: "bmy" });
    layer.retract(field);
    assert.deepEqual(layer.choice, { ...layer.published });
  }
});
