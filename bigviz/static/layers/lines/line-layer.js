// A layer of decimated line columns: the few rows per pixel column that draw what all rows would. They stay in data
// space, so that the line follows any view until the rows of that view arrive.

import { firstFrom } from "../../geometry/sorted-search.js";
import { length, scaleOf, SHORTEST, toBigInt } from "../../geometry/span.js";
import { joinKept } from "../../wire/columns.js";
import { nearView, placeOf } from "../near-view.js";
import { TIMES } from "../../wire/column-kinds.js";

/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../wire/columns.js").Columns} Columns */
/** @typedef {import("../pixels.js").Context} Context */
/**
 * color: any CSS colour; width: of the stroke in CSS pixels; opacity: 0 to 1; dash: lengths on and off in CSS pixels,
 * none for a solid line. colors: of categories, where some are left out
 * @typedef {{color: string, width: number, opacity?: number, dash?: readonly number[], colors?: Uint8Array}} LineStyle
 */
/**
 * What a view requests; x0 and x1 are decimal strings on exact axes.
 * @typedef {{x0: number|string, x1: number|string, width: number}} Asked
 */
/** A row of the dataset: its number, its true place, and where it lies on the screen in device pixels.
 * @typedef {{row: number, x: import("../../geometry/span.js").Place, y: import("../../geometry/span.js").Place, px:
 *   number, py: number, distance: number}} RowHit
 */
/**
 * data -> pixels: px = (x - x0) * xunit * xscale, py = height - (y - y0) * yunit * yscale, x and y as offsets from the
 * columns' own origins
 * @typedef {{x0: number, xunit: number, xscale: number, y0: number, yunit: number, yscale: number, height: number}}
 *   Transform */

/** Times outside int64 nanoseconds are refused by the server; a home padded by 2 % may reach there. */
const LAST = 2n ** 63n - 1n;
/** Coordinates beyond this are cut before a canvas sees them: it computes in float32. */
const FAR = 16_384;
/** A row between two gaps is drawn as a line of this length: canvases drop lines without any. */
const DOT = 0.02;

export class LineLayer {
  /**
   * @param {{definition: import("../../wire/frames.js").Definition, info: import("../../wire/frames.js").LayerInfo,
   *   style: LineStyle, limits: Pick<import("../../wire/reassembler.js").Limits, "columns_width">}} o */
  constructor({ definition, info, style, limits }) {
    /** @readonly */ this.definition = definition;
    this.info = info;
    this.limits = limits;
    this.style = style;
    /** @type {Columns|null} */ this.columns = null;
    /** What the columns answer.  @type {Asked|null} */ this.asked = null;
    /** Of columns that are not exact.  @type {import("../../wire/frames.js").Estimate|null} */ this.estimated = null;
  }

  /**
   * What to ask for this view; null when the columns here are this view's.
   * @param {View} view
   * @returns {Asked|null}
   */
  request(view) {
    const asked = askFor(view, TIMES.has(this.info.x.kind), this.limits.columns_width);
    return this.estimated === null && this.asked && same(asked, this.asked) ? null : asked;
  }

  /** @param {View} view @returns {boolean} the columns here are exactly this view's */
  complete(view) {
    return this.request(view) === null;
  }

  /** An exported page has left out rows that this view would show.  @param {View} view @returns {boolean} */
  isShallow(view) {
    const step = this.info.inside?.step ?? 0;
    return step > length(view.x) / view.width;
  }

  /** @param {View} view @returns {boolean} the columns here are this view's, or an estimate of them */
  covered(view) {
    return (
      this.asked !== null && same(askFor(view, TIMES.has(this.info.x.kind), this.limits.columns_width), this.asked)
    );
  }

  /**
   * What the columns on the screen are an estimate of; null when they are exact.
   * @returns {import("../estimate.js").Summary|null}
   */
  estimate() {
    return this.estimated && { ...this.estimated, relative: null };
  }

  /**
   * Keeps the columns that answer a request, in place of those before.
   * @param {import("../../wire/columns.js").ColumnsMessage} message
   * @param {Asked} asked
   * @returns {number} milliseconds it took
   */
  add(message, asked) {
    const start = performance.now();
    const late = message.estimate && !this.estimated && this.asked && same(asked, this.asked);
    if (late) return 0;
    this.columns = message.columns;
    this.asked = asked;
    this.estimated = message.estimate ?? null;
    return performance.now() - start;
  }

