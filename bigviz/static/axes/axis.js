// Axes: what numbers in axis space mean to a reader. Ticks, labels, single values, and the URL's text.

import { labelWords } from "./label-words.js";
import { format } from "d3-format";
import { fractionOf, length, SHORTEST, spanOf, spanToText, toBigInt } from "../geometry/span.js";
import { niceNumbers, numberStyle } from "./nice-numbers.js";
import { ceilTo, durationTicks, formatDuration, formatStamp, stampTicks } from "./time-ticks.js";
import { isKnownZone } from "./zones.js";

/** @typedef {import("../geometry/span.js").Span} Span */
/** fraction: 0..1 along the span; context: second line (what a time's label lacks), null mostly; minor: no label.
 * @typedef {{fraction: number, label: string, context: string|null, minor: boolean}} Tick */
/** What an axis shows: the document's axis and the column's facts from the `layer` answer.
 * @typedef {{kind: "linear"|"log"|"datetime"|"mercator", side: "x"|"y", column?:
 *   import("../wire/frames.js").ColumnFacts|null, label?: string|null,
 *   unit?: string|null, zone?: string|null, categories?: string[]|null}} AxisOptions */
/** @typedef {"number"|"whole"|"log"|"stamp"|"duration"|"clock"|"degrees"|"category"} Flavour */

/** Column kinds whose axis numbers are int64. */
const WHOLE = new Set(["integer", "bool", "category", "date", "time", "timestamp", "duration"]);
const LABEL_SPACING = 80;
/** A category's label is cut here. */
const LONGEST_LABEL = 28;
/** Decades between labels, beyond which those between have no ticks of their own. */
const MOST_MINOR = 10;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * Are the axis numbers of a column on a kind of axis int64?
 * @param {string} kind of the column
 * @param {string} axis
 * @returns {boolean}
 */
export function isExact(kind, axis) {
  return (axis === "linear" || axis === "datetime") && WHOLE.has(kind);
}

export class Axis {
  /** @param {AxisOptions} o */
  constructor(o) {
    this.o = o;
    const kind = o.column?.kind ?? (o.kind === "datetime" ? "timestamp" : "float");
    /** @readonly axis numbers are int64 */ this.exact = isExact(kind, o.kind);
    /** @readonly @type {string[]|null} */ this.categories =
      o.kind === "linear" ? (o.categories ?? (kind === "bool" ? ["false", "true"] : null)) : null;
    /** @readonly @type {Flavour} */ this.flavour = flavourOf(o.kind, kind, this.categories !== null);
    /** @readonly zone in which stamps are read; null: UTC, unsaid */ this.zone = o.zone ?? o.column?.zone ?? null;
  }

  /** What the axis shows: label or column name, with unit or zone. @returns {string} */
  get title() {
    const name = this.o.label ?? this.o.column?.column ?? "";
    const note = this.o.unit ?? (this.flavour === "stamp" ? zoneWords(this.zone) : null);
    return note ? `${name} (${note})` : name;
  }

  /**
   * Ticks within a span, low to high.
   * @param {Span} s
   * @param {number} pixels CSS length of the axis
   * @param {{spacing?: number}} [o] CSS pixels wanted between labels
   * @returns {Tick[]}
   */
  ticks(s, pixels, { spacing = LABEL_SPACING } = {}) {
    const target = Math.max(1, pixels / spacing);
    if (this.flavour === "stamp") return placed(s, stampTicks(s, target, this.zone));
    if (this.flavour === "duration" || this.flavour === "clock")
      return placed(s, durationTicks(s, target, this.flavour === "clock"));
    if (this.flavour === "log") return logTicks(s, target);
    if (this.flavour === "degrees") return this.o.side === "x" ? longitudeTicks(s, target) : latitudeTicks(s, target);
    if (this.flavour === "number") return numberTicks(s, target);
    return wholeTicks(s, target, this.categories);
  }

  /**
   * One value in words, with as many digits as steps of `step` need.
   * @param {bigint} origin
   * @param {number} offset
   * @param {number} step axis-space size of a pixel or cell, above 0
   * @returns {string}
   */
  format(origin, offset, step) {
    switch (this.flavour) {
      case "stamp":
        return formatStamp(toBigInt(origin, offset), this.zone, step);
      case "duration":
      case "clock":
        return formatDuration(toBigInt(origin, offset), step, this.flavour === "clock");
      case "log":
        return formatNumber(
          10 ** (Number(origin) + offset),
          Math.min(17, 1 + Math.max(2, Math.ceil(-Math.log10(step)))),
        );
      case "degrees":
        return this.o.side === "x"
          ? degrees(longitude(offset), step * 360, "E", "W")
          : degrees(latitude(offset), step * 180, "N", "S");
      case "category":
        return wordsAt(this.categories ?? [], toBigInt(origin, offset)) ?? "";
      case "whole":
        return formatNumber(toBigInt(origin, offset), 20);
      default:
        return plain(Number(origin) + offset, step);
    }
  }

