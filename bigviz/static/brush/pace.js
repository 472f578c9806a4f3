// When the next step of a brush is sent: just before the server is done with the one before. Sent sooner it would wait
// there, and be older by that when it is counted; later, the server would wait for it. Half of the time is left to
// others, though: where the browser shares the server's cores, steps without a pause wait for their drawing (p95 of a
// step of 10^8 rows on two cores 122 ms at 40 steps a second, 98 ms at 30).

/** Steps on their way: the server counts one while the next is sent. */
const MOST_FLYING = 2;
/** How long before the server is expected to be done: the way there, and the reading of it. */
const AHEAD_MS = 10;
/** A step is sent no sooner after the one before than in this many times what the server takes for one. */
const APART = 2;
/** The longest that is waited for this: 30 steps a second look smooth. */
const APART_MS = 30;
/** The weight of the newest step in the mean of how long one takes. */
const NEWEST = 0.3;

export class Pace {
  /** @param {() => number} [now] ms */
  constructor(now = () => performance.now()) {
    this.now = now;
    /** @type {Set<number>} */ this.flying = new Set();
    /** How long the server takes for a step, in ms. */ this.took = 0;
    /** When the newest step was sent. */ this.left = Number.NEGATIVE_INFINITY;
    /** When it began with the one that it is at, as far as is known. */ this.begun = 0;
  }

  /** @returns {number|null} ms until the next step is to be sent; null: not before another one is answered */
  get wait() {
    const now = this.now();
    const apart = Math.max(0, this.left + Math.min(APART_MS, APART * this.took) - now);
    if (this.flying.size === 0) return apart;
    if (this.flying.size >= MOST_FLYING) return null;
    return Math.max(apart, this.begun + this.took - AHEAD_MS - now);
  }

  /** @param {number} id of a step that was sent */
  sent(id) {
    this.left = this.now();
    if (this.flying.size === 0) this.begun = this.left;
    this.flying.add(id);
  }

  /**
   * A step was answered.
   * @param {number} id
   * @param {Pick<import("../wire/brush-group.js").BrushEnd, "kernel_us"|"encode_us">|null} took null: not counted
   * @returns {boolean} it was on its way
   */
  came(id, took) {
    if (!this.flying.delete(id)) return false;
    this.begun = this.now();
    const ms = ((took?.kernel_us ?? 0) + (took?.encode_us ?? 0)) / 1000;
    if (took) this.took += (ms - this.took) * (this.took === 0 ? 1 : NEWEST);
    return true;
  }

  /** Nothing that was sent is of interest any more. */
  clear() {
    this.flying.clear();
    this.left = Number.NEGATIVE_INFINITY;
  }
}