  /**
   * The data have grown: columns of the window that was asked for last, or those after the ones that are here.
   * @param {import("../../wire/frames.js").LayerInfo} info
   * @param {import("../../wire/columns.js").ColumnsMessage|null} message null: they are still good
   * @throws {import("../../wire/frames.js").ProtocolError} when they come after others than are here
   */
  advance(info, message) {
    this.info = info;
    if (message) this.columns = joinKept(this.columns, message.columns);
  }

  /** @param {LineStyle} style */
  restyle(style) {
    this.style = style;
  }

  /**
   * Strokes the rows at hand where the view shows them; rows of one run are joined, a row alone is a dot.
   * @param {Context} context device pixels, (0, 0) the plot area's top left
   * @param {View} view
   * @param {number} [dpr] device pixels a CSS pixel
   */
  draw(context, view, dpr = 1) {
    const columns = this.columns && nearView(this.columns, view);
    if (!columns || columns.n === 0) return;
    const { color, width, opacity = 1, dash = [] } = this.style;
    context.save();
    context.strokeStyle = color;
    context.globalAlpha = opacity;
    context.lineWidth = width * dpr;
    context.lineJoin = "bevel";
    context.lineCap = "round";
    context.beginPath();
    if (dash.length === 0) trace(context, columns, transform(columns, view), (x, y) => dot(context, x, y));
    else {
      /** @type {[number, number][]} */ const dots = [];
      context.lineCap = "butt"; // round ends would fill short gaps
      context.setLineDash(dash.map((length) => length * dpr));
      trace(context, columns, transform(columns, view), (x, y) => dots.push([x, y]));
      context.stroke();
      context.lineCap = "round";
      context.setLineDash([]);
      context.beginPath();
      for (const [x, y] of dots) dot(context, x, y);
    }
    context.stroke();
    context.restore();
  }

  /**
   * The real row nearest to a pixel: of the rows in the nearest pixel column, the one nearest in y.
   * @param {View} view
   * @param {number} px
   * @param {number} py
   * @param {number} [reach] device pixels in x and y; any distance when absent
   * @returns {RowHit|null}
   */
  nearest(view, px, py, reach = Number.POSITIVE_INFINITY) {
    const columns = this.columns && nearView(this.columns, view);
    if (!this.columns || !columns || columns.n === 0) return null;
    const t = transform(columns, view);
    const across = (/** @type {number} */ k) => Math.abs((columns.x[k] - t.x0) * t.xunit * t.xscale - px);
    const after = firstFrom(columns.x, px / t.xscale / t.xunit + t.x0);
    const closest = Math.min(
      after < columns.n ? across(after) : Number.POSITIVE_INFINITY,
      after > 0 ? across(after - 1) : Number.POSITIVE_INFINITY,
    );
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    const look = (/** @type {number} */ k) => {
      const away = Math.abs(t.height - (columns.y[k] - t.y0) * t.yunit * t.yscale - py);
      if (!(away < least)) return;
      best = k;
      least = away;
    };
    for (let k = after; k < columns.n && across(k) <= closest + 1; k++) look(k);
    for (let k = after - 1; k >= 0 && across(k) <= closest + 1; k--) look(k);
    if (best < 0) return null;
    const hit = {
      row: columns.row[best],
      x: placeOf(this.columns, "x", best),
      y: placeOf(this.columns, "y", best),
      px: (columns.x[best] - t.x0) * t.xunit * t.xscale,
      py: t.height - (columns.y[best] - t.y0) * t.yunit * t.yscale,
    };
    const distance = Math.hypot(hit.px - px, hit.py - py);
    return Math.abs(hit.px - px) <= reach && Math.abs(hit.py - py) <= reach ? { ...hit, distance } : null;
  }

  /** @param {View} view @returns {boolean} there is a row to draw near it */
  shows(view) {
    return this.nearest(view, view.width / 2, view.height / 2) !== null;
  }

  /**
   * Lowest and highest y of the line within the view's x range: of its rows there, and where it crosses the range's
   * ends.
   * @param {View} view
   * @returns {{origin: bigint, low: number, high: number}|null} offsets from the origin; null without any line there
   */
  extent(view) {
    const columns = this.columns && nearView(this.columns, view);
    if (!columns) return null;
    const { n, x, y, run } = columns;
    const shift = Number(view.x.origin - columns.xorigin);
    const [lo, hi] = [view.x.lo + shift, view.x.hi + shift];
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const take = (/** @type {number} */ value) => {
      if (value < low) low = value;
      if (value > high) high = value;
    };
    for (let k = firstFrom(x, lo); k < n; k++) {
      const isJoined = k > 0 && run[k] === run[k - 1];
      for (const end of [lo, hi])
        if (isJoined && x[k - 1] < end && end < x[k])
          take(y[k - 1] + ((end - x[k - 1]) / (x[k] - x[k - 1])) * (y[k] - y[k - 1]));
      if (x[k] > hi) break;
      take(y[k]);
    }
    return low <= high ? { origin: columns.yorigin, low, high } : null;
  }
}

