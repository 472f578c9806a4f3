// Axes: ticks on round values within the span, labels that say them, times against Intl, text that reads back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Axis, formatNumber, latitude, mercatorY, niceStep } from "../../../bigviz/static/axes/axis.js";
import { fractionOf, length, span, spanOf } from "../../../bigviz/static/geometry/span.js";
import { formatDuration, formatStamp } from "../../../bigviz/static/axes/time-ticks.js";
import { pick, random } from "../random.js";

const SECOND = 1_000_000_000n;

/**
 * @param {Partial<import("../../../bigviz/static/axes/axis.js").AxisOptions> & {of?: string, zone?: string|null}} [o]
 *   `of`: kind of the column
 */
function axis({ of = "float", zone = null, ...o } = {}) {
  return new Axis({ kind: "linear", side: "x", column: { column: "c", kind: of, zone, categories: null }, zone, ...o });
}

const labels = (/** @type {Axis} */ a, /** @type {any} */ s, pixels = 900, spacing = 100) =>
  a
    .ticks(s, pixels, { spacing })
    .filter((tick) => !tick.minor)
    .map((tick) => tick.label);

test("ticks lie within the span, rise, and are about as many as there is room for", () => {
  const rand = random(80);
  for (let round = 0; round < 1500; round++) {
    const kind = pick(
      rand,
      /** @type {const} */ (["float", "integer", "timestamp", "duration", "time", "log", "x", "y"]),
    );
    const exact = kind === "integer" || kind === "timestamp" || kind === "duration" || kind === "time";
    const size = exact ? 20 + 10 ** (rand() * 18) : 10 ** (rand() * 20 - 10);
    let s = exact
      ? span(0, size, BigInt(Math.floor((rand() - 0.5) * 1e18)), true)
      : span((rand() - 0.5) * size * 10, 0 + size * 11);
    if (kind === "log") s = span(rand() * 20 - 10, rand() * 20 + 10.5);
    if (kind === "x" || kind === "y") s = span(rand() * 0.5, 0.5 + rand() * 0.5 + 1e-4);
    const a =
      kind === "log"
        ? axis({ kind: "log" })
        : kind === "x" || kind === "y"
          ? axis({ kind: "mercator", side: kind })
          : axis({ of: kind });
    const ticks = a.ticks(s, 1000, { spacing: 100 });
    const major = ticks.filter((tick) => !tick.minor);
    assert.ok(major.length >= 2 && major.length <= 31, `${kind} ${size}: ${major.length} ticks`);
    assert.ok(
      ticks.every(
        (tick, k) =>
          tick.fraction >= -1e-9 && tick.fraction <= 1 + 1e-9 && (k === 0 || tick.fraction > ticks[k - 1].fraction),
      ),
    );
    assert.equal(new Set(major.map((tick) => tick.label + (tick.context ?? ""))).size >= major.length / 4, true);
  }
});

