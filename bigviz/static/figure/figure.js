// One figure: its view, what it asks the server for, and when it draws. Gestures come in as views; tiles and columns come in as
// messages; both only note what changed, and one animation frame draws it.

import { find } from "../dom.js";
import { Layer } from "../layers/layer.js";
import { Painter } from "./painter.js";
import { asKind } from "../geometry/shared-range.js";
import { Requests } from "./requests.js";
import { Axis } from "../axes/axis.js";
import { History } from "../geometry/history.js";
import { axisLimits } from "../geometry/home.js";
import { View } from "../geometry/view.js";

/** @typedef {import("../layers/layer.js").Choice} Choice */
/** @typedef {import("../geometry/shared-range.js").SharedRange} SharedRange */
/** @typedef {import("./page.js").Page} Page */

const REST_MS = 350;
/** Parts that arrive within this time are drawn together: each frame takes CPU from what brings the next ones (on two cores 4 ms of 66 at the p95). */
const TOGETHER_MS = 40;
/** A view that moves so long after the last frame was drawn does not move on from it: at 60 Hz a frame was left out between them,
 * and where frames are farther apart there is time to draw each exactly. */
const STILL_MS = 25;

export class Figure extends EventTarget {
  /**
   * Events: `choice` (columns, colours or scale changed), `info` (the server told about a layer), `rest` (the view was exact or has
   * rested), `exact` (first and every time), `frame` (drawn), `progress` (of an index behind estimates).
   * @param {{page: Page, index: number, spec: import("../types.js").FigureSpec, section: HTMLElement, x: SharedRange, y: SharedRange}} o
   */
  constructor({ page, index, spec, section, x, y }) {
    super();
    this.page = page;
    this.index = index;
    this.spec = spec;
    this.section = section;
    this.ranges = { x, y };
    this.surface = find(section, ".surface", HTMLElement);
    this.surface.tabIndex = 0;
    const axes = { x: spec.x_axis.kind, y: spec.y_axis.kind };
    this.layers = spec.layers.map((layer, k) => new Layer({ spec: layer, axes, columns: page.datasets[layer.dataset].columns, index: k }));
    /** @type {View|null} */ this.view = null;
    /** @type {History|null} */ this.history = null;
    this.axes = this.#makeAxes();
    this.requests = new Requests(this);
    this.painter = new Painter(this);
    /** the drawn picture stays until the new one is whole (other columns, first picture) */ this.hold = true;
    this.exact = false;
    this.moved = false;
    this.queued = 0;
    /** When the last frame was drawn. */ this.drawn = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.resting = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.later = undefined;
    for (const range of [x, y]) {
      range.addEventListener("change", (event) => {
        const { by, time } = /** @type {CustomEvent} */ (event).detail;
        if (by !== this) this.#follow(time);
      });
    }
    this.sizing = new ResizeObserver(() => this.resize());
    this.sizing.observe(this.surface);
  }

  /** Ends all that would go on by itself. */
  dispose() {
    this.sizing.disconnect();
    cancelAnimationFrame(this.queued);
    this.queued = -1; // nothing is queued any more
    clearTimeout(this.resting);
    clearTimeout(this.later);
    this.requests.hush();
    this.painter.dispose();
    for (const { raster } of this.layers) raster?.dispose();
  }

  /** Device pixels per CSS pixel. */
  get dpr() {
    return devicePixelRatio || 1;
  }

  get look() {
    return { luts: this.page.luts, palette: this.page.theme.palette };
  }

  /** The layer that the colour bar and the pickers speak of. @returns {Layer} */
  get main() {
    return this.layers[0];
  }

  get title() {
    return this.spec.title ?? "";
  }

  // What the layers are.

  /** Asks about every layer whose definition is not the drawn one.  @param {boolean} [again] ask about all @param {boolean} [lost] and those not told to the end */
  ask(again = false, lost = false) {
    for (const layer of this.layers) {
      const definition = layer.define();
      const known = layer.asked ?? layer.definition;
      const more = lost && (layer.asked !== null || layer.info?.index === "building");
      if (!again && !more && !layer.failed && known && JSON.stringify(known) === JSON.stringify(definition)) continue;
      layer.asked = definition;
      layer.error = null;
      this.page.connection.layer(this.index, layer.index, definition);
    }
    if (this.layers.length === 0) this.#bare();
  }

