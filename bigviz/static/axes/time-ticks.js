// Times on an axis: ticks on round local times from centuries down to nanoseconds, and their words. Times are BigInt
// nanoseconds since the epoch (or, for durations and times of day, since zero); calendars are Date's, in UTC on local
// milliseconds.

import { utcFormat } from "d3-time-format";
import { instantsOf, passOf, zoneOffset } from "./zones.js";

/** @typedef {import("../geometry/span.js").Span} Span */
/** @typedef {{at: bigint, label: string, context: string|null}} TimeTick */
/** A distance between ticks: `count` units; sub-second steps count nanoseconds.
 * @typedef {{unit: "ns"|"second"|"minute"|"hour"|"day"|"month"|"year", count: number, ns: number}} Step */

const SECOND = 1e9;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365.2425 * DAY;
const MS = 1_000_000n;

/** @param {Step["unit"]} unit @param {number} length @param {number[]} counts @returns {Step[]} */
const steps = (unit, length, counts) => counts.map((count) => ({ unit, count, ns: count * length }));

/** @type {Step[]} */
const SUBSECOND = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) =>
  steps("ns", 1, [10 ** power, 2 * 10 ** power, 5 * 10 ** power]),
);
/** @type {Step[]} */
const CLOCK = [
  ...SUBSECOND,
  ...steps("second", SECOND, [1, 2, 5, 10, 15, 30]),
  ...steps("minute", MINUTE, [1, 2, 5, 10, 15, 30]),
  ...steps("hour", HOUR, [1, 3, 6, 12]),
];
/** @type {Step[]} */
const CALENDAR = [
  ...CLOCK,
  ...steps("day", DAY, [1, 2, 7]),
  ...steps("month", YEAR / 12, [1, 3, 6]),
  ...[1, 10, 100].flatMap((power) => steps("year", YEAR, [power, 2 * power, 5 * power])),
];
/** @type {Step[]} */
const SPANS = [
  ...CLOCK,
  ...[0, 1, 2, 3, 4, 5].flatMap((power) => steps("day", DAY, [10 ** power, 2 * 10 ** power, 5 * 10 ** power])),
];

/** The step nearest (as a ratio) to a length.  @param {Step[]} ladder @param {number} ns @returns {Step} */
function nearest(ladder, ns) {
  const off = (/** @type {Step} */ step) => Math.abs(Math.log(step.ns / ns));
  return ladder.reduce((best, step) => (off(step) < off(best) ? step : best));
}

/** Rounded up to a multiple.  @param {bigint} value @param {bigint} step @returns {bigint} */
export function ceilTo(value, step) {
  const rest = ((value % step) + step) % step;
  return rest === 0n ? value : value + step - rest;
}

/** @param {bigint} value @param {bigint} by above 0 @returns {bigint} */
function floorDiv(value, by) {
  return (value - (((value % by) + by) % by)) / by;
}

/** First and last nanosecond within a span.  @param {Span} s @returns {[bigint, bigint]} */
function ends(s) {
  return [s.origin + BigInt(Math.ceil(s.lo)), s.origin + BigInt(Math.floor(s.hi))];
}

const WORDS = {
  year: utcFormat("%Y"),
  month: utcFormat("%b"),
  day: utcFormat("%b %-d"),
  date: utcFormat("%b %-d, %Y"),
  minute: utcFormat("%H:%M"),
  second: utcFormat("%H:%M:%S"),
  dateMinute: utcFormat("%b %-d, %Y %H:%M"),
  iso: utcFormat("%Y-%m-%d"),
};

/** Digits of a fraction of a second with which multiples of a step differ.  @param {number} ns @returns {number} */
function decimals(ns) {
  return ns >= SECOND ? 0 : Math.min(9, Math.ceil(-Math.log10(Math.max(1, ns) / SECOND) - 1e-9));
}

/**
 * Label and context of a local time under a step.
 * @param {number} local ms
 * @param {number} ns within the second
 * @param {Step} step
 * @param {string} pass of two with this local time
 * @returns {[string, string|null]}
 */
function words(local, ns, { unit, ns: size }, pass) {
  const date = new Date(local);
  switch (unit) {
    case "year":
      return [WORDS.year(date), null];
    case "month":
      return [WORDS.month(date), WORDS.year(date)];
    case "day":
      return [WORDS.day(date), WORDS.year(date)];
    case "hour":
    case "minute":
      return [told(WORDS.minute(date), pass), WORDS.date(date)];
    case "second":
      return [told(WORDS.second(date), pass), WORDS.date(date)];
    default: {
      const seconds = String(date.getUTCSeconds()).padStart(2, "0");
      return [`${seconds}.${String(ns).padStart(9, "0").slice(0, decimals(size))}`, told(WORDS.dateMinute(date), pass)];
    }
  }
}

/** @param {string} time @param {string} pass @returns {string} */
function told(time, pass) {
  return pass === "" ? time : `${time} ${pass}`;
}

/**
 * Local milliseconds of the ticks from `lo` to `hi`.
 * @param {number} lo
 * @param {number} hi
 * @param {Step} step of a second or more
 * @returns {number[]}
 */
function localTicks(lo, hi, { unit, count, ns }) {
  const out = [];
  if (unit === "month" || unit === "year") {
    const first = new Date(lo);
    const stride = unit === "year" ? 12 * count : count;
    let month = Math.floor((first.getUTCFullYear() * 12 + first.getUTCMonth()) / stride) * stride;
    for (let at = monthStart(month); at <= hi; month += stride, at = monthStart(month)) if (at >= lo) out.push(at);
    return out;
  }
  if (unit === "day" && count > 1) {
    // Every second or seventh day of the month, the 1st with them, so that ticks stay when the view moves.
    for (let at = Math.ceil(lo / 864e5) * 864e5; at <= hi; at += 864e5) {
      const day = new Date(at).getUTCDate();
      if ((day - 1) % count === 0 && day + count / 2 <= 31) out.push(at);
    }
    return out;
  }
  const stride = ns / 1e6;
  for (let at = Math.ceil(lo / stride) * stride; at <= hi; at += stride) out.push(at);
  return out;
}

