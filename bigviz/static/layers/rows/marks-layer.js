// Rows drawn one by one, where a view holds few. They stay in data space, so they follow any view until those of that
// view arrive.

import { length } from "../../geometry/span.js";
import { holds, boxOf } from "../../geometry/window.js";
import { Distribution, extremes } from "../../render/distribution.js";
import { offsetsFrom, originFor } from "../../render/integer-origin.js";
import { Ink, OUTLINED, radiusFor } from "../../render/marks.js";
import { Norm } from "../../render/norm.js";
import { GLASBEY } from "../../render/palette.js";
import { Shader } from "../../render/shade.js";
import { check } from "../../wire/frames.js";
import { latticeOf } from "../tiles/lattice.js";
import { MarkSprites } from "./mark-sprites.js";
import { Pixels } from "../pixels.js";
import { nearestRow, placeRows, shownRows } from "./row-places.js";

/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../geometry/window.js").Box} Box */
/** @typedef {import("../../render/shade.js").RasterStyle} RasterStyle */
/** @typedef {import("../../wire/rows.js").Rows} Rows */
/** @typedef {import("../pixels.js").Context} Context */
/** @typedef {import("./row-places.js").MarkHit} MarkHit */

/**
 * Up to so many marks in view are drawn on the page's ground, without a count's ramp; beyond them density is what one
 * sees.
 */
export const FEW = 5000;
/** From so many rows a mark on, on the average, their counts are what one sees, wherever few marks are. */
const PILED = 1.1;
/** A lattice is drawn as cells where its steps are at least so long, in CSS pixels. */
const LEAST_STEP = 3;
/**
 * Dashes: how thick in CSS pixels, and how much of the ground most of them on each other hide, so that one sees how
 * many they are.
 */
const DASH = 2;
const HIDDEN = 0.96;
/** Marks change their size only by more than this, so that a pan does not make them flicker. */
const STEADY = 1.25;

export class MarksLayer {
  /**
   * @param {{facts: import("../cell-facts.js").CellFacts, style: RasterStyle, createCanvas:
   *   import("../pixels.js").CanvasFactory}} o
   */
  constructor({ facts, style, createCanvas }) {
    this.facts = facts;
    this.style = style;
    /** Their values count from the origin.  @type {Rows|null} */ this.rows = null;
    this.origin = 0n;
    /** The rows that came, of which those of hidden categories are not among `rows`.  @type {Rows|null} */
    this.all = null;
    /** Where the rows are all rows; null: everywhere.  @type {Box|null} */ this.box = null;
    /** @type {import("../tiles/lattice.js").Lattice|null} */ this.lattice = null;
    /** No coordinate has more than one row. */ this.alone = true;
    /** Coordinates have many rows: stations, rounded numbers. */ this.piled = false;
    /**
     * The rows' places in the last view asked about.
     * @type {{view: View, rows: Rows, placed: ReturnType<typeof placeRows>}|null}
     */
    this.places = null;
    this.few = true;
    /** @type {Ink|null} */ this.ink = null;
    this.pixels = new Pixels(createCanvas);
    this.sprites = new MarkSprites(createCanvas);
    /** What the ink shows, and whether the colours were found for it; without a view nothing.
     * @type {{view: View|null, rows: Rows|null, radius: number, shader: Shader|number|null, rested: boolean}} */
    this.inked = { view: null, rows: null, radius: 0, shader: null, rested: false };
    this.radius = 0;
    /** Of the marks that the last view at rest showed.  @type {Distribution|null} */ this.distribution = null;
    /** @type {Shader|null} */ this.shader = null;
  }

  /** Rows are here for all that a view shows.  @param {View} view @returns {boolean} */
  covers(view) {
    return this.rows !== null && (this.box === null || holds(this.box, view));
  }

  /**
   * @param {Rows} rows in place of those before
   * @throws {import("../../wire/frames.js").ProtocolError} when they are not this layer's
   */
  add(rows) {
    const { planes, exact } = this.facts;
    check((rows.code !== null) === (planes !== null), `rows ${rows.code ? "with" : "without"} categories`);
    check(
      rows.code === null || rows.code.every((code) => code >= 0 && code < (planes?.length ?? 0)),
      "rows of categories that the layer has not",
    );
    this.box = rows.window && boxOf(rows.window, exact);
    this.all = rows;
    this.#take(shownRows(rows, this.style.colors));
  }

