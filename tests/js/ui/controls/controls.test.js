// What controls work out without a page: steps of sliders, words of figures, the order of rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { valueWords } from "../../../../bigviz/static/ui/controls/number.js";
import { stepOf } from "../../../../bigviz/static/ui/controls/slider.js";
import { byColumn } from "../../../../bigviz/static/ui/controls/table.js";

test("a slider has about 200 steps of round numbers, whole ones between whole ends", () => {
  assert.equal(stepOf(0, 1), 0.005);
  assert.equal(stepOf(0, 100), 1);
  assert.equal(stepOf(0, 1000), 5);
  assert.equal(stepOf(-1.5, 1.5), 0.02);
  assert.equal(stepOf(0, 3e9), 2e7);
});

test("figures are read at a glance", () => {
  assert.equal(valueWords(1234567), "1,234,567");
  assert.equal(valueWords("9007199254740993"), "9,007,199,254,740,993");
  assert.equal(valueWords(12.34567), "12.35");
  assert.equal(valueWords(1234.567), "1,235");
  assert.equal(valueWords(0.00001234), "0.00001234");
  assert.equal(valueWords(1e-9), "1.000e-9");
  assert.equal(valueWords(null), "–");
  assert.equal(valueWords("2024-01-02T03:04:05"), "2024-01-02 03:04:05");
});

test("rows go by size or letter, those with nothing last either way", () => {
  const rows = [[3], [null], [10], [1]];
  assert.deepEqual([...rows].sort(byColumn(0, false)), [[1], [3], [10], [null]]);
  assert.deepEqual([...rows].sort(byColumn(0, true)), [[10], [3], [1], [null]]);
});
