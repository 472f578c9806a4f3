// How the visible values are distributed: the basis of eq_hist, of percentiles and of the colour bar's ends.

/** @typedef {import("../wire/codec.js").Cells} Cells */

export const BINS = 65536;
/** Beyond these a float32 would overflow or lose its mantissa; such values are scaled by a power of two first. */
const LARGEST = 2 ** 126;
const SMALLEST = 2 ** -100;

const one = new Float32Array(1);
const oneBits = new Uint32Array(one.buffer);

/** The bits of a float32 as a number that grows with it.  @param {number} value @returns {number} */
function orderedOf(value) {
  one[0] = value;
  const bits = oneBits[0];
  return bits >>> 31 ? ~bits >>> 0 : (bits | 0x80000000) >>> 0;
}

/** @param {number} code an ordered number @returns {number} the float32 it stands for */
function floatOf(code) {
  oneBits[0] = code >>> 31 ? code & 0x7fffffff : ~code >>> 0;
  return one[0];
}

/** @typedef {{low: number, high: number, cells: number}} Extremes */

/**
 * Over the finite, non-empty values; low and high are infinite when there is none.
 * @param {Cells} values
 * @param {boolean} counts 0 is empty (else NaN)
 * @returns {Extremes}
 */
export function extremes(values, counts) {
  return counts ? extremesOfCounts(values) : extremesOfValues(values);
}

/** @param {Cells} values @returns {Extremes} */
function extremesOfCounts(values) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let cells = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (value === 0) continue;
    cells++;
    if (value > high) high = value;
    if (value < low) low = value;
  }
  return { low, high, cells };
}

/** @param {Cells} values @returns {Extremes} */
function extremesOfValues(values) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let cells = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (!(value - value === 0)) continue;
    cells++;
    if (value > high) high = value;
    if (value < low) low = value;
  }
  return { low, high, cells };
}

/**
 * @param {Cells} counts
 * @param {number} most no count is above it; below 65,536
 * @returns {{bins: Uint32Array, extremes: Extremes}} a bin for each count up to the highest, in one pass
 */
function tally(counts, most) {
  const bins = new Uint32Array(Math.floor(most) + 1);
  tallyInto(bins, counts);
  const cells = counts.length - bins[0];
  bins[0] = 0;
  const low = bins.findIndex((n) => n > 0);
  let high = bins.length - 1;
  while (high > 0 && bins[high] === 0) high--;
  return { bins: bins.subarray(0, high + 1), extremes: { low, high, cells } };
}

/**
 * A function of its own: a loop that is compiled while it runs is thrown away where it ends within a longer function.
 * @param {Uint32Array} bins
 * @param {Cells} counts
 */
function tallyInto(bins, counts) {
  for (let k = 0; k < counts.length; k++) bins[counts[k]]++;
}

/**
 * The distribution of the finite, non-empty values among `values` over 65,536 bins between the lowest and the highest.
 * Counts up to 65,535 have a bin each, so it is exact there. Otherwise the bins are equal steps of the order-preserving
 * float32 bits: octaves count alike, whatever the sign. Within one octave those bits are linear in the value, so there
 * the bins are taken from the doubles themselves, which keeps large numbers that differ little (times) apart.
 */
