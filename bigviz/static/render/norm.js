// Normalisation: values to 0..1 along the colour map, and back for the ticks of the colour bar. The formulas are
// datashader's: linear v - low, log log1p(v - low), cbrt (v - low)^(1/3), each over its value at high; eq_hist the
// share of visible values. Where only few different counts are visible the lowest is lifted off the first colour
// (datashader's rescale_discrete_levels), else a view of ones and twos would be all but empty to the eye.

/** @typedef {import("./distribution.js").Distribution} Distribution */
/** @typedef {"linear"|"log"|"cbrt"|"eq_hist"} How */
/** An end of the colour map: null is the visible values' own; a value; or a percentile (0..100) of the visible values.
 * @typedef {null|number|bigint|{percentile: number}} Clip */

const FORWARD = {
  linear: (/** @type {number} */ d) => d,
  log: (/** @type {number} */ d) => (d > 0.01 ? Math.log(1 + d) : Math.log1p(d)), // Math.log takes half as long
  cbrt: Math.cbrt,
};
const INVERSE = {
  linear: (/** @type {number} */ t) => t,
  log: Math.expm1,
  cbrt: (/** @type {number} */ t) => t * t * t,
};
/**
 * The same where values are a quarter of themselves, because their differences would overflow: log1p(d) is log(d)
 * there.
 */
const HUGE = { ...FORWARD, log: (/** @type {number} */ d) => Math.max(0, Math.log(d) + Math.log(4)) };
const HUGE_INVERSE = { ...INVERSE, log: (/** @type {number} */ t) => Math.exp(t - Math.log(4)) };
/** The same where they are 2^600 times themselves, because their differences are subnormal: log1p(d) is d there. */
const TINY = { ...FORWARD, log: FORWARD.linear };
const TINY_INVERSE = { ...INVERSE, log: INVERSE.linear };

/**
 * @param {number} low
 * @param {number} high
 * @returns {{unit: number, forward: typeof FORWARD, inverse: typeof INVERSE}} how to take differences of values: scaled
 *   by a power of two
 */
function scaleOf(low, high) {
  if (high - low > Number.MAX_VALUE) return { unit: 2 ** -2, forward: HUGE, inverse: HUGE_INVERSE };
  if (high - low < 2 ** -900) return { unit: 2 ** 600, forward: TINY, inverse: TINY_INVERSE };
  return { unit: 1, forward: FORWARD, inverse: INVERSE };
}

/** @param {Clip} clip @returns {clip is number|bigint} it is a value, which no view moves */
export const isValue = (clip) => typeof clip === "number" || typeof clip === "bigint";

/**
 * One normalisation over one set of visible values; immutable. Its values count from the distribution's origin, which
 * is 0 but for whole numbers that doubles would round.
 */
export class Norm {
  /**
   * @param {Distribution} distribution of the visible values; at least one
   * @param {How} how
   * @param {Clip} [low] @param {Clip} [high]
   */
  constructor(distribution, how, low = null, high = null) {
    /** @readonly */ this.how = how;
    /** @readonly */ this.distribution = distribution;
    /** @readonly number of visible values */ this.cells = distribution.cells;
    const ends = [clipped(distribution, low, distribution.low), clipped(distribution, high, distribution.high)];
    /** @readonly value of the colour map's first colour */ this.low = Math.min(ends[0], ends[1]);
    /** @readonly value of the colour map's last colour */ this.high = Math.max(ends[0], ends[1]);
    /** @readonly fraction of the lowest value */ this.lift =
      how === "eq_hist" ? lifted(distribution, this.low, this.high) : 0;
    /** @readonly share of eq_hist for each bin; null elsewhere */ this.shares =
      how === "eq_hist" ? shares(distribution, this.low, this.high, this.lift) : null;
    const { unit, forward, inverse } = scaleOf(this.low, this.high);
    const name = how === "eq_hist" ? "linear" : how;
    /** A power of two by which values are scaled before their differences are taken.  @readonly */ this.unit = unit;
    /** @readonly */ this.forward = forward[name];
    /** @readonly */ this.inverse = inverse[name];
    /** `forward` of the whole difference.  @readonly */ this.span = this.forward(this.high * unit - this.low * unit);
  }

