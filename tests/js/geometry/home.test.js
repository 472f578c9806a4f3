// Where axes begin, and how far they go.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axisLimits, homeSpan, newestSpan, wholeBins } from "../../../bigviz/static/geometry/home.js";
import { AxisRoot } from "../../../bigviz/static/geometry/root.js";
import { equalSpans, fractionOf, length, span, spanToText } from "../../../bigviz/static/geometry/span.js";

test("home is the joined data with 2 % a side; one value gets room", () => {
  const home = homeSpan([["0.0", "10.0"], null, [5, 20]], false);
  assert.ok(equalSpans(home, span(-0.4, 20.4), 1e-12));
  assert.ok(equalSpans(homeSpan([], true), span(0, 1)));
  const one = homeSpan([["7", "7"]], true);
  assert.ok(one.exact && fractionOf(one, 7n, 0) === 0.5);
  const point = homeSpan([[1e12, 1e12]], false);
  assert.ok(Math.abs(fractionOf(point, 0n, 1e12) - 0.5) < 1e-3 && length(point) < 2000);
  const times = homeSpan([["1600000000000000000", "1700000000000000000"]], true);
  assert.deepEqual(spanToText(times), ["1598000000000000000", "1702000000000000000"]);
});

test("limits: two whole numbers, or what doubles tell apart", () => {
  const root = new AxisRoot(0n, 10);
  assert.deepEqual(axisLimits([root], { exact: false }), { min: 0, max: 8192 });
  assert.deepEqual(axisLimits([root], { exact: true }), { min: 2, max: 8192 });
  assert.equal(axisLimits([new AxisRoot(0n, 1)], { exact: true }).min, 0.5);
});

test("home of uint64 numbers beyond int64 is where they are", () => {
  const home = homeSpan([["9223372036854775809", "9223373136366403584"]], true);
  const [low, high] = spanToText(home).map((end) => BigInt(end));
  assert.ok(low < 9223372036854775809n && low > 2n ** 63n - 2n ** 36n && high > 9223373136366403584n);
});

test("cells are whole at both ends", () => {
  const months = homeSpan([["1", "12", true]], true);
  assert.ok(Math.abs(length(months) - 12 * 1.04) < 1e-9 && equalSpans(months, span(0.26, 12.74, 0n, true), 1e-9));
  const one = homeSpan([["7", "7", true]], true);
  assert.ok(length(one) > 1);
});

test("the newest part ends with a margin, to the nanosecond, also where there is nothing yet", () => {
  const parts = /** @type {import("../../../bigviz/static/geometry/home.js").DataRange[]} */ ([
    [0, 100],
    null,
    [-10, 50],
  ]);
  assert.ok(equalSpans(newestSpan(parts, false, 10), span(90.2, 100.2), 1e-12));
  const times = newestSpan([["1700000000000000000", "1700000060000000000"]], true, 10e9);
  assert.equal(length(times), 10e9);
  assert.ok(Math.abs(fractionOf(times, 1700000060000000000n, 0) - 0.98) < 1e-12);
  assert.ok(equalSpans(newestSpan([], true, 10), span(-9.8, 0.2, 0n, true), 1e-12));
});

test("where each whole number has a bin, the last one is in the first view", () => {
  assert.deepEqual(wholeBins(["1", "11"], 11), ["1", "12"]);
  assert.deepEqual(wholeBins(["7", "7"]), ["7", "8"]);
  assert.deepEqual(wholeBins(["0", "50"]), ["0", "51"]);
  assert.deepEqual(wholeBins(["0", "51"]), ["0", "51"]);
  assert.deepEqual(wholeBins(["9223372036854775800", "9223372036854775807"])[1], "9223372036854775808");
});
