// Draws one figure: the data canvas over the plot, and the chrome canvas (axes, colour bar) over the whole surface. The
// same functions draw the saved image.

import { copyOf, fitCanvas, stretch } from "./canvas.js";
import { drawAxes, drawGrid, frameOf, marginsOf, ticksOf } from "../axes/draw.js";
import { drawBar, drawLegend, legendPlaces, legendWidth } from "./legend/legend.js";
import { LabelLegend } from "./legend/label-legend.js";
import { barOf, keyOf, keyTitle, labelsOf, sideOf } from "./legend/layer-key.js";
import { find } from "../dom.js";
import { MapBelow } from "./map-below.js";
import { lutOf, needsDark } from "../layers/layer-style.js";
import { GLASBEY } from "../render/palette.js";
import { LabelRoom } from "./legend/label-room.js";

/** @typedef {import("../axes/draw.js").Frame} Frame */
/** @typedef {import("../axes/draw.js").Context} Context */
/** @typedef {import("../axes/draw.js").Look} Look */
/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../axes/axis.js").Axis} Axis */
/** @typedef {import("../axes/axis.js").Tick} Tick */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {import("../layers/lines/line-layer.js").LineLayer} LineLayer */
/** @typedef {import("../layers/layer-style.js").Look} Colours */
/**
 * @typedef {{frame: Frame, xs: Tick[], ys: Tick[], width: number, height: number, look: Look, plain: boolean, about:
 *   string}} Scene in CSS pixels; plain: colours tell nothing; about: before the title of a key to an estimate */

/** What the painter sees of its figure.
 * @typedef {{readonly section: HTMLElement, readonly surface: HTMLElement, readonly dpr: number, readonly loading:
 *   {readonly hasCard: boolean}, readonly page: import("./page.js").Page, readonly look: Colours, readonly hold:
 *   boolean, readonly spec: import("../types.js").FigureSpec, readonly layers: readonly Layer[], readonly main: Layer,
 *   readonly axes: {x: Axis, y: Axis}, readonly ranges: {x: {readonly isUnknown: boolean}, y: {readonly isUnknown:
 *   boolean}}, readonly beside: readonly {readonly section: HTMLElement, readonly painter:
 *   {readonly margins: import("../axes/draw.js").Margins}}[]}} Drawn
 */

/** What is left of the rows that are not in a brush, where these are highlighted. */
const VEIL = 0.8;
/** Device pixels of the plot's frame, and CSS pixels below the plot that the lowest label of a bar may reach. */
const FRAME = 1;
const BELOW = 7;
/** @type {{around: unknown[], key: unknown[]}} the axes, and the key to the colours */
const NOTHING = Object.freeze({ around: [], key: [] });

export class Painter {
  /** @param {Drawn} figure */
  constructor(figure) {
    this.figure = figure;
    const { surface } = figure;
    this.data = find(surface, "canvas.data", HTMLCanvasElement);
    this.chrome = find(surface, "canvas.chrome", HTMLCanvasElement);
    this.over = find(surface, ".over-plot", HTMLElement);
    this.nothing = find(surface, ".nothing", HTMLElement);
    const { basemap } = figure.spec;
    /** What lies below the data where the axes are those of a map.  @type {MapBelow|null} */
    this.map = basemap ? new MapBelow(basemap, { section: figure.section, surface, over: this.over }) : null;
    const data = this.data.getContext("2d", { alpha: this.map !== null });
    const chrome = this.chrome.getContext("2d");
    if (!data || !chrome) throw new Error("this browser gives no 2D canvas");
    this.dataContext = data;
    this.chromeContext = chrome;
    this.font = getComputedStyle(surface).fontFamily;
    /** Whether it is pressed by fingers. */ this.hands = matchMedia("(pointer: coarse), (max-width: 640px)");
    this.room = new LabelRoom();
    /** @type {Frame|null} */ this.frame = null;
    /** The key next to the plot that the frame has room for.  @type {Painter["side"]} */ this.measured = "none";
    this.size = { width: 0, height: 0, dpr: 1 };
    /** @type {Scene|null} what was drawn last */ this.scene = null;
    /** @type {import("./legend/label-legend.js").Box|null} the legend in it */ this.legend = null;
    this.labels = new LabelLegend();
    /** Where the categories of the key next to the plot stand.  @type {import("./legend/legend.js").KeyPlaces|null} */
    this.keys = null;
    /** @type {number|bigint|null} value that the colour bar points at */ this.mark = null;
    /** What the chrome shows, so that a frame that only brings tiles does not draw it again. */
    this.shown = NOTHING;
    /** @type {{view: View, axes: Drawn["axes"], plot: import("../axes/draw.js").Rect, ticks: {xs: Tick[], ys: Tick[]}}|
     *   null} as last found */ this.ticked = null;
    /** Whether the plot's ground is dark, and whether it is a map, as last set. */ this.ground = "";
  }

