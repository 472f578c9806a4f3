import assert from "node:assert/strict";
import { test } from "node:test";
import { valueWords } from "../../../../bigviz/static/ui/rows/statistics.js";

test("whole numbers below 10^12 are written out", () => {
  assert.equal(valueWords(2_000_880), "2,000,880");
  assert.equal(valueWords(999_999_999_999), "999,999,999,999");
  assert.equal(valueWords(-2_000_880), "−2,000,880");
  assert.equal(valueWords("9223372036854775807"), "9,223,372,036,854,775,807");
  assert.equal(valueWords(2_000_880.123456), "2,000,880");
  assert.equal(valueWords(12.3456789), "12.3457");
  assert.equal(valueWords(4e12), "4T");
  assert.equal(valueWords(null), "–");
});
