// Values of a reduction in words, for hover and the colour bar: numbers, and times as on an axis.

import { span } from "../geometry/span.js";
import { formatNumber } from "./axis.js";
import { roundsBetween } from "./nice-numbers.js";
import { durationTicks, formatDuration, formatStamp, stampTicks } from "./time-ticks.js";

/** @typedef {import("../wire/frames.js").ValueKind} ValueKind */

/** Nanoseconds of what a column keeps its times in.  @type {Readonly<Record<string, number>>} */
const UNITS = Object.freeze({ D: 864e11, s: 1e9, ms: 1e6, us: 1e3, ns: 1 });
/** Digits of a value under the pointer. */
const DIGITS = 9;
/** Digits of the colour bar's labels: as few as tell them apart. */
const FEWEST = 4;
const MOST = 17;

export class ValueWords {
  /** @param {ValueKind} kind */
  constructor({ kind, unit, zone }) {
    this.kind = kind;
    this.zone = zone;
    /** @readonly values lie on whole numbers */ this.whole = kind === "integer" || kind === "bool";
    /** Nanoseconds that the values are multiples of; 0: they are no times. */ this.unit = unit
      ? (UNITS[unit] ?? 1)
      : 0;
  }

  /** One value, as exactly as its column keeps it.  @param {number|bigint} value @returns {string} */
  one(value) {
    return this.unit ? this.#time(value, this.unit) : formatNumber(value, DIGITS);
  }

  /** A place on a scale, no more exactly than a step.  @param {number} value @param {number} step @returns {string} */
  near(value, step) {
    if (this.unit) return this.#time(value, Math.max(this.unit, step));
    const digits = Math.ceil(Math.log10(Math.abs(value) / step)) + 1;
    return this.#number(value, Math.min(MOST, Math.max(FEWEST, digits || FEWEST)));
  }

  /**
   * Values in ascending order, with as many digits (or parts of a time) as tell those that differ apart.
   * @param {readonly number[]} values
   * @returns {string[]}
   */
  apart(values) {
    if (this.unit) {
      const gaps = values.flatMap((value, k) => (k > 0 && value > values[k - 1] ? [value - values[k - 1]] : []));
      const step = Math.max(this.unit, Math.min(...gaps, Number.MAX_VALUE) / 2);
      return values.map((value) => this.#time(value, gaps.length ? step : this.unit));
    }
    const different = new Set(values.map((value) => (this.whole ? Math.round(value) : value))).size;
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
   * @returns {number[]}
   */
  rounds(low, high, count) {
    if (!this.unit) return roundsBetween(low, high, count);
    const origin = BigInt(Math.round(low));
    const s = span(0, high - low, origin, true);
    const ticks = this.#clock ? durationTicks(s, count, this.kind === "time") : stampTicks(s, count, this.zone);
    return ticks.map(({ at }) => Number(at));
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

  /** @param {number|bigint} value ns @param {number} step @returns {string} */
  #time(value, step) {
    const ns = typeof value === "bigint" ? value : BigInt(Math.round(value));
    return this.#clock ? formatDuration(ns, step, this.kind === "time") : formatStamp(ns, this.zone, step);
  }

  /** @param {number} value @param {number} digits @returns {string} */
  #number(value, digits) {
    const number = this.whole ? Math.round(value) : value;
    return this.whole && !Number.isSafeInteger(number) && digits >= 7 && Number.isFinite(number)
      ? formatNumber(BigInt(number), digits)
      : formatNumber(number, digits);
  }
}
