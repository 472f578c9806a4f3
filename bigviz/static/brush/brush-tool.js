// The brush of one figure in the hands of its viewer: dragged, moved and resized with the pointer or the keyboard.

import { icon, find, make } from "../dom.js";
import { dragged, gripAt, kindOf, rectOf, shapeAt, shapeOf, wordsOf } from "./shape.js";
import { BarLayer } from "../layers/lines/bar-layer.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("./shape.js").Shape} Shape */
/** @typedef {import("./shape.js").Rect} Rect */
/** @typedef {import("./shape.js").Grip} Grip */
/** What is being dragged: `from` in device pixels of the plot; `grip` null: a new brush; labels at the start.
 * @typedef {{id: number, from: [number, number], rect: Rect|null, grip: Grip|null, moved: boolean, labels: string[]}}
 *   Drag */

const MODE = "brush";
/** A press that stays within so many CSS pixels is a click. */
const SLOP = 3;
/** How far from an edge it is grasped, in CSS pixels: of a pointer, and of a finger. */
const REACH = 6;
const TOUCH_REACH = 16;
/** Of the plot, what an arrow moves it by. */
const STEP = 0.1;
/** @type {Readonly<Record<string, [number, number]>>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** How many rows are in the brush is written so often at most: nobody reads faster, and words are laid out anew. */
const TELL_MS = 100;
/** So many bars are outlined one by one. */
const MOST_OUTLINES = 200;

