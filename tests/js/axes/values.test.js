// Values in words: numbers, and times in their own unit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readValue, ValueWords } from "../../../bigviz/static/axes/values.js";
import { random } from "../random.js";

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
  for (const [value, told] of /** @type {[number, string][]} */ ([
    [100_000_001.4, "100,000,001.4"],
    [0.1, "0.1"],
    [1 / 3, "0.3333333333333333"],
    [123_456, "123,456"],
    [1e21, "1e+21"],
    [1.5e-9, "1.5e-9"],
    [2 ** 53 + 2, "9.007199254740994e+15"],
    [Number.POSITIVE_INFINITY, "∞"],
  ]))
    assert.equal(words("float").one(value), told);
  const single = new ValueWords({ kind: "float", type: "float", unit: null, zone: null });
  assert.equal(single.one(Math.fround(0.1)), "0.1", "the digits that a float32 has");
  assert.equal(single.one(Math.fround(16_777_215)), "16,777,215");
  assert.equal(words("float").about(1 / 3), "0.333333333", "an estimate has fewer");
});

test("a place on a scale is shown no more exactly than a step of it", () => {
  assert.equal(words("timestamp", "ns").near(1_700_000_000e9, 3600e9), "2023-11-14 22:13");
  assert.equal(words("timestamp", "ns").near(1_700_000_000e9, 864e11), "2023-11-14");
  assert.equal(words("float").near(100_000.123456, 0.01), "100,000.123");
  assert.equal(words("integer").near(7.4, 0.1), "7");
  assert.equal(words("float").near(0, 0.1), "0");
});

test("floats are told by digits that give them again", () => {
  const rand = random(4);
  const single = new ValueWords({ kind: "float", type: "float", unit: null, zone: null });
  const read = (/** @type {string} */ text) => Number(text.replaceAll(",", "").replaceAll("−", "-"));
  for (let round = 0; round < 2000; round++) {
    const value = (rand() - 0.5) * 10 ** (rand() * 60 - 30);
    assert.equal(read(words("float").one(value)), value);
    assert.equal(Math.fround(read(single.one(Math.fround(value)))), Math.fround(value));
  }
});

test("whole numbers that doubles do not hold are told exactly, or to digits that hold", () => {
  const ids = words("integer");
  const pair = [2n ** 62n, 2n ** 62n + 1n];
  assert.deepEqual(ids.apart(pair), ["4,611,686,018,427,387,904", "4,611,686,018,427,387,905"]);
  assert.equal(ids.near(pair[1], 0.01), "4,611,686,018,427,387,905");
  assert.deepEqual(ids.apart([2n ** 62n, 2n ** 63n]), ["4.612e+18", "9.223e+18"]);
  const [low, high] = ids.apart([2 ** 62, 2 ** 62 + 2 ** 40]);
  assert.ok(low !== high && /e\+18$/.test(low) && /e\+18$/.test(high), "a double has 15 digits");
});

test("sums of times beyond 2^53 ns are told to what a double holds", () => {
  assert.equal(words("duration", "ns").one(2 ** 60 + 2 ** 20), "13343 d 23:58:24.607895");
  assert.equal(words("duration", "ns").one(2n ** 60n + 1n), "13343 d 23:58:24.606846977");
});

test("round values beyond 2^53 count from the scale's origin", () => {
  const origin = 2n ** 62n;
  const whole = words("integer").rounds(0, 97, 5, origin);
  assert.ok(whole.length > 2 && whole.every((at) => (origin + BigInt(at)) % 10n === 0n && at >= 0 && at <= 97));
  const day = 86_400_000_000_000n;
  const stamps = words("timestamp", "ns").rounds(0, Number(day), 4, 19_000n * day + 1n);
  assert.ok(stamps.length > 2 && stamps.every((at) => (19_000n * day + 1n + BigInt(at)) % (day / 24n) === 0n));
});

test("a typed value is exact, whatever its size", () => {
  assert.equal(readValue("4611686018427387905"), 2n ** 62n + 1n);
  assert.equal(readValue("-12"), -12);
  assert.equal(readValue("1e20"), 1e20);
  for (const none of ["", " ", "x", "Infinity", "1e999"]) assert.equal(readValue(none), null);
});
