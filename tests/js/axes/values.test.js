// Values in words: numbers, and times in their own unit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ValueWords } from "../../../bigviz/static/axes/values.js";

/** @param {string} kind @param {string|null} [unit] @param {string|null} [zone] */
const words = (kind, unit = null, zone = null) => new ValueWords({ kind, type: "", unit, zone });

test("one value is shown as exactly as its column keeps it", () => {
  assert.equal(
    words("timestamp", "ns", "Europe/Berlin").one(1_700_000_000_123_456_789n),
    "2023-11-14 23:13:20.123456789",
  );
  assert.equal(words("timestamp", "s").one(1_700_000_000e9), "2023-11-14 22:13:20");
  assert.equal(words("timestamp", "us", "UTC+01:00").one(0), "1970-01-01 01:00:00.000000");
  assert.equal(words("date", "D").one(19_000 * 864e11), "2022-01-08");
  assert.equal(words("duration", "ms").one(90_061_001e6), "1 d 01:01:01.001");
  assert.equal(words("duration", "ns").one(-1500), "−1.5 µs");
  assert.equal(words("time", "us").one(3_600e9), "01:00:00.000000");
  assert.equal(words("integer").one(2n ** 62n + 1n), "4,611,686,018,427,387,905");
  assert.equal(words("float").one(1.5), "1.5");
});

test("a place on a scale is shown no more exactly than a step of it", () => {
  assert.equal(words("timestamp", "ns").near(1_700_000_000e9, 3600e9), "2023-11-14 22:13");
  assert.equal(words("timestamp", "ns").near(1_700_000_000e9, 864e11), "2023-11-14");
  assert.equal(words("float").near(100_000.123456, 0.01), "100,000.123");
  assert.equal(words("integer").near(7.4, 0.1), "7");
  assert.equal(words("float").near(0, 0.1), "0");
});