  /** The connection is up anew: nothing that was asked before is answered any more.  @param {boolean} all ask about all layers */
  askAgain(all) {
    this.requests.forget();
    this.ask(all, true);
    this.requests.update();
  }

  /** Axes without layers are a figure too. */
  #bare() {
    this.ranges.x.tell(this, null, false);
    this.ranges.y.tell(this, null, false);
    this.#rebuild();
  }

  /** @param {{layer: number, definition: import("../wire/frames.js").Definition, json: import("../wire/frames.js").LayerInfo}} answer */
  onLayer({ layer: index, definition, json }) {
    const layer = this.layers[index];
    if (!layer || JSON.stringify(definition) !== JSON.stringify(layer.asked ?? layer.definition)) return;
    const before = layer.definition;
    if (!layer.asked && layer.refine(json)) {
      this.#refined(layer);
      return;
    }
    layer.become(json, { cache: this.page.cache, limits: this.page.connection.limits }, this.look);
    this.painter.progress(null);
    this.axes = this.#makeAxes();
    for (const side of /** @type {const} */ (["x", "y"])) {
      const axis = side === "x" ? "xaxis" : "yaxis";
      const replaced = before !== null && (before[side] !== definition[side] || before[axis] !== definition[axis] || before.root !== definition.root);
      if (replaced) this.ranges[side].moved = false;
      this.ranges[side].tell(layer, layer.dataRange(side), this.axes[side].exact, layer.denseRange(side));
    }
    this.dispatchEvent(new Event("info"));
    this.#rebuild();
  }

  /** More is known of a layer whose tiles are still good: they are drawn on, and home may be a little larger.  @param {Layer} layer */
  #refined(layer) {
    for (const side of /** @type {const} */ (["x", "y"])) this.ranges[side].tell(layer, layer.dataRange(side), this.axes[side].exact, layer.denseRange(side));
    this.dispatchEvent(new Event("info"));
    this.redraw();
  }

  /** @param {{id: number, layer: number, definition: import("../wire/frames.js").Definition|null, json: import("../wire/reassembler.js").ProgressMessage["json"]}} answer */
  onProgress({ id, layer: index, definition, json }) {
    const layer = this.layers[index];
    if (layer?.info && !layer.asked && JSON.stringify(definition) === JSON.stringify(layer.definition)) {
      if (layer.info.index === "none") this.requests.progress(id, layer, json);
      else layer.progress = json;
      this.dispatchEvent(new Event("progress"));
    } else this.painter.progress(json);
  }

  /** @param {{layer: number, definition: import("../wire/frames.js").Definition, json: {error: string}}} answer an error about a layer */
  onLayerError({ layer: index, definition, json }) {
    const layer = this.layers[index];
    if (layer && !layer.asked && layer.info?.index === "building" && JSON.stringify(definition) === JSON.stringify(layer.definition)) {
      layer.asked = layer.definition;
      layer.definition = null;
    }
    if (!layer?.asked || JSON.stringify(definition) !== JSON.stringify(layer.asked)) return;
    layer.asked = null;
    layer.error = layer.definition ? null : json.error;
    this.painter.progress(null);
    layer.choice = layer.definition ? { ...layer.choice, ...layer.drawn } : { ...layer.published };
    this.dispatchEvent(new Event("choice"));
    if (!layer.definition && JSON.stringify(layer.define()) !== JSON.stringify(definition)) this.ask();
    else if (this.layers.every((l) => l.failed)) this.painter.fail(json.error);
    this.dispatchEvent(new Event("info"));
    this.#rebuild();
  }

  #makeAxes() {
    const of = (/** @type {"x"|"y"} */ side) => {
      const spec = side === "x" ? this.spec.x_axis : this.spec.y_axis;
      const { main } = this;
      const facts = main?.info?.[side] ?? null;
      const published = !main || main.choice[side] === main.spec[side];
      const definition = main?.definition;
      const kind = definition ? definition[side === "x" ? "xaxis" : "yaxis"] : spec.kind;
      return new Axis({
        kind: /** @type {import("../types.js").AxisSpec["kind"]} */ (kind),
        side,
        column: facts,
        label: published ? spec.label : null,
        unit: published ? spec.unit : null,
        zone: spec.zone ?? facts?.zone ?? null,
        categories: (published ? spec.categories : null) ?? facts?.categories ?? null,
      });
    };
    return { x: of("x"), y: of("y") };
  }

  /** A new view over the shared ranges, once every layer is known or has failed. */
  #rebuild() {
    if (this.layers.some((layer) => layer.asked !== null)) return;
    const drawn = this.layers.filter((layer) => layer.info !== null);
    const { x, y } = this.ranges;
    if ((drawn.length === 0 && this.layers.length > 0) || x.now === null || y.now === null) return;
    const roots = drawn.map((layer) => /** @type {NonNullable<Layer["roots"]>} */ (layer.roots));
    const limits = drawn.length === 0 ? null : {
      x: axisLimits(roots.map((r) => r.x), { exact: this.axes.x.exact }),
      y: axisLimits(roots.map((r) => r.y), { exact: this.axes.y.exact }),
    };
    this.hold = true;
    this.painter.measure();
    const { width, height } = this.painter.deviceSize;
    const locked = this.main?.definition?.xaxis === "mercator" || (this.spec.aspect === "locked" && this.#isPublished());
    this.view = new View({ x: asKind(x.now, this.axes.x.exact), y: asKind(y.now, this.axes.y.exact), width, height, limits, locked }).lock();
    this.history ??= new History(this.view);
    this.requests.forget();
    this.#need();
  }

  /** The axes are those that the document was made for, not others that a viewer picked. */
  #isPublished() {
    const { main, spec } = this;
    const drawn = main?.definition;
    if (!drawn) return true;
    return drawn.x === main.spec.x && drawn.y === main.spec.y && drawn.xaxis === spec.x_axis.kind && drawn.yaxis === spec.y_axis.kind;
  }

  // Where the view goes.

  /** A gesture's view.  @param {View} next @param {number} time event.timeStamp */
  show(next, time) {
    if (!this.view || next.equals(this.view)) return;
    this.view = next;
    this.page.latency.input(this.index, time);
    this.ranges.x.set(next.x, this, time);
    this.ranges.y.set(next.y, this, time);
    this.moved = true;
    this.requests.follow();
    this.#need();
    this.#rested();
  }

  /** Another figure moved a shared range, or its home became known.  @param {number} time */
  #follow(time) {
    const { x, y } = this.ranges;
    if (!this.view || x.now === null || y.now === null) return;
    const next = this.view.show({ x: asKind(x.now, this.axes.x.exact), y: asKind(y.now, this.axes.y.exact) });
    if (next.equals(this.view)) return;
    this.view = next;
    if (time > 0) this.page.latency.input(this.index, time);
    this.moved = time > 0;
    if (this.moved) this.requests.follow();
    if (!this.ranges.x.moved && !this.ranges.y.moved) this.history = new History(next); // home is better known: nothing to undo
    this.#need();
    this.#rested();
  }

  /** @param {"x"|"y"|"xy"} sides @param {number} time */
  home(sides, time) {
    if (!this.view) return;
    const { x, y } = this.ranges;
    const next = this.view.show({
      ...(sides.includes("x") ? { x: asKind(x.home, this.axes.x.exact) } : {}),
      ...(sides.includes("y") ? { y: asKind(y.home, this.axes.y.exact) } : {}),
    });
    this.show(next, time);
    this.settleHistory();
  }

  /** All data, where the first view leaves some out.  @param {number} time */
  showAll(time) {
    const { x, y } = this.ranges;
    if (!this.view) return;
    this.show(this.view.show({ x: asKind(x.all, this.axes.x.exact), y: asKind(y.all, this.axes.y.exact) }), time);
    this.settleHistory();
  }

  /** @param {"undo"|"redo"} way @param {number} time */
  travel(way, time) {
    this.settleHistory();
    const ranges = way === "undo" ? this.history?.undo() : this.history?.redo();
    if (ranges && this.view) this.show(this.view.show(ranges), time);
    this.dispatchEvent(new Event("rest"));
  }

  /** Notes the present view as a step for undo, without waiting for it to rest. */
  settleHistory() {
    clearTimeout(this.resting);
    this.resting = undefined;
    if (this.view) this.history?.push(this.view);
    this.dispatchEvent(new Event("rest"));
  }

  #rested() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.settleHistory(), REST_MS);
  }

  /** New columns, colours or scale for a layer.  @param {number} index @param {Partial<Choice>} change */
  choose(index, change) {
    const layer = this.layers[index];
    layer.choice = { ...layer.choice, ...change };
    this.requests.hush();
    layer.restyle(this.look);
    this.ask();
    this.dispatchEvent(new Event("choice"));
    this.redraw();
  }

  /** Colours of the page changed. */
  restyle() {
    for (const layer of this.layers) layer.restyle(this.look);
    this.redraw();
  }

  // Asking and drawing.

  #need() {
    this.exact = false;
    this.section.dataset.exact = "0";
    this.requests.update();
    this.redraw();
  }

  /** Something arrived for this figure. What was fetched ahead changes nothing on the screen. */
  arrived() {
    if (this.exact) return;
    const { view } = this;
    // A first picture is drawn as soon as there is something everywhere, estimates too.
    if (view && !this.moved && this.layers.every((layer) => (this.hold ? layer.covered(view) : layer.complete(view)))) {
      for (const { raster } of this.layers) raster?.prepare(view);
      this.redraw();
    } else {
      this.later ??= setTimeout(() => {
        this.later = undefined;
        if (!this.exact) this.redraw();
      }, TOGETHER_MS);
    }
  }

  redraw() {
    if (this.queued === 0) this.queued = requestAnimationFrame(() => this.frame());
  }

  /** The surface has another size: draw at once, since a resized canvas is blank. */
  resize() {
    if (!this.painter.measure() || !this.view) return;
    const { width, height } = this.painter.deviceSize;
    this.view = this.view.resize(width, height);
    this.#need();
    this.frame();
  }

  /** Draws what is there: exactly when everything is and the view is still, or moves after a frame was left out: what a step of
   * the wheel shows then comes a frame sooner, and a drag that goes on is smooth from its second frame on. */
  frame() {
    cancelAnimationFrame(this.queued);
    this.queued = 0;
    const { view, moved } = this;
    this.moved = false;
    this.requests.nextFrame();
    if (!view) return;
    const covered = this.layers.every((layer) => layer.covered(view));
    if (this.hold && !covered) return;
    this.hold = false;
    const started = performance.now();
    const complete = covered && this.layers.every((layer) => layer.complete(view));
    const still = !moved || (complete && started - this.drawn > STILL_MS);
    const exact = complete && still;
    this.painter.prepare(view);
    if (!moved && this.painter.refit()) {
      this.resize();
      return;
    }
    this.painter.paint(view, covered && still);
    this.drawn = performance.now();
    this.#mark(exact, this.drawn - started);
    if (covered && !still) this.redraw();
    this.dispatchEvent(new Event("frame"));
  }

  /** @param {boolean} exact @param {number} paint ms */
  #mark(exact, paint) {
    const first = exact && !this.exact;
    this.exact = exact;
    const flag = exact && !this.layers.some((layer) => layer.asked !== null) ? "1" : "0";
    if (this.section.dataset.exact !== flag) this.section.dataset.exact = flag;
    if (!first) return;
    this.page.latency.settled(this.index, { ...this.#shown(), paint });
    this.requests.settled();
    this.dispatchEvent(new Event("exact"));
  }

  /** Levels of the lowest layer of tiles, and how many tiles the view shows over all. @returns {{zx: number, zy: number, tiles: number}} */
  #shown() {
    const { view } = this;
    const sum = { zx: 0, zy: 0, tiles: 0 };
    if (!view) return sum;
    for (const { raster } of [...this.layers].reverse()) {
      if (!raster) continue;
      const level = raster.grid.level(view);
      const window = raster.grid.window(view, level);
      Object.assign(sum, level);
      if (window && !raster.needsNoTiles(view)) sum.tiles += (window.i1 - window.i0 + 1) * (window.j1 - window.j0 + 1);
    }
    return sum;
  }
}
