// When the next step of a brush is sent: just before the server is done with the one before. Sent sooner it would wait
// there, and be older by that when it is counted; later, the server would wait for it.

/** Steps on their way: the server counts one while the next is sent. */
const MOST_FLYING = 2;
/** How long before the server is expected to be done: the way there, and the reading of it. */
const AHEAD_MS = 10;
/** The weight of the newest step in the mean of how long one takes. */
const NEWEST = 0.3;

export class Pace {
  /** @param {() => number} [now] ms */
  constructor(now = () => performance.now()) {
    this.now = now;
    /** @type {Set<number>} */ this.flying = new Set();
    /** How long the server takes for a step, in ms. */ this.took = 0;
    /** When it began with the one that it is at, as far as is known. */ this.begun = 0;
  }

  /** @returns {number|null} ms until the next step is to be sent; null: not before another one is answered */
  get wait() {
    if (this.flying.size === 0) return 0;
    if (this.flying.size >= MOST_FLYING) return null;
    return Math.max(0, this.begun + this.took - AHEAD_MS - this.now());
  }

  /** @param {number} id of a step that was sent */
  sent(id) {
    if (this.flying.size === 0) this.begun = this.now();
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
  }
}
