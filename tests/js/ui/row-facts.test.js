// The words about a figure's rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { farWords, rowsWords } from "../../../bigviz/static/ui/row-facts.js";

/** @param {string} dataset @param {number} rows @param {number} rows_outside */
const layer = (dataset, rows, rows_outside = 0) =>
  /** @type {any} */ ({ info: { rows, rows_outside }, definition: { dataset } });

test("rows of each dataset are counted once, with those that are not drawn", () => {
  assert.equal(rowsWords([layer("a", 1)]), "1 row");
  assert.equal(
    rowsWords([layer("a", 1000, 12), layer("a", 1000, 12), layer("b", 5)]),
    "1,000 rows, 12 not drawn · 5 rows",
  );
  assert.equal(rowsWords([/** @type {any} */ ({ info: null, definition: null })]), "");
});

test("far rows", () => {
  assert.equal(farWords(1), "1 row lies very far from all others and is left out");
  assert.equal(farWords(1234), "1,234 rows lie very far from all others and are left out");
});

test("what a sample says is marked as such", () => {
  const sampled = layer("a", 1000, 12);
  sampled.info.provisional = true;
  assert.equal(rowsWords([sampled]), "1,000 rows, about 12 not drawn");
  assert.equal(farWords(1, true), "about 1 rows lie very far from all others and are left out");
  assert.equal(farWords(40, true), "about 40 rows lie very far from all others and are left out");
});