export class Distribution {
  /**
   * @param {Cells} values @param {boolean} counts whole numbers of which 0 is empty (else NaN)
   * @param {number} [most] no count is above it: spares a pass
   * @param {bigint} [origin] the values are offsets from it, of whole numbers that doubles would round
   */
  constructor(values, counts, most = Number.POSITIVE_INFINITY, origin = 0n) {
    const known = counts && most < BINS ? tally(values, most) : null;
    const { low, high, cells } = known?.extremes ?? extremes(values, counts);
    /** @readonly whole numbers */ this.counts = counts;
    /** @readonly what low, high and all other values here count from */ this.origin = origin;
    /** @readonly visible values */ this.cells = cells;
    /** @readonly */ this.low = cells ? low : Number.NaN;
    /** @readonly */ this.high = cells ? high : Number.NaN;
    /** @readonly @type {"direct"|"linear"|"bits"} */ this.mode =
      counts && !(high >= BINS) ? "direct" : origin !== 0n || withinOctave(low, high) ? "linear" : "bits";
    const largest = Math.max(Math.abs(low), Math.abs(high));
    /** A power of two by which values are scaled outside the `direct` mode.  @readonly */ this.unit =
      largest > LARGEST || largest < SMALLEST
        ? 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest || 1))))
        : 1;
    /** @readonly first number and bins per number of the `bits` mode */ this.first =
      this.mode === "bits" ? orderedOf(low * this.unit) : 0;
    /** @readonly */ this.step = this.mode === "bits" ? BINS / (orderedOf(high * this.unit) - this.first + 1) : 0;
    /** Bins per (scaled) number of the `linear` mode.  @readonly */ this.factor =
      high > low ? BINS / (high * this.unit - low * this.unit) : 0;
    /**
     * The bin of each value (of no meaning where it is empty); null where counts are their own bins.
     * @readonly
     * @type {Uint16Array|null}
     */
    this.codes =
      this.mode === "direct" || !cells
        ? null
        : this.mode === "linear"
          ? this.codesOfValues(values)
          : this.codesOfBits(values);
    /** @readonly values in each bin; of counts up to that of the highest */ this.bins =
      known?.bins ??
      (this.codes ? countCodes(this.codes, values, counts) : cells ? tally(values, high).bins : new Uint32Array(1));
    /** How many values lie in a bin or below it.  @readonly */ this.cumulative = cumulate(this.bins);
  }

  /** @param {Cells} values @returns {Uint16Array} */
  codesOfValues(values) {
    const codes = new Uint16Array(values.length);
    const { unit, factor } = this;
    const from = this.low * unit;
    for (let k = 0; k < values.length; k++) {
      const place = (values[k] * unit - from) * factor;
      codes[k] = place < BINS ? place : BINS - 1;
    }
    return codes;
  }

  /** @param {Cells} values @returns {Uint16Array} */
  codesOfBits(values) {
    const { unit, first, step } = this;
    const codes = new Uint16Array(values.length);
    let floats = values instanceof Float32Array ? values : new Float32Array(values);
    if (unit !== 1) floats = Float32Array.from(values, (value) => value * unit);
    const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
    for (let k = 0; k < bits.length; k++) {
      const b = bits[k];
      const code = b >>> 31 ? ~b >>> 0 : (b | 0x80000000) >>> 0;
      codes[k] = (code - first) * step;
    }
    return codes;
  }

  /** A value as it is told, as one that counts from the origin.  @param {number|bigint} value @returns {number} */
  offset(value) {
    if (this.origin === 0n) return Number(value);
    if (typeof value === "number" && !Number.isInteger(value)) return value - Number(this.origin);
    return Number(BigInt(value) - this.origin);
  }

  /** The other way: exact.  @param {number} offset finite @returns {number|bigint} */
  told(offset) {
    return this.origin === 0n ? offset : this.origin + BigInt(Math.round(offset));
  }

  /** @param {number} value @returns {number} its bin; values outside low..high go to the first or last one */
  bin(value) {
    if (!(value > this.low)) return this.mode === "direct" ? Math.max(0, this.low) : 0;
    if (value >= this.high) return this.mode === "direct" ? this.high : BINS - 1;
    if (this.mode === "direct") return Math.floor(value);
    if (this.mode === "linear")
      return Math.min(BINS - 1, Math.floor((value * this.unit - this.low * this.unit) * this.factor));
    return Math.floor((orderedOf(value * this.unit) - this.first) * this.step);
  }

  /** @param {number} bin @returns {number} the lowest value (among counts: whole number) that lies in it */
  edge(bin) {
    if (this.mode === "direct") return bin;
    if (bin <= 0) return this.low;
    if (bin >= BINS - 1) return this.high;
    const edge =
      this.mode === "linear"
        ? this.low + ((this.high - this.low) * bin) / BINS
        : floatOf(Math.ceil(this.first + bin / this.step)) / this.unit;
    return this.counts ? Math.ceil(edge) : edge;
  }

  /**
   * The value below or at which `percent` of the values lie (nearest rank).
   * @param {number} percent 0..100
   * @returns {number} NaN without values
   */
  percentile(percent) {
    if (!this.cells) return Number.NaN;
    if (percent <= 0) return this.low;
    if (percent >= 100) return this.high;
    return this.edge(this.search(Math.max(1, Math.ceil((percent / 100) * this.cells))));
  }

  /** @param {number} rank 1..cells @returns {number} the first bin up to which that many values lie */
  search(rank) {
    let [a, b] = [0, this.bins.length - 1];
    while (a < b) {
      const middle = (a + b) >> 1;
      if (this.cumulative[middle] >= rank) b = middle;
      else a = middle + 1;
    }
    return a;
  }
}

/** Of one sign, and no more than twice apart?  @param {number} low @param {number} high @returns {boolean} */
export function withinOctave(low, high) {
  return low > 0 === high > 0 && Math.abs(high) <= 2 * Math.abs(low) && Math.abs(low) <= 2 * Math.abs(high);
}

/** @param {Uint16Array} codes @param {Cells} values @param {boolean} counts @returns {Uint32Array} */
function countCodes(codes, values, counts) {
  const bins = new Uint32Array(BINS);
  for (let k = 0; k < codes.length; k++) {
    const value = values[k];
    if (counts ? value !== 0 : value - value === 0) bins[codes[k]]++;
  }
  return bins;
}

/** @param {Uint32Array} bins @returns {Uint32Array} */
function cumulate(bins) {
  const sums = new Uint32Array(bins.length);
  let sum = 0;
  for (let k = 0; k < bins.length; k++) {
    sum += bins[k];
    sums[k] = sum;
  }
  return sums;
}
