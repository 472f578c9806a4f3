// Ranges of one axis. An exact axis (integers, times) keeps a BigInt origin near the range and doubles relative to it,
// so that nanoseconds stay distinct over centuries; a float axis keeps origin 0.

/**
 * A range of one axis in axis space: origin + lo .. origin + hi, lo < hi. `exact` says that axis numbers are whole
 * (integers, nanoseconds, category codes); otherwise the origin is 0n. Always made by `span`, which keeps lo and hi
 * small.
 * @typedef {Readonly<{origin: bigint, lo: number, hi: number, exact: boolean}>} Span
 */
/** A place on an axis: origin + offset.  @typedef {Readonly<{origin: bigint, offset: number}>} Place */
/**
 * Bounds on what a view may show of an axis: the shortest and the longest range.
 * @typedef {Readonly<{min: number, max: number}>} AxisLimits
 */

/** Integers of a column are int64 or uint64; a range may end where a half-open window holds the last of them. */
const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 64n;
/** Numbers of 2^1023 and more lie in no cell; the double below that keeps hi - lo finite. */
const FLOAT_MAX = 2 ** 1023 * (1 - 2 ** -53);
/**
 * Shorter lengths are denormal, within which doubles cannot be told apart; twice the least normal one, for what is lost
 * by rounding.
 */
export const SHORTEST = 2 ** -1021;
/** How many digits of a view's length its ends are written to, and with how many decimals at most. */
const PLACES = 8;
const MOST_DECIMALS = 15;
/** A range must stay wide enough for doubles to tell its pixels apart: 256 steps of the double nearest to its ends. */
const FLOAT_STEPS = 2 ** -44;

/**
 * @param {number} lo offset of the low end from the origin
 * @param {number} hi offset of the high end, above lo
 * @param {bigint} [origin]
 * @param {boolean} [exact]
 * @returns {Span} with the origin moved next to the range when the axis is exact
 */
export function span(lo, hi, origin = 0n, exact = false) {
  const middle = lo + (hi - lo) / 2;
  if (!exact || Math.abs(middle) <= hi - lo) return Object.freeze({ origin, lo, hi, exact });
  const shift = Math.round(middle);
  return Object.freeze({ origin: origin + BigInt(shift), lo: lo - shift, hi: hi - shift, exact });
}

/**
 * Two ends as they travel in JSON and in the URL: numbers, or decimal strings (of nanoseconds on time axes, of any
 * number elsewhere).
 * @param {number|string|bigint} start
 * @param {number|string|bigint} end
 * @param {boolean} exact
 * @returns {Span|null} null when an end is no finite number or start is not below end
 */
export function spanOf(start, end, exact) {
  const a = place(start, exact);
  const b = place(end, exact);
  if (!a || !b) return null;
  const hi = Number(b.origin - a.origin) + b.offset;
  if (!(a.offset < hi) || Math.abs(a.offset) > FLOAT_MAX || Math.abs(hi) > FLOAT_MAX) return null;
  return span(a.offset, hi, a.origin, exact);
}

/**
 * One axis number out of JSON or the URL.
 * @param {number|string|bigint} value
 * @param {boolean} exact
 * @returns {Place|null} null when it is not a finite number
 */
export function place(value, exact) {
  if (typeof value === "bigint") return exact ? { origin: value, offset: 0 } : { origin: 0n, offset: Number(value) };
  const decimal = typeof value === "string" && exact ? /^\s*\+?(-?)(\d{1,20})(\.\d*)?\s*$/.exec(value) : null;
  if (decimal) {
    const [, sign, whole, fraction = ""] = decimal;
    return { origin: BigInt(sign + whole), offset: Number(`${sign}0${fraction}`) };
  }
  const number = typeof value === "string" ? (value.trim() === "" ? Number.NaN : Number(value)) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return null;
  if (!exact) return { origin: 0n, offset: number };
  const whole = Math.round(number);
  return { origin: BigInt(whole), offset: number - whole };
}

/** The exact whole number nearest to a place.  @param {bigint} origin @param {number} offset @returns {bigint} */
export function toBigInt(origin, offset) {
  return origin + BigInt(Math.round(offset));
}

/**
 * The ends as text that gives the view again: on exact axes decimals where pixels are less than a whole number.
 * @param {Span} s
 * @returns {[string, string]}
 */
export function spanToText(s) {
  if (!s.exact) return [String(s.lo), String(s.hi)];
  const decimals = Math.max(0, Math.min(MOST_DECIMALS, Math.ceil(PLACES - Math.log10(length(s)))));
  const text = (/** @type {number} */ offset) =>
    decimalText(s.origin * 10n ** BigInt(decimals) + BigInt(Math.round(offset * 10 ** decimals)), decimals);
  return [text(s.lo), text(s.hi)];
}

/** @param {bigint} value @param {number} decimals how many of its digits @returns {string} */
function decimalText(value, decimals) {
  const digits = String(value < 0n ? -value : value).padStart(decimals + 1, "0");
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)];
  return `${value < 0n ? "-" : ""}${`${whole}.${fraction}`.replace(/\.?0*$/, "")}`;
}

/** @param {Span} s @returns {number} hi - lo */
export function length(s) {
  return s.hi - s.lo;
}