  /** @returns {Look} */
  get look() {
    const { palette } = this.figure.page.theme;
    return { palette, font: this.font, dpr: this.size.dpr, isTouch: this.hands.matches };
  }

  /**
   * A view shows only lines, or rows so few that each is seen: as on paper, on the page's ground with a grid.
   * @param {View} view
   * @returns {boolean}
   */
  isPaper(view) {
    return this.figure.layers.every(({ raster, isHidden }) => isHidden || !raster || raster.isSparse(view));
  }

  /** The map, while it is below the data: other columns may have been picked. */
  get below() {
    const { x, y } = this.figure.axes;
    return x.o.kind === "mercator" && y.o.kind === "mercator" ? this.map : null;
  }

  /** Is the plot's ground dark?  @param {View} view @returns {boolean} */
  isDark(view) {
    const { main } = this.figure;
    const { palette } = this.figure.page.theme;
    if (this.below || !main?.raster || main.planes || this.isPaper(view)) return palette.dark;
    return needsDark(main, this.figure.look);
  }

  /** @param {View} view @returns {string} */
  groundOf(view) {
    const { palette } = this.figure.page.theme;
    if (!this.below && this.isPaper(view)) return palette.page;
    return this.isDark(view) ? palette.plotDark : palette.plotLight;
  }

  /** Which key stands next to the plot. @returns {"bar"|"legend"|"none"} */
  get side() {
    return sideOf(this.figure.main);
  }

  /** @param {number} width @param {number} height CSS pixels @param {number} dpr @returns {Frame} */
  frameFor(width, height, dpr) {
    const legend = this.side === "legend" ? legendWidth(this.chromeContext, labelsOf(this.figure.main), this.look) : 0;
    const { section, beside } = this.figure;
    const inLine = beside
      .filter((other) => other.section.offsetTop === section.offsetTop)
      .map(({ painter }) => painter.margins);
    return frameOf(width, height, {
      left: this.room.left,
      side: this.side,
      legend,
      labels: this.room.bar,
      context: this.#hasContext,
      dpr,
      beside: inLine,
    });
  }

