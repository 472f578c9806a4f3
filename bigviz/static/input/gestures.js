// Ties one figure's gestures and keys to its view, its colour bar and its cursor.

import { KeyDrag } from "./key-drag.js";
import { listenKeys } from "./keys.js";
import { Pointer } from "./pointer.js";
import { SelectTool } from "./select-tool.js";
import { find, scrolls } from "../dom.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("./pointer.js").Region} Region */

const LEAST_BOX = 6;
const LEAST_BAR = 4;
/** A clip this near to an end of the bar leaves that end as it is. */
const AT_END = 0.005;
/** Room round the colour bar in which it can be grasped. */
const BAR_REACH = 9;
/** A drag so far up or down, and so many times as far as aside, is one of y. */
const ALONG_Y = 24;
const ALONG_Y_SHARE = 3;
const CURSOR_STEP = 0.01;
const CURSOR_FAR = 0.1;
const TWO_FINGERS = "Use two fingers to move the plot";
const CLICK_FIRST = "Click the plot, or hold Ctrl, to zoom with the wheel";
/** How long a hint stays after a drag that the plot did not follow. */
const HINT_MS = 1500;

/** A place in CSS pixels of the surface.  @typedef {[number, number]} Spot */
/**
 * What the toolbar does too: save, full, help, box, undo …
 * @typedef {(name: string, shift: boolean, time: number) => void} Act
 */

export class FigureGestures {
  /** @param {Figure} figure @param {import("./hover.js").Hover} hover @param {Act} act */
  constructor(figure, hover, act) {
    this.figure = figure;
    this.hover = hover;
    this.act = act;
    /** How far the drag has gone, in CSS pixels.  @type {[number, number]|number[]} */ this.dragged = [0, 0];
    this.box = find(figure.surface, ".overlay .box", HTMLElement);
    this.hint = find(figure.surface, ".overlay .hint", HTMLElement);
    /** Shown once, after a drag that scrolled the page: a user who scrolls past a plot need not read it each time. */
    this.isHinted = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.hinting = undefined;
    this.tool = new SelectTool(figure);
    this.keyDrag = new KeyDrag(figure, hover, {
      drag: (from, to, done, time) => this.#boxed(from, to, done, time),
      drop: () => this.#unbox(),
    });
    this.pointer = new Pointer(figure.surface, this.#gestures());
    listenKeys(figure.surface, {
      pan: (x, y, time) => this.#arrow(x, y, time),
      zoom: (factor, time) => this.#zoomMiddle(factor, time),
      act: (name, time, shift) => this.#key(name, time, shift),
    });
    figure.surface.addEventListener("blur", () => {
      this.keyDrag.cancel();
      hover.stopReading();
    });
  }

  /** @returns {import("./pointer.js").Gestures} */
  #gestures() {
    const { figure, hover } = this;
    const { surface } = figure;
    return {
      region: (px, py) => regionAt(figure, px, py),
      boxMode: () => surface.dataset.mode !== undefined,
      scrolls: () => figure.page.embedded || scrolls(surface),
      wheels: () => {
        if (!figure.page.embedded || (document.hasFocus() && surface.contains(document.activeElement))) return true;
        if (!this.isHinted) this.#hint(CLICK_FIRST);
        return false;
      },
      scrolled: (isTaken) => {
        if (!isTaken || !this.isHinted) this.#hint(TWO_FINGERS);
      },
      pan: (dx, dy, time) => {
        const { dpr } = figure.painter.size;
        if (this.#isAlongY(dx, dy)) figure.followY.isWanted = false;
        figure.moves.pan(dx * dpr, dy * dpr, time);
        hover.hide();
      },
      zoom: (fx, fy, px, py, time) => {
        this.hint.hidden = true;
        figure.moves.zoom(fx, fy, ...this.#toDevice([px, py]), time);
      },
      box: (from, to, done, time) => this.#boxed(from, to, done, time),
      unbox: () => this.#unbox(),
      reset: (region, time) => {
        if (region === "bar") figure.choose(0, { low: null, high: null });
        else if (region !== "none") figure.moves.home(region === "plot" ? "xy" : region, time);
      },
      bar: (from, to, done) => this.#clip(from, to, done),
      hover: (px, py, region, touch) => {
        this.dragged = [0, 0];
        if (surface.dataset.at !== region) surface.dataset.at = region;
        hover.at(px, py, region, touch);
      },
      click: (px, py, region, into) => hover.click(px, py, region, into),
      leave: () => hover.hide(),
      rest: () => {
        this.dragged = [0, 0];
        figure.steps.settle();
      },
    };
  }

  /** @param {string} words */
  #hint(words) {
    this.isHinted = true;
    clearTimeout(this.hinting);
    this.hint.textContent = words;
    this.hint.hidden = false;
    this.hinting = setTimeout(() => {
      this.hint.hidden = true;
    }, HINT_MS);
  }

  /** Device pixels of the plot.  @param {Spot} spot @returns {Spot} */
  #toDevice([px, py]) {
    const { plot, size } = this.figure.painter;
    return [(px - plot.x) * size.dpr, (py - plot.y) * size.dpr];
  }