  /** @param {Rows} rows to draw */
  #take(rows) {
    const { exact } = this.facts;
    this.origin = this.facts.movable && rows.exact ? originAmong(rows, this.origin) : 0n;
    this.rows = this.origin && rows.exact ? { ...rows, value: offsetsFrom(rows.exact, this.origin) } : rows;
    const { times } = this.facts;
    this.lattice = latticeOf(rows, { x: exact.x && !times.x, y: exact.y && !times.y });
    this.alone = rows.number.every((number) => number === 1);
    this.piled = rows.number.reduce((sum, number) => sum + number, 0) > PILED * rows.n;
  }

  /**
   * Few rows are here for all that a view shows: they are drawn on the page's ground; the cells of a table, and counts
   * of rows that lie on each other, only where their colours are no ramp, which may end in that ground.
   * @param {View} view
   * @returns {boolean}
   */
  isSparse(view) {
    if (!this.style.sparse || !this.covers(view)) return false;
    if (this.isStyledPlain) return true;
    const { visible } = this.#placesIn(view);
    if (visible > FEW * STEADY) this.few = false;
    else if (visible <= FEW) this.few = true;
    if (!this.few || this.#tellsCounts) return false;
    return this.facts.planes !== null || (this.#tellsPlaces && this.alone) || !this.#isTable(view);
  }

  /**
   * Few rows are here, and only their places matter: all have one colour.
   * @param {View} view
   * @returns {boolean}
   */
  isPlain(view) {
    return this.#tellsPlaces && this.isSparse(view);
  }

  /** The same in every view. */
  get isAlwaysPlain() {
    const { rows, style } = this;
    return (
      Boolean(style.sparse) &&
      rows !== null &&
      this.box === null &&
      rows.n <= FEW &&
      this.#tellsPlaces &&
      !this.#tellsCounts &&
      (this.lattice === null || this.lattice.x === 0 || this.lattice.y === 0 || this.alone)
    );
  }

  get #tellsPlaces() {
    const { planes, traits } = this.facts;
    return planes === null && (traits.counts || traits.total === "any");
  }

  /** How many rows a mark stands for is what its colour says. */
  get #tellsCounts() {
    return this.piled && this.facts.planes === null && this.facts.traits.counts;
  }

  /** The document gives them a colour or a size, and no value gives them another. */
  get isStyledPlain() {
    return Boolean(this.style.marks?.isPlain && this.style.sparse) && this.#tellsPlaces;
  }

  /** The rows' places in a view.  @param {View} view */
  #placesIn(view) {
    const rows = /** @type {Rows} */ (this.rows);
    if (this.places?.view !== view || this.places.rows !== rows)
      this.places = { view, rows, placed: placeRows(rows, view, this.style.colors ?? GLASBEY) };
    return this.places.placed;
  }

  /**
   * Size of a lattice's cells in a view, in device pixels, 0 along dashes; null where there is none, or it is too fine.
   * @param {View} view
   * @returns {{width: number, height: number}|null}
   */
  #cellsIn(view) {
    if (!this.lattice || this.isStyledPlain || this.style.marks?.size) return null;
    const width = (this.lattice.x * view.width) / length(view.x);
    const height = (this.lattice.y * view.height) / length(view.y);
    const fits = (/** @type {number} */ size) => size === 0 || size >= LEAST_STEP;
    return fits(width) && fits(height) ? { width, height } : null;
  }

  /** @param {View} view @returns {boolean} its cells are those of a table, not dashes */
  #isTable(view) {
    const cells = this.#cellsIn(view);
    return cells !== null && cells.width > 0 && cells.height > 0;
  }

  /** The rows are all rows of a window alone.  @param {(number|string)[]} ends x0, x1, y0, y1 */
  confine(ends) {
    this.box = boxOf(ends, this.facts.exact);
  }

  clear() {
    this.rows = null;
    this.all = null;
    this.box = null;
  }

  /** Of what was drawn last at rest; null while nothing is visible.  @returns {Norm|null} */
  get norm() {
    return this.distribution?.cells && this.shader ? this.shader.norm : null;
  }

  /** New colours or normalisation.  @param {RasterStyle} style */
  restyle(style) {
    if (style.colors !== this.style.colors) {
      this.inked.rows = null;
      this.places = null;
      if (this.all) this.#take(shownRows(this.all, style.colors));
    }
    this.inked.shader = null;
    this.style = style;
    this.reshade();
  }

  reshade() {
    const { how, low, high, lut } = this.style;
    this.shader = this.distribution?.cells ? new Shader(new Norm(this.distribution, how, low, high), lut) : null;
  }

  /**
   * Where rows are here no tiles are drawn.
   * @param {Context} context
   * @param {View} view
   * @returns {boolean} false where that is everywhere
   */
  clipOutside(context, view) {
    if (!this.rows) return true;
    if (!this.box) return false;
    const { x, y } = this.box;
    const [left, right] = [view.px(x.origin, x.lo), view.px(x.origin, x.hi)].map((at) =>
      Math.round(Math.min(2 * view.width, Math.max(-view.width, at))),
    );
    const [top, bottom] = [view.py(y.origin, y.hi), view.py(y.origin, y.lo)].map((at) =>
      Math.round(Math.min(2 * view.height, Math.max(-view.height, at))),
    );
    context.beginPath();
    context.rect(0, 0, view.width, view.height);
    context.rect(left, top, right - left, bottom - top);
    context.clip("evenodd");
    return true;
  }

  /**
   * Draws the rows, also in a view that shows more than they are all of.
   * @param {Context} context
   * @param {View} view
   * @param {number} dpr device pixels a CSS pixel
   * @param {boolean} rest new colours are found, as for a view at rest
   */
  draw(context, view, dpr, rest) {
    const { rows, facts } = this;
    if (!rows) return;
    const placed = this.#placesIn(view);
    const cells = this.#cellsIn(view);
    const { size = null, shape = "circle" } = this.style.marks ?? {};
    const ideal =
      (size === null ? radiusFor(placed.visible, (view.width * view.height) / (dpr * dpr)) : size / 2) * dpr;
    if (size !== null) this.radius = ideal;
    else if (!(ideal < this.radius * STEADY && ideal > this.radius / STEADY)) this.radius = ideal;
    if (this.isStyledPlain) {
      this.#drawStyled(context, view, placed, rest);
      return;
    }
    const ink = this.#inkOf(view);
    const { inked, radius } = this;
    const { out } = this.pixels;
    if (!inked.view?.equals(view) || inked.rows !== rows || inked.radius !== radius) {
      if (inked.view) ink.wipe(out);
      ink.clear();
      const thick = Math.max(1, Math.round(DASH * dpr));
      if (cells) ink.drawCells(placed, { width: cells.width || thick, height: cells.height || thick }, facts.rule);
      else ink.draw(placed, radius, facts.rule, radius >= OUTLINED * dpr, shape);
      this.inked = { view, rows, radius, shader: null, rested: false };
    }
    if (!this.distribution || (rest && !this.inked.rested)) {
      this.distribution = new Distribution(ink.cores, facts.traits.counts, undefined, this.origin);
      this.reshade();
      this.inked.rested = true;
    }
    this.#paint(ink, out, view);
    this.pixels.draw(context);
  }

  /**
   * Draws the rows as marks of the document's own colour.
   * @param {Context} context
   * @param {View} view
   * @param {ReturnType<typeof placeRows>} placed
   * @param {boolean} rest
   */
  #drawStyled(context, view, placed, rest) {
    const { marks, sparse } = this.style;
    if (!marks || !sparse) return;
    const { shape, opacity } = marks;
    this.sprites.draw(context, placed, { radius: this.radius, shape, color: sparse.accent, opacity }, view);
    const { rows, radius, inked } = this;
    if (!rest || (inked.rested && inked.rows === rows && inked.view?.equals(view))) return;
    const { px, py } = placed;
    const inView = Float64Array.from(placed.values).filter(
      (_, k) => px[k] >= 0 && px[k] < view.width && py[k] >= 0 && py[k] < view.height,
    );
    this.distribution = new Distribution(inView, this.facts.traits.counts, undefined, this.origin);
    this.reshade();
    this.inked = { view, rows, radius, shader: null, rested: true };
  }

  /** Colours the ink, unless it has them.  @param {Ink} ink @param {Uint32Array} out @param {View} view */
  #paint(ink, out, view) {
    const { style, inked } = this;
    const opacity = style.marks?.opacity ?? 1;
    const sparse = this.isSparse(view) ? style.sparse : undefined;
    const shader = sparse && this.isPlain(view) ? sparse.accent : this.shader;
    if (inked.shader === shader) return;
    if (typeof shader === "number")
      ink.paintPlain(out, shader, this.#cellsIn(view) && !this.#isTable(view) ? ink.sheer(HIDDEN) : undefined);
    else ink.paint(out, this.rows?.code ? null : shader, (sparse ?? style).dark ?? true, opacity);
    this.pixels.put();
    inked.shader = shader;
  }

  /** @param {View} view @returns {Ink} of the view's size, as are the pixels now */
  #inkOf(view) {
    if (this.pixels.fit(view) || !this.ink) {
      this.ink = new Ink(view.width, view.height);
      this.inked.view = null;
    }
    return this.ink;
  }

  /** How many rows of each category a view shows.  @param {View} view @param {number} count @returns {number[]} */
  rowsByCategory(view, count) {
    const sums = new Array(count).fill(0);
    const rows = this.all;
    if (!rows?.code) return sums;
    const { px, py } = placeRows(rows, view, GLASBEY);
    for (let k = 0; k < rows.n; k++)
      if (px[k] >= 0 && px[k] < view.width && py[k] >= 0 && py[k] < view.height) sums[rows.code[k]] += rows.number[k];
    return sums;
  }

  /**
   * The mark nearest to a pixel; on a lattice the cell that holds it.
   * @param {View} view
   * @param {number} px
   * @param {number} py
   * @param {number} reach device pixels
   * @returns {MarkHit|null}
   */
  nearest(view, px, py, reach) {
    if (!this.rows) return null;
    const cells = this.#cellsIn(view);
    const far = cells ? Math.hypot(cells.width / 2 || reach, cells.height / 2 || reach) : reach;
    const hit = nearestRow(this.rows, view, px, py, far, this.facts.planes);
    if (!hit || !cells) return hit;
    const within = (/** @type {number} */ away, /** @type {number} */ size) =>
      Math.abs(away) <= (size ? size / 2 : reach);
    return within(hit.px - px, cells.width) && within(hit.py - py, cells.height) ? hit : null;
  }
}

/** @param {Rows} rows of whole numbers @param {bigint} before @returns {bigint} what their values are to count from */
function originAmong({ value }, before) {
  const { low, high } = extremes(value, false);
  return originFor(low, high, before);
}
