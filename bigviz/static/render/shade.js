// Values to pixels. A pixel is one uint32 (bytes R, G, B, A in memory, as ImageData wants them); empty is 0, fully
// transparent.

import { BINS } from "./distribution.js";

/** @typedef {import("../wire/codec.js").Cells} Cells */
/**
 * The normalisation of the colour bar: how, low, high, cells, fraction(value), value(fraction).
 * @typedef {import("./norm.js").Norm} Norm
 */

/**
 * How values become colours. lut: 256 x RGB; low, high: ends of the colour map; colors: RGB of each category under `by`
 * (default GLASBEY).
 * dark: the plate's ground is (default). sparse: how few rows are drawn, on the page's ground: in one colour (a pixel)
 * where they have no value. marks: what the document says of single rows.
 * @typedef {{how: import("./norm.js").How, lut: Uint8Array, low: import("./norm.js").Clip, high:
 *   import("./norm.js").Clip, colors?: Uint8Array,
 *   dark?: boolean, sparse?: {accent: number, dark: boolean}, marks?: MarkStyle}} RasterStyle */
/**
 * isPlain: single rows are drawn in the one colour however many they are, where they have no value. size: their
 * diameter in CSS pixels, null for one that their number asks for.
 * @typedef {{isPlain: boolean, size: number|null, opacity: number, shape: import("../types.js").Shape}} MarkStyle */

/** Alpha of the rarest mixed cell, as datashader's min_alpha. */
export const MIN_ALPHA = 40;
const OPAQUE = 0xff000000;
/** How opaque what is left of nearly nothing is, in a cell that stands in for smaller ones. */
const FAINTEST = 0.25;
/** Counts below this get their colour from a table. */
const TABLE = BINS;

/** @param {Uint8Array} lut RGB of each colour @returns {Uint32Array} the same as opaque pixels */
export function packLut(lut) {
  const out = new Uint32Array(Math.floor(lut.length / 3));
  for (let k = 0; k < out.length; k++)
    out[k] = (OPAQUE | (lut[3 * k + 2] << 16) | (lut[3 * k + 1] << 8) | lut[3 * k]) >>> 0;
  return out;
}

/**
 * How a value is drawn that was divided by the number of cells that its own stands in for. Nearer to 0 than all visible
 * values it has the colour of the nearest one, fainter as fewer of those cells can be filled: the colour map's first
 * colour for all of them would be a flat patch, and dark where the only visible value has the last.
 * @param {Norm} norm
 * @param {number} value
 * @returns {{value: number, alpha: number}} the value that has its colour, and 0..1
 */
function divided({ origin, distribution: { low, high } }, value) {
  if (origin !== 0n) return { value, alpha: 1 }; // an offset is no amount
  const nearest = low > 0 ? low : high < 0 ? high : value;
  const share = value / nearest;
  return share >= 0 && share < 1 ? { value: nearest, alpha: FAINTEST + share * (1 - FAINTEST) } : { value, alpha: 1 };
}

/**
 * Paints values of one plane through a normalisation and a colour map. Immutable, except for the tables it remembers.
 */
export class Shader {
  /** @param {Norm} norm @param {Uint8Array} lut 256 x RGB */
  constructor(norm, lut) {
    /** @readonly */ this.norm = norm;
    /** @readonly */ this.colors = packLut(lut);
    /** Scale -> colours of the counts 0, 1, 2, …  @type {Map<number, Uint32Array>} */ this.tables = new Map();
  }

  /** @param {number} value not empty @returns {number} its pixel */
  color(value) {
    return this.colors[(this.norm.fraction(value) * (this.colors.length - 1) + 0.5) | 0];
  }

  /**
   * @param {number} value not empty
   * @param {number} scale multiplies it first: below 1 it was divided among smaller cells
   * @returns {number} its pixel
   */
  scaled(value, scale) {
    if (scale >= 1) return this.color(value * scale);
    const drawn = divided(this.norm, value * scale);
    return ((this.color(drawn.value) & ~OPAQUE) | (Math.round(drawn.alpha * 255) << 24)) >>> 0;
  }

  /**
   * Colours of the counts 0..most, each times `scale`.
   * @param {number} scale
   * @param {number} most below 65,536
   * @returns {Uint32Array}
   */
  table(scale, most) {
    const known = this.tables.get(scale);
    if (known && known.length > most) return known;
    const table = new Uint32Array(Math.min(TABLE, Math.max(1024, 2 * most + 2)));
    for (let count = 1; count < table.length; count++) table[count] = this.scaled(count, scale);
    this.tables.set(scale, table);
    return table;
  }