  /** Room that the plot needs above and below. */
  get margins() {
    return marginsOf(this.figure.surface.clientWidth, { side: this.side, context: this.#hasContext });
  }

  /** There is a second line of labels below x. */
  get #hasContext() {
    return this.figure.axes.x.o.kind === "datetime";
  }

  /**
   * Reads the surface's size and fits the canvases to it.
   * @returns {boolean} something changed (and the canvases are blank)
   */
  measure() {
    const { surface, dpr } = this.figure;
    const { clientWidth: width, clientHeight: height } = surface;
    if (width === 0 || height === 0) return false;
    const frame = this.frameFor(width, height, dpr);
    const { plot } = frame;
    const same =
      this.frame &&
      JSON.stringify(this.frame) === JSON.stringify(frame) &&
      this.size.width === width &&
      this.size.height === height &&
      this.size.dpr === dpr;
    if (same) return false;
    this.size = { width, height, dpr };
    this.measured = this.side;
    this.frame = frame;
    this.shown = NOTHING;
    // While the picture of other columns is held, nothing else could be drawn.
    const kept = this.figure.hold && this.scene ? [copyOf(this.data), copyOf(this.chrome)] : null;
    fitCanvas(this.chrome, width, height, dpr);
    fitCanvas(this.data, plot.width, plot.height, dpr);
    if (!this.map) {
      this.dataContext.fillStyle = this.figure.page.theme.palette.page; // an opaque canvas begins black
      this.dataContext.fillRect(0, 0, this.data.width, this.data.height);
    }
    if (kept) {
      stretch(this.dataContext, kept[0]);
      stretch(this.chromeContext, kept[1]);
    }
    this.data.style.transform = `translate(${plot.x}px, ${plot.y}px)`;
    this.map?.fit(this.data);
    const { style } = this.over;
    style.transform = this.data.style.transform;
    style.width = this.data.style.width;
    style.height = this.data.style.height;
    return true;
  }

  /** @returns {{width: number, height: number}} of the plot in device pixels */
  get deviceSize() {
    return { width: this.data.width, height: this.data.height };
  }

  /** Where the plot lies, in CSS pixels of the surface. @returns {import("../axes/draw.js").Rect} */
  get plot() {
    return this.frame?.plot ?? { x: 0, y: 0, width: 1, height: 1 };
  }

  /** The labels now drawn need other margins, or there is another key next to the plot. */
  get isTight() {
    if (!this.scene) return false;
    return this.side !== this.measured || !this.room.suits(this.chromeContext, this.#labelsOf(this.scene));
  }

  /**
   * Takes the margins that the labels now drawn need: the surface must be measured again.
   * @returns {boolean} false where the margins are good as they are
   */
  refit() {
    if (!this.scene || !this.isTight) return false;
    this.room.fit(this.chromeContext, this.#labelsOf(this.scene));
    return true;
  }

  /** @param {Scene} scene @returns {import("./legend/label-room.js").Labels} what needs room next to the plot */
  #labelsOf({ frame, ys, plain }) {
    const { main } = this.figure;
    const norm = main?.keyRaster?.norm;
    const hasBar = this.side === "bar" && !frame.narrow && !plain;
    return { ys, look: this.look, bar: hasBar && norm ? { norm, words: main.words, rect: frame.bar } : null };
  }

  /** Lays out axes for a view, before it is drawn.  @param {View} view */
  prepare(view) {
    const { width, height, dpr } = this.size;
    this.scene = this.sceneOf(view, this.frame ?? this.frameFor(width, height, dpr), width, height, this.look);
  }

  /** Draws the view that was prepared.  @param {View} view @param {boolean} exact */
  paint(view, exact) {
    if (!this.scene) return;
    this.#ground(view);
    this.map?.show(this.below !== null);
    this.below?.paint(view, this.groundOf(view), this.size.dpr);
    this.legend = this.drawData(this.dataContext, view, this.scene, exact);
    const { figure, side, mark, look } = this;
    const { main, axes } = figure;
    const { plain, about } = this.scene;
    const around = [view, axes, side, plain, main?.planes, main?.choice.hide, look.palette];
    const key = [about, mark, main?.keyRaster?.norm, main && lutOf(main, figure.look), main && keyTitle(main)];
    if (!isSame(around, this.shown.around)) this.#chrome(this.scene);
    else if (!isSame(key, this.shown.key)) this.#key(this.scene);
    this.shown = { around, key };
    if (exact) this.#sayNothing(view);
  }

  /** Says that a view has no rows, where it has none.  @param {View} view */
  #sayNothing(view) {
    const { layers, loading } = this.figure;
    const isHidden = loading.hasCard || layers.length === 0 || layers.some((layer) => layer.shows(view));
    if (this.nothing.hidden !== isHidden) this.nothing.hidden = isHidden; // set again, its style would be found anew
  }

  /** The colour bar's pointer moved: only the chrome is drawn again.  @param {number|bigint|null} mark */
  point(mark) {
    if (mark === this.mark || !this.scene || this.figure.hold) return;
    this.mark = mark;
    this.shown = { ...this.shown, key: [] };
    this.#key(this.scene);
  }

  /**
   * Draws the key to the colours again: alone where it is a bar beside the plot, which other values below a brush, or a
   * pointer over the plot, change in every frame.
   * @param {Scene} scene
   */
  #key(scene) {
    const { frame, plain, look } = scene;
    if (this.side !== "bar" || frame.narrow || plain) {
      this.#chrome(scene);
      return;
    }
    const { width, dpr } = this.size;
    const { plot } = frame;
    const ctx = this.chromeContext;
    const left = Math.round((plot.x + plot.width) * dpr) + FRAME;
    const bottom = Math.round((plot.y + plot.height + BELOW) * dpr);
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.beginPath();
    ctx.rect(left, 0, Math.ceil(width * dpr) - left, bottom);
    ctx.clip();
    ctx.clearRect(left, 0, Math.ceil(width * dpr) - left, bottom);
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    drawBar(ctx, this.#barOf(scene, this.mark), look);
    ctx.restore();
  }

  /** @param {Scene} scene @param {number|bigint|null} mark @returns {import("./legend/legend.js").Bar} */
  #barOf({ frame, about }, mark) {
    const { main, look } = this.figure;
    return barOf(main, frame, { look, about, mark, room: this.room.bar });
  }

