// When the next step of a brush is sent: such that it comes just when the one before is drawn, or, where the server takes
// longer than that, just before the server is done with it. Sent sooner it would wait in the page or in the server, and
// be older by that when it is drawn; later, these would wait for it.

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
    /** How long it takes until a step that came is on the screen, in ms. */ this.drew = 0;
    /** Since when one is drawn.  @type {number|null} */ this.drawing = null;
    /** What is not drawn of it.  @type {Set<object>} */ this.undrawn = new Set();
  }

  /** @returns {number|null} ms until the next step is to be sent; null: not before another one is answered or drawn */
  get wait() {
    const { drawing, drew, took } = this;
    if (this.flying.size === 0) {
      return drawing === null ? 0 : Math.max(0, drawing + drew - took - AHEAD_MS - this.now());
    }
    if (this.flying.size >= MOST_FLYING || drawing !== null) return null;
    return Math.max(0, this.begun + took - AHEAD_MS - this.now());
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
    if (took) this.took = mean(this.took, ms);
    return true;
  }

  /** What came is drawn from now on.  @param {Iterable<object>} figures that have something new */
  draws(figures) {
    for (const figure of figures) this.undrawn.add(figure);
    if (this.undrawn.size > 0) this.drawing ??= this.now();
  }

  /** @param {object} figure that has drawn what it had @returns {boolean} all of them have */
  drawn(figure) {
    if (!this.undrawn.delete(figure) || this.undrawn.size > 0 || this.drawing === null) return false;
    this.drew = mean(this.drew, this.now() - this.drawing);
    this.drawing = null;
    return true;
  }

  /** Nothing that was sent is of interest any more. */
  clear() {
    this.flying.clear();
    this.undrawn.clear();
    this.drawing = null;
  }
}

/** @param {number} before 0: none is known @param {number} newest @returns {number} */
function mean(before, newest) {
  return before + (newest - before) * (before === 0 ? 1 : NEWEST);
}