  /**
   * @param {Cells} values @param {boolean} counts 0 is empty, else NaN
   * @param {number} most the highest value, or more
   * @param {Uint32Array} out pixels, as many as values
   * @param {number} [scale] multiplies each value first: a stand-in's counts are divided by the cells it covers
   */
  paint(values, counts, most, out, scale = 1) {
    if (counts) this.paintCounts(values, most, out, scale);
    else if (this.norm.how === "linear" && scale >= 1) this.paintLinear(values, out, scale);
    else for (let k = 0; k < values.length; k++) out[k] = Number.isNaN(values[k]) ? 0 : this.scaled(values[k], scale);
  }

  /**
   * As `paint`, for the very values that the normalisation was made of: eq_hist looks their bins up instead of
   * computing them again.
   * @param {Cells} values @param {boolean} counts @param {Uint32Array} out
   */
  paintOwn(values, counts, out) {
    const { distribution, shares, low } = this.norm;
    const { codes } = distribution;
    if (!codes || !shares || low > distribution.high) {
      this.paint(values, counts, distribution.high, out);
      return;
    }
    const table = new Uint32Array(BINS);
    const last = this.colors.length - 1;
    for (let bin = 0; bin < BINS; bin++) table[bin] = this.colors[(shares[bin] * last + 0.5) | 0];
    for (let k = 0; k < codes.length; k++) {
      const value = values[k];
      if (value - value === 0) out[k] = counts && value === 0 ? 0 : table[codes[k]];
      else out[k] = Number.isNaN(value) ? 0 : this.color(value);
    }
  }

  /** @param {Cells} values @param {number} most @param {Uint32Array} out @param {number} scale */
  paintCounts(values, most, out, scale) {
    const table = this.table(scale, Math.min(most, TABLE - 1));
    if (most < table.length) {
      for (let k = 0; k < values.length; k++) out[k] = table[values[k]];
      return;
    }
    for (let k = 0; k < values.length; k++) {
      const value = values[k];
      out[k] = value < TABLE && value < table.length ? table[value] : this.scaled(value, scale);
    }
  }

  /** @param {Cells} values @param {Uint32Array} out @param {number} scale */
  paintLinear(values, out, scale) {
    const { colors, norm } = this;
    const last = colors.length - 1;
    const { low, unit, span } = norm;
    const factor = span > 0 ? last / span : 0;
    const [from, half] = [low * unit, factor ? 0.5 : last + 0.5];
    const times = scale * unit;
    for (let k = 0; k < values.length; k++) {
      const value = values[k];
      if (Number.isNaN(value)) {
        out[k] = 0;
        continue;
      }
      const place = (value * times - from) * factor + half; // the difference first: large numbers may differ little
      out[k] = colors[place < 0 ? 0 : place > last ? last : place | 0];
    }
  }
}

/**
 * Alpha by the total, over mixed colours: 40 at the lowest visible total, 255 at the highest.
 * @param {Uint32Array} mixed colours with alpha 0 (category-mix.js)
 * @param {Cells} totals
 * @param {boolean} counts 0 is empty, else NaN
 * @param {Norm} norm of the totals @param {Uint32Array} out @param {number} [scale] multiplies each total first
 */
export function paintMixed(mixed, totals, counts, norm, out, scale = 1) {
  const alphas = new Uint8Array(TABLE);
  const whole = totals instanceof Uint32Array; // totals of values are no places in a table
  for (let k = 0; k < totals.length; k++) {
    const total = totals[k];
    if (counts ? total === 0 : Number.isNaN(total)) {
      out[k] = 0;
      continue;
    }
    const inTable = whole && total < TABLE;
    let alpha = inTable ? alphas[total] : 0;
    if (alpha === 0) {
      const drawn = scale < 1 ? divided(norm, total * scale) : { value: total * scale, alpha: 1 };
      alpha = Math.floor((MIN_ALPHA + norm.fraction(drawn.value) * (255 - MIN_ALPHA)) * drawn.alpha);
      if (inTable) alphas[total] = alpha;
    }
    out[k] = (mixed[k] | (alpha << 24)) >>> 0;
  }
}
