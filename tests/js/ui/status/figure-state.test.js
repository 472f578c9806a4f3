// The words about a picture's state.

import assert from "node:assert/strict";
import { test } from "node:test";
import { estimateWords, progressWords, readingWords } from "../../../../bigviz/static/ui/status/figure-state.js";

test("words", () => {
  const summary = (/** @type {any} */ o) => ({ share: 0.03, start: false, error: 1, relative: 0.123, ...o });
  assert.equal(estimateWords(summary({})), "estimate: 3 % of rows, ±12 %");
  assert.equal(
    estimateWords(summary({ share: 0.0004, start: true })),
    "estimate: the first less than 0.1 % of rows, ±12 %",
  );
  assert.equal(estimateWords(summary({ share: 1, relative: null })), "estimate: 100 % of rows");
  const now = { stage: "ordering rows", done: 0.25, rows: 5_000_000, seconds: 2 };
  assert.equal(progressWords(now), "ordering rows 25 %, 2.5M rows/s, about 6 s left");
  assert.equal(progressWords({ ...now, done: 0, rows: 0, seconds: 0 }), "ordering rows 0 %");
  assert.equal(readingWords(0.459), "reading 45 %");
});
