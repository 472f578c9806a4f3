import assert from "node:assert/strict";
import { test } from "node:test";
import { asCsv, asTabs } from "../../../../bigviz/static/ui/rows/shown-rows.js";

const PAGE = {
  columns: [
    { name: "a,b", type: "string" },
    { name: "n", type: "double" },
  ],
  rows: [
    ["=1+1", "-2.5e-3"],
    ['say "x"\ty', null],
    ["", "-inf"],
  ],
  row: [7, 8, 9],
  total: 3,
  offset: 0,
};

test("CSV quotes what it must, keeps numbers, and disarms formulas", () => {
  assert.equal(asCsv(PAGE), 'row,"a,b",n\n7,\'=1+1,-2.5e-3\n8,"say ""x""\ty",\n9,"",\'-inf\n');
});

test("rows for the clipboard have a tab between cells and nowhere else", () => {
  assert.equal(asTabs(PAGE), 'row\ta,b\tn\n7\t=1+1\t-2.5e-3\n8\tsay "x" y\t\n9\t\t-inf');
});
