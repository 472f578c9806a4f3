// What the page says while the server reads files.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readingWords } from "../../../../bigviz/static/ui/status/reading.js";

test("words", () => {
  assert.equal(readingWords({ stage: "reading sensor.csv", done: 0.4599 }), "Reading sensor.csv, 45 %");
  assert.equal(readingWords({ stage: "unpacking a.csv.gz", done: 1 }), "Unpacking a.csv.gz, 100 %");
  assert.equal(readingWords({ stage: "", done: 0 }), ", 0 %");
});
