// Values of a reduction in words, for hover and the colour bar: numbers, and times as on an axis.

import { span } from "../geometry/span.js";
import { formatNumber, niceStep } from "./axis.js";
import { roundsBetween } from "./nice-numbers.js";
import { ceilTo, durationTicks, formatDuration, formatStamp, stampTicks } from "./time-ticks.js";

/** @typedef {import("../wire/frames.js").ValueKind} ValueKind */
/** Whole numbers that doubles would round are BigInts.  @typedef {number|bigint} Value */

/** Nanoseconds of what a column keeps its times in.  @type {Readonly<Record<string, number>>} */
const UNITS = Object.freeze({ D: 864e11, s: 1e9, ms: 1e6, us: 1e3, ns: 1 });
/** Digits of an estimate's value. */
const ABOUT = 9;
/** Fewer would put a prefix for thousands in the place of digits. */
const WRITTEN_OUT = 7;
/** Digits of the colour bar's labels: as few as tell them apart. */
const FEWEST = 4;
const MOST = 17;
/** Digits of a whole number that a double rounds. */
const CERTAIN = 15;
/** Types whose values are told by the digits that a float32 holds. */
const SINGLE = new Set(["float", "halffloat"]);

export class ValueWords {
  /** @param {ValueKind} kind */
  constructor({ kind, type, unit, zone }) {
    this.kind = kind;
    this.zone = zone;
    this.single = SINGLE.has(type);
    /** @readonly values lie on whole numbers */ this.whole = kind === "integer" || kind === "bool";
    /** Nanoseconds that the values are multiples of; 0: they are no times. */ this.unit = unit
      ? (UNITS[unit] ?? 1)
      : 0;
  }

  /** One value, exactly as its type keeps it.  @param {Value} value @returns {string} */
  one(value) {
    if (this.unit) return this.#time(value, this.unit);
    return formatNumber(value, Math.max(WRITTEN_OUT, typeof value === "number" ? digitsOf(value, this.single) : 0));
  }

  /** One value of an estimate.  @param {Value} value @returns {string} */
  about(value) {
    return this.unit ? this.one(value) : formatNumber(value, ABOUT);
  }

  /** A place on a scale, no more exactly than a step.  @param {Value} value @param {number} step @returns {string} */
  near(value, step) {
    if (this.unit) return this.#time(value, Math.max(this.unit, step));
    const digits = Math.ceil(Math.log10(Math.abs(Number(value)) / step)) + 1;
    return this.#number(value, Math.min(MOST, Math.max(FEWEST, digits || FEWEST)));
  }

  /**
   * Values in ascending order, with as many digits (or parts of a time) as tell those that differ apart.
   * @param {readonly Value[]} values
   * @returns {string[]}
   */
  apart(values) {
    if (this.unit) {
      const gaps = values.flatMap((value, k) => (k > 0 && value > values[k - 1] ? [gap(values[k - 1], value)] : []));
      const step = Math.max(this.unit, Math.min(...gaps, Number.MAX_VALUE) / 2);
      return values.map((value) => this.#time(value, gaps.length ? step : this.unit));
    }
    const different = new Set(values.map((value) => (this.whole ? rounded(value) : value))).size;
    let words = values.map((value) => this.#number(value, FEWEST));
    for (let digits = FEWEST + 1; digits <= MOST && new Set(words).size < different; digits++)
      words = values.map((value) => this.#number(value, digits));
    return words;
  }

  /**
   * About so many round values from low to high; of times those that an axis would name.
   * @param {number} low
   * @param {number} high
   * @param {number} count
   * @param {bigint} [origin] what low, high and the values count from
   * @returns {number[]}
   */
  rounds(low, high, count, origin = 0n) {
    if (!this.unit) return origin === 0n ? roundsBetween(low, high, count) : multiples(low, high, count, origin);
    const from = BigInt(Math.round(low));
    const s = span(0, high - low, origin + from, true);
    const ticks = this.#clock ? durationTicks(s, count, this.kind === "time") : stampTicks(s, count, this.zone);
    return ticks.map(({ at }) => Number(at - origin));
  }

  /**
   * A value a little rounder than a given one: nobody asks a colour bar for more than three digits.
   * @param {number} value
   * @returns {number}
   */
  rounder(value) {
    if (this.whole && Math.abs(value) < 1e4) return Math.round(value);
    return this.unit || (Math.abs(value) >= 1 && Number.isInteger(value)) ? value : Number(value.toPrecision(3));
  }

  /** Instants, which are shown as date and time of day. */
  get isStamp() {
    return this.unit > 0 && !this.#clock;
  }

  get #clock() {
    return this.kind === "duration" || this.kind === "time";
  }

  /** @param {Value} value ns @param {number} step @returns {string} */
  #time(value, step) {
    const ns = typeof value === "bigint" ? value : BigInt(Math.round(value));
    const least = typeof value === "bigint" ? step : Math.max(step, certainStep(value));
    return this.#clock ? formatDuration(ns, least, this.kind === "time") : formatStamp(ns, this.zone, least);
  }

  /** @param {Value} value @param {number} digits @returns {string} */
  #number(value, digits) {
    const number = this.whole ? rounded(value) : value;
    const isCertain = typeof number === "bigint" || !this.whole || Number.isSafeInteger(number);
    if (typeof number === "bigint" && digits <= CERTAIN) return formatNumber(Number(number), digits);
    return formatNumber(number, isCertain ? digits : Math.min(CERTAIN + 1, digits));
  }
}

/**
 * A typed value.
 * @param {string} text
 * @returns {Value|null} null where it is no finite number
 */
export function readValue(text) {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) return null;
  return /^\s*-?\d{1,20}\s*$/.test(text) && !Number.isSafeInteger(number) ? BigInt(text.trim()) : number;
}

/** @param {Value} value @returns {Value} */
function rounded(value) {
  return typeof value === "bigint" ? value : Math.round(value);
}

/** @param {Value} low @param {Value} high @returns {number} */
function gap(low, high) {
  return typeof low === "bigint" && typeof high === "bigint" ? Number(high - low) : Number(high) - Number(low);
}

/**
 * How many digits tell a float from all others of its type.
 * @param {number} value @param {boolean} single float32 @returns {number}
 */
function digitsOf(value, single) {
  if (!Number.isFinite(value)) return 1;
  if (single) for (let n = 1; n < 9; n++) if (Math.fround(Number(value.toPrecision(n))) === value) return n;
  return single ? 9 : value.toExponential().replace(/e.*|\D/g, "").length;
}

/** The power of ten that the double of a whole number is exact to, 1 at least.  @param {number} value */
function certainStep(value) {
  const size = Math.abs(value);
  return size <= Number.MAX_SAFE_INTEGER ? 1 : 10 ** Math.ceil(Math.log10(size * 2 ** -53));
}

/**
 * Multiples of a round whole number.
 * @type {(low: number, high: number, count: number, origin: bigint) => number[]}
 */
function multiples(low, high, count, origin) {
  const stride = BigInt(niceStep((high - low) / count));
  const [first, last] = [origin + BigInt(Math.ceil(low)), origin + BigInt(Math.floor(high))];
  const out = [];
  for (let at = ceilTo(first, stride); at <= last; at += stride) out.push(Number(at - origin));
  return out;
}
