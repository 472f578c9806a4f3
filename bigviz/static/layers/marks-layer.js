// Rows drawn one by one, where a view holds few. They stay in data space, so they follow any view until those of that view arrive.

import { holds, boxOf } from "../geometry/window.js";
import { Distribution } from "../render/distribution.js";
import { Ink, OUTLINED, radiusFor } from "../render/marks.js";
import { Norm } from "../render/norm.js";
import { GLASBEY } from "../render/palette.js";
import { Shader } from "../render/shade.js";
import { check } from "../wire/frames.js";
import { Pixels } from "./pixels.js";
import { nearestRow, placeRows } from "./row-places.js";

/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../geometry/window.js").Box} Box */
/** @typedef {import("../render/shade.js").RasterStyle} RasterStyle */
/** @typedef {import("../wire/rows.js").Rows} Rows */
/** @typedef {import("./pixels.js").Context} Context */
/** @typedef {import("./row-places.js").MarkHit} MarkHit */

/** Marks change their size only by more than this, so that a pan does not make them flicker. */
const STEADY = 1.25;

export class MarksLayer {
  /** @param {{facts: import("./cell-facts.js").CellFacts, style: RasterStyle, createCanvas: import("./pixels.js").CanvasFactory}} o */
  constructor({ facts, style, createCanvas }) {
    this.facts = facts;
    this.style = style;
    /** @type {Rows|null} */ this.rows = null;
    /** Where the rows are all rows; null: everywhere.  @type {Box|null} */ this.box = null;
    /** @type {Ink|null} */ this.ink = null;
    this.pixels = new Pixels(createCanvas);
    /** What the ink shows, and whether the colours were found for it; without a view nothing.
     * @type {{view: View|null, rows: Rows|null, radius: number, shader: Shader|null, rested: boolean}} */
    this.inked = { view: null, rows: null, radius: 0, shader: null, rested: false };
    this.radius = 0;
    /** Of the marks that the last view at rest showed.  @type {Distribution|null} */ this.distribution = null;
    /** @type {Shader|null} */ this.shader = null;
  }

  /** Rows are here for all that a view shows.  @param {View} view @returns {boolean} */
  covers(view) {
    return this.rows !== null && (this.box === null || holds(this.box, view));
  }

  /** @param {Rows} rows in place of those before @throws {import("../wire/frames.js").ProtocolError} when they are not this layer's */
  add(rows) {
    const { planes, exact } = this.facts;
    check((rows.code !== null) === (planes !== null), `rows ${rows.code ? "with" : "without"} categories`);
    check(rows.code === null || rows.code.every((code) => code >= 0 && code < (planes?.length ?? 0)), "rows of categories that the layer has not");
    this.rows = rows;
    this.box = rows.window && boxOf(rows.window, exact);
  }

  clear() {
    this.rows = null;
    this.box = null;
  }

  /** Of what was drawn last at rest; null while nothing is visible.  @returns {Norm|null} */
  get norm() {
    return this.distribution?.cells && this.shader ? this.shader.norm : null;
  }

  /** New colours or normalisation.  @param {RasterStyle} style */
  restyle(style) {
    if (style.colors !== this.style.colors) this.inked.rows = null;
    this.style = style;
    this.reshade();
  }

  reshade() {
    const { how, low, high, lut } = this.style;
    this.shader = this.distribution?.cells ? new Shader(new Norm(this.distribution, how, low, high), lut) : null;
  }

  /** Where rows are here no tiles are drawn.  @param {Context} context @param {View} view @returns {boolean} false where that is everywhere */
  clipOutside(context, view) {
    if (!this.rows) return true;
    if (!this.box) return false;
    const { x, y } = this.box;
    const [left, right] = [view.px(x.origin, x.lo), view.px(x.origin, x.hi)].map((at) => Math.round(Math.min(2 * view.width, Math.max(-view.width, at))));
    const [top, bottom] = [view.py(y.origin, y.hi), view.py(y.origin, y.lo)].map((at) => Math.round(Math.min(2 * view.height, Math.max(-view.height, at))));
    context.beginPath();
    context.rect(0, 0, view.width, view.height);
    context.rect(left, top, right - left, bottom - top);
    context.clip("evenodd");
    return true;
  }

  /**
   * Draws the rows, also in a view that shows more than they are all of.
   * @param {Context} context @param {View} view @param {number} dpr device pixels a CSS pixel @param {boolean} rest new colours are found, as for a view at rest
   */
  draw(context, view, dpr, rest) {
    const { rows, facts, style } = this;
    if (!rows) return;
    const placed = placeRows(rows, view, style.colors ?? GLASBEY);
    const ideal = radiusFor(placed.visible, (view.width * view.height) / (dpr * dpr)) * dpr;
    if (!(ideal < this.radius * STEADY && ideal > this.radius / STEADY)) this.radius = ideal;
    const ink = this.#inkOf(view);
    const { inked, radius } = this;
    const { out } = this.pixels;
    if (!inked.view?.equals(view) || inked.rows !== rows || inked.radius !== radius) {
      if (inked.view) ink.wipe(out);
      ink.clear();
      ink.draw(placed, radius, facts.rule, radius >= OUTLINED * dpr);
      this.inked = { view, rows, radius, shader: null, rested: false };
    }
    if (!this.distribution || (rest && !this.inked.rested)) {
      this.distribution = new Distribution(ink.cores, facts.traits.counts);
      this.reshade();
      this.inked.rested = true;
    }
    if (this.inked.shader !== this.shader) {
      ink.paint(out, rows.code ? null : this.shader, style.dark ?? true);
      this.pixels.put();
      this.inked.shader = this.shader;
    }
    this.pixels.draw(context);
  }

  /** @param {View} view @returns {Ink} of the view's size, as are the pixels now */
  #inkOf(view) {
    if (this.pixels.fit(view) || !this.ink) {
      this.ink = new Ink(view.width, view.height);
      this.inked.view = null;
    }
    return this.ink;
  }

  /**
   * The mark nearest to a pixel.
   * @param {View} view @param {number} px @param {number} py @param {number} reach device pixels @returns {MarkHit|null}
   */
  nearest(view, px, py, reach) {
    return this.rows && nearestRow(this.rows, view, px, py, reach, this.facts.planes);
  }
}
