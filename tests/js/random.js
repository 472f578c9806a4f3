// Seeded random numbers for tests: the same values in every run.

/** Mulberry32 (Tommy Ettinger).  @param {number} seed @returns {() => number} uniform in [0, 1) */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @param {() => number} rand
 * @param {number} lo
 * @param {number} hi
 * @returns {number} a whole number in lo..hi, both included
 */
export function whole(rand, lo, hi) {
  return lo + Math.floor(rand() * (hi - lo + 1));
}

/** @template T @param {() => number} rand @param {readonly T[]} list @returns {T} */
export function pick(rand, list) {
  return list[Math.floor(rand() * list.length)];
}