/** @param {View} view @param {boolean} times @param {number} most @returns {Asked} */
function askFor({ x, width }, times, most) {
  const columns = Math.min(most, Math.max(1, Math.round(width)));
  if (!x.exact) {
    // Columns narrower than a normal double cannot be told apart: what is that close to 0 is requested in wider ones.
    const more = Math.max(0, (columns * SHORTEST - length(x)) / 2);
    return { x0: x.lo - more, x1: x.hi + more, width: columns };
  }
  const cut = (/** @type {bigint} */ value) => (!times ? value : value > LAST ? LAST : value < -LAST ? -LAST : value);
  const start = cut(toBigInt(x.origin, Math.floor(x.lo)));
  const end = cut(toBigInt(x.origin, Math.ceil(x.hi)));
  return { x0: String(start), x1: String(end > start ? end : start + 1n), width: columns };
}

/** @param {Asked} a @param {Asked} b @returns {boolean} */
function same(a, b) {
  return a.x0 === b.x0 && a.x1 === b.x1 && a.width === b.width;
}

/** @param {Columns} columns @param {View} view @returns {Transform} */
export function transform({ xorigin, yorigin }, view) {
  const { x, y, width, height } = view;
  const [across, up] = [scaleOf(x, width), scaleOf(y, height)];
  return {
    x0: x.lo + Number(x.origin - xorigin),
    xunit: across.unit,
    xscale: across.scale,
    y0: y.lo + Number(y.origin - yorigin),
    yunit: up.unit,
    yscale: up.scale,
    height,
  };
}

/** @param {Context} context @param {number} x @param {number} y */
function dot(context, x, y) {
  context.moveTo(x - DOT, y);
  context.lineTo(x + DOT, y);
}

/**
 * @param {Context} context
 * @param {Columns} columns
 * @param {Transform} t
 * @param {(x: number, y: number) => void} alone draws a row between two gaps
 */
function trace(context, { n, x, y, run }, { x0, xunit, xscale, y0, yunit, yscale, height }, alone) {
  let [lastX, lastY, isAlone] = [0, 0, false];
  const end = () => {
    if (isAlone && Math.abs(lastX) <= FAR && Math.abs(lastY) <= FAR) alone(lastX, lastY);
  };
  for (let k = 0; k < n; k++) {
    const px = (x[k] - x0) * xunit * xscale;
    const py = height - (y[k] - y0) * yunit * yscale;
    const far = !(Math.abs(px) <= FAR && Math.abs(py) <= FAR);
    if (k === 0 || run[k] !== run[k - 1]) {
      end();
      isAlone = true;
      if (!far) context.moveTo(px, py);
    } else {
      isAlone = false;
      if (far || Math.abs(lastX) > FAR || Math.abs(lastY) > FAR) traceCut(context, lastX, lastY, px, py);
      else context.lineTo(px, py);
    }
    lastX = px;
    lastY = py;
  }
  end();
}

/**
 * The part of a segment within FAR of the screen, as a piece of its own.
 * @param {Context} context
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 */
function traceCut(context, ax, ay, bx, by) {
  const piece = cutSegment(ax, ay, bx, by, FAR);
  if (piece) {
    context.moveTo(piece[0], piece[1]);
    context.lineTo(piece[2], piece[3]);
  }
  if (Math.abs(bx) <= FAR && Math.abs(by) <= FAR) context.moveTo(bx, by);
}

/**
 * Liang and Barsky's clipping of a segment to the square |x|, |y| <= size.
 * @param {number} ax @param {number} ay @param {number} bx @param {number} by @param {number} size
 * @returns {[number, number, number, number]|null} null when nothing is inside
 */
export function cutSegment(ax, ay, bx, by, size) {
  const [dx, dy] = [bx - ax, by - ay];
  if (!Number.isFinite(dx) || !Number.isFinite(dy)) return null;
  let [from, to] = [0, 1];
  for (const [step, room] of [
    [-dx, ax + size],
    [dx, size - ax],
    [-dy, ay + size],
    [dy, size - ay],
  ]) {
    if (step === 0) {
      if (room < 0) return null;
      continue;
    }
    const t = room / step;
    if (step < 0) from = Math.max(from, t);
    else to = Math.min(to, t);
  }
  return from <= to ? [ax + from * dx, ay + from * dy, ax + to * dx, ay + to * dy] : null;
}