export class BrushTool {
  /**
   * @param {Figure} figure @param {import("./linked-brush.js").LinkedBrush} link that the figure is in
   * @param {AbortSignal} signal ends it
   */
  constructor(figure, link, signal) {
    this.figure = figure;
    this.link = link;
    const { surface, section } = figure;
    this.surface = surface;
    /** @type {Drag|null} */ this.drag = null;
    /** Of the address, until the figure's axes are known.  @type {unknown} */ this.due = null;
    /** When the number of rows was last written. */ this.told = Number.NEGATIVE_INFINITY;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.telling = undefined;
    this.area = make("div", { class: "brushes" });
    find(surface, ".over-plot", HTMLElement).prepend(this.area);
    this.button = make(
      "button",
      {
        class: "tool",
        attrs: {
          type: "button",
          "data-act": "brush",
          "aria-label": "Brush",
          title: "Brush: linked plots show its rows (K)",
          "aria-keyshortcuts": "K",
          "aria-pressed": "false",
        },
      },
      [icon("brush")],
    );
    find(section, '[data-act="box"]', HTMLElement).before(this.button);
    this.button.addEventListener("click", () => this.toggle());
    const modes = new MutationObserver(() => this.#showMode());
    modes.observe(surface, { attributes: true, attributeFilter: ["data-mode"] });
    signal.addEventListener("abort", () => {
      modes.disconnect();
      clearTimeout(this.telling);
    });
    const first = { capture: true, signal };
    surface.addEventListener("pointerenter", () => this.isOn && link.prepare(figure), { signal });
    surface.addEventListener("pointerdown", (e) => this.#down(e), first);
    surface.addEventListener("pointermove", (e) => this.#move(e), first);
    surface.addEventListener("pointerup", (e) => this.#up(e), first);
    surface.addEventListener("pointercancel", (e) => this.#cancel(e), first);
    surface.addEventListener("dblclick", (e) => this.#double(e), first);
    surface.addEventListener("touchmove", (e) => this.drag && e.cancelable && e.preventDefault(), {
      ...first,
      passive: false,
    });
    surface.addEventListener("keydown", (e) => this.#key(e), first);
    for (const event of ["frame", "brush", "brushed"]) figure.addEventListener(event, () => this.#show(), { signal });
    figure.addEventListener("info", () => this.#take(), { signal });
    surface.dataset.mode = MODE;
  }

  get isOn() {
    return this.surface.dataset.mode === MODE;
  }

  get kind() {
    return kindOf(this.figure.main?.definition?.glyph);
  }

  /** @returns {Shape|null} */
  get shape() {
    const shape = this.link.shapeOf(this.figure);
    return shape?.kind === this.kind ? shape : null;
  }

  toggle() {
    if (this.isOn) delete this.surface.dataset.mode;
    else this.surface.dataset.mode = MODE;
  }

  /** @returns {string|null} what the address says of it */
  get text() {
    const { shape } = this;
    return shape ? JSON.stringify(wordsOf(shape)) : this.due === null ? null : JSON.stringify(this.due);
  }

  /** What an address says of it.  @param {string|null} text */
  read(text) {
    this.due = null;
    try {
      this.due = text === null ? null : JSON.parse(text);
    } catch {
      // no JSON: somebody's typing
    }
    if (this.due === null && this.shape) this.link.set(this.figure, null);
    this.#take();
  }

  /** Once the axes are known. */
  #take() {
    const { figure, due } = this;
    if (due === null || !figure.main?.ready) return;
    this.due = null;
    const { x, y } = figure.axes;
    const shape = shapeOf(due, this.kind, { x: x.exact, y: y.exact });
    if (shape) this.link.set(figure, shape);
  }

  // The pointer.

  /** Device pixels of the plot.  @param {MouseEvent} e @returns {[number, number]} */
  #at(e) {
    const box = this.surface.getBoundingClientRect();
    const { plot, size } = this.figure.painter;
    return [(e.clientX - box.left - plot.x) * size.dpr, (e.clientY - box.top - plot.y) * size.dpr];
  }

  /** @param {[number, number]} at @returns {boolean} */
  #isInside([x, y]) {
    const { view } = this.figure;
    return view !== null && x >= 0 && x <= view.width && y >= 0 && y <= view.height;
  }

  /** @param {[number, number]} at @param {boolean} touch @returns {Grip|null} */
  #grip([x, y], touch) {
    const { shape, figure } = this;
    if (!shape || shape.kind === "labels" || !figure.view) return null;
    const reach = (touch ? TOUCH_REACH : REACH) * figure.painter.size.dpr;
    return gripAt(rectOf(shape, figure.view), shape.kind, x, y, reach);
  }

  /** @param {PointerEvent} e */
  #down(e) {
    const at = this.#at(e);
    const isBars = this.kind === "labels";
    if (!this.isOn || e.button !== 0 || this.drag || (e.shiftKey && !isBars) || !this.#isInside(at)) return;
    if (/** @type {Element} */ (e.target).closest("button")) return;
    const { shape, figure } = this;
    const grip = this.#grip(at, e.pointerType === "touch");
    const rect = grip && shape && figure.view ? rectOf(shape, figure.view) : null;
    const labels = e.shiftKey && shape?.kind === "labels" ? [...shape.labels] : [];
    this.drag = { id: e.pointerId, from: at, rect, grip, moved: false, labels };
    this.surface.setPointerCapture(e.pointerId);
    this.surface.focus({ preventScroll: true });
    e.preventDefault();
    e.stopImmediatePropagation();
  }

  /** @param {PointerEvent} e */
  #move(e) {
    const at = this.#at(e);
    const { drag, figure } = this;
    if (!drag) {
      this.surface.dataset.grip = this.isOn && this.#isInside(at) ? nameOf(this.#grip(at, false)) : "";
      return;
    }
    if (e.pointerId !== drag.id) return;
    e.stopImmediatePropagation();
    const { view } = figure;
    const [dx, dy] = [at[0] - drag.from[0], at[1] - drag.from[1]];
    if (!view || (!drag.moved && Math.hypot(dx, dy) < SLOP * figure.painter.size.dpr)) return;
    drag.moved = true;
    const { kind } = this;
    if (kind === "labels") this.#over(drag, drag.from[0], at[0]);
    else
      this.link.set(
        figure,
        shapeAt(
          drag.rect && drag.grip ? dragged(drag.rect, drag.grip, dx, dy) : between(drag.from, at, view),
          kind,
          view,
        ),
      );
  }

  /** @param {PointerEvent} e */
  #up(e) {
    const { drag, figure } = this;
    if (!drag || e.pointerId !== drag.id) return;
    e.stopImmediatePropagation();
    this.drag = null;
    if (drag.moved) return;
    if (this.kind === "labels") this.#click(drag);
    else if (!drag.grip) this.link.set(figure, null);
  }

  /** @param {PointerEvent} e */
  #cancel(e) {
    if (this.drag?.id === e.pointerId) this.drag = null;
  }

  /** A double click on a brush is none on the plot.  @param {MouseEvent} e */
  #double(e) {
    if (this.isOn && (this.kind === "labels" || this.#grip(this.#at(e), false))) e.stopImmediatePropagation();
  }

  // Bars.

  /** @returns {{line: BarLayer, labels: string[]}|null} */
  get #bars() {
    const { line, info } = this.figure.main ?? {};
    return line instanceof BarLayer && info ? { line, labels: info.x.categories ?? [] } : null;
  }

  /** The bars that a drag passes over.  @param {Drag} drag @param {number} from @param {number} to device pixels */
  #over(drag, from, to) {
    const bars = this.#bars;
    const { view } = this.figure;
    if (!bars || !view) return;
    const bins = bars.line.between(view, Math.min(from, to), Math.max(from, to));
    const labels = [...new Set([...drag.labels, ...bins.map((bin) => bars.labels[bin])])];
    this.#choose(labels);
  }

  /** A click on a bar chooses it alone, or adds it with Shift, or takes it away.  @param {Drag} drag */
  #click(drag) {
    const bars = this.#bars;
    const { view } = this.figure;
    const bin = bars && view ? bars.line.between(view, drag.from[0], drag.from[0])[0] : undefined;
    const label = bin === undefined ? undefined : bars?.labels[bin];
    const now = this.shape?.kind === "labels" ? this.shape.labels : [];
    if (label === undefined) this.#choose([]);
    else if (now.includes(label) && (drag.labels.length > 0 || now.length === 1))
      this.#choose(now.filter((each) => each !== label));
    else this.#choose([...drag.labels, label]);
  }

