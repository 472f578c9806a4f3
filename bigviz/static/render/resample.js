// Cells of tiles to device pixels, from the values themselves. A pixel takes the cells whose centres lie in it; where
// none does (cells larger than pixels) it takes the cell that holds its own centre.

import { CELL_LEVELS } from "../geometry/root.js";
import { blend } from "./category-mix.js";

/** @typedef {import("../wire/codec.js").Plane} Plane */
/** @typedef {import("../wire/codec.js").Cells} Cells */
/**
 * Cells that a pixel nominally covers on each axis: powers of two; 1 unless level 0 is too fine.
 * @typedef {{x: number, y: number}} Nominal
 */
/** @typedef {"count"|"sum"|"mean"|"min"|"max"|"first"|"last"} Rule how cells of one pixel combine */

const TILE = 1 << CELL_LEVELS;
/** Below this, whole numbers are halved by shifts. */
const HALF = 2 ** 30;

/**
 * One axis of a resampling: pairs (cell, pixel), grouped by tile.
 * @typedef {{cells: Uint8Array, pixels: Int32Array, starts: Int32Array, counts: Int32Array}} AxisMap
 * cells: place within the tile of each pair; pixels: its pixel; starts: first pair of each tile and the end; counts:
 * cells of each pixel, 0 outside the root
 */

/**
 * @param {number} edge pixel position at which the first tile begins
 * @param {number} size pixels a tile
 * @param {number} tiles number of tiles
 * @param {number} pixels number of pixels of the view
 * @returns {AxisMap}
 */
export function mapAxis(edge, size, tiles, pixels) {
  const cell = size / TILE;
  const total = tiles * TILE;
  const counts = new Int32Array(pixels);
  const first = new Int32Array(pixels).fill(-1);
  const from = Math.max(0, Math.floor(-edge / cell) - 1);
  const to = Math.min(total - 1, Math.ceil((pixels - edge) / cell) + 1);
  for (let c = from; c <= to; c++) {
    const pixel = Math.floor(edge + (c + 0.5) * cell);
    if (pixel < 0 || pixel >= pixels) continue;
    if (counts[pixel]++ === 0) first[pixel] = c;
  }
  let pairs = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    if (counts[pixel] === 0) {
      const nearest = Math.floor((pixel + 0.5 - edge) / cell);
      if (nearest >= 0 && nearest < total) {
        first[pixel] = nearest;
        counts[pixel] = 1;
      }
    }
    pairs += counts[pixel];
  }
  return listPairs(first, counts, pairs, tiles);
}

/**
 * @param {Int32Array} first
 * @param {Int32Array} counts
 * @param {number} pairs
 * @param {number} tiles
 * @returns {AxisMap}
 */
function listPairs(first, counts, pairs, tiles) {
  const map = {
    cells: new Uint8Array(pairs),
    pixels: new Int32Array(pairs),
    starts: new Int32Array(tiles + 1),
    counts,
  };
  let pair = 0;
  for (let pixel = 0; pixel < counts.length; pixel++) {
    for (let k = 0; k < counts[pixel]; k++, pair++) {
      const cell = first[pixel] + k;
      map.cells[pair] = cell % TILE;
      map.pixels[pair] = pixel;
      map.starts[Math.floor(cell / TILE) + 1] = pair + 1;
    }
  }
  for (let tile = 1; tile <= tiles; tile++) map.starts[tile] = Math.max(map.starts[tile], map.starts[tile - 1]);
  return map;
}

/** An image in the making: one value a device pixel, row 0 on top. */
export class Resampler {
  /**
   * @param {AxisMap} x
   * @param {AxisMap} y
   * @param {Rule} rule
   * @param {Cells} out empty (0 for counts, NaN for other rules), x by y pixels
   */
  constructor(x, y, rule, out) {
    this.x = x;
    this.y = y;
    this.rule = rule;
    this.out = out;
    /** Values summed into each pixel, for means where a pixel may take several.  @type {Uint16Array|null} */
    this.weights = rule === "mean" && (several(x) || several(y)) ? new Uint16Array(out.length) : null;
    /** Counts below 2^32, as engines add them up fastest.  @type {Int32Array|null} */
    this.whole =
      rule === "count" && out instanceof Uint32Array ? new Int32Array(out.buffer, out.byteOffset, out.length) : null;
  }