  /**
   * A drag that goes far up or down and hardly aside, or on the y axis, moves y where y follows.
   * @param {number} dx
   * @param {number} dy CSS pixels
   * @returns {boolean}
   */
  #isAlongY(dx, dy) {
    if (this.pointer.held === "y") return true;
    this.dragged = [this.dragged[0] + dx, this.dragged[1] + dy];
    const [x, y] = this.dragged.map(Math.abs);
    return y > ALONG_Y && y > ALONG_Y_SHARE * x;
  }

  /** @param {number} factor @param {number} time */
  #zoomMiddle(factor, time) {
    const { view } = this.figure;
    if (view) this.figure.moves.zoom(factor, factor, view.width / 2, view.height / 2, time);
  }

  /**
   * Arrows pan, or move the reading cursor.
   * @param {number} x
   * @param {number} y shares of the plot, up positive
   * @param {number} time
   */
  #arrow(x, y, time) {
    const { view } = this.figure;
    if (this.hover.reading) {
      const step = Math.max(Math.abs(x), Math.abs(y)) > CURSOR_FAR ? CURSOR_FAR : CURSOR_STEP;
      this.hover.step(Math.sign(x) * step, -Math.sign(y) * step);
      this.keyDrag.moved();
    } else if (view) {
      if (y !== 0) this.figure.followY.isWanted = false;
      this.figure.moves.pan(-x * view.width, y * view.height, time);
    }
  }

  /** @param {string} name @param {number} time @param {boolean} shift */
  #key(name, time, shift) {
    if (name === "enter") {
      this.keyDrag.enter(time);
      return;
    }
    this.keyDrag.cancel();
    if (name === "read") this.hover.toggleReading();
    else if (name === "inspect") this.hover.inspect();
    else if (name !== "escape") this.act(name, shift, time);
    else {
      this.pointer.cancel();
      this.box.hidden = true;
      this.hover.stopReading();
      const { mode } = this.figure.surface.dataset;
      if (mode) this.act(mode, false, time);
      else this.figure.selection.clear();
    }
  }

  /** A drag is given up. */
  #unbox() {
    this.box.hidden = true;
    this.tool.cancel();
  }

  /** @param {Spot} a @param {Spot} b opposite corners */
  #showBox(a, b) {
    const { box } = this;
    box.hidden = false;
    box.style.transform = `translate(${Math.min(a[0], b[0])}px, ${Math.min(a[1], b[1])}px)`;
    box.style.width = `${Math.abs(a[0] - b[0])}px`;
    box.style.height = `${Math.abs(a[1] - b[1])}px`;
  }

  /** @param {Spot} from @param {Spot} to @param {boolean} done @param {number} time */
  #boxed(from, to, done, time) {
    const { figure } = this;
    const { plot } = figure.painter;
    const inside = (/** @type {Spot} */ [px, py]) =>
      /** @type {Spot} */ ([
        Math.max(plot.x, Math.min(plot.x + plot.width, px)),
        Math.max(plot.y, Math.min(plot.y + plot.height, py)),
      ]);
    const [a, b] = [inside(from), inside(to)];
    this.hover.hide();
    const { mode } = figure.surface.dataset;
    if (mode === "lasso") {
      this.tool.grow(this.#toDevice(a), this.#toDevice(b));
      if (done) this.tool.close();
      return;
    }
    if (!done) {
      this.#showBox(a, b);
      return;
    }
    this.box.hidden = true;
    const isSlip = Math.abs(a[0] - b[0]) < LEAST_BOX || Math.abs(a[1] - b[1]) < LEAST_BOX;
    if (mode === "select") {
      if (!isSlip) this.tool.box(this.#toDevice(a), this.#toDevice(b));
      return;
    }
    if (isSlip || !figure.view) return;
    figure.followY.isWanted = false;
    figure.moves.show(figure.view.box(...this.#toDevice(a), ...this.#toDevice(b)), time);
    figure.steps.settle();
  }

  /**
   * A drag along the colour bar keeps the values between its ends.
   * @param {Spot} from
   * @param {Spot} to
   * @param {boolean} done
   */
  #clip(from, to, done) {
    const { figure } = this;
    const { frame } = figure.painter;
    const norm = figure.main.raster?.norm;
    if (!frame || !norm) return;
    const { bar, narrow } = frame;
    const along = (/** @type {Spot} */ [px, py]) =>
      Math.max(0, Math.min(1, narrow ? (px - bar.x) / bar.width : 1 - (py - bar.y) / bar.height));
    const [a, b] = [along(from), along(to)].sort((p, q) => p - q);
    if (!done) {
      const corner = (/** @type {number} */ f, /** @type {0|1} */ side) =>
        /** @type {Spot} */ (
          narrow
            ? [bar.x + f * bar.width, bar.y - 3 + side * (bar.height + 6)]
            : [bar.x - 3 + side * (bar.width + 6), bar.y + (1 - f) * bar.height]
        );
      this.#showBox(corner(a, 0), corner(b, 1));
      return;
    }
    this.box.hidden = true;
    if ((b - a) * (narrow ? bar.width : bar.height) < LEAST_BAR) return;
    const { low, high } = figure.main.choice;
    figure.choose(0, {
      low: a < AT_END ? low : norm.told(norm.value(a)),
      high: b > 1 - AT_END ? high : norm.told(norm.value(b)),
    });
  }
}

/** @param {Figure} figure @param {number} px @param {number} py CSS pixels of the surface @returns {Region} */
function regionAt({ painter }, px, py) {
  const { frame } = painter;
  if (!frame) return "none";
  const { plot, bar } = frame;
  if (px >= plot.x && px <= plot.x + plot.width && py >= plot.y && py <= plot.y + plot.height) return "plot";
  if (
    painter.side === "bar" &&
    px >= bar.x - BAR_REACH &&
    px <= bar.x + bar.width + (frame.narrow ? 0 : 48) &&
    py >= bar.y - BAR_REACH &&
    py <= bar.y + bar.height + BAR_REACH
  )
    return "bar";
  if (py > plot.y + plot.height && px >= plot.x) return "x";
  if (px < plot.x && py <= plot.y + plot.height) return "y";
  return "none";
}
