// A reduction as text and as two choices.

import assert from "node:assert/strict";
import { test } from "node:test";
import { columnOptions } from "../../../../bigviz/static/ui/settings/options.js";
import { noteRefusal } from "../../../../bigviz/static/ui/settings/pickers.js";
import {
  columnsFor,
  quoted,
  readReduction,
  reductionsOf,
  reductionText,
  startColumn,
} from "../../../../bigviz/static/ui/settings/reduction-text.js";

test("a column's name is quoted where a reduction's text needs it", () => {
  assert.equal(quoted("fare"), "fare");
  assert.equal(quoted("total fare"), "total fare");
  for (const name of ["odd, name", "f(x)", "it's", 'so "called"', " padded", ""])
    assert.equal(quoted(name), `\`${name}\``);
  assert.equal(quoted("tick`s"), "`tick``s`");
});

test("what two choices say is read from its text again, whatever the column's name", () => {
  for (const column of [
    "fare",
    "total fare",
    "odd, name",
    "f(x)",
    "it's",
    'so "called"',
    " padded",
    "tick`s",
    "``",
    "a\nb",
    "",
  ]) {
    for (const name of ["mean", "by", "last"])
      assert.deepEqual(readReduction(reductionText({ name, column })), { name, column });
  }
  assert.deepEqual(readReduction(reductionText({ name: "count", column: null })), { name: "count", column: null });
  assert.deepEqual(readReduction("  mean ( fare ) "), { name: "mean", column: "fare" });
  assert.deepEqual(readReduction("sum('it''s')"), { name: "sum", column: "it's" });
});

test("what only the text can say is no choice", () => {
  for (const text of [
    "by(kind, mean(z))",
    "count(fare)",
    "any(fare)",
    "count_cat(kind)",
    "mean",
    "mean()",
    "median(fare)",
    "mean(`a`b`)",
    "mean('a)",
    "",
    "mean(a) b",
  ])
    assert.equal(readReduction(text), null, text);
});

/** @param {string} name @param {string} kind */
const column = (name, kind, plottable = true) => ({
  name,
  kind,
  type: kind,
  zone: null,
  plottable,
  reason: plottable ? null : "nested",
});
const COLUMNS = [
  column("lon", "float"),
  column("fare", "decimal"),
  column("when", "timestamp"),
  column("took", "duration"),
  column("vendor", "integer"),
  column("kind", "category"),
  column("shape", "list", false),
];

test("a reduction takes the columns that it is defined for", () => {
  const names = (/** @type {string} */ reduction) => columnsFor(COLUMNS, reduction).map((each) => each.name);
  assert.deepEqual(names("mean"), ["lon", "fare", "when", "took", "vendor"]);
  assert.deepEqual(names("sum"), ["lon", "fare", "took", "vendor"], "instants do not add up");
  assert.deepEqual(names("max"), ["lon", "fare", "when", "took", "vendor"]);
  assert.deepEqual(names("by"), ["kind", "vendor"], "labels before numbers");
  assert.deepEqual(names("count"), []);
  assert.deepEqual(reductionsOf([COLUMNS[2]]), ["count", "any", "mean", "min", "max", "first", "last"]);
});

test("what the server said of a column's values keeps it from being offered as categories", () => {
  const columns = COLUMNS.map((each) => ({ ...each }));
  const layer = /** @type {any} */ ({ columns, drawn: { x: "lon", y: "fare" } });
  const definition = /** @type {any} */ ({ x: "lon", y: "fare", agg: "by(vendor)" });
  noteRefusal({ layer, definition: { ...definition, y: "shape" }, error: "shape holds a list" });
  assert.equal(columns.filter((each) => each.by_reason).length, 0, "not because of its values");
  noteRefusal({ layer, definition, error: "by shows at most 64 categories, and 'vendor' has 99" });
  assert.deepEqual(
    columnsFor(columns, "by").map((each) => each.name),
    ["kind"],
  );
  const off = columnOptions(columnsFor(columns, "by"), columns, true).filter((option) => option.off);
  assert.deepEqual(
    off.map(({ value, note }) => [value, note]),
    [
      ["vendor", "too many values"],
      ["shape", "cannot be drawn"],
    ],
  );
  assert.deepEqual(columnsFor(columns, "mean"), columnsFor(columns, "max"), "other reductions take it");
});

test("a new reduction keeps a column that it takes, else starts with one that is on no axis", () => {
  const start = (/** @type {string} */ name, /** @type {string[]} */ before) =>
    startColumn(COLUMNS, name, { x: "lon", y: "kind", before });
  assert.equal(start("mean", []), "fare");
  assert.equal(start("mean", ["kind", "lon"]), "lon");
  assert.equal(start("by", ["fare"]), "vendor", "the labels are on an axis");
  assert.equal(
    startColumn([COLUMNS[0]], "mean", { x: "lon", y: "kind", before: [] }),
    "lon",
    "on an axis, but the only one",
  );
  assert.equal(start("count", ["fare"]), null);
});
