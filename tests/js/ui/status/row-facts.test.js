// The words about a figure's rows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { farWords, rowsWords } from "../../../../bigviz/static/ui/status/row-facts.js";

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

test("of filtered rows it says how many are kept of all, for each filter of a dataset", () => {
  const kept = (/** @type {string} */ filter, /** @type {number} */ rows_kept) => {
    const { info, definition } = layer("a", 10_000_000, 12);
    return /** @type {any} */ ({ info: { ...info, rows_kept }, definition: { ...definition, filter } });
  };
  assert.equal(
    rowsWords([kept("v > 1", 1_234_567), kept("v > 1", 1_234_567), kept("v > 9", 0)]),
    "1,234,567 of 10,000,000 rows, 12 not drawn · 0 of 10,000,000 rows, 12 not drawn",
  );
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