test("numbers: separators near 1, SI for millions, exponents far away, 0 is 0", () => {
  assert.deepEqual(labels(axis(), span(-1, 1), 500), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
  assert.deepEqual(labels(axis(), span(0, 40000), 500), ["0", "10,000", "20,000", "30,000", "40,000"]);
  assert.deepEqual(labels(axis(), span(0, 8e6), 500), ["0", "2M", "4M", "6M", "8M"]);
  assert.deepEqual(labels(axis(), span(0, 4e20), 500), ["0", "1e+20", "2e+20", "3e+20", "4e+20"]);
  assert.deepEqual(labels(axis(), span(0, 4.5e-309), 500), ["0", "1e-309", "2e-309", "3e-309", "4e-309"]);
  assert.deepEqual(labels(axis(), span(-8e307, 8e307), 500), ["−5e+307", "0", "5e+307"]);
  assert.ok(labels(axis(), span(8e307, 8e307 + 1e300), 200).length > 1);
});

test("whole numbers have whole ticks, exact beyond 2^53", () => {
  const s = spanOf("9007199254740992001", "9007199254740992004", true);
  assert.deepEqual(labels(axis({ of: "integer" }), s), [
    "9,007,199,254,740,992,001",
    "9,007,199,254,740,992,002",
    "9,007,199,254,740,992,003",
    "9,007,199,254,740,992,004",
  ]);
  assert.deepEqual(labels(axis({ of: "bool" }), span(-0.1, 1.1, 0n, true)), ["false", "true"]);
  for (const ideal of [0.1, 1, 1.3, 1.6, 3, 4, 8, 1234, 5e12]) {
    const step = niceStep(ideal);
    assert.ok(step === 1 || (step / ideal > 0.62 && step / ideal < 1.6));
    assert.ok([1, 2, 5].includes(Number(String(step)[0])));
  }
});

test("categories stand at their codes with their labels", () => {
  const a = axis({ of: "category", categories: ["a", "b", "a rather long label that goes on and on"] });
  const ticks = a.ticks(span(-0.5, 2.5, 0n, true), 600);
  assert.deepEqual(
    ticks.map((tick) => tick.label),
    ["a", "b", "a rather long label that go…"],
  );
  assert.ok(Math.abs(ticks[1].fraction - 0.5) < 1e-12);
  assert.equal(a.format(0n, 1.4, 0.1), "b", "its band ends half way to the next");
  assert.equal(a.format(0n, 0.6, 0.1), "b");
  assert.equal(a.format(0n, 7, 0.1), "");
});

test("a log axis of more decades than there are numbers has as few ticks as another", () => {
  const ticks = axis({ kind: "log" }).ticks(span(-9.5e15, 9.5e15), 600, { spacing: 40 });
  assert.ok(ticks.length > 1 && ticks.length < 40);
});

test("log axes label powers, then 2 and 5, then round numbers", () => {
  const a = axis({ kind: "log" });
  assert.deepEqual(labels(a, span(-2, 3)), ["0.01", "0.1", "1", "10", "100", "1,000"]);
  assert.deepEqual(labels(a, span(0, 1.4)), ["1", "2", "5", "10", "20"]);
  assert.deepEqual(labels(a, span(8, 12)).slice(0, 2), ["10⁸", "10⁹"]);
  assert.deepEqual(labels(a, span(0.1, 0.2), 300), ["1.3", "1.4", "1.5"]);
  const minor = a.ticks(span(0, 2), 300, { spacing: 100 }).filter((tick) => tick.minor);
  assert.equal(minor.length, 16);
  assert.equal(a.format(0n, 2, 0.001), "100");
});

test("mercator axes label round degrees", () => {
  const [x, y] = [axis({ kind: "mercator" }), axis({ kind: "mercator", side: "y" })];
  assert.deepEqual(labels(x, span(0, 1), 500), ["180° W", "120° W", "60° W", "0°", "60° E", "120° E", "180° E"]);
  assert.ok(labels(y, span(0, 1), 600, 60).includes("45° N"));
  const tick = y.ticks(span(0, 1), 600, { spacing: 60 }).find((each) => each.label === "45° N");
  assert.ok(tick && Math.abs(latitude(tick.fraction) - 45) < 1e-9);
  for (const degrees of [-85, -12.5, 0, 60]) assert.ok(Math.abs(latitude(mercatorY(degrees)) - degrees) < 1e-9);
  assert.equal(x.format(0n, 0.25, 1e-4), "90.00° W");
});

test("time ticks fall on round local times in every zone, across changes of the clock", () => {
  const rand = random(81);
  const zones = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "+05:30", null];
  const steps = { year: /01-01 00:00:00$/, month: /-01 00:00:00$/, day: /00:00:00$/, hour: /00:00$/ };
  for (let round = 0; round < 400; round++) {
    const zone = pick(rand, zones);
    const days = 10 ** (rand() * 4);
    const s = span(0, days * 86400e9, BigInt(Math.floor(rand() * 2e18)), true);
    const ticks = axis({ of: "timestamp", kind: "datetime", zone }).ticks(s, 900, { spacing: 100 });
    assert.ok(ticks.length >= 3 && ticks.length <= 31, `${days} days: ${ticks.length}`);
    const unit = days > 4000 ? "year" : days > 300 ? "month" : days > 12 ? "day" : "hour";
    for (const tick of ticks) {
      const at = ((s.origin + BigInt(Math.round(s.lo + tick.fraction * length(s))) + SECOND / 2n) / SECOND) * SECOND;
      const text = formatStamp(at, zone, 1e9);
      // Where a clock is put forward over a round time, the tick stands at the first time after the gap.
      if (!steps[unit].test(text)) assert.ok(days < 12 || /0[0-3]:\d\d:00$/.test(text), `${zone} ${unit}: ${text}`);
    }
    assert.ok(ticks[0].context !== null || /^\d{4}$/.test(ticks[0].label), "the first tick says the rest of the date");
  }
});

