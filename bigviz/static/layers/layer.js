// One layer of a figure: what was chosen, what the server said about it, and what draws it.

import { ValueWords } from "../axes/values.js";
import { AxisRoot } from "../geometry/root.js";
import { BarLayer } from "./lines/bar-layer.js";
import { BrushedLayer } from "./brushed.js";
import { defaultAgg, isBars } from "./glyphs.js";
import { LineLayer } from "./lines/line-layer.js";
import { RasterLayer } from "./raster-layer.js";
import { axisKind } from "./axis-kinds.js";
import { readLabels } from "./hidden-labels.js";
import { lineStyle, rasterStyle } from "./layer-style.js";
import { controlled } from "./controlled.js";
import { isInPlace } from "./in-place.js";

/** @typedef {import("../wire/frames.js").Definition} Definition */
/** @typedef {import("../wire/frames.js").LayerInfo} LayerInfo */
/** @typedef {import("../render/norm.js").Clip} Clip */
/** @typedef {import("../render/norm.js").How} How */
/**
 * @typedef {{x: string, y: string, agg: string, glyph: import("../types.js").Glyph, root: string, filter: string,
 *   cmap: string, how: How, low: Clip, high: Clip, hide: string,
 *   xaxis: string|null, yaxis: string|null}} Choice  xaxis, yaxis: a kind of axis; null: the column's default */
/**
 * `reason`: why it cannot be drawn; `by_reason`: why its values cannot be categories, as far as is known.
 * @typedef {{name: string, kind: string, type: string, zone: string|null, plottable: boolean, reason: string|null,
 *   by_reason?: string|null}} Column
 */

/** @typedef {import("./layer-style.js").Look} Look */

/** What a page has of a layer whose data grow.
 * @typedef {{definition: Definition, columns: import("./lines/line-layer.js").Asked|null, raster:
 *   import("./raster-layer.js").Held|null}} LayerHeld */

/** What the server's errors about a layer name. */
const REFUSED = /** @type {const} */ (["x", "y", "agg", "glyph", "root", "filter", "xaxis", "yaxis"]);

/** Before the server says what the values are.  @type {import("../wire/frames.js").ValueKind} */
const NUMBER = Object.freeze({ kind: "float", type: "double", unit: null, zone: null });

export class Layer {
  /**
   * @param {{spec: import("../types.js").LayerSpec, axes: {x: string, y: string}, columns: Column[], notes: string[],
   *   index: number, values?: import("./controlled.js").ControlValues|null}} o
   * `axes`: the figure's kinds of axes as published; `columns`, `notes`: of the layer's dataset; `values`: of the
   * document's controls
   */
  constructor({ spec, axes, columns, notes, index, values = null }) {
    this.spec = spec;
    this.values = values;
    this.axes = axes;
    this.columns = columns;
    /** Notes about the dataset, in sentences. */ this.notes = notes;
    this.index = index;
    const { x, y, agg, glyph, root, cmap, low, high } = spec;
    /** @type {Choice} what the document says */
    this.published = Object.freeze({
      x,
      y,
      agg,
      glyph,
      root,
      filter: spec.filter ?? "",
      cmap,
      how: /** @type {How} */ (spec.how),
      low,
      high,
      hide: "",
      xaxis: null,
      yaxis: null,
      ...controlled(spec, values),
    });
    /** What was published first: the figure's axes are of its columns. */ this.first = this.published;
    /** @type {Choice} */ this.choice = { ...this.published };
    /** A click on its entry in the legend takes it out of the picture. */ this.isHidden = false;
    /** @type {Definition|null} what the server was asked about and has not told yet */ this.asked = null;
    /** @type {Definition|null} what is drawn */ this.definition = null;
    /** @type {LayerInfo|null} */ this.info = null;
    /** @type {RasterLayer|null} */ this.raster = null;
    /** @type {LineLayer|null} */ this.line = null;
    /** The rows of a brush, in the place of all or over them.  @type {import("./brushed.js").BrushedLayer|null} */
    this.brushed = null;
    /** @type {{value: import("../wire/frames.js").ValueKind, words: ValueWords}} */ this.told = {
      value: NUMBER,
      words: new ValueWords(NUMBER),
    };
    /** @type {string|null} the server's words when it cannot be drawn */ this.error = null;
    /**
     * @type {import("../wire/reassembler.js").ProgressMessage["json"]|null} of the index that is built in the
     *   background
     */
    this.progress = null;
  }

  /**
   * The document says something else of the layer now, and that is chosen.
   * @param {Partial<import("../types.js").LayerSpec>} change
   */
  republish(change) {
    this.spec = { ...this.spec, ...change };
    const own = Object.fromEntries(Object.entries(change).filter(([key]) => key in this.published));
    const said = { ...own, ...controlled(this.spec, this.values) };
    this.published = Object.freeze({ ...this.published, ...said });
    this.choice = { ...this.choice, ...said };
  }