/** @param {number} month counted from year 0 @returns {number} ms */
function monthStart(month) {
  const date = new Date(0);
  date.setUTCFullYear(Math.floor(month / 12), month - 12 * Math.floor(month / 12), 1);
  return date.getTime();
}

/**
 * Ticks of instants in a zone: about `target` of them on round local times; the context (the part of the date that the
 * label lacks) stands at the first tick and where it changes.
 * @param {Span} s @param {number} target @param {string|null} zone @returns {TimeTick[]}
 */
export function stampTicks(s, target, zone) {
  const [from, to] = ends(s);
  const step = nearest(CALENDAR, (s.hi - s.lo) / Math.max(1, target));
  /** @type {bigint[]} */ const found = [];
  if (step.unit === "ns") {
    const stride = BigInt(step.count);
    for (let at = ceilTo(from, stride); at <= to; at += stride) found.push(at);
  } else {
    const [a, b] = [Number(floorDiv(from, MS)), Number(floorDiv(to, MS)) + 1];
    const [first, last] = [zoneOffset(a, zone), zoneOffset(b, zone)];
    // Both passes of the hour that autumn repeats have ticks, where these are as close as that.
    const passes = step.ns <= HOUR ? 2 : 1;
    const all = localTicks(a + Math.min(first, last), b + Math.max(first, last), step).flatMap((local) =>
      instantsOf(local, zone).slice(0, passes),
    );
    for (const at of [...new Set(all)].sort((p, q) => p - q).map((ms) => BigInt(ms) * MS))
      if (at >= from && at <= to) found.push(at);
  }
  let last = "";
  return found.map((at) => {
    const [local, ns] = localOf(at, zone);
    const pass = step.ns <= HOUR ? passOf(Number(floorDiv(at, MS)), zone) : "";
    const [label, context] = words(local, ns, step, pass);
    const changed = context !== null && context !== last;
    last = context ?? "";
    return { at, label, context: changed ? context : null };
  });
}

/**
 * @param {bigint} at
 * @param {string|null} zone
 * @returns {[number, number]} local ms and the nanoseconds within the second
 */
function localOf(at, zone) {
  const ms = Number(floorDiv(at, MS));
  return [ms + zoneOffset(ms, zone), Number(at - floorDiv(at, 1_000_000_000n) * 1_000_000_000n)];
}

/**
 * An instant as "2024-03-03 06:00:00.125", with the parts that steps of `step` ns need.
 * @param {bigint} at
 * @param {string|null} zone
 * @param {number} step
 * @returns {string}
 */
export function formatStamp(at, zone, step) {
  const [local, ns] = localOf(at, zone);
  const date = new Date(local);
  if (step >= DAY) return WORDS.iso(date);
  const clock = step >= MINUTE ? WORDS.minute(date) : WORDS.second(date);
  const digits = decimals(step);
  const time = `${WORDS.iso(date)} ${clock}${digits ? `.${String(ns).padStart(9, "0").slice(0, digits)}` : ""}`;
  return told(time, passOf(Number(floorDiv(at, MS)), zone));
}

/**
 * Ticks of durations and times of day.
 * @param {Span} s @param {number} target @param {boolean} clock times of day: always with a colon @returns {TimeTick[]}
 */
export function durationTicks(s, target, clock) {
  const [from, to] = ends(s);
  const asClock = clock || to >= 1_000_000_000n || from <= -1_000_000_000n;
  const step = nearest(SPANS, (s.hi - s.lo) / Math.max(1, target));
  const stride = BigInt(step.ns);
  const out = [];
  for (let at = ceilTo(from, stride); at <= to; at += stride)
    out.push({ at, label: formatDuration(at, step.ns, asClock), context: null });
  return out;
}

/**
 * A length of time as "2 d 03:04:05.125", with the parts that steps of `step` ns need; below a second in ms, µs or ns
 * unless `clock`.
 * @param {bigint} length ns @param {number} step @param {boolean} clock @returns {string}
 */
export function formatDuration(length, step, clock) {
  const sign = length < 0n ? "−" : "";
  const size = length < 0n ? -length : length;
  if (!clock && size < 1_000_000_000n && step < SECOND) return size === 0n ? "0" : sign + small(size);
  const days = size / 86_400_000_000_000n;
  const rest = Number(size % 86_400_000_000_000n);
  if (step >= DAY) return `${sign}${days} d`;
  const two = (/** @type {number} */ value) => String(Math.floor(value)).padStart(2, "0");
  const seconds = step >= MINUTE ? "" : `:${two((rest % MINUTE) / SECOND)}`;
  const digits = decimals(step);
  const fraction = digits
    ? `.${String(rest % SECOND)
        .padStart(9, "0")
        .slice(0, digits)}`
    : "";
  return `${sign}${days ? `${days} d ` : ""}${two(rest / HOUR)}:${two((rest % HOUR) / MINUTE)}${seconds}${fraction}`;
}

/** @param {bigint} ns below a second @returns {string} */
function small(ns) {
  const value = Number(ns);
  if (value >= 1e6) return `${value / 1e6} ms`;
  return value >= 1e3 ? `${value / 1e3} µs` : `${value} ns`;
}
