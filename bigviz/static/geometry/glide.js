// A window that follows data which come in steps: it moves on evenly from one step to the next.

import { length, panSpan } from "./span.js";

/** @typedef {import("./span.js").Span} Span */

/** How long one step takes before it is known how often they come; ms. */
const PACE_MS = 250;
/** A step takes as long as the time between steps did, within these bounds. */
const SHORTEST_MS = 30;
const LONGEST_MS = 1_500;
/** The share of the newest time between steps in what is expected of the next. */
const NEWEST = 0.3;

export class Glide {
  /** @param {number} [pace] ms that the first step takes */
  constructor(pace = PACE_MS) {
    this.pace = pace;
    /** When the step began, ms. */ this.start = Number.NaN;
    /** @type {Span|null} */ this.from = null;
    /** @type {Span|null} null: it has arrived */ this.to = null;
  }

  /**
   * The next step: from what is shown to where the data are now.
   * @param {Span} from
   * @param {Span} to of the same length, not more than that away
   * @param {number} now ms
   */
  aim(from, to, now) {
    if (this.start <= now) {
      const since = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, now - this.start));
      this.pace += (since - this.pace) * NEWEST;
    }
    this.start = now;
    this.from = from;
    this.to = to;
  }

  /** What to show at a time, in ms; null: it has arrived before.  @param {number} now @returns {Span|null} */
  at(now) {
    const { from, to, start, pace } = this;
    if (!from || !to) return null;
    const share = Math.max(0, (now - start) / pace);
    if (share < 1) return panSpan(from, distance(from, to) * share);
    this.stop();
    return to;
  }

  /** Stays where it is. */
  stop() {
    this.from = null;
    this.to = null;
  }
}

/** From the low end of one span to that of another, up positive.  @param {Span} a @param {Span} b @returns {number} */
export const distance = (a, b) => Number(b.origin - a.origin) + b.lo - a.lo;

/**
 * A window may glide from one place to the other: they are of one length, and share a part.
 * @param {Span} a @param {Span} b @returns {boolean}
 */
export function isStep(a, b) {
  const by = distance(a, b);
  return a.exact === b.exact && by > 0 && by < length(a) && isSameLength(a, b);
}

/** @param {Span} a @param {Span} b @returns {boolean} but for rounding */
export const isSameLength = (a, b) => Math.abs(length(b) / length(a) - 1) < 1e-9;
