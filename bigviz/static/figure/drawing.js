// When a figure draws: an input or an answer only notes what changed, and one animation frame draws it.

/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** What drawing sees of its figure; `resize` measures the surface again and draws, or says that its size is the same.
 * @typedef {EventTarget & {readonly index: number, readonly section: HTMLElement, readonly page:
 *   import("./page.js").Page, readonly layers: readonly Layer[], readonly view: View|null, readonly asking: View|null,
 *   readonly painter: import("./painter.js").Painter, readonly requests: import("./requests.js").Requests,
 *   readonly moves: {fitY: () => void, glide: (time: number) => boolean}, resize: () => boolean}} Drawn */

/**
 * Parts that arrive within this time are drawn together: each frame takes CPU from what brings the next ones (on two
 * cores 4 ms of 66 at the p95).
 */
const TOGETHER_MS = 40;
/**
 * A view that moves so long after the last frame was drawn does not move on from it: at 60 Hz a frame was left out
 * between them, and where frames are farther apart there is time to draw each exactly. */
const STILL_MS = 25;

export class Drawing {
  /** @param {Drawn} figure */
  constructor(figure) {
    this.figure = figure;
    /** the drawn picture stays until the new one is whole (other columns, first picture) */ this.hold = true;
    /** what is drawn is the view, exactly */ this.exact = false;
    /** an input moved the view since the last frame */ this.moved = false;
    /** the view has moved on with the data since the last frame */ this.hasGlided = false;
    /** something is to be drawn that is not on the screen */ this.isDue = false;
    /** tiles or columns have come since the last exact picture */ this.isFresh = false;
    this.queued = 0;
    /** When the last frame was drawn. */ this.drawn = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.later = undefined;
  }

  /** Draws no more. */
  dispose() {
    cancelAnimationFrame(this.queued);
    this.queued = -1; // nothing is queued any more
    clearTimeout(this.later);
  }

  /** The picture is not of what was chosen: it is dimmed until the new one arrives. A first picture is not old. */
  age() {
    if (!this.hold) this.figure.section.dataset.old = "1";
  }

  /** The view has changed: what it lacks is requested, and what is here is drawn. */
  renew() {
    this.exact = false;
    this.isFresh = true;
    this.figure.section.dataset.exact = "0";
    this.figure.requests.update();
    this.redraw();
  }

  /** Something arrived for this figure. What was fetched ahead changes nothing on the screen. */
  arrived() {
    if (this.exact) return;
    this.isFresh = true;
    const { view, layers } = this.figure;
    // A first picture is drawn as soon as there is something everywhere, estimates too.
    if (view && !this.moved && (this.hold ? this.#isCovered(view) : this.#isComplete(view))) {
      for (const { raster } of layers) raster?.prepare(view);
      this.redraw();
    } else {
      this.later ??= setTimeout(() => {
        this.later = undefined;
        if (!this.exact) this.redraw();
      }, TOGETHER_MS);
    }
  }

  /** A step of a brush came: its picture is made in the time before the next frame. */
  stepped() {
    const { view, layers } = this.figure;
    if (view && !this.hold) for (const { brushed } of layers) brushed?.raster?.prepare(view);
    this.redraw();
  }

  /** The view has moved on with the data. */
  glided() {
    this.hasGlided = true;
    this.redraw();
  }

  redraw() {
    this.isDue = true;
    this.#queue();
  }

  #queue() {
    if (this.queued === 0) this.queued = requestAnimationFrame(() => this.frame());
  }

  /** @param {View} view @returns {boolean} what it shows is here, at least as an estimate */
  #isCovered(view) {
    const asking = this.figure.asking ?? view;
    return this.figure.layers.every((layer) => layer.covered(view, asking));
  }

  /** @param {View} view @returns {boolean} what it shows is here */
  #isComplete(view) {
    const asking = this.figure.asking ?? view;
    return this.figure.layers.every((layer) => layer.complete(view, asking));
  }

  /**
   * Draws what is there: exactly when everything is and the view is still, or moves after a frame was left out: what a
   * step of the wheel shows then comes a frame sooner, and a drag that goes on is smooth from its second frame on. */
  frame() {
    cancelAnimationFrame(this.queued);
    const isGliding = this.figure.moves.glide(performance.now());
    this.queued = 0;
    if (isGliding) this.#queue();
    if (this.isDue) this.#draw(isGliding);
  }

  /** @param {boolean} isGliding the view goes on moving with the data */
  #draw(isGliding) {
    const { moved, hasGlided } = this;
    this.moved = this.hasGlided = this.isDue = false;
    this.figure.requests.nextFrame();
    this.figure.moves.fitY();
    const { view, layers, painter } = this.figure;
    if (!view) return;
    const covered = this.#isCovered(view);
    if (this.hold && !covered) return;
    this.hold = false;
    const started = performance.now();
    const complete = covered && this.#isComplete(view);
    const still = hasGlided
      ? this.isFresh || !isGliding || layers.every(({ raster }) => raster === null)
      : !moved || (complete && started - this.drawn > STILL_MS);
    const exact = complete && still;
    const suits = !moved && (!hasGlided || this.isFresh);
    if (covered && still) this.isFresh = false;
    painter.prepare(view);
    if (suits && painter.refit() && this.figure.resize()) return;
    painter.paint(view, covered && still);
    // The colour bar's labels are known with the picture that it is the key to.
    if (exact && suits && painter.refit() && this.figure.resize()) return;
    this.drawn = performance.now();
    if (layers.every((layer) => layer.asked === null)) delete this.figure.section.dataset.old;
    if (still || !complete || !hasGlided) this.#mark(exact, this.drawn - started);
    if ((covered && !still && !isGliding) || (exact && moved && painter.isTight)) this.redraw();
    this.figure.dispatchEvent(new Event("frame"));
  }

  /** @param {boolean} exact @param {number} paint ms */
  #mark(exact, paint) {
    const { index, section, page, layers, requests } = this.figure;
    const first = exact && !this.exact;
    this.exact = exact;
    const flag = exact && !layers.some((layer) => layer.asked !== null) ? "1" : "0";
    if (section.dataset.exact !== flag) section.dataset.exact = flag;
    if (!first) return;
    page.latency.settled(index, { ...shownBy(this.figure), paint });
    requests.settled();
    this.figure.dispatchEvent(new Event("exact"));
  }
}

/**
 * Levels of the lowest layer of tiles, and how many tiles the view shows over all.
 * @param {Pick<Drawn, "view"|"layers">} figure
 * @returns {{zx: number, zy: number, tiles: number}}
 */
function shownBy({ view, layers }) {
  const sum = { zx: 0, zy: 0, tiles: 0 };
  if (!view) return sum;
  for (const { raster } of [...layers].reverse()) {
    if (!raster) continue;
    const level = raster.grid.level(view);
    const window = raster.grid.window(view, level);
    Object.assign(sum, level);
    if (window && !raster.needsNoTiles(view)) sum.tiles += (window.i1 - window.i0 + 1) * (window.j1 - window.j0 + 1);
  }
  return sum;
}
