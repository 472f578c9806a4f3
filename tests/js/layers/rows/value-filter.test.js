import assert from "node:assert/strict";
import { test } from "node:test";
import { labelsFilter, nameText, narrowed, valueFilter } from "../../../../bigviz/static/layers/rows/value-filter.js";

/** @param {string} kind @param {string} [name] @returns {any} */
const column = (kind, name = "a") => ({ name, kind });

test("names that are no plain words stand in back quotes", () => {
  assert.deepEqual(["fare", "été", "a b", "a`b", "and", "1st", "geometry.x"].map(nameText), [
    "fare",
    "été",
    "`a b`",
    "`a``b`",
    "`and`",
    "`1st`",
    "`geometry.x`",
  ]);
});

test("a value as a filter", () => {
  assert.equal(valueFilter(column("category"), "it's"), "a = 'it''s'");
  assert.equal(valueFilter(column("integer"), "9007199254740993"), "a = 9007199254740993");
  assert.equal(valueFilter(column("float"), "1e-05"), "a = 1e-05");
  assert.equal(valueFilter(column("bool"), "true"), "a = true");
  assert.equal(valueFilter(column("timestamp"), "2024-01-31 12:00:00"), "a = '2024-01-31 12:00:00'");
  assert.equal(valueFilter(column("other"), null), "a is null");
  for (const [kind, value] of [
    ["float", "nan"],
    ["float", "inf"],
    ["other", "[1]"],
    ["category", "long…"],
  ])
    assert.equal(valueFilter(column(kind), value), null);
  assert.equal(narrowed("", "a = 1"), "a = 1");
  assert.equal(narrowed("b or c", "a = 1"), "(b or c) and a = 1");
});

test("a float32 is named as the float64 that it is", () => {
  const texts = ["0.1", "-78.73368", "0.5", "1e-7", "3e+20", "nan"];
  assert.deepEqual(
    texts.map((text) => valueFilter({ ...column("float"), type: "float" }, text)),
    [
      "a = 0.10000000149011612",
      "a = -78.73368072509766",
      "a = 0.5",
      "a = 1.0000000116860974e-7",
      "a = 3.000000060122632e+20",
      null,
    ],
  );
});

test("labels that are left out, by those that are fewer", () => {
  const all = ["a", "b", "it's"];
  assert.equal(labelsFilter(column("category"), ["it's"], all), "(a is null or a not in ('it''s'))");
  assert.equal(
    labelsFilter(column("category", "the kind"), ["a", "it's"], all),
    "(`the kind` is null or `the kind` in ('b'))",
  );
  assert.equal(labelsFilter(column("integer"), ["2"], ["1", "2"]), "(a is null or a not in (2))");
  assert.equal(labelsFilter(column("bool"), ["True"], ["False", "True"]), "(a is null or a not in (true))");
  assert.equal(labelsFilter(column("category"), all, all), "a is null");
});