  /**
   * The server refused the choice, and nothing is drawn yet: what its error is about is as published from now on; all
   * of it where the error does not tell, or where that was so already.
   * @param {string|null|undefined} field a part of the definition
   */
  retract(field) {
    const { choice, published } = this;
    const agg = choice.glyph === published.glyph ? published.agg : defaultAgg(choice.glyph);
    const others = { ...published, agg };
    const key = REFUSED.find((each) => each === field);
    if (key !== undefined && choice[key] !== others[key]) this.choice = { ...choice, [key]: others[key] };
    else this.choice = { ...published };
  }

  /** Takes what controls say now, as what is published and chosen.  @returns {boolean} something is another */
  takeValues() {
    const said = controlled(this.spec, this.values);
    const before = JSON.stringify(this.published);
    this.published = Object.freeze({ ...this.published, ...said });
    this.choice = { ...this.choice, ...said };
    const isNamed = this.values !== null && this.values.namedIn(this.choice.filter) !== null;
    return isNamed || JSON.stringify(this.published) !== before;
  }

  /** @returns {Definition} of the present choice */
  define() {
    const { x, y, agg, glyph, root, filter } = this.choice;
    const values = this.values?.namedIn(filter);
    const { dataset, bins, sort } = this.spec;
    return {
      dataset,
      glyph,
      x,
      y: isBars(glyph) ? "" : y,
      agg,
      xaxis: axisKind(this, "x"),
      yaxis: axisKind(this, "y"),
      root,
      ...(filter === "" ? {} : { filter }),
      ...(values ? { values } : {}),
      ...(glyph === "histogram" && bins !== undefined ? { bins: String(bins) } : {}),
      ...(glyph === "bar" && sort !== undefined ? { sort } : {}),
    };
  }

  /**
   * The part of a choice that is drawn now.
   * @returns {Pick<Choice, "x"|"y"|"agg"|"glyph"|"root"|"filter"|"xaxis"|"yaxis">}
   */
  get drawn() {
    const { x, agg, glyph, root, filter = "", xaxis, yaxis, ...other } = this.definition ?? this.define();
    const y = isBars(glyph) ? this.choice.y : other.y;
    return { x, y, agg, glyph: /** @type {Choice["glyph"]} */ (glyph), root, filter, xaxis, yaxis };
  }

  get ready() {
    return this.info !== null && this.asked === null;
  }

  /** Neither drawn nor on its way. */
  get failed() {
    return this.error !== null;
  }

  /**
   * The server answered for the requested definition: from now on that is what is drawn.
   * @param {LayerInfo} info
   * @param {{cache: import("./tiles/tile-cache.js").TileCache, limits: import("../wire/reassembler.js").Limits}} page
   * @param {Look} look
   */
  become(info, { cache, limits }, look) {
    const { brushed, definition: before } = this;
    this.definition = this.asked ?? before;
    const inPlace = before !== null && this.definition !== null && isInPlace(this.definition, before);
    const stays = brushed?.stays === true && inPlace && this.#hasCellsOf(info);
    this.asked = null;
    this.info = info;
    this.error = null;
    this.progress = null;
    this.raster?.dispose();
    this.raster = null;
    this.line = null;
    if (stays) this.brushed?.inform(info);
    else this.brushed = null;
    if (!this.definition) return;
    const { glyph } = this.definition;
    if (glyph !== "points")
      this.line = new (isBars(glyph) ? BarLayer : LineLayer)({
        definition: this.definition,
        info,
        limits,
        style: lineStyle(this, look),
      });
    else
      this.raster = new RasterLayer({
        cache,
        limits,
        definition: this.definition,
        info,
        style: rasterStyle(this, look),
      });
  }

  /**
   * The server knows more about what is drawn.
   * @param {LayerInfo} info @returns {boolean} false: its roots or planes are others than before, so `become` is needed
   */
  refine(info) {
    if (!this.#hasCellsOf(info)) return false;
    this.info = info;
    if (this.raster) this.raster.info = info;
    if (this.line) this.line.info = info;
    if (info.index !== "building") this.progress = null;
    return true;
  }

  /** Its roots and planes are those that the server tells.  @param {LayerInfo} info */
  #hasCellsOf(info) {
    const facts = (/** @type {LayerInfo} */ { version, root, planes, x, y }) =>
      JSON.stringify([version, root, planes, x, y]);
    return this.info !== null && facts(this.info) === facts(info);
  }

  /**
   * What the page has of a view, of data that grow; null while that is not exact, or asked for anew.
   * @param {import("../geometry/view.js").View} view
   * @returns {LayerHeld|null}
   */
  held(view) {
    const { definition, info, raster, line } = this;
    if (!definition || !info || this.asked || !this.complete(view)) return null;
    if (line) return { definition, columns: line.asked, raster: null };
    return raster && { definition, columns: null, raster: raster.held(view) };
  }