test("nanoseconds: each has its tick and its words", () => {
  const s = span(-3, 3, 1_700_000_000_123_456_789n, true);
  const a = axis({ of: "timestamp", kind: "datetime" });
  const ticks = a.ticks(s, 900, { spacing: 120 });
  assert.deepEqual(ticks.map((tick) => tick.label).slice(0, 3), ["20.123456786", "20.123456787", "20.123456788"]);
  assert.equal(ticks[0].context, "Nov 14, 2023 22:13");
  assert.equal(ticks[3].fraction, 0.5);
  assert.equal(a.format(1_700_000_000_123_456_789n, 1.2, 0.01), "2023-11-14 22:13:20.123456790");
  assert.equal(a.format(1_700_000_000_123_456_789n, 0, 864e11), "2023-11-14");
  assert.equal(formatStamp(-1n, null, 1), "1969-12-31 23:59:59.999999999");
  assert.equal(formatStamp(-9_223_372_036_854_775_807n, null, 1), "1677-09-21 00:12:43.145224193");
});

test("durations count from zero, times of day keep the clock", () => {
  assert.deepEqual(labels(axis({ of: "duration" }), span(0, 4e8, 0n, true), 400), [
    "0",
    "100 ms",
    "200 ms",
    "300 ms",
    "400 ms",
  ]);
  assert.deepEqual(labels(axis({ of: "duration" }), span(-4e9, 4e9, 0n, true), 400), [
    "−00:00:04",
    "−00:00:02",
    "00:00:00",
    "00:00:02",
    "00:00:04",
  ]);
  assert.deepEqual(labels(axis({ of: "time" }), span(0, 43200e9, 0n, true), 400), [
    "00:00",
    "03:00",
    "06:00",
    "09:00",
    "12:00",
  ]);
  assert.deepEqual(labels(axis({ of: "time" }), span(0, 2e8, 0n, true), 400), [
    "00:00:00.00",
    "00:00:00.05",
    "00:00:00.10",
    "00:00:00.15",
    "00:00:00.20",
  ]);
  assert.equal(formatDuration(200_000n * SECOND + 5n, 1, false), "2 d 07:33:20.000000005");
  assert.equal(formatDuration(1500n, 1, false), "1.5 µs");
  assert.equal(formatDuration(-1n, 1, false), "−1 ns");
});

test("the URL's text reads back to the same span", () => {
  for (const [a, s] of /** @type {[Axis, any][]} */ ([
    [axis(), span(-0.1, 0.30000000000000004)],
    [axis({ of: "timestamp", kind: "datetime" }), span(-5, 5, 1_700_000_000_123_456_789n, true)],
    [axis({ kind: "log" }), span(-3.3, 12)],
  ])) {
    const text = a.toUrl(s);
    const back = a.fromUrl(...text);
    assert.ok(back);
    assert.deepEqual(a.toUrl(back), text);
    assert.equal(fractionOf(s, back.origin, back.lo), 0);
  }
  assert.deepEqual(axis({ of: "timestamp", kind: "datetime" }).toUrl(span(0, 10, 1_700_000_000_123_456_789n, true)), [
    "1700000000123456789",
    "1700000000123456799",
  ]);
  for (const [a, b] of [
    [null, "1"],
    ["1", null],
    ["1", "1"],
    ["x", "2"],
    ["3", "2"],
    ["-Infinity", "2"],
  ])
    assert.equal(axis().fromUrl(a, b), null);
});

test("titles say unit or zone", () => {
  assert.equal(axis({ unit: "km" }).title, "c (km)");
  assert.equal(axis({ label: "Fare", unit: null }).title, "Fare");
  assert.equal(axis({ of: "timestamp", kind: "datetime", zone: "Asia/Tokyo" }).title, "c (Asia/Tokyo)");
});