  /**
   * The ends as the URL's hash carries them: axis space, times and whole numbers as decimal text.
   * @param {Span} s
   * @returns {[string, string]}
   */
  toUrl(s) {
    return spanToText(s);
  }

  /** @param {string|null} start @param {string|null} end @returns {Span|null} null when they are no range */
  fromUrl(start, end) {
    const found = start === null || end === null ? null : spanOf(start, end, this.exact);
    return found && length(found) >= SHORTEST ? found : null;
  }
}

/** @param {string|null} zone @returns {string|null} */
function zoneWords(zone) {
  return zone === null || isKnownZone(zone) ? zone : `${zone} is unknown here: UTC`;
}

/** @param {string} axis @param {string} kind @param {boolean} categories @returns {Flavour} */
function flavourOf(axis, kind, categories) {
  if (axis === "log") return "log";
  if (axis === "mercator") return "degrees";
  if (kind === "time") return "clock";
  if (kind === "duration") return "duration";
  if (kind === "timestamp" || kind === "date" || axis === "datetime") return "stamp";
  if (categories) return "category";
  return WHOLE.has(kind) ? "whole" : "number";
}

/** @param {Span} s @param {import("./time-ticks.js").TimeTick[]} ticks @returns {Tick[]} */
function placed(s, ticks) {
  return ticks.map(({ at, label, context }) => ({ fraction: fractionOf(s, at, 0), label, context, minor: false }));
}

/** @param {Span} s @param {number} value @param {string} label @param {boolean} [minor] @returns {Tick} */
function tick(s, value, label, minor = false) {
  return { fraction: fractionOf(s, 0n, value), label, context: null, minor };
}

/** @param {Span} s @param {number} target @returns {Tick[]} */
function numberTicks(s, target) {
  const [lo, hi] = [Number(s.origin) + s.lo, Number(s.origin) + s.hi];
  return niceNumbers(lo, hi, target).map(({ value, label }) => tick(s, value, label));
}

/**
 * Ticks on whole numbers of any size; on codes of categories with their labels.
 * @param {Span} s
 * @param {number} target
 * @param {string[]|null} categories
 * @returns {Tick[]}
 */
function wholeTicks(s, target, categories) {
  const [from, to] = [s.origin + BigInt(Math.ceil(s.lo)), s.origin + BigInt(Math.floor(s.hi))];
  const stride = BigInt(niceStep(length(s) / target));
  const style = numberStyle(Number(from), Number(to), target);
  const short = style === "s" ? format(siStyle(Number(from), Number(to), Number(stride))) : null;
  const out = [];
  for (let at = ceilTo(from, stride); at <= to; at += stride) {
    const label = categories ? wordsAt(categories, at) : short ? short(Number(at)) : formatNumber(at, 20);
    if (label !== null)
      out.push({ fraction: fractionOf(s, at, 0), label: shorten(label), context: null, minor: false });
  }
  return out;
}

/**
 * An SI format that tells multiples of a step apart.
 * @param {number} lo
 * @param {number} hi
 * @param {number} step
 * @returns {string}
 */
function siStyle(lo, hi, step) {
  const digits = Math.ceil(Math.log10(Math.max(Math.abs(lo), Math.abs(hi)) / step)) + 1;
  return `.${Math.max(1, Math.min(17, digits))}~s`;
}

