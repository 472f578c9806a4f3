// Rows whose positions lie too far apart for doubles: as offsets from the origins of a view, which are exact where it
// is.

/** @typedef {import("../geometry/view.js").View} View */
/** What rows and columns have in common; `xwhole` and `ywhole` are null where the doubles x and y are exact.
 * @typedef {{xorigin: bigint, yorigin: bigint, x: Float64Array, y: Float64Array, xwhole: BigInt64Array|null, ywhole:
 *   BigInt64Array|null}} Held
 */

/** The last ones made.  @type {WeakMap<Held, {x: bigint, y: bigint, near: Held}>} */
const made = new WeakMap();

/** @template {Held} T @param {T} held @param {View} view @returns {T} the same where all of its positions are exact */
export function nearView(held, { x, y }) {
  if (!held.xwhole && !held.ywhole) return held;
  const [across, up] = [x.origin, y.origin];
  const before = made.get(held);
  if (before?.x === across && before.y === up) return /** @type {T} */ (before.near);
  const near = { ...held };
  if (held.xwhole) Object.assign(near, { xorigin: across, x: lessOf(held.xwhole, across - held.xorigin) });
  if (held.ywhole) Object.assign(near, { yorigin: up, y: lessOf(held.ywhole, up - held.yorigin) });
  made.set(held, { x: across, y: up, near });
  return near;
}

/** @param {BigInt64Array} whole @param {bigint} shift @returns {Float64Array} */
function lessOf(whole, shift) {
  return Float64Array.from(whole, (value) => Number(value - shift));
}

/**
 * The exact place of a row.
 * @param {Held} held
 * @param {"x"|"y"} side
 * @param {number} k
 * @returns {import("../geometry/span.js").Place}
 */
export function placeOf(held, side, k) {
  const [origin, offsets, whole] =
    side === "x" ? [held.xorigin, held.x, held.xwhole] : [held.yorigin, held.y, held.ywhole];
  return whole ? { origin: origin + whole[k], offset: 0 } : { origin, offset: offsets[k] };
}
