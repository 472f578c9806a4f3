// How the visible values are distributed: the ground of eq_hist, of percentiles and of the colour bar's ends.

/** @typedef {import("./planes.js").Cells} Cells */

export const BINS = 65536;
/** Beyond these a float32 would overflow or lose its mantissa; such values are scaled by a power of two first. */
const LARGEST = 2 ** 126;
const SMALLEST = 2 ** -100;
const EXPONENT = 0x7f800000;

const one = new Float32Array(1);
const oneBits = new Uint32Array(one.buffer);

/** The bits of a float32 as a number that grows with it.  @param {number} bits @returns {number} */
function ordered(bits) {
  return bits >>> 31 ? ~bits >>> 0 : (bits | 0x80000000) >>> 0;
}

/** @param {number} value @returns {number} */
function orderedOf(value) {
  one[0] = value;
  return ordered(oneBits[0]);
}

/** @param {number} code an ordered number @returns {number} the float32 it stands for */
function floatOf(code) {
  oneBits[0] = code >>> 31 ? code & 0x7fffffff : ~code >>> 0;
  return one[0];
}

/** @param {Cells} values @param {boolean} counts @returns {{low: number, high: number, cells: number}} over finite, non-empty values */
export function extremes(values, counts) {
  let [low, high, cells] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (counts ? value === 0 : !(value - value === 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    cells++;
  }
  return { low, high, cells };
}

/**
 * The distribution of the finite, non-empty values among `values` over 65,536 bins between the lowest and the highest.
 * Counts up to 65,535 have a bin each, so it is exact there. Otherwise the bins are equal steps of the order-preserving float32
 * bits: octaves count alike, whatever the sign. Within one octave those bits are linear in the value, so there the bins are
 * taken from the doubles themselves, which keeps large numbers that differ little (times) apart.
 */
export class Distribution {
  /** @param {Cells} values @param {boolean} counts 0 is empty (else NaN) */
  constructor(values, counts) {
    const { low, high, cells } = extremes(values, counts);
    /** @readonly visible values */ this.cells = cells;
    /** @readonly */ this.low = cells ? low : Number.NaN;
    /** @readonly */ this.high = cells ? high : Number.NaN;
    /** @readonly whole numbers */ this.counts = counts;
    /** @readonly values in each bin */ this.bins = new Uint32Array(BINS);
    /** @readonly @type {"direct"|"linear"|"bits"} */
    this.mode = counts && !(high >= BINS) ? "direct" : low > 0 === high > 0 && Math.abs(high) <= 2 * Math.abs(low) && Math.abs(low) <= 2 * Math.abs(high) ? "linear" : "bits";
    const most = Math.max(Math.abs(low), Math.abs(high));
    /** @readonly */ this.unit = most > LARGEST || most < SMALLEST ? 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(most || 1)))) : 1;
    /** @readonly first number and bins per number of the `bits` mode */ this.first = this.mode === "bits" ? orderedOf(low * this.unit) : 0;
    /** @readonly */ this.step = this.mode === "bits" ? BINS / (orderedOf(high * this.unit) - this.first + 1) : 0;
    if (cells) this.fill(values, counts);
    /** How many values lie in a bin or below it.  @readonly */ this.cumulative = cumulate(this.bins);
  }

  /** @param {Cells} values @param {boolean} counts */
  fill(values, counts) {
    const { bins } = this;
    if (this.mode === "direct") {
      for (let k = 0; k < values.length; k++) bins[values[k]]++;
      bins[0] = 0;
    } else if (this.mode === "linear") {
      for (let k = 0; k < values.length; k++) {
        const value = values[k];
        if (counts ? value !== 0 : value - value === 0) bins[this.bin(value)]++;
      }
    } else this.fillBits(values, counts);
  }

  /** @param {Cells} values @param {boolean} counts */
  fillBits(values, counts) {
    const { bins, unit, first, step } = this;
    const floats = unit === 1 ? Float32Array.from(values) : Float32Array.from(values, (value) => value * unit);
    const bits = new Uint32Array(floats.buffer);
    for (let k = 0; k < bits.length; k++) {
      const b = bits[k];
      if ((b & EXPONENT) === EXPONENT || (counts && b === 0)) continue;
      bins[((b >>> 31 ? ~b >>> 0 : (b | 0x80000000) >>> 0) - first) * step | 0]++;
    }
  }

  /** @param {number} value @returns {number} its bin; values outside low..high go to the first or last one */
  bin(value) {
    if (!(value > this.low)) return this.mode === "direct" ? Math.max(0, this.low) : 0;
    if (value >= this.high) return this.mode === "direct" ? this.high : BINS - 1;
    if (this.mode === "direct") return Math.floor(value);
    if (this.mode === "linear") return Math.min(BINS - 1, Math.floor(((value - this.low) / (this.high - this.low)) * BINS));
    return Math.floor((orderedOf(value * this.unit) - this.first) * this.step);
  }

  /** @param {number} bin @returns {number} the lowest value (among counts: whole number) that lies in it */
  edge(bin) {
    if (this.mode === "direct") return bin;
    if (bin <= 0) return this.low;
    if (bin >= BINS - 1) return this.high;
    const edge = this.mode === "linear" ? this.low + ((this.high - this.low) * bin) / BINS : floatOf(Math.ceil(this.first + bin / this.step)) / this.unit;
    return this.counts ? Math.ceil(edge) : edge;
  }

  /** The value below or at which `percent` of the values lie (nearest rank).  @param {number} percent 0..100 @returns {number} NaN without values */
  percentile(percent) {
    if (!this.cells) return Number.NaN;
    if (percent <= 0) return this.low;
    if (percent >= 100) return this.high;
    return this.edge(this.search(Math.max(1, Math.ceil((percent / 100) * this.cells))));
  }

  /** @param {number} rank 1..cells @returns {number} the first bin up to which that many values lie */
  search(rank) {
    let [a, b] = [0, BINS - 1];
    while (a < b) {
      const middle = (a + b) >> 1;
      if (this.cumulative[middle] >= rank) b = middle;
      else a = middle + 1;
    }
    return a;
  }
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
