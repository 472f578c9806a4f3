// Rows on a lattice: whole numbers or labels on both axes, of which many pairs occur, are drawn as cells; many rows on
// few numbers or labels of one axis are drawn as dashes about these. Others are discs.

/** Steps of a lattice in axis space; 0 on an axis without one.  @typedef {Readonly<{x: number, y: number}>} Lattice */

/** From this share of the pairs of values on, rows look like a table and not like a cloud. */
const FILLED = 0.25;
/** A value more or less is no table yet. */
const LEAST_PAIRS = 4;
/** So many rows on each number of an axis, and so few numbers, are bands of dashes: discs would hide each other. */
const CROWDED = 50;
const FEW = 64;

/**
 * @param {Pick<import("../../wire/rows.js").Rows, "n"|"x"|"y"|"code">} rows
 * @param {Readonly<{x: boolean, y: boolean}>} whole axes of whole numbers that are no times
 * @returns {Lattice|null} null where they lie on none
 */
export function latticeOf({ n, x, y, code }, whole) {
  if (n < LEAST_PAIRS || (!whole.x && !whole.y)) return null;
  const [across, up] = [whole.x ? distinct(x) : null, whole.y ? distinct(y) : null];
  if (across && up && (code === null ? n : pairsOf(x, y)) >= FILLED * across.count * up.count)
    return Object.freeze({ x: across.step, y: up.step });
  const isBand = (/** @type {{count: number}|null} */ axis) =>
    axis !== null && axis.count <= FEW && n >= CROWDED * axis.count;
  if (across && isBand(across)) return Object.freeze({ x: across.step, y: 0 });
  return up && isBand(up) ? Object.freeze({ x: 0, y: up.step }) : null;
}

/**
 * How many values there are, and the shortest distance between two (1 where there is one).
 * @param {Float64Array} values
 * @returns {{count: number, step: number}}
 */
function distinct(values) {
  const sorted = Float64Array.from(values).sort();
  let [count, step] = [1, Number.POSITIVE_INFINITY];
  for (let k = 1; k < sorted.length; k++) {
    const gap = sorted[k] - sorted[k - 1];
    if (gap === 0) continue;
    count++;
    if (gap < step) step = gap;
  }
  return { count, step: count > 1 ? step : 1 };
}

/** Under `by` a coordinate comes once a category.  @param {Float64Array} x @param {Float64Array} y @returns {number} */
function pairsOf(x, y) {
  const up = new Map([...new Set(y)].map((value, k) => [value, k]));
  const across = new Map([...new Set(x)].map((value, k) => [value, k]));
  return new Set(Array.from(x, (value, k) => Number(across.get(value)) * up.size + Number(up.get(y[k])))).size;
}
