// A layer of bars: those of a histogram, or of labels. They travel as a line's columns do: for each category an entry a
// bin with its lower edge, its value and its number of rows, and one more for the upper edge of the last.

import { length } from "../../geometry/span.js";
import { nearView, placeOf } from "../near-view.js";
import { LineLayer, transform } from "./line-layer.js";
import { GLASBEY, isLeftOut } from "../../render/palette.js";

/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../geometry/span.js").Place} Place */
/** @typedef {import("../../wire/columns.js").Columns} Columns */
/** @typedef {import("../pixels.js").Context} Context */
/** A bar's share of each category, from the foot up; `value` null: no row has one.
 * @typedef {{label: string|null, code: number, value: number|null, rows: number}} Part */
/** A bar under the pointer: between the edges `start` and `end`; `x` and `y` are its bounds as offsets from the view's
 * origins.
 * @typedef {{bin: number, start: Place, end: Place, parts: Part[], x: [number, number], y: [number, number], exact:
 *   boolean}} BarHit
 */

/** From a bar to the next, in device pixels, where bars are so wide that it is seen. */
const GAP = 1;
const SEEN = 4;
/** Of the room of a label, what its bar leaves free on each side. */
const FREE = 0.1;
/** Canvases compute in float32. */
const FAR = 16_384;

export class BarLayer extends LineLayer {
  /** How far up bars reach, as last asked: each frame does.
   * @type {{columns: Columns|null, view: View, style: import("./line-layer.js").LineStyle,
   *   extent: {origin: bigint, low: number, high: number}|null}|null} */
  reaches = null;

  /** All bars are here at once. */
  get isByLabel() {
    return this.definition.glyph === "bar";
  }

  /** @returns {boolean} values are logarithms */
  get isLog() {
    return this.definition.yaxis === "log";
  }

  /** @param {View} view @returns {import("./line-layer.js").Asked|null} */
  request(view) {
    if (this.isByLabel && this.columns && this.estimated === null) return null;
    return super.request(view);
  }

  /** @param {View} view @returns {boolean} */
  covered(view) {
    return this.columns !== null && (this.isByLabel || super.covered(view));
  }

  /** An exported page holds the bins of its first view.  @param {View} view @returns {boolean} */
  isShallow(view) {
    const { bin = 0 } = this.info.inside ?? {};
    return 2 * length(view.x) <= bin * this.bins;
  }

  /** Rows of bars are not single rows.  @returns {null} */
  nearest() {
    return null;
  }

  /** @param {View} view @returns {boolean} a bar in view has a row */
  shows(view) {
    return this.#between(view).some((bin) => this.partsOf(bin).some(({ rows }) => rows > 0));
  }

  /** How many bins the answer has. */
  get bins() {
    const { columns } = this;
    return columns ? Math.max(0, columns.n / this.#categories - 1) : 0;
  }

  get #categories() {
    return this.info.planes?.length ?? 1;
  }

  /**
   * What a bin holds of each category.
   * @param {number} bin
   * @returns {Part[]}
   */
  partsOf(bin) {
    const { columns } = this;
    if (!columns) return [];
    const each = this.bins + 1;
    const origin = Number(columns.yorigin);
    return Array.from({ length: this.#categories }, (_, code) => {
      const k = code * each + bin;
      const rows = columns.row[k];
      const value = rows < 0 ? null : origin + columns.y[k];
      return { label: this.info.planes?.[code] ?? null, code, value, rows: Math.max(0, rows) };
    }).filter(({ code }) => !(this.style.colors && isLeftOut(this.style.colors, code)));
  }

  /**
   * @param {Context} context device pixels, (0, 0) the plot area's top left
   * @param {View} view
   * @param {number} [dpr] device pixels a CSS pixel
   */
  draw(context, view, dpr = 1) {
    const columns = this.columns && nearView(this.columns, view);
    if (!columns) return;
    const place = this.#placer(columns, view);
    context.save();
    context.globalAlpha = this.style.opacity ?? 1;
    for (const bin of this.#between(view)) {
      const [left, right] = this.#sides(place.edge(bin), place.edge(bin + 1), dpr);
      for (const { code, low, high } of this.stack(bin)) {
        context.fillStyle = this.colorOf(code);
        const [top, bottom] = [place.up(high), low === null ? view.height : place.up(low)];
        context.fillRect(left, Math.min(top, bottom), Math.max(right - left, 1), Math.abs(bottom - top));
      }
    }
    context.restore();
  }

  /** @param {number} code of a category @returns {string} CSS colour */
  colorOf(code) {
    return this.info.planes ? `rgb(${GLASBEY.slice(3 * (code % 256), 3 * (code % 256) + 3).join()})` : this.style.color;
  }

