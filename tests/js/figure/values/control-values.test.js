// The store of values: what it takes, whom it tells, and what filters name of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlValues } from "../../../../bigviz/static/figure/values/control-values.js";

const CONTROLS = /** @type {any} */ ({
  kind: { type: "select", options: ["bus", { value: 2, label: "two" }], value: null },
  many: { type: "multiselect", options: { dataset: "d", column: "c" }, value: [] },
  only: { type: "checkbox", value: false },
  least: { type: "slider", start: 0, end: 10, value: 3 },
  fare: { type: "range", start: 0, end: 10, value: null },
  days: { type: "date_range", value: null },
  word: { type: "text", value: "" },
  go: { type: "button", label: "Go" },
});
const store = () => new ControlValues(CONTROLS, { many: { options: ["a", "b", true], more: false } });

test("values begin as the document has them, and each change is told once", () => {
  const values = store();
  /** @type {unknown[]} */ const told = [];
  const end = new AbortController();
  values.onChange((id, value) => told.push([id, value]), end.signal);
  assert.equal(values.get("least"), 3);
  values.set("least", 4);
  values.set("least", 4);
  values.set("many", ["a"]);
  assert.deepEqual(told, [
    ["least", 4],
    ["many", ["a"]],
  ]);
  assert.deepEqual(values.changed(), [
    ["many", ["a"]],
    ["least", 4],
  ]);
  end.abort();
  values.set("least", 5);
  assert.equal(told.length, 2);
});

const TAKEN = /** @type {[string, any, boolean][]} */ ([
  ["kind", "bus", true],
  ["kind", 2, true],
  ["kind", "2", false],
  ["kind", null, true],
  ["many", ["b", true], true],
  ["many", ["c"], false],
  ["many", "a", false],
  ["only", true, true],
  ["only", 1, false],
  ["least", 10, true],
  ["least", 11, false],
  ["least", "3", false],
  ["fare", [0, 10], true],
  ["fare", [5, 4], false],
  ["fare", [5], false],
  ["days", ["2024-01-01", "2024-01-31"], true],
  ["days", ["2024-02-01", "2024-01-31"], false],
  ["days", ["1", "2"], false],
  ["word", "x", true],
  ["word", 1, false],
]);

for (const [id, value, is] of TAKEN)
  test(`${id} ${is ? "takes" : "refuses"} ${JSON.stringify(value)}`, () => {
    const values = store();
    const before = values.get(id);
    values.set(id, value);
    assert.deepEqual(values.get(id), is ? value : before);
  });

test("a filter's controls are given by name, and others are not", () => {
  const values = store();
  assert.deepEqual(values.namedIn("fare between $fare and x = $least and y = $none and $least > 0"), {
    fare: null,
    least: 3,
  });
  assert.equal(values.namedIn("x > 3"), null);
  assert.equal(values.namedIn("x = $go"), null);
});
