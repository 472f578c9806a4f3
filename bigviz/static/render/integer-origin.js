// Whole numbers beyond 2^53, which doubles round, as offsets from a whole number near them, which are exact: so that
// neighbours have colours and labels of their own.

import { withinOctave } from "./distribution.js";

/** @typedef {import("../wire/codec.js").Plane} Plane */
/**
 * A tile of one plane, and this as offsets from an origin once something drew it, of whose bytes `set` is told.
 * @typedef {{planes: Plane[], near?: {origin: bigint, plane: Plane}, set: {weigh: (tile: any, bytes: number) =>
 *   void}|null}} Tile
 */

/** Offsets up to this are exact, with room for a view that moves. */
const NEAR = 2n ** 52n;

/**
 * The origin for whole numbers of which the lowest and the highest are given as doubles.
 * @param {number} low @param {number} high
 * @param {bigint} [before] is kept while offsets from it are exact
 * @returns {bigint} 0n where the doubles are exact, or so far apart that no rounding shows
 */
export function originFor(low, high, before = 0n) {
  if (!(Math.max(Math.abs(low), Math.abs(high)) > Number.MAX_SAFE_INTEGER) || !withinOctave(low, high)) return 0n;
  const [first, last] = [BigInt(Math.floor(low)), BigInt(Math.ceil(high))];
  return before !== 0n && before - first <= NEAR && last - before <= NEAR ? before : first;
}

/**
 * The origin for the values of planes.
 * @param {Iterable<Plane>} planes @param {bigint} [before] @returns {bigint}
 */
export function originOf(planes, before) {
  let [low, high, rounded] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false];
  for (const plane of planes) {
    if (plane.filled === 0) continue;
    low = Math.min(low, plane.low);
    high = Math.max(high, plane.high);
    rounded ||= plane.exact !== null;
  }
  return rounded ? originFor(low, high, before) : 0n;
}

/**
 * Whole numbers as offsets from an origin.
 * @param {BigInt64Array|BigUint64Array} values @param {bigint} origin @returns {Float64Array}
 */
export function offsetsFrom(values, origin) {
  const out = new Float64Array(values.length);
  for (let k = 0; k < values.length; k++) out[k] = Number(values[k] - origin);
  return out;
}

/**
 * The plane of a tile, with offsets from an origin in place of its values.
 * @param {Tile} tile @param {bigint} origin 0n: the plane itself @returns {Plane}
 */
export function planeNear(tile, origin) {
  const [plane] = tile.planes;
  if (origin === 0n || plane.filled === 0) return plane;
  if (tile.near?.origin === origin) return tile.near.plane;
  const before = tile.near?.plane.data?.byteLength ?? 0;
  const near = movedBy(plane, origin);
  tile.near = { origin, plane: near };
  tile.set?.weigh(tile, (near.data?.byteLength ?? 0) - before);
  return near;
}

/** @param {Plane} plane of whole numbers @param {bigint} origin @returns {Plane} */
function movedBy(plane, origin) {
  const { data, exact, constant, low, high } = plane;
  const offset = (/** @type {number} */ value) => Number(BigInt(value) - origin);
  const moved = { ...plane, low: offset(low), high: offset(high) };
  if (!data) return { ...moved, constant: exact ? Number(exact[0] - origin) : offset(constant) };
  const out = new Float64Array(data.length);
  for (let k = 0; k < data.length; k++)
    out[k] = Number.isNaN(data[k]) ? Number.NaN : exact ? Number(exact[k] - origin) : offset(data[k]);
  return { ...moved, data: out };
}
