// Positions in frames: offsets from an origin, as doubles, or as int64 where doubles do not hold them.

/**
 * Offsets as doubles, rounded where they travelled as int64; then these too.
 * @typedef {Readonly<{offsets: Float64Array, whole: BigInt64Array|null}>} Positions
 */

/**
 * @param {ArrayBufferLike} buffer
 * @param {number} at a multiple of 8
 * @param {number} n
 * @param {unknown} wide true: they are int64
 * @returns {Positions}
 */
export function readPositions(buffer, at, n, wide) {
  if (wide !== true) return { offsets: new Float64Array(buffer, at, n), whole: null };
  const whole = new BigInt64Array(/** @type {ArrayBuffer} */ (buffer), at, n);
  return { offsets: Float64Array.from(whole, Number), whole };
}
