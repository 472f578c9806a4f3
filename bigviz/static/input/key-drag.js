// Boxes and lassos with the keyboard alone: Enter sets a corner at the reading cursor, which the arrow keys move.

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** A place in CSS pixels of the surface.  @typedef {[number, number]} Spot */

/** Of the plot's modes, those whose drags have corners. */
const MODES = new Set(["box", "select", "lasso"]);
const WORDS = {
  begin: "Move with the arrow keys, and press Enter at a corner.",
  box: "A corner is set. Press Enter at the opposite one.",
  lasso: "A corner is set. Press Enter at each further one, and twice at the last.",
  few: "A lasso has three corners or more.",
};

export class KeyDrag {
  /**
   * @param {Figure} figure
   * @param {import("./hover.js").Hover} hover whose cursor is moved
   * @param {{drag: (from: Spot, to: Spot, done: boolean, time: number) => void, drop: () => void}} o what a drag of the
   *   pointer does, and what giving one up does
   */
  constructor(figure, hover, { drag, drop }) {
    this.figure = figure;
    this.hover = hover;
    this.drag = drag;
    this.drop = drop;
    /** The corner that was set last.  @type {Spot|null} */ this.from = null;
    this.corners = 0;
  }

  /** Enter is pressed on the plot.  @param {number} time */
  enter(time) {
    const { hover } = this;
    const { mode } = this.figure.surface.dataset;
    if (!mode || !MODES.has(mode)) return;
    if (!hover.reading || !hover.place) {
      if (!hover.reading) hover.toggleReading();
      this.#say(WORDS.begin);
      return;
    }
    const at = /** @type {Spot} */ ([hover.place.px, hover.place.py]);
    const { from, corners } = this;
    const isLasso = mode === "lasso";
    const isLast = from !== null && (!isLasso || Math.hypot(at[0] - from[0], at[1] - from[1]) < 1);
    if (from && isLast && isLasso && corners < 3) this.#say(WORDS.few);
    else if (from && isLast) {
      this.from = null;
      hover.stopReading();
      this.drag(from, at, true, time);
    } else {
      if (from) this.drag(from, at, false, time);
      this.from = at;
      this.corners = from ? corners + 1 : 1;
      this.#say(isLasso ? WORDS.lasso : WORDS.box);
    }
  }

  /** The cursor has been moved. */
  moved() {
    const { from, hover } = this;
    if (from && hover.place && this.figure.surface.dataset.mode !== "lasso")
      this.drag(from, [hover.place.px, hover.place.py], false, 0);
  }

  /** The drag is given up. */
  cancel() {
    if (!this.from) return;
    this.from = null;
    this.drop();
  }

  /** @param {string} words to screen readers */
  #say(words) {
    this.figure.page.notices.say(words, "corners");
  }
}