  /** What values count from.  @returns {bigint} */
  get origin() {
    return this.distribution.origin;
  }

  /** The ends as they are told.  @returns {[number|bigint, number|bigint]} */
  get ends() {
    return [this.told(this.low), this.told(this.high)];
  }

  /** A value of this scale as it is told.  @param {number} value @returns {number|bigint} */
  told(value) {
    return this.distribution.told(value);
  }

  /** Where a value as it is told lies along the colour map.  @param {number|bigint} value @returns {number} 0..1 */
  place(value) {
    return this.fraction(this.distribution.offset(value));
  }

  /**
   * Where a value lies along the colour map; values beyond the ends are cut. One value only: everything is 1.
   * @param {number} value
   * @returns {number} 0..1
   */
  fraction(value) {
    if (value >= this.high) return 1;
    if (!(value > this.low)) return this.lift;
    if (this.shares) return this.shares[this.distribution.bin(value)];
    return Math.min(1, this.forward(value * this.unit - this.low * this.unit) / this.span);
  }

  /**
   * The value that gets a fraction: the inverse of `fraction`; under eq_hist the lowest one that reaches it.
   * @param {number} fraction 0..1
   * @returns {number}
   */
  value(fraction) {
    if (!(fraction > 0)) return this.low;
    if (fraction >= 1) return this.high;
    if (!this.shares)
      return Math.min(this.high, (this.low * this.unit + this.inverse(fraction * this.span)) / this.unit);
    let [a, b] = [this.distribution.bin(this.low), this.distribution.bin(this.high)];
    while (a < b) {
      const middle = (a + b) >> 1;
      if (this.shares[middle] >= fraction) b = middle;
      else a = middle + 1;
    }
    return Math.min(this.high, Math.max(this.low, this.distribution.edge(a)));
  }
}

/** @param {Distribution} distribution @param {Clip} clip @param {number} own @returns {number} */
function clipped(distribution, clip, own) {
  if (clip === null || clip === undefined) return own;
  const value = isValue(clip) ? distribution.offset(clip) : distribution.percentile(clip.percentile);
  return Number.isFinite(value) ? value : own;
}

/** The share of values above the lowest bin up to each bin, between two ends, moved to lift .. 1.
 * @param {Distribution} distribution
 * @param {number} low
 * @param {number} high
 * @param {number} lift
 * @returns {Float64Array}
 */
function shares(distribution, low, high, lift) {
  const { cumulative } = distribution;
  const below = cumulative[distribution.bin(low)];
  const all = cumulative[distribution.bin(high)] - below;
  const out = new Float64Array(cumulative.length);
  for (let k = 0; k < out.length; k++) {
    const share = all > 0 ? (cumulative[k] - below) / all : 1;
    out[k] = lift + (1 - lift) * Math.min(1, Math.max(0, share));
  }
  return out;
}

/**
 * The fraction of the lowest visible count: its share of the cells, at most a third, and 0 from 100 different counts
 * on.
 * datashader's line through (2 levels, 1.5) and (100 levels, 1).
 * @param {Distribution} distribution
 * @param {number} low
 * @param {number} high
 */
function lifted(distribution, low, high) {
  const { bins, cumulative, mode } = distribution;
  const [first, last] = [distribution.bin(low), distribution.bin(high)];
  if (mode !== "direct" || first === last) return 0;
  let levels = 0;
  for (let bin = first; bin <= last; bin++) if (bins[bin] > 0) levels++;
  const multiple = Math.max(1, 1.5 - (0.5 / 98) * (levels - 2));
  const before = cumulative[first] - bins[first];
  return Math.min(bins[first] / (cumulative[last] - before || 1), 1 - 1 / multiple);
}
