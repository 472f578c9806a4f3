// What is said of rows outside the first view.

import assert from "node:assert/strict";
import { test } from "node:test";
import { outsideWords } from "../../../../bigviz/static/ui/status/outside.js";

/** @param {number} rows @param {number} dense @param {object} [more] @returns {any[]} layers */
const layers = (rows, dense, more = {}) => [
  {
    info: {
      rows,
      rows_outside: 0,
      rows_far: 0,
      provisional: false,
      dense: { box: [0, 0, 1, 1], rows: dense },
      ...more,
    },
  },
];

test("shares from a thousandth on, else numbers while they are few", () => {
  assert.equal(outsideWords(layers(200_000, 198_000)), "1.0 % of rows lie");
  assert.equal(outsideWords(layers(100, 98)), "2.0 % of rows lie");
  assert.equal(outsideWords(layers(1_000_000, 999_815)), "185 rows lie");
  assert.equal(outsideWords(layers(1_000_000, 999_999)), "1 row lies");
  assert.equal(outsideWords(layers(1e9, 1e9 - 5000)), "less than 0.1 % of rows lie");
});

test("rows that are drawn nowhere are not counted, and a sample's share is marked", () => {
  assert.equal(outsideWords(layers(1000, 882, { rows_outside: 90, rows_far: 10 })), "2.0 % of rows lie");
  assert.equal(outsideWords(layers(1000, 980, { provisional: true })), "about 2.0 % of rows lie");
  assert.equal(outsideWords([...layers(10, 9), ...layers(10, 9)]), "some rows lie");
});