  /**
   * The pieces of a bar one on the other: up from 0, and down from it where values are below; on a log axis from the
   * view's lower edge (`low` null), where the sum of several is the logarithm of a sum.
   * @param {number} bin
   * @returns {{code: number, low: number|null, high: number}[]}
   */
  stack(bin) {
    const pieces = [];
    let [up, down] = [0, 0];
    let isFirst = true;
    for (const { code, value } of this.partsOf(bin)) {
      if (value === null) continue;
      if (this.isLog) {
        const high = isFirst ? value : Math.log10(10 ** up + 10 ** value);
        pieces.push({ code, low: isFirst ? null : up, high });
        up = high;
        isFirst = false;
      } else if (value >= 0) {
        pieces.push({ code, low: up, high: up + value });
        up += value;
      } else {
        pieces.push({ code, low: down, high: down + value });
        down += value;
      }
    }
    return pieces;
  }

  /**
   * The bar under the pointer, or whose column it is over.
   * @param {View} view @param {number} px device pixels
   * @returns {BarHit|null}
   */
  barAt(view, px) {
    const columns = this.columns && nearView(this.columns, view);
    if (!columns || !this.columns) return null;
    const place = this.#placer(columns, view);
    const bin = this.#between(view).find((each) => place.edge(each) <= px && px < place.edge(each + 1));
    if (bin === undefined) return null;
    const shift = Number(columns.xorigin - view.x.origin);
    const pieces = this.stack(bin);
    const ends = pieces.flatMap(({ low, high }) => [low ?? Number.NEGATIVE_INFINITY, high]);
    const lift = Number(view.y.origin);
    return {
      bin,
      start: placeOf(this.columns, "x", bin),
      end: placeOf(this.columns, "x", bin + 1),
      parts: this.partsOf(bin),
      x: [columns.x[bin] + shift, columns.x[bin + 1] + shift],
      y: [Math.max(view.y.lo, Math.min(0, ...ends) - lift), Math.min(view.y.hi, Math.max(...ends) - lift)],
      exact: pieces.length > 0,
    };
  }

  /**
   * The bars that a stretch of the plot meets.
   * @param {View} view @param {number} from @param {number} to device pixels
   * @returns {number[]}
   */
  between(view, from, to) {
    return this.#between(view).filter((bin) => {
      const [left, right] = this.sidesOf(bin, view);
      return left <= to && right > from;
    });
  }

  /** @param {number} bin @param {View} view @returns {[number, number]} its edges in device pixels */
  sidesOf(bin, view) {
    const columns = this.columns && nearView(this.columns, view);
    if (!columns) return [0, 0];
    const place = this.#placer(columns, view);
    return [place.edge(bin), place.edge(bin + 1)];
  }

  /**
   * From the foot of the bars in view to the top of the highest.
   * @param {View} view
   * @returns {{origin: bigint, low: number, high: number}|null}
   */
  extent(view) {
    const { reaches: known, columns, style } = this;
    if (known?.columns === columns && known.view === view && known.style === style) return known.extent;
    const extent = this.#extent(view);
    this.reaches = { columns, view, style, extent };
    return extent;
  }

  /** @param {View} view */
  #extent(view) {
    const ends = this.#between(view).flatMap((bin) => this.stack(bin).flatMap(({ low, high }) => [low ?? 0, high]));
    if (ends.length === 0) return null;
    const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
    return { origin: 0n, low, high: high > low ? high : low + 1 };
  }

  /** @param {View} view @returns {number[]} the bins that it shows at least a part of */
  #between(view) {
    const columns = this.columns && nearView(this.columns, view);
    if (!columns) return [];
    const place = this.#placer(columns, view);
    /** @type {number[]} */ const found = [];
    for (let bin = 0; bin < this.bins; bin++)
      if (place.edge(bin + 1) >= 0 && place.edge(bin) <= view.width) found.push(bin);
    return found;
  }

  /** @param {Columns} columns @param {View} view */
  #placer(columns, view) {
    const t = transform(columns, view);
    const cut = (/** @type {number} */ value) => Math.max(-FAR, Math.min(FAR, value));
    const base = view.y.lo + Number(view.y.origin);
    return {
      edge: (/** @type {number} */ k) => cut((columns.x[k] - t.x0) * t.xunit * t.xscale),
      up: (/** @type {number} */ value) => cut(t.height - (value - base) * t.yunit * t.yscale),
    };
  }

  /** @param {number} left @param {number} right @param {number} dpr @returns {[number, number]} of a bar's ink */
  #sides(left, right, dpr) {
    const width = right - left;
    if (this.isByLabel) return [left + FREE * width, right - FREE * width];
    return width > SEEN * dpr
      ? [Math.round(left) + Math.round(GAP * dpr), Math.round(right)]
      : [Math.floor(left), Math.ceil(right)];
  }
}