/**
 * Offset (from the span's origin) at a fraction of the span.
 * @param {Span} s
 * @param {number} fraction
 * @returns {number}
 */
export function at(s, fraction) {
  return s.lo + (s.hi - s.lo) * fraction;
}

/**
 * Where origin + offset lies in the span: 0 at its low end, 1 at its high end.
 * @param {Span} s @param {bigint} origin @param {number} offset @returns {number}
 */
export function fractionOf(s, origin, offset) {
  const shift = origin === s.origin ? 0 : Number(origin - s.origin);
  return (shift + offset - s.lo) / (s.hi - s.lo);
}

/**
 * Pixels of a length within a span are `length * unit * scale`: in two steps, since pixels a unit of the shortest spans
 * are more than a double holds.
 * @param {Span} s @param {number} pixels @returns {{unit: number, scale: number}} unit: a power of two, mostly 1
 */
export function scaleOf(s, pixels) {
  const size = length(s);
  const unit = size < 2 ** -900 ? 2 ** 500 : 1;
  return { unit, scale: pixels / (size * unit) };
}

/** @param {Span} s @param {number} by added to both ends @returns {Span} */
export function panSpan(s, by) {
  return keepInside(s.lo + by, s.hi + by, s);
}

/**
 * Lengthens (factor > 1) or shortens a span about the point at `fraction`, which keeps its place; the factor is cut so
 * that the length stays within the limits and within what doubles resolve.
 * @param {Span} s @param {number} factor @param {number} fraction @param {AxisLimits|null} [limits] @returns {Span}
 */
export function zoomSpan(s, factor, fraction, limits = null) {
  const f = clampFactor(s, factor, limits);
  if (f === 1) return s;
  const centre = at(s, fraction);
  return keepInside(centre - (centre - s.lo) * f, centre + (s.hi - centre) * f, s);
}

/**
 * The allowed factor nearest to the requested one for a zoom of this span. Never turns a zoom in into a zoom out.
 * @param {Span} s @param {number} factor @param {AxisLimits|null} limits @returns {number}
 */
export function clampFactor(s, factor, limits) {
  const old = length(s);
  const shortest = Math.max(limits?.min ?? 0, resolution(s));
  const longest = Math.min(limits?.max ?? Number.POSITIVE_INFINITY, s.exact ? 2 ** 64 : Number.MAX_VALUE);
  if (!(factor > 0) || !Number.isFinite(factor)) return 1;
  if (factor < 1) return Math.min(1, Math.max(factor, shortest / old));
  return Math.max(1, Math.min(factor, longest / old));
}

/** The shortest length in which doubles still tell pixels apart.  @param {Span} s @returns {number} */
export function resolution(s) {
  return Math.max(Math.abs(s.lo) * FLOAT_STEPS, Math.abs(s.hi) * FLOAT_STEPS, SHORTEST);
}

/**
 * Moves a range back inside the axis numbers that exist.
 * @param {number} lo
 * @param {number} hi
 * @param {Span} s
 * @returns {Span}
 */
function keepInside(lo, hi, s) {
  let shift = 0;
  if (s.exact) {
    const low = s.origin + BigInt(Math.floor(lo));
    const high = s.origin + BigInt(Math.ceil(hi));
    if (low < LOWEST && high <= HIGHEST) shift = Number(LOWEST - low);
    else if (high > HIGHEST && low >= LOWEST) shift = -Number(high - HIGHEST);
  } else if (lo < -FLOAT_MAX) shift = -FLOAT_MAX - lo;
  else if (hi > FLOAT_MAX) shift = FLOAT_MAX - hi;
  const a = s.exact ? lo + shift : Math.max(-FLOAT_MAX, lo + shift);
  const b = s.exact ? hi + shift : Math.min(FLOAT_MAX, hi + shift);
  return a < b ? span(a, b, s.origin, s.exact) : s;
}

/**
 * Are two spans the same range? `tolerance` is a share of the first one's length (0: to the bit).
 * @param {Span} a @param {Span} b @param {number} [tolerance] @returns {boolean}
 */
export function equalSpans(a, b, tolerance = 0) {
  const shift = a.origin === b.origin ? 0 : Number(b.origin - a.origin);
  const slack = tolerance * length(a);
  return Math.abs(shift + b.lo - a.lo) <= slack && Math.abs(shift + b.hi - a.hi) <= slack;
}

/** The shortest span over two.  @param {Span} a @param {Span} b @returns {Span} exact only when both are */
export function union(a, b) {
  if (a.exact !== b.exact) {
    const [x, y] = [toFloat(a), toFloat(b)];
    return span(Math.min(x.lo, y.lo), Math.max(x.hi, y.hi));
  }
  const shift = Number(b.origin - a.origin);
  return span(Math.min(a.lo, b.lo + shift), Math.max(a.hi, b.hi + shift), a.origin, a.exact);
}

/** @param {Span} s @returns {Span} the same range as doubles, rounded */
export function toFloat(s) {
  const origin = Number(s.origin);
  return span(origin + s.lo, origin + s.hi);
}

/** @param {Span} s @param {number} share of the length added at each end @returns {Span} */
export function padSpan(s, share) {
  const more = length(s) * share;
  return keepInside(s.lo - more, s.hi + more, s);
}
