// Categories in one cell: the mean of their colours, weighted by their counts, as datashader mixes them; under another
// reduction by the sizes of their values, alike where all are 0.

import { isLeftOut } from "./palette.js";
import { CELLS } from "../wire/frames.js";

/** @typedef {import("../wire/codec.js").Plane} Plane */
/** @typedef {import("../wire/codec.js").Cells} Cells */
/**
 * The categories of a tile (or picture) together: totals (`counts`: 0 is empty, else NaN), mean colours as pixels of
 * alpha 0, the highest total, and the palette.
 * @typedef {{counts: boolean, totals: Uint32Array|Float64Array, mixed: Uint32Array, high: number, colors: Uint8Array}}
 *   Mixture
 */
/**
 * The planes of a tile, and its mixture once something drew it, of whose bytes `set` is told.
 * @typedef {import("./integer-origin.js").Tile & {mixture: Mixture|null}} Mixable
 */

/** Added to the size of every value, so that zeros have colours too: nothing next to any other value. */
const LEAST_WEIGHT = 2 ** -1000;
/** Values beyond this are scaled by a power of two first, because their sums might overflow. */
const HEAVY = 2 ** 900;
const LIGHTER = 2 ** -200;

/** Sums over the categories of a tile, used again for the next one: they are the larger part of what mixing touches. */
const SUMS = {
  weight: new Float64Array(CELLS),
  red: new Float64Array(CELLS),
  green: new Float64Array(CELLS),
  blue: new Float64Array(CELLS),
};

/**
 * @param {readonly Plane[]} planes counts (or values) of each category; at least one says which
 * @param {Uint8Array} colors RGB of each category, those left out aside; with more categories they start again
 * @returns {Mixture}
 */
export function mix(planes, colors) {
  const counts = planes.every((plane) => plane.counts);
  const shown = planes.filter((_, category) => !isLeftOut(colors, category));
  const most = shown.reduce((sum, plane) => sum + (plane.filled ? plane.high : 0), 0);
  const totals = counts && most < 2 ** 32 ? new Uint32Array(CELLS) : new Float64Array(CELLS);
  if (!counts) totals.fill(Number.NaN);
  for (const sums of Object.values(SUMS)) sums.fill(0);
  const heavy = shown.some(({ filled, low, high }) => filled && Math.max(-low, high) > HEAVY);
  planes.forEach((plane, category) => {
    if (plane.filled === 0 || isLeftOut(colors, category)) return;
    const at = 3 * (category % Math.max(1, Math.floor(colors.length / 3)));
    const data = plane.data ?? new Float64Array(CELLS).fill(plane.constant);
    const [r, g, b] = colors.subarray(at, at + 3);
    if (counts) addCounts(data, totals, r, g, b);
    else addValues(data, /** @type {Float64Array} */ (totals), heavy ? LIGHTER : 1, r, g, b);
  });
  const { high, mixed } = meanColors(totals, counts ? totals : SUMS.weight);
  return { counts, totals, mixed, high, colors };
}

/**
 * @param {Cells} totals
 * @param {Cells} weights 0 where a cell is empty
 * @returns {{high: number, mixed: Uint32Array}} the highest total, and the colours
 */
function meanColors(totals, weights) {
  const { red, green, blue } = SUMS;
  const mixed = new Uint32Array(CELLS);
  let high = 0;
  for (let k = 0; k < CELLS; k++) {
    const weight = weights[k];
    if (weight === 0) continue;
    if (totals[k] > high) high = totals[k];
    mixed[k] = ((blue[k] / weight) << 16) | ((green[k] / weight) << 8) | (red[k] / weight);
  }
  return { high, mixed };
}

/** @param {Cells} counts @param {Cells} totals @param {number} r @param {number} g @param {number} b */
function addCounts(counts, totals, r, g, b) {
  const { red, green, blue } = SUMS;
  for (let k = 0; k < counts.length; k++) {
    const count = counts[k];
    if (count === 0) continue;
    totals[k] += count;
    red[k] += r * count;
    green[k] += g * count;
    blue[k] += b * count;
  }
}

/**
 * @param {Cells} values NaN where empty
 * @param {Float64Array} totals
 * @param {number} unit
 * @param {number} r
 * @param {number} g
 * @param {number} b
 */
function addValues(values, totals, unit, r, g, b) {
  const { weight, red, green, blue } = SUMS;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (Number.isNaN(value)) continue;
    totals[k] = weight[k] === 0 ? value : totals[k] + value;
    const size =
      (unit === 1 ? Math.abs(value) : Math.min(Math.abs(value) * unit, Number.MAX_VALUE * LIGHTER)) + LEAST_WEIGHT;
    weight[k] += size;
    red[k] += r * size;
    green[k] += g * size;
    blue[k] += b * size;
  }
}

/**
 * The mixture of a tile, made once a palette and kept with the tile.
 * @param {Mixable} tile @param {Uint8Array} colors @returns {Mixture}
 */
export function mixtureOf(tile, colors) {
  if (tile.mixture?.colors === colors) return tile.mixture;
  const mixture = mix(tile.planes, colors);
  tile.set?.weigh(
    tile,
    mixture.totals.byteLength +
      mixture.mixed.byteLength -
      (tile.mixture ? tile.mixture.totals.byteLength + tile.mixture.mixed.byteLength : 0),
  );
  tile.mixture = mixture;
  return mixture;
}

/**
 * The mean of two colours, weighted.
 * @param {number} a pixel
 * @param {number} m
 * @param {number} b pixel
 * @param {number} n
 * @returns {number} a pixel of alpha 0
 */
export function blend(a, m, b, n) {
  const all = m + n;
  const red = ((a & 255) * m + (b & 255) * n) / all + 0.5;
  const green = (((a >> 8) & 255) * m + ((b >> 8) & 255) * n) / all + 0.5;
  const blue = (((a >> 16) & 255) * m + ((b >> 16) & 255) * n) / all + 0.5;
  return (blue << 16) | (green << 8) | red;
}