  /**
   * Adds one tile: column and row of tiles counted from the window's top left.
   * @param {Plane} plane
   * @param {number} column
   * @param {number} row
   */
  add(plane, column, row) {
    if (plane.filled === 0) return;
    const data = plane.data ?? constantCells(plane);
    const { rule, weights, out, x, y } = this;
    const [a, b] = [x.starts[column], x.starts[column + 1]];
    const [c, d] = [y.starts[row], y.starts[row + 1]];
    const width = x.counts.length;
    for (let q = c; q < d; q++) {
      const [from, to] = [y.cells[q] * TILE, y.pixels[q] * width];
      if (this.whole) addWhole(data, from, x.cells, x.pixels, a, b, this.whole, to);
      else if (rule === "count") addCounts(data, from, x, a, b, out, to);
      else if (weights) addMeans(data, from, x, a, b, out, to, weights);
      else addValues(data, from, x, a, b, out, to, rule);
    }
  }

  /** To be called once, after the last tile.  @returns {Cells} */
  finish() {
    const { weights, out } = this;
    if (weights) for (let k = 0; k < out.length; k++) if (weights[k] > 1) out[k] /= weights[k];
    return out;
  }
}

/**
 * Adds the mixed counts of one tile: totals add up, colours are weighted by them.
 * @param {AxisMap} x
 * @param {AxisMap} y
 * @param {import("./category-mix.js").Mixture} tile
 * @param {number} column
 * @param {number} row of the tile in the window
 * @param {Cells} totals @param {Uint32Array} mixed of the picture, 0 where empty
 */
export function addMixture(x, y, tile, column, row, totals, mixed) {
  const [a, b] = [x.starts[column], x.starts[column + 1]];
  const width = x.counts.length;
  for (let q = y.starts[row]; q < y.starts[row + 1]; q++) {
    const [from, to] = [y.cells[q] * TILE, y.pixels[q] * width];
    for (let p = a; p < b; p++) {
      const cell = from + x.cells[p];
      const count = tile.totals[cell];
      if (count === 0) continue;
      const at = to + x.pixels[p];
      const before = totals[at];
      mixed[at] = before === 0 ? tile.mixed[cell] : blend(mixed[at], before, tile.mixed[cell], count);
      totals[at] = before + count;
    }
  }
}

/**
 * The mixed categories of a picture, from the values of its tiles: where several cells fall on a pixel, their totals
 * are averaged or, if they are sums, added, and their colours are averaged. */
export class MixtureResampler {
  /** @param {AxisMap} x @param {AxisMap} y @param {boolean} additive */
  constructor(x, y, additive) {
    const size = x.counts.length * y.counts.length;
    this.x = x;
    this.y = y;
    this.additive = additive;
    this.totals = new Float64Array(size).fill(Number.NaN);
    this.mixed = new Uint32Array(size);
    /** Cells of each pixel, that are filled. */ this.cells = new Uint16Array(size);
  }

  /**
   * @param {import("./category-mix.js").Mixture} tile
   * @param {number} column
   * @param {number} row of the tile in the window
   */
  add(tile, column, row) {
    const { x, y, totals, mixed, cells } = this;
    const [a, b] = [x.starts[column], x.starts[column + 1]];
    const width = x.counts.length;
    for (let q = y.starts[row]; q < y.starts[row + 1]; q++) {
      const [from, to] = [y.cells[q] * TILE, y.pixels[q] * width];
      for (let p = a; p < b; p++) {
        const total = tile.totals[from + x.cells[p]];
        if (Number.isNaN(total)) continue;
        const at = to + x.pixels[p];
        const before = cells[at]++;
        const color = tile.mixed[from + x.cells[p]];
        mixed[at] = before === 0 ? color : blend(mixed[at], before, color, 1);
        totals[at] = before === 0 ? total : totals[at] + total;
      }
    }
  }

  /** To be called once, after the last tile.  @param {Nominal} nominal */
  finish(nominal) {
    const { x, y, totals, cells, additive } = this;
    if (additive) levelSums(totals, x, y, nominal, false);
    else for (let k = 0; k < totals.length; k++) if (cells[k] > 1) totals[k] /= cells[k];
  }
}

/** @param {AxisMap} map @returns {boolean} some pixel takes several cells */
export function several(map) {
  return map.cells.length > map.counts.length || map.counts.some((count) => count > 1);
}

/** @param {Plane} plane @returns {Cells} */
function constantCells(plane) {
  const small = plane.counts && plane.constant < 2 ** 32;
  return (small ? new Uint32Array(TILE * TILE) : new Float64Array(TILE * TILE)).fill(plane.constant);
}