  /** @param {string[]} labels */
  #choose(labels) {
    const now = this.shape?.kind === "labels" ? this.shape.labels : [];
    if (labels.length === now.length && labels.every((each) => now.includes(each))) return;
    this.link.set(this.figure, labels.length > 0 ? { kind: "labels", labels } : null);
  }

  // The keyboard.

  /** @param {KeyboardEvent} e */
  #key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const arrow = ARROWS[e.key];
    if (e.key.toLowerCase() === "k") this.toggle();
    else if (!this.isOn) return;
    else if (e.key === "Escape" && this.shape) this.link.set(this.figure, null);
    else if (e.key === "Enter" && e.target === this.surface && !this.shape) this.#begin();
    else if (arrow && this.shape) this.#step(arrow, e.shiftKey);
    else return;
    e.preventDefault();
    e.stopImmediatePropagation();
  }

  /** A brush in the middle, or of the first bar. */
  #begin() {
    const { view } = this.figure;
    const { kind } = this;
    if (!view) return;
    if (kind === "labels") this.#choose((this.#bars?.labels ?? []).slice(0, 1));
    else {
      const { width, height } = view;
      const rect = { left: width * 0.3, right: width * 0.7, top: height * 0.3, bottom: height * 0.7 };
      this.link.set(this.figure, shapeAt(rect, kind, view));
    }
  }

  /** @param {[number, number]} arrow @param {boolean} resize */
  #step([x, y], resize) {
    const { shape, figure } = this;
    const { view } = figure;
    if (!shape || !view) return;
    if (shape.kind === "labels") {
      const labels = this.#bars?.labels ?? [];
      const at = labels.indexOf(shape.labels[shape.labels.length - 1]) + x;
      if (at < 0 || at >= labels.length) return;
      this.#choose(resize ? [...new Set([...shape.labels, labels[at]])] : [labels[at]]);
      return;
    }
    const grip = resize ? edgeOf(x, y) : ALL;
    const rect = dragged(rectOf(shape, view), grip, x * STEP * view.width, y * STEP * view.height);
    if (rect.right <= rect.left || rect.bottom <= rect.top) return;
    this.link.set(figure, shapeAt(rect, shape.kind, view));
  }

  // What is seen.

  #showMode() {
    this.button.setAttribute("aria-pressed", String(this.isOn));
    if (!this.isOn) this.surface.dataset.grip = "";
  }

  /** The brush over the plot. */
  #show() {
    const { shape, figure } = this;
    const { view, painter } = figure;
    if (!view || figure.hold) return;
    const { dpr } = painter.size;
    const rects = shape === null ? [] : shape.kind === "labels" ? this.#outlines(shape.labels) : [rectOf(shape, view)];
    while (this.area.children.length > rects.length) this.area.lastElementChild?.remove();
    for (const [k, { left, right, top, bottom }] of rects.entries()) {
      const part = /** @type {HTMLElement} */ (
        this.area.children[k] ?? this.area.appendChild(make("div", {}, [make("span")]))
      );
      const name = shape?.kind === "range" ? "brush range" : "brush";
      if (part.className !== name) part.className = name;
      part.style.transform = `translate(${left / dpr}px, ${top / dpr}px)`;
      resize(part, Math.max(1, (right - left) / dpr), Math.max(1, (bottom - top) / dpr));
      this.#tell(find(part, "span", HTMLElement), k === 0 && this.link.active === figure);
    }
  }

  /** How many rows are in the brush, if a little later.  @param {HTMLElement} label @param {boolean} isFirst */
  #tell(label, isFirst) {
    const words = isFirst ? (this.link.count ?? "counting…") : "";
    if (label.textContent === words) return;
    const now = performance.now();
    const wait = words === "" || label.textContent === "" ? 0 : this.told + TELL_MS - now;
    if (wait > 0) {
      this.telling ??= setTimeout(() => {
        this.telling = undefined;
        this.#show();
      }, wait);
      return;
    }
    label.textContent = words;
    this.told = now;
  }

  /** @param {string[]} chosen @returns {Rect[]} */
  #outlines(chosen) {
    const bars = this.#bars;
    const { view } = this.figure;
    if (!bars || !view) return [];
    const bins = chosen.map((label) => bars.labels.indexOf(label)).filter((bin) => bin >= 0);
    return bins.slice(0, MOST_OUTLINES).map((bin) => {
      const [left, right] = bars.line.sidesOf(bin, view);
      return { left, right, top: 0, bottom: view.height };
    });
  }
}