  /**
   * The data have grown.
   * @param {Partial<LayerInfo>} facts those that are others now
   * @param {LayerHeld} held what the page had
   * @param {{changed: number[][], rows: boolean, parts: import("../wire/update-group.js").UpdatePart[]}} update
   * @throws {import("../wire/frames.js").ProtocolError} when it does not fit to what is here
   */
  advance(facts, held, update) {
    if (!this.info) return;
    this.info = { ...this.info, ...facts };
    const [part] = update.parts;
    if (this.line) this.line.advance(this.info, part?.type === "columns" ? part : null);
    else if (this.raster && held.raster) this.raster.advance(this.info, held.raster, update);
  }

  /** @param {Look} look */
  restyle(look) {
    this.brushed?.restyle(this, look);
    this.raster?.restyle(rasterStyle(this, look));
    this.line?.restyle(lineStyle(this, look));
  }

  /**
   * A step of a brush.
   * @param {import("../wire/brush-group.js").BrushPart} part
   * @param {{isOver: boolean, seq: number, stays?: boolean, share?: number}} step
   * @param {{page: {connection: {limits: import("../wire/reassembler.js").Limits}}, look: Look}} figure
   */
  takeBrush(part, step, { page, look }) {
    if (!this.definition || !this.info) return;
    this.brushed ??= new BrushedLayer(this, page.connection.limits, look);
    this.brushed.take(part, step);
  }

  /** What draws it: the rows of a brush where these stand in the place of all.  @returns {RasterLayer|null} */
  get shownRaster() {
    return this.brushed?.stands ? this.brushed.raster : this.raster;
  }

  /** @returns {LineLayer|null} the same of a line and of bars */
  get shownLine() {
    return this.brushed?.stands ? this.brushed.line : this.line;
  }

  /** Whose values the colours of the key are.  @returns {RasterLayer|null} */
  get keyRaster() {
    return this.brushed?.raster ?? this.raster;
  }

  /** The categories that are left out, by number, ascending. @returns {number[]} */
  get hidden() {
    const labels = new Set(readLabels(this.choice.hide) ?? []);
    return labels.size === 0 ? [] : (this.planes ?? []).flatMap((label, k) => (labels.has(label) ? [k] : []));
  }

  /** @returns {{x: AxisRoot, y: AxisRoot}|null} */
  get roots() {
    if (!this.info) return null;
    return { x: AxisRoot.parse(this.info.root.x), y: AxisRoot.parse(this.info.root.y) };
  }

  /**
   * @param {import("../geometry/view.js").View} view
   * @param {import("../geometry/view.js").View} [asking] what was asked for, if that is more
   * @returns {boolean} everything that the view shows of this layer is here, and its facts are not a sample's: exact
   *   answers may come before the final facts
   */
  complete(view, asking = view) {
    if (this.info?.provisional) return false;
    return this.raster?.complete(view, asking) ?? this.line?.complete(asking) ?? true;
  }

  /**
   * @param {import("../geometry/view.js").View} view
   * @param {import("../geometry/view.js").View} [asking] what was asked for, if that is more
   * @returns {boolean} everything that the view shows of this layer is here, at least as an estimate
   */
  covered(view, asking = view) {
    return this.raster?.covered(view) ?? this.line?.covered(asking) ?? true;
  }

  /**
   * The view shows less of this layer than there is: an exported page holds no more.
   * @param {import("../geometry/view.js").View} view
   * @returns {boolean}
   */
  isShallow(view) {
    return this.raster?.isShallow(view) ?? this.line?.isShallow(view) ?? false;
  }

  /**
   * What is drawn of it is an estimate of; null when it is exact.
   * @param {import("../geometry/view.js").View} view
   * @returns {import("./estimate.js").Summary|null}
   */
  estimate(view) {
    if (this.brushed?.stands) return this.brushed.estimate;
    return this.raster?.estimate(view) ?? this.line?.estimate() ?? null;
  }

  /**
   * Does an exact picture of the view hold anything of this layer?
   * @param {import("../geometry/view.js").View} view
   * @returns {boolean}
   */
  shows(view) {
    if (this.raster) return this.raster.norm !== null;
    return this.line?.shows(view) ?? false;
  }

  /** How the values of its cells and marks are shown. */
  get words() {
    const value = this.info?.traits.value ?? NUMBER;
    if (this.told.value !== value) this.told = { value, words: new ValueWords(value) };
    return this.told.words;
  }

  /**
   * How many rows of each category a view shows, hidden ones too.
   * @param {import("../geometry/view.js").View} view exact
   * @returns {number[]|null} null where its cells do not tell
   */
  rowsByCategory(view) {
    const { planes, info, raster } = this;
    if (!planes || !info?.traits.counts || !raster) return null;
    return raster.rowsByCategory(view, planes.length);
  }

  /** Under `by`: the categories. @returns {string[]|null} */
  get planes() {
    return this.info?.planes ?? null;
  }
}
