// What is drawn before it is exact: of how many rows, how far off.

/** @typedef {import("../wire/codec.js").Plane} Plane */
/** @typedef {import("../wire/frames.js").Estimate} Estimate */
/**
 * An estimated tile: its cells that hold a value, and the sum of their sizes.
 * @typedef {Estimate & {filled: number, size: number}} TileEstimate
 */
/** What a view's estimates are of, together; `relative`: the error as a share of a usual value.
 * @typedef {{share: number, start: boolean, error: number|null, relative: number|null}} Summary */

/** @param {Estimate} estimate @param {Plane[]} planes @returns {TileEstimate} */
export function tileEstimate(estimate, planes) {
  let [filled, size] = [0, 0];
  for (const plane of planes) {
    filled += plane.filled;
    if (!plane.data) size += plane.filled && Math.abs(plane.constant) * plane.filled;
    else for (const value of plane.data) if (!Number.isNaN(value)) size += Math.abs(value);
  }
  return { ...estimate, filled, size };
}

/**
 * Tiles together: the least share, and the root mean square of their errors over all cells.
 * @param {readonly TileEstimate[]} tiles
 * @returns {Summary|null}
 */
export function sumEstimates(tiles) {
  if (tiles.length === 0) return null;
  const known = tiles.filter(({ error }) => error !== null);
  const sum = (/** @type {(tile: TileEstimate) => number} */ of) => known.reduce((total, tile) => total + of(tile), 0);
  const filled = sum((tile) => tile.filled);
  const error = filled > 0 ? Math.sqrt(sum((tile) => Number(tile.error) ** 2 * tile.filled) / filled) : null;
  const usual = filled > 0 ? sum((tile) => tile.size) / filled : 0;
  return {
    share: Math.min(...tiles.map(({ share }) => share)),
    start: tiles.some(({ start }) => start),
    error,
    relative: error !== null && usual > 0 ? error / usual : null,
  };
}
