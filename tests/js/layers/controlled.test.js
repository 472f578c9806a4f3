// What controls say in a layer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlValues } from "../../../bigviz/static/figure/values/control-values.js";
import { controlled, ownChoice } from "../../../bigviz/static/layers/controlled.js";
import { Layer } from "../../../bigviz/static/layers/layer.js";

const values = () =>
  new ControlValues(
    /** @type {any} */ ({
      metric: { type: "select", options: ["count", "mean(fare)"], value: "count" },
      side: { type: "radio", options: ["a", "when"], value: "a" },
      least: { type: "slider", start: 0, end: 9, value: 0 },
    }),
  );
const SPEC = /** @type {any} */ ({
  id: "f0-0",
  dataset: "d",
  glyph: "points",
  x: "$side",
  y: "$y",
  agg: "$metric",
  filter: "fare > $least",
  cmap: "fire",
  how: "log",
  low: null,
  high: null,
  root: "default",
}); // prettier-ignore
const COLUMNS = /** @type {any} */ ([
  { name: "a", kind: "float", plottable: true },
  { name: "when", kind: "timestamp", plottable: true },
  { name: "$y", kind: "float", plottable: true },
]);

test("a text that is one control's name is its value; other texts stay", () => {
  assert.deepEqual(controlled(SPEC, values()), { x: "a", agg: "count" });
  assert.deepEqual(controlled(SPEC, null), {});
});

test("a layer follows its controls, and its axis the column; a viewer's own choices stay", () => {
  const store = values();
  const layer = new Layer({
    spec: SPEC,
    axes: { x: "linear", y: "linear" },
    columns: COLUMNS,
    notes: [],
    index: 0,
    values: store,
  });
  const first = layer.define();
  assert.deepEqual([first.x, first.y, first.agg, first.xaxis], ["a", "$y", "count", "linear"]);
  assert.deepEqual([first.filter, first.values], ["fare > $least", { least: 0 }]);
  layer.choice = { ...layer.choice, cmap: "blues" };
  store.set("metric", "mean(fare)");
  store.set("side", "when");
  store.set("least", 4);
  assert.equal(layer.takeValues(), true);
  const next = layer.define();
  assert.deepEqual([next.x, next.agg, next.xaxis, next.values], ["when", "mean(fare)", "datetime", { least: 4 }]);
  assert.equal(layer.choice.cmap, "blues");
  assert.deepEqual(
    Object.keys(layer.published).filter((key) => !(key in ownChoice(layer))),
    ["x", "agg"],
  );
});