/**
 * Adds counts modulo 2^32, which is exact for sums below it.
 * @param {Cells} data @param {number} from
 * @param {Uint8Array} cells @param {Int32Array} pixels @param {number} a @param {number} b
 * @param {Int32Array} out @param {number} to
 */
function addWhole(data, from, cells, pixels, a, b, out, to) {
  for (let p = a; p < b; p++) {
    const at = to + pixels[p];
    out[at] = (out[at] + data[from + cells[p]]) | 0;
  }
}

/**
 * @param {Cells} data
 * @param {number} from
 * @param {AxisMap} x
 * @param {number} a
 * @param {number} b
 * @param {Cells} out
 * @param {number} to
 */
function addCounts(data, from, { cells, pixels }, a, b, out, to) {
  for (let p = a; p < b; p++) out[to + pixels[p]] += data[from + cells[p]];
}

/**
 * @param {Cells} data
 * @param {number} from
 * @param {AxisMap} x
 * @param {number} a
 * @param {number} b
 * @param {Cells} out
 * @param {number} to
 * @param {Uint16Array} weights
 */
function addMeans(data, from, { cells, pixels }, a, b, out, to, weights) {
  for (let p = a; p < b; p++) {
    const value = data[from + cells[p]];
    if (Number.isNaN(value)) continue;
    const at = to + pixels[p];
    out[at] = weights[at]++ === 0 ? value : out[at] + value;
  }
}

/**
 * @param {Cells} data
 * @param {number} from
 * @param {AxisMap} x
 * @param {number} a
 * @param {number} b
 * @param {Cells} out
 * @param {number} to
 * @param {Rule} rule
 */
function addValues(data, from, { cells, pixels }, a, b, out, to, rule) {
  for (let p = a; p < b; p++) {
    const value = data[from + cells[p]];
    if (Number.isNaN(value)) continue;
    const at = to + pixels[p];
    const old = out[at];
    if (Number.isNaN(old) || rule === "last") out[at] = value;
    else if (rule === "sum") out[at] = old + value;
    else if (rule === "min" ? value < old : rule === "max" && value > old) out[at] = value;
  }
}

/** Beyond so many cells a pixel, their numbers hardly differ from pixel to pixel. */
export const MANY = 16;

/**
 * Sums of unlike numbers of cells to one scale: a pixel over n cells where a pixel nominally covers N shows sum * N /
 * n. Counts are rounded up, so that no row disappears and a lone one stays 1. On an axis with many cells a pixel sums
 * are shown as they are: there a pixel may cover the whole root and much beyond, and has no more rows for that.
 * @param {Cells} out @param {AxisMap} x @param {AxisMap} y @param {Nominal} nominal @param {boolean} counts
 */
export function levelSums(out, x, y, nominal, counts) {
  if (!several(x) && !several(y)) return;
  const width = x.counts.length;
  const shares = Float64Array.from(x.counts, (count) => (nominal.x < MANY ? count / nominal.x : 1));
  const all = Int32Array.from(shares.keys());
  const uneven = all.filter((column) => shares[column] !== 1);
  const level = counts ? levelCounts : levelValues;
  for (let row = 0; row < y.counts.length; row++) {
    const share = nominal.y < MANY ? y.counts[row] / nominal.y : 1;
    level(out, row * width, share === 1 ? uneven : all, shares, share);
  }
}

/**
 * Levels some columns of a row of counts.
 * @param {Cells} out @param {number} from where the row begins
 * @param {Int32Array} columns @param {Float64Array} shares of all columns @param {number} share of the row
 */
function levelCounts(out, from, columns, shares, share) {
  for (let k = 0; k < columns.length; k++) {
    const at = from + columns[k];
    const sum = out[at];
    if (sum === 0) continue;
    const cells = share * shares[columns[k]];
    if (cells === 2 && sum < HALF) out[at] = (sum + 1) >> 1;
    else if (cells === 4 && sum < HALF) out[at] = (sum + 3) >> 2;
    else if (cells !== 0 && cells !== 1) out[at] = Math.ceil(sum / cells);
  }
}

/**
 * The same of a row of other sums.
 * @param {Cells} out @param {number} from
 * @param {Int32Array} columns @param {Float64Array} shares @param {number} share
 */
function levelValues(out, from, columns, shares, share) {
  for (let k = 0; k < columns.length; k++) {
    const cells = share * shares[columns[k]];
    if (cells !== 0) out[from + columns[k]] /= cells;
  }
}
