// Categories in one cell: the mean of their colours, weighted by their counts, as datashader mixes them; by their values under another
// reduction, where those are above 0.

import { CELLS } from "../wire/frames.js";

/** @typedef {import("../wire/codec.js").Plane} Plane */
/** @typedef {import("../wire/codec.js").Cells} Cells */
/**
 * The categories of a tile (or picture) together: totals (0 is empty), mean colours as pixels of alpha 0, the highest total, and
 * the palette behind them.
 * @typedef {{totals: Uint32Array|Float64Array, mixed: Uint32Array, high: number, colors: Uint8Array}} Mixture
 */
/** The planes of a tile, and its mixture once something drew it, of whose bytes `set` is told.
 * @typedef {{planes: Plane[], mixture: Mixture|null, set: {weigh: (tile: any, bytes: number) => void}|null}} Mixable */

/**
 * @param {readonly Plane[]} planes counts (or values) of each category
 * @param {Uint8Array} colors RGB of each category; with more categories they start again
 * @returns {Mixture}
 */
export function mix(planes, colors) {
  const most = planes.reduce((sum, plane) => sum + (plane.filled ? plane.high : 0), 0);
  const whole = planes.every((plane) => plane.counts || plane.filled === 0);
  const totals = whole && most < 2 ** 32 ? new Uint32Array(CELLS) : new Float64Array(CELLS);
  const sums = { red: new Float32Array(CELLS), green: new Float32Array(CELLS), blue: new Float32Array(CELLS) };
  planes.forEach((plane, category) => {
    if (plane.filled === 0) return;
    const at = 3 * (category % Math.max(1, Math.floor(colors.length / 3)));
    addCategory(plane.data ?? new Float64Array(CELLS).fill(plane.constant), totals, sums, colors[at], colors[at + 1], colors[at + 2]);
  });
  const mixed = new Uint32Array(CELLS);
  let high = 0;
  for (let k = 0; k < CELLS; k++) {
    const total = totals[k];
    if (total === 0) continue;
    if (total > high) high = total;
    mixed[k] = ((sums.blue[k] / total) << 16) | ((sums.green[k] / total) << 8) | (sums.red[k] / total);
  }
  return { totals, mixed, high, colors };
}

/** @param {Cells} counts @param {Cells} totals @param {{red: Float32Array, green: Float32Array, blue: Float32Array}} sums @param {number} r @param {number} g @param {number} b */
function addCategory(counts, totals, { red, green, blue }, r, g, b) {
  for (let k = 0; k < counts.length; k++) {
    const count = counts[k];
    if (!(count > 0)) continue;
    totals[k] += count;
    red[k] += r * count;
    green[k] += g * count;
    blue[k] += b * count;
  }
}

/**
 * The mixture of a tile, made once a palette and kept with the tile.
 * @param {Mixable} tile @param {Uint8Array} colors @returns {Mixture}
 */
export function mixtureOf(tile, colors) {
  if (tile.mixture?.colors === colors) return tile.mixture;
  const mixture = mix(tile.planes, colors);
  tile.set?.weigh(tile, mixture.totals.byteLength + mixture.mixed.byteLength - (tile.mixture ? tile.mixture.totals.byteLength + tile.mixture.mixed.byteLength : 0));
  tile.mixture = mixture;
  return mixture;
}

/** The mean of two colours, weighted.  @param {number} a pixel @param {number} m @param {number} b pixel @param {number} n @returns {number} a pixel of alpha 0 */
export function blend(a, m, b, n) {
  const all = m + n;
  const red = ((a & 255) * m + (b & 255) * n) / all + 0.5;
  const green = (((a >> 8) & 255) * m + ((b >> 8) & 255) * n) / all + 0.5;
  const blue = (((a >> 16) & 255) * m + ((b >> 16) & 255) * n) / all + 0.5;
  return (blue << 16) | (green << 8) | red;
}
