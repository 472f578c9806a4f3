// Cells of tiles within a view: which a view shows, how many rows they hold, and how many are filled.

import { TILE } from "../../geometry/grid.js";

/** @typedef {import("../../geometry/grid.js").Grid} Grid */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("./tile-cache.js").Tile} Tile */

/**
 * The cells of a tile whose centres a view shows.
 * @param {{left: number, top: number, right: number, bottom: number}} rect of the tile, in device pixels
 * @param {View} view
 * @returns {{x0: number, x1: number, y0: number, y1: number}} half-open
 */
export function cellsIn({ left, top, right, bottom }, { width, height }) {
  const [across, down] = [(right - left) / TILE, (bottom - top) / TILE];
  const first = (/** @type {number} */ low, /** @type {number} */ size) => Math.max(0, Math.ceil(-low / size - 0.5));
  const stop = (/** @type {number} */ low, /** @type {number} */ end, /** @type {number} */ size) =>
    Math.min(TILE, Math.ceil((end - low) / size - 0.5));
  return { x0: first(left, across), x1: stop(left, width, across), y0: first(top, down), y1: stop(top, height, down) };
}

/** Of whole planes.  @type {WeakMap<import("../../wire/codec.js").Plane, number>} */
const SUMS = new WeakMap();

/**
 * @param {readonly import("../../wire/codec.js").Plane[]} planes of counts
 * @param {{x0: number, x1: number, y0: number, y1: number}} cells
 * @param {number[]} sums
 */
export function addRows(planes, { x0, x1, y0, y1 }, sums) {
  const isWhole = x0 === 0 && y0 === 0 && x1 === TILE && y1 === TILE;
  for (const [k, plane] of planes.entries()) {
    if (plane.filled === 0 || x1 <= x0 || y1 <= y0) continue;
    let sum = isWhole ? SUMS.get(plane) : undefined;
    if (sum === undefined) {
      sum = plane.data ? 0 : plane.constant * (x1 - x0) * (y1 - y0);
      if (plane.data)
        for (let row = y0; row < y1; row++)
          for (let at = row * TILE + x0; at < row * TILE + x1; at++) sum += Number(plane.data[at]);
      if (isWhole) SUMS.set(plane, sum);
    }
    sums[k] += sum;
  }
}

/**
 * Filled cells of tiles within a view, of any category; cells that stick out do not count.
 * @param {Grid} grid
 * @param {View} view
 * @param {(Tile|undefined)[]} tiles
 * @param {number} enough counting ends beyond
 * @returns {number}
 */
export function filledWithin(grid, view, tiles, enough) {
  let sum = 0;
  const cut = [];
  for (const tile of tiles) {
    if (!tile) continue;
    const rect = grid.rect(tile.key, view);
    const most = tile.planes.reduce((a, b) => (b.filled > a.filled ? b : a), tile.planes[0]);
    if (!most?.filled) continue;
    if (rect.left >= 0 && rect.top >= 0 && rect.right <= view.width && rect.bottom <= view.height) sum += most.filled;
    else cut.push({ rect, most });
  }
  for (const { rect, most } of cut) {
    if (sum > enough) break;
    const [width, height] = [(rect.right - rect.left) / TILE, (rect.bottom - rect.top) / TILE];
    const [x0, x1] = [
      Math.max(0, Math.ceil(-rect.left / width)),
      Math.min(TILE, Math.floor((view.width - rect.left) / width)),
    ];
    const [y0, y1] = [
      Math.max(0, Math.ceil(-rect.top / height)),
      Math.min(TILE, Math.floor((view.height - rect.top) / height)),
    ];
    if (!most.data) sum += Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
    else
      for (let row = y0; row < y1; row++)
        for (let at = row * TILE + x0; at < row * TILE + x1; at++)
          sum += most.counts ? +(most.data[at] > 0) : +!Number.isNaN(most.data[at]);
  }
  return sum;
}