/** 1, 2 or 5 times a power of ten, at least 1, nearest to a length.  @param {number} ideal @returns {number} */
export function niceStep(ideal) {
  if (!(ideal > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(ideal));
  const rest = ideal / power;
  return power * (rest < Math.SQRT2 ? 1 : rest < Math.sqrt(10) ? 2 : rest < Math.sqrt(50) ? 5 : 10);
}

/** @param {string[]} categories @param {bigint} at @returns {string|null} */
function wordsAt(categories, at) {
  const label = categories[Number(at)];
  return label === undefined ? null : labelWords(label);
}

/** @param {string} label @returns {string} */
function shorten(label) {
  return label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label;
}

/**
 * Powers of ten, with 2 and 5 where there is room; below a third of a decade round numbers as on a linear axis.
 * @param {Span} s
 * @param {number} target
 * @returns {Tick[]}
 */
function logTicks(s, target) {
  const decades = length(s);
  if (decades < 0.35 || (decades < 1 && Math.ceil(s.lo) > s.hi)) return linearTicksOfLog(s, target);
  const every = Math.max(1, Math.ceil(decades / target));
  const [first, last] = [Math.floor(s.lo), Math.ceil(s.hi)];
  const labelled = decades / target < 0.36 ? [1, 2, 5] : [1];
  const words = decadeWords(s.lo, s.hi);
  const out = [];
  const step = every > MOST_MINOR ? every : 1; // a view may span more decades than there are numbers
  for (let power = Math.floor(first / step) * step; power <= last; power += step) {
    for (let digit = 1; digit < (every > 1 ? 2 : 10); digit++) {
      const place = power + Math.log10(digit);
      if (place < s.lo || place > s.hi) continue;
      const minor = !labelled.includes(digit) || (((power % every) + every) % every !== 0 && digit === 1);
      out.push(tick(s, place, minor ? "" : words(digit, power), minor));
    }
  }
  return out;
}

/** @param {Span} s @param {number} target @returns {Tick[]} */
function linearTicksOfLog(s, target) {
  const [lo, hi] = [10 ** s.lo, 10 ** s.hi];
  if (!(hi > lo) || hi === Number.POSITIVE_INFINITY) return [];
  return niceNumbers(lo, hi, target).flatMap(({ value, label }) =>
    value > 0 ? [tick(s, Math.log10(value), label)] : [],
  );
}

/**
 * Plain numbers while all are short, else powers.
 * @param {number} lo
 * @param {number} hi
 * @returns {(digit: number, power: number) => string}
 */
function decadeWords(lo, hi) {
  if (lo > -4.5 && hi < 6.5)
    return (digit, power) => formatNumber(power < 0 ? Number(`${digit}e${power}`) : digit * 10 ** power, 15);
  return (digit, power) => `${digit === 1 ? "" : `${digit}×`}10${superscript(power)}`;
}

/** @param {number} power @returns {string} */
function superscript(power) {
  return (power < 0 ? "⁻" : "") + [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
}

/** @param {number} x axis space, the world is 0..1 @returns {number} degrees */
function longitude(x) {
  return x * 360 - 180;
}

/** @param {number} y Web Mercator fraction of the world from the south @returns {number} degrees */
export function latitude(y) {
  return (Math.atan(Math.sinh(Math.PI * (2 * y - 1))) * 180) / Math.PI;
}

/** @param {number} degrees @returns {number} axis space */
export function mercatorY(degrees) {
  return (Math.asinh(Math.tan((degrees * Math.PI) / 180)) / Math.PI + 1) / 2;
}

const DEGREE_STEPS = [90, 60, 45, 30, 20, 15, 10, 5, 2, 1];

/** @param {number} ideal degrees @returns {number} */
function degreeStep(ideal) {
  if (ideal <= 0.75) return niceStep(ideal * 1e9) / 1e9;
  return DEGREE_STEPS.reduce((best, step) =>
    Math.abs(Math.log(step / ideal)) < Math.abs(Math.log(best / ideal)) ? step : best,
  );
}

/** @param {Span} s @param {number} target @returns {Tick[]} */
function longitudeTicks(s, target) {
  const step = degreeStep((length(s) * 360) / target);
  const out = [];
  for (let k = Math.ceil(longitude(s.lo) / step); k * step <= longitude(s.hi); k++) {
    if (Math.abs(k * step) <= 180) out.push(tick(s, (k * step + 180) / 360, degrees(k * step, step, "E", "W")));
  }
  return out;
}

/** @param {Span} s @param {number} target @returns {Tick[]} */
function latitudeTicks(s, target) {
  const [lo, hi] = [latitude(Math.max(0, s.lo)), latitude(Math.min(1, s.hi))];
  const step = degreeStep((hi - lo) / target);
  const out = [];
  for (let k = Math.ceil(lo / step); k * step <= hi; k++)
    out.push(tick(s, mercatorY(k * step), degrees(k * step, step, "N", "S")));
  return out;
}

/**
 * @param {number} value
 * @param {number} step
 * @param {string} positive
 * @param {string} negative
 * @returns {string} "12.5° W"
 */
function degrees(value, step, positive, negative) {
  const digits = Math.max(0, Math.min(10, Math.ceil(-Math.log10(step) - 1e-9)));
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? "0°" : `${text}° ${value < 0 ? negative : positive}`;
}

/** A number with the decimals that a step needs.  @param {number} value @param {number} step @returns {string} */
function plain(value, step) {
  const size = Math.abs(value);
  if ((size >= 1e15 || (size < 1e-5 && size > 0)) && step < size)
    return formatNumber(value, Math.min(17, Math.max(3, Math.ceil(Math.log10(size / step)) + 1)));
  const digits = Math.max(0, Math.min(20, Math.ceil(-Math.log10(step) - 1e-9)));
  return digits > 12 && size < 1e-5 ? format(".4~g")(value) : format(`,.${digits}f`)(value);
}

/**
 * A number for hover and colour bar. Whole numbers of at most `digits` digits are written out with thousands
 * separators, all of them where `digits` is 7 or more; longer ones get an SI prefix; others are rounded to `digits`
 * significant digits.
 * @param {number|bigint} value @param {number} [digits] @returns {string}
 */
export function formatNumber(value, digits = 6) {
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? formatNumber(Number(value), digits) : grouped(String(value));
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  if (Number.isSafeInteger(value)) {
    if (digits >= 7 || Math.abs(value) < 10 ** digits) return format(",d")(value);
    return format(Math.abs(value) < 1e15 ? `.${digits}~s` : `.${digits}~e`)(value);
  }
  const size = Math.abs(value);
  return format(size >= 1e15 || size < 1e-5 ? `.${Math.max(0, digits - 1)}~e` : `,.${digits}~r`)(value);
}

/** @param {string} digits @returns {string} */
function grouped(digits) {
  return digits.replace("-", "−").replace(/\B(?=(\d{3})+$)/g, ",");
}
