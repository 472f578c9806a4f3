// One axis of a root: the power-of-two interval whose repeated halving makes tiles and cells. All edges and indices are
// computed in integers and rounded once, so a time axis keeps its nanoseconds and tiles join to the bit at every depth.

import { MAX_LEVEL } from "../wire/frames.js";

/** @typedef {import("./span.js").Span} Span */

/** Levels below a tile at which its cells stand: 256 = 2^8. */
export const CELL_LEVELS = 8;
/** Beyond every index of a cell (32 bits): places farther away are cut off here. */
const FAR = 2n ** 40n;

const bits = new DataView(new ArrayBuffer(8));

/** @param {number} value finite @returns {[bigint, number]} mantissa and exponent: value = mantissa * 2^exponent */
export function dyadic(value) {
  if (Number.isSafeInteger(value)) return [BigInt(value), 0];
  bits.setFloat64(0, value);
  const high = bits.getUint32(0);
  const biased = (high >>> 20) & 0x7ff;
  const mantissa = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4));
  const full = biased === 0 ? mantissa : mantissa | (1n << 52n);
  return [high >>> 31 ? -full : full, Math.max(biased, 1) - 1075];
}

/** value * 2^exponent without overflow on the way.  @param {number} value @param {number} exponent @returns {number} */
function scale2(value, exponent) {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

/** value * 2^by, rounded down.  @param {bigint} value @param {number} by @returns {bigint} */
function shift(value, by) {
  return by >= 0 ? value << BigInt(by) : value >> BigInt(-by);
}

export class AxisRoot {
  /** @param {bigint} multiple @param {number} exponent the interval [multiple 2^(exponent-1), + 2^exponent) */
  constructor(multiple, exponent) {
    /** @readonly */ this.multiple = multiple;
    /** @readonly */ this.exponent = exponent;
    /** @readonly length in axis space */ this.length = 2 ** exponent;
  }

  /**
   * @param {readonly [string, number]} root [start, exponent] of a `layer` answer
   * @throws {RangeError} when start is no multiple of 2^(exponent-1)
   */
  static parse([start, exponent]) {
    const [mantissa, power] = /^-?\d+$/.test(start) ? [BigInt(start), 0] : dyadic(Number(start));
    const by = power - (exponent - 1);
    const multiple = shift(mantissa, by);
    if (by < 0 && shift(multiple, -by) !== mantissa)
      throw new RangeError(`root starts at ${start}, no multiple of 2^${exponent - 1}`);
    return new AxisRoot(multiple, exponent);
  }

  /**
   * Where an interval of a level begins, as an offset from an origin: level z for tiles, z + 8 for cells.
   * @param {number} level @param {number} index @param {bigint} origin @returns {number} the exact edge, rounded once
   */
  edge(level, index, origin) {
    const unit = this.exponent - level - 1;
    const units = (this.multiple << BigInt(level)) + 2n * BigInt(index);
    if (origin === 0n) return scale2(Number(units), unit);
    return unit >= 0
      ? Number((units << BigInt(unit)) - origin)
      : scale2(Number(units - (origin << BigInt(-unit))), unit);
  }

  /**
   * The interval of a level that holds a place; below 0 or from 2^level on outside the root.
   * @param {number} level
   * @param {bigint} origin
   * @param {number} offset
   * @returns {number} exact floor, cut off at +-2^40
   */
  index(level, origin, offset) {
    if (!Number.isFinite(offset)) return offset > 0 ? Number(FAR) : -Number(FAR);
    const [mantissa, power] = dyadic(offset);
    const unit = Math.min(power, this.exponent - 1, origin === 0n ? power : 0);
    const value = shift(mantissa, power - unit) + (origin === 0n ? 0n : shift(origin, -unit));
    const fromStart = value - shift(this.multiple, this.exponent - 1 - unit);
    const index = shift(fromStart, unit - (this.exponent - level));
    return Number(index > FAR ? FAR : index < -FAR ? -FAR : index);
  }

  /**
   * The level whose cells are nearest to one pixel, on a logarithmic scale (0.71 to 1.41 pixels a cell within 0..24).
   * @param {Span} s @param {number} pixels @returns {number}
   */
  level(s, pixels) {
    return Math.min(MAX_LEVEL, Math.max(0, this.nominalLevel(s, pixels)));
  }

  /**
   * As `level`, unbounded: below 0 where a pixel covers cells of level 0.
   * @param {Span} s
   * @param {number} pixels
   * @returns {number}
   */
  nominalLevel(s, pixels) {
    return Math.round(this.exponent - CELL_LEVELS - (Math.log2(s.hi - s.lo) - Math.log2(pixels)));
  }
}