/**
 * Sets the size of a part where it is another: what only moves is then not painted again.
 * @param {HTMLElement} part @param {number} width @param {number} height CSS pixels
 */
function resize({ style }, width, height) {
  const [across, down] = [width, height].map((length) => `${Number(length.toFixed(2))}px`);
  if (style.width !== across) style.width = across;
  if (style.height !== down) style.height = down;
}

/** @type {Grip} */
const ALL = Object.freeze({ x: 0, y: 0 });

/** @param {number} x @param {number} y of an arrow @returns {Grip} the right or the upper edge */
function edgeOf(x, y) {
  return { x: x === 0 ? 0 : 1, y: y === 0 ? 0 : 1 };
}

/**
 * @param {[number, number]} a @param {[number, number]} b @param {import("../geometry/view.js").View} view
 * @returns {Rect}
 */
function between(a, b, { width, height }) {
  const [x, y] = [Math.max(0, Math.min(width, b[0])), Math.max(0, Math.min(height, b[1]))];
  return { left: a[0], right: x, top: a[1], bottom: y };
}

/** @param {Grip|null} grip @returns {string} of a cursor */
function nameOf(grip) {
  if (!grip) return "new";
  if (grip.x === 0) return grip.y === 0 ? "all" : "ns";
  return grip.y === 0 ? "ew" : grip.x === grip.y ? "nesw" : "nwse";
}