  /** @param {Scene} scene */
  #chrome(scene) {
    const { width, height, dpr } = this.size;
    const ctx = this.chromeContext;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, width, height);
    this.drawChrome(ctx, scene, this.mark);
    const { main } = this.figure;
    this.keys = this.side === "legend" ? legendPlaces(ctx, keyOf(main, scene.frame), scene.look) : null;
  }

  /**
   * @param {View} view
   * @param {Frame} frame
   * @param {number} width
   * @param {number} height
   * @param {Look} look
   * @returns {Scene}
   */
  sceneOf(view, frame, width, height, look) {
    const plain = this.figure.main?.raster?.isPlain(view) ?? false;
    const about = this.figure.main?.estimate(view) ? "about " : "";
    return { frame, width, height, look, plain, about, ...this.#ticks(view, frame.plot) };
  }

  /** An axis of times has no ticks until there are rows: they would be of 1970.  @param {"x"|"y"} side */
  #isTimeless(side) {
    const { axes, ranges } = this.figure;
    return axes[side].flavour === "stamp" && ranges[side].isUnknown;
  }

  /**
   * The ticks of both axes, found anew only where something has moved.
   * @param {View} view @param {import("../axes/draw.js").Rect} plot
   */
  #ticks(view, plot) {
    const { axes } = this.figure;
    const { ticked } = this;
    if (ticked?.view === view && ticked.axes === axes && ticked.plot === plot) return ticked.ticks;
    const xs = this.#isTimeless("x") ? [] : ticksOf(axes.x, view.x, plot.width, "x");
    const ys = this.#isTimeless("y") ? [] : ticksOf(axes.y, view.y, plot.height, "y");
    this.ticked = { view, axes, plot, ticks: { xs, ys } };
    return this.ticked.ticks;
  }

  /**
   * @param {Context} ctx of a canvas of the plot's size in device pixels; over a map it stays transparent
   * @param {View} view
   * @param {Scene} scene
   * @param {boolean} exact
   * @param {Map<Layer, LineLayer>} [lines] columns to draw in place of the layers' own
   * @returns {import("./legend/label-legend.js").Box|null} the legend over them
   */
  drawData(ctx, view, scene, exact, lines) {
    const { layers } = this.figure;
    const { look, frame } = scene;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    if (this.below) ctx.clearRect(0, 0, view.width, view.height);
    else {
      ctx.fillStyle = this.groundOf(view);
      ctx.fillRect(0, 0, view.width, view.height);
    }
    if (!this.below && this.isPaper(view)) {
      ctx.setTransform(look.dpr, 0, 0, look.dpr, 0, 0);
      drawGrid(ctx, frame.plot, scene.xs, scene.ys, look);
      ctx.setTransform(1, 0, 0, 1, 0, 0);
    }
    for (const layer of layers) {
      if (layer.isHidden) continue;
      const { brushed } = layer;
      if (!brushed?.stands)
        drawRows(ctx, view, { raster: layer.raster, line: lines?.get(layer) ?? layer.line, exact, dpr: look.dpr });
      if (brushed?.isOver) {
        ctx.globalAlpha = VEIL;
        ctx.fillStyle = this.groundOf(view);
        ctx.fillRect(0, 0, view.width, view.height);
        ctx.globalAlpha = 1;
      }
      if (brushed) drawRows(ctx, view, { raster: brushed.raster, line: brushed.line, exact, dpr: look.dpr });
    }
    return this.labels.draw(ctx, view, {
      layers,
      plot: frame.plot,
      look: { ...this.figure.look, ...look },
      ground: exact ? this.groundOf(view) : null,
    });
  }

  /** @param {Context} ctx in CSS pixels of the surface @param {Scene} scene @param {number|bigint|null} mark */
  drawChrome(ctx, scene, mark) {
    const { figure, side } = this;
    const { frame, look } = scene;
    drawAxes(ctx, frame, { x: figure.axes.x, y: figure.axes.y, xs: scene.xs, ys: scene.ys, width: scene.width }, look);
    const { main } = figure;
    if (side === "legend") drawLegend(ctx, { ...keyOf(main, frame), colors: GLASBEY, hidden: main.hidden }, look);
    else if (side === "bar" && !scene.plain) drawBar(ctx, this.#barOf(scene, mark), look);
  }

  /** Colours of what lies over the plot follow its ground.  @param {View} view */
  #ground(view) {
    const dark = this.isDark(view);
    const ground = `${dark} ${this.below !== null}`;
    if (ground === this.ground) return;
    this.ground = ground;
    const { style } = this.figure.surface;
    style.setProperty("--hair", this.below ? "#808080b3" : dark ? "#ffffff59" : "#0000004d");
    style.setProperty("--mark", dark ? "#fff" : "#000");
    style.setProperty("--mark-edge", dark ? "#000" : "#fff");
  }
}

/** @param {unknown[]} a @param {unknown[]} b @returns {boolean} */
const isSame = (a, b) => a.length === b.length && a.every((part, k) => part === b[k]);

/**
 * @param {Context} ctx @param {View} view
 * @param {{raster: import("../layers/raster-layer.js").RasterLayer|null, line:
 *   import("../layers/lines/line-layer.js").LineLayer|null, exact: boolean, dpr: number}} o
 */
function drawRows(ctx, view, { raster, line, exact, dpr }) {
  if (raster && !(exact && raster.settle(ctx, view, dpr))) raster.compose(ctx, view, dpr);
  line?.draw(ctx, view, dpr);
}