test("numbers in words", () => {
  const cases = /** @type {[number|bigint, number|undefined, string][]} */ ([
    [0, undefined, "0"],
    [-5, 4, "−5"],
    [1234567, 4, "1.235M"],
    [1234567, 9, "1,234,567"],
    [0.1 + 0.2, 9, "0.3"],
    [1e20, 4, "1e+20"],
    [1e-9, 4, "1e-9"],
    [2n ** 63n, 9, "9,223,372,036,854,775,808"],
    [-(2n ** 63n), 9, "−9,223,372,036,854,775,808"],
    [12n, 9, "12"],
    [Number.NaN, 4, "–"],
    [Number.POSITIVE_INFINITY, 4, "∞"],
  ]);
  for (const [value, digits, want] of cases) assert.equal(formatNumber(value, digits), want);
  assert.equal(axis().format(0n, 1234.56789, 0.01), "1,234.57");
  assert.equal(axis({ of: "integer" }).format(10n ** 18n, 3, 0.5), "1,000,000,000,000,000,003");
});

test("ranges near the ends of float64 have ticks", () => {
  const ax = new Axis({ kind: "linear", side: "x" });
  for (const size of [1e-304, 1e-300, 1e300])
    assert.ok(ax.ticks(span(-4 * size, 4 * size), 800).length >= 5, String(size));
});

test("both passes of the hour that autumn repeats have ticks, and different words", () => {
  const ns = (/** @type {string} */ text) => BigInt(Date.parse(`${text}Z`)) * 1_000_000n;
  const between = (/** @type {string} */ from, /** @type {string} */ to, /** @type {string} */ zone, spacing = 100) => {
    const s = span(0, Number(ns(to) - ns(from)), ns(from), true);
    return axis({ of: "timestamp", kind: "datetime", zone })
      .ticks(s, 700, { spacing })
      .map(({ label, fraction }) => ({ label, at: ns(from) + BigInt(Math.round(fraction * length(s))) }));
  };
  const berlin = ["2026-10-25T00:10", "2026-10-25T00:50"].map(ns);
  assert.deepEqual(
    between("2026-10-25T00:10", "2026-10-25T00:50", "Europe/Berlin").map(({ label }) => label),
    [
      "02:10 +02",
      "02:15 +02",
      "02:20 +02",
      "02:25 +02",
      "02:30 +02",
      "02:35 +02",
      "02:40 +02",
      "02:45 +02",
      "02:50 +02",
    ],
  );
  assert.ok(
    between("2026-10-25T01:10", "2026-10-25T01:50", "Europe/Berlin").every(({ label }) => label.endsWith(" +01")),
  );
  assert.ok(
    between("2026-11-01T08:10", "2026-11-01T08:50", "America/Los_Angeles").every(({ label }) =>
      /^01:\d\d −07$/.test(label),
    ),
  );
  assert.ok(
    between("2026-11-01T09:10", "2026-11-01T09:50", "America/Los_Angeles").every(({ label }) =>
      /^01:\d\d −08$/.test(label),
    ),
  );
  const night = between("2026-10-24T22:00", "2026-10-25T04:00", "Europe/Berlin");
  assert.deepEqual(
    night.map(({ label }) => label),
    ["00:00", "01:00", "02:00 +02", "02:00 +01", "03:00", "04:00", "05:00"],
  );
  for (const [k, { at }] of night.entries())
    assert.equal(at - night[0].at, BigInt(k) * 3_600_000_000_000n, "an hour apart");
  assert.equal(formatStamp(berlin[0], "Europe/Berlin", 60e9), "2026-10-25 02:10 +02");
  assert.equal(formatStamp(ns("2026-10-25T03:10"), "Europe/Berlin", 60e9), "2026-10-25 04:10");
  const labels = between("2026-04-04T12:00", "2026-04-05T00:00", "Australia/Lord_Howe", 30).map(({ label }) => label);
  assert.equal(new Set(labels).size, labels.length, "half an hour is repeated there");
});

test("an axis says in which zone its stamps are shown", () => {
  const of = (/** @type {string|null} */ zone) => axis({ of: "timestamp", kind: "datetime", zone });
  assert.match(of("UTC+01:00").title, /\(UTC\+01:00\)$/);
  assert.equal(of("UTC+01:00").format(0n, 0, 60e9), "1970-01-01 01:00");
  assert.match(of("Not/AZone").title, /unknown here: UTC/);
});

test("a label without a visible character is not a gap", () => {
  const labelled = axis({ of: "category", categories: ["", "bus", " \t"] });
  assert.deepEqual(labels(labelled, span(-0.5, 2.5, 0n, true)), ["(blank)", "bus", "(blank)"]);
  assert.equal(labelled.format(0n, 0, 1), "(blank)");
  assert.equal(labelled.format(3n, 0, 1), "");
});
