// Where an axis starts and how far it can go: its home range, and the limits of zooming.

import { length, padSpan, panSpan, resolution, SHORTEST, span, spanOf, union } from "./span.js";

/** @typedef {import("./span.js").AxisLimits} AxisLimits */
/** @typedef {import("./span.js").Span} Span */

/** Low and high of one layer; true: they are the middles of the first and the last cell, which are one unit wide.
 * @typedef {readonly [low: number|string, high: number|string, cells?: boolean]|null} DataRange */

/** Home is the data's range and this share of it on each side. */
export const HOME_PADDING = 0.02;
/** How many bins a histogram has unless its layer says otherwise. */
export const BINS = 50;
/** How many roots wide a view may become. */
const WIDEST_ROOTS = 8;

/**
 * The range that shows all data of an axis: the layers' ranges joined and padded 2 % a side; one value gets half a unit
 * (or a billionth of itself, on float axes far from 0) around it; no value at all shows 0..1.
 * @param {readonly DataRange[]} ranges low and high of each layer as `layer` answers give them
 * @param {boolean} exact
 * @param {number} [padding]
 * @returns {Span}
 */
export function homeSpan(ranges, exact, padding = HOME_PADDING) {
  const all = allOf(ranges, exact);
  return all ? padSpan(all, padding) : span(0, 1, 0n, exact);
}

/**
 * The range of a length whose upper end is 2 % of it beyond the layers' highest number; no value at all is 0.
 * @param {readonly DataRange[]} ranges
 * @param {boolean} exact
 * @param {number} window
 * @returns {Span}
 */
export function newestSpan(ranges, exact, window) {
  const { hi, origin } = allOf(ranges, exact) ?? { hi: 0, origin: 0n };
  return panSpan({ lo: hi - window, hi, origin, exact }, window * HOME_PADDING);
}

/**
 * What the bins of whole numbers span: where there are no more numbers than bins each has its own, `[v, v + 1)`, so the
 * last one ends beyond the highest number.
 * @param {readonly [low: number|string, high: number|string]} range
 * @param {number} [bins]
 * @returns {readonly [low: number|string, high: number|string]}
 */
export function wholeBins([low, high], bins = BINS) {
  const last = BigInt(high);
  return last - BigInt(low) <= BigInt(bins) ? [low, String(last + 1n)] : [low, high];
}

/** @param {readonly DataRange[]} ranges @param {boolean} exact @returns {Span|null} null where there is no value */
function allOf(ranges, exact) {
  /** @type {Span|null} */ let all = null;
  for (const range of ranges) {
    const part = range && (range[2] ? cellsSpan(range[0], range[1], exact) : dataSpan(range[0], range[1], exact));
    if (part) all = all ? union(all, part) : part;
  }
  return all;
}

/**
 * @param {number|string} low
 * @param {number|string} high
 * @param {boolean} exact
 * @returns {Span|null} from the edge of the first cell to that of the last
 */
function cellsSpan(low, high, exact) {
  const all = spanOf(low, high, exact);
  return all ? span(all.lo - 0.5, all.hi + 0.5, all.origin, exact) : dataSpan(low, high, exact);
}

/** @param {number|string} low @param {number|string} high @param {boolean} exact @returns {Span|null} */
function dataSpan(low, high, exact) {
  const proper = spanOf(low, high, exact);
  if (proper && length(proper) > resolution(proper)) return proper;
  if (proper && resolution(proper) === SHORTEST) return padSpan(proper, SHORTEST / length(proper)); // all are next to 0
  const point = spanOf(
    low,
    exact ? String(BigInt(low) + 1n) : Number(low) + Math.max(1, Math.abs(Number(low)) * 1e-9),
    exact,
  );
  return point && panSpan(point, -length(point) / 2);
}

/**
 * How short and how long a range of an axis may become: as short as whole numbers stay two apart, or as doubles can
 * tell (`resolution`).
 * @param {readonly import("./root.js").AxisRoot[]} roots the layers' roots on this axis (at least one)
 * @param {{exact: boolean}} o
 * @returns {AxisLimits}
 */
export function axisLimits(roots, { exact }) {
  const sizes = roots.map((root) => root.length);
  const largest = Math.max(...sizes);
  const smallest = Math.min(...sizes);
  const whole = exact ? Math.min(2, smallest / 4) : 0;
  return Object.freeze({ min: whole, max: largest * WIDEST_ROOTS });
}
