// What a layer of tiles shows where its rows are few: the rows themselves; and deeper than the last level, where they are many: an
// exact image of the view. Rows stay in data space, so they follow any view until those of that view arrive.

import { Distribution } from "../render/distribution.js";
import { Ink, OUTLINED, radiusFor } from "../render/marks.js";
import { Norm } from "../render/norm.js";
import { GLASBEY } from "../render/palette.js";
import { Picture } from "../render/picture.js";
import { cellOf, decodePlane } from "../wire/codec.js";
import { check } from "../wire/frames.js";
import { mapAxis } from "../render/resample.js";
import { BLOCK } from "../wire/images.js";
import { nearestRow, placeRows } from "./row-places.js";
import { isExact } from "../axes/axis.js";
import { Shader } from "../render/shade.js";
import { fractionOf, length, spanOf } from "../geometry/span.js";
import { ends, holds, inside, nameOf } from "../geometry/window.js";

/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../geometry/span.js").Span} Span */
/** @typedef {import("../wire/rows.js").Rows} Rows */
/** @typedef {import("./tile-layer.js").Context} Context */
/** @typedef {import("../geometry/window.js").Asked} Asked */
/** @typedef {import("../geometry/window.js").Box} Box */
/** @typedef {import("./row-places.js").MarkHit} MarkHit */

const MOST_SIDE = 16_384;
/** Rows of so many coordinates are sent as tiles: cells that are filled are at least as many coordinates. */
const MOST_MARKS = 50_000;
/** Rows that are read for an image without a word: more take longer than a tile may. */
const MOST_READ = 2 ** 20;
/** Windows remembered as answered by tiles. */
const REMEMBERED = 32;
/** Marks change their size only by more than this, so that a pan does not make them flicker. */
const STEADY = 1.25;
const TIMES = new Set(["timestamp", "date", "time", "duration"]);

export class Deep {
  /** @param {import("./tile-layer.js").RasterLayer} layer */
  constructor(layer) {
    this.layer = layer;
    const { info, definition } = layer;
    this.exact = { x: isExact(info.x.kind, definition.xaxis), y: isExact(info.y.kind, definition.yaxis) };
    /** @type {Rows|null} */ this.rows = null;
    /** Where the rows are all rows; null: everywhere.  @type {Box|null} */ this.box = null;
    /** @type {{box: Box, width: number, height: number, read: number, blocks: import("./tile-cache.js").Tile[][]}|null} */ this.image = null;
    /** Ends of windows that hold more rows than are sent.  @type {Map<string, Box>} */ this.many = new Map();
    /** @type {{view: View, many: boolean}|null} */ this.counted = null;
    /** @type {Ink|null} */ this.ink = null;
    /** @type {import("./tile-bitmaps.js").Surface|null} */ this.canvas = null;
    /** @type {ImageData|null} */ this.pixels = null;
    /** What the ink shows, and whether the colours were found for it; without a view the canvas shows something else.
     * @type {{view: View|null, rows: Rows|null, radius: number, shader: Shader|null, rested: boolean}} */
    this.inked = { view: null, rows: null, radius: 0, shader: null, rested: false };
    this.radius = 0;
    /** Of the visible marks, or of the image, of the last view at rest.  @type {Distribution|null} */ this.distribution = null;
    /** @type {Shader|null} */ this.shader = null;
    /** @type {Picture|null} */ this.picture = null;
  }

  // What is here, and what is to be asked for.

  /** Rows are here for all that a view shows.  @param {View} view @returns {boolean} */
  covers(view) {
    return this.rows !== null && (this.box === null || holds(this.box, view));
  }

  /** The image here is of this view's window, and of its pixels.  @param {View} view @param {number} [slack] how much larger or smaller its cells may be @returns {boolean} */
  fits(view, slack = 1e-6) {
    const { image } = this;
    if (!image || !holds(image.box, view)) return false;
    const near = (/** @type {Span} */ whole, /** @type {number} */ cells, /** @type {Span} */ s, /** @type {number} */ pixels) => {
      const ratio = length(whole) / cells / (length(s) / pixels);
      return ratio <= 1 + slack && ratio >= 1 / (1 + slack);
    };
    return near(image.box.x, image.width, view.x, view.width) && near(image.box.y, image.height, view.y, view.height);
  }

  /** @param {View} view @returns {boolean} nothing but rows (or an image) is needed for it, and they are here */
  complete(view) {
    return this.covers(view) || this.fits(view);
  }

  /** Its tiles are the answer to what a view shows, as far as is known.  @param {View} view @returns {boolean} */
  isTiled(view) {
    if (this.layer.definition.glyph !== "points" || !this.shows(view)) return true;
    if (this.many.has(nameOf(this.asked(view)))) return true;
    if (this.deeper(view)) return false;
    for (const box of this.many.values()) if (inside(box, view)) return true;
    if (this.counted?.view !== view) this.counted = { view, many: this.layer.filledCells(view, MOST_MARKS) > MOST_MARKS };
    return this.counted.many;
  }

  /** The server answered with tiles though a pixel is smaller than their smallest cell: an image would have been too large.
   * @param {View} view @returns {boolean} */
  coarse(view) {
    return !this.complete(view) && this.deeper(view) && this.many.has(nameOf(this.asked(view)));
  }

  /** How many rows were read for the image of a view, where an index could not tell them apart from those outside and they are many.
   * @param {View} view @returns {number} 0 where it is not so */
  crowd(view) {
    const { image, layer } = this;
    return image && this.fits(view) && image.read > MOST_READ && layer.info.index !== "none" ? image.read : 0;
  }

  /** What to ask the server for; null where that is known or here.  @param {View} view @returns {Asked|null} */
  request(view) {
    return this.complete(view) || this.isTiled(view) ? null : this.asked(view);
  }

  /** @param {View} view @returns {boolean} it shows some of the root */
  shows(view) {
    return this.layer.grid.window(view, this.layer.grid.level(view)) !== null;
  }

  /** The level whose cells are nearest to a pixel lies beyond the last one.  @param {View} view @returns {boolean} */
  deeper(view) {
    const { x, y } = this.layer.grid;
    return x.nominalLevel(view.x, view.width) > 24 || y.nominalLevel(view.y, view.height) > 24;
  }

  /** @param {View} view @returns {Asked} */
  asked(view) {
    const { info } = this.layer;
    const [x0, x1] = ends(view.x, this.exact.x, TIMES.has(info.x.kind));
    const [y0, y1] = ends(view.y, this.exact.y, TIMES.has(info.y.kind));
    const side = (/** @type {number} */ pixels) => Math.min(MOST_SIDE, Math.max(1, Math.round(pixels)));
    return { x0, x1, y0, y1, width: side(view.width), height: side(view.height) };
  }

  // What arrives.

  /** @param {Rows} rows @returns {number} milliseconds */
  addRows(rows) {
    const start = performance.now();
    const { info } = this.layer;
    const planes = info.planes?.length ?? 0;
    check((rows.code !== null) === (info.planes !== null), `rows ${rows.code ? "with" : "without"} categories`);
    check(rows.code === null || rows.code.every((code) => code >= 0 && code < planes), "rows of categories that the layer has not");
    this.rows = rows;
    this.box = rows.window && this.boxOf(rows.window);
    this.image = null;
    this.picture = null;
    return performance.now() - start;
  }

  /** @param {import("../wire/images.js").Image} image @returns {number} milliseconds */
  addImage({ window, width, height, total, read, planes }) {
    const start = performance.now();
    check(total === (this.layer.info.planes?.length ?? 1), `an image of ${total} planes`);
    const across = Math.ceil(width / BLOCK);
    const blocks = [];
    for (let first = 0; first < planes.length; first += total) {
      const decoded = planes.slice(first, first + total).map((plane) => decodePlane(plane, this.layer.counts));
      blocks.push({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: decoded, bytes: 0, set: /** @type {any} */ ({ weigh() {} }), mixture: null, estimate: null });
    }
    const rows = [];
    for (let k = 0; k < blocks.length; k += across) rows.push(blocks.slice(k, k + across));
    this.image = { box: this.boxOf(window), width, height, read, blocks: rows };
    this.rows = null;
    this.picture = null;
    return performance.now() - start;
  }

  /** A request was answered by tiles alone.  @param {Asked} asked */
  tiled(asked) {
    const box = this.boxOf([asked.x0, asked.x1, asked.y0, asked.y1]);
    this.many.set(nameOf(asked), box);
    for (const name of this.many.keys()) if (this.many.size > REMEMBERED) this.many.delete(name);
  }

  /** @param {import("../wire/rows.js").Ends} window @returns {Box} */
  boxOf([x0, x1, y0, y1]) {
    const [x, y] = [spanOf(x0, x1, this.exact.x), spanOf(y0, y1, this.exact.y)];
    check(x !== null && y !== null, `a window of ${x0}, ${x1}, ${y0}, ${y1}`);
    return { x, y };
  }

  // Drawing.

  /** Of what was drawn last at rest.  @returns {Norm|null} null while nothing is visible */
  get norm() {
    return this.distribution?.cells && this.shader ? this.shader.norm : null;
  }

  /** Colours or normalisation changed. */
  reshade() {
    const { how, low, high, lut } = this.layer.style;
    this.shader = this.distribution?.cells ? new Shader(new Norm(this.distribution, how, low, high), lut) : null;
  }

  /** @param {boolean} recolor categories have other colours */
  restyle(recolor) {
    this.reshade();
    if (!recolor) return;
    this.picture = null;
    this.inked.rows = null;
    for (const tile of this.image?.blocks.flat() ?? []) tile.mixture = null;
  }

  /**
   * The exact picture of a view.
   * @param {Context} context @param {View} view @param {number} dpr @returns {boolean} false, and nothing drawn, where neither rows
   * nor an image of it are here (one of other pixels, as a saved picture wants, does)
   */
  settle(context, view, dpr) {
    if (this.covers(view)) {
      this.draw(context, view, dpr, true);
      return true;
    }
    if (!this.fits(view, 3)) return false;
    if (!this.picture?.view.equals(view)) {
      this.picture = this.resample(view);
      this.distribution = this.picture.distribution;
      this.reshade();
    }
    context.drawImage(/** @type {OffscreenCanvas} */ (this.paintImage(this.picture)), 0, 0);
    return true;
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

  /** What is here of a view, while it moves or loads.  @param {Context} context @param {View} view @param {number} dpr */
  compose(context, view, dpr) {
    if (this.rows) this.draw(context, view, dpr, false);
    const old = this.picture?.view;
    if (this.rows || !this.image || !this.canvas || !old) return;
    const [left, right] = [view.px(old.x.origin, old.x.lo), view.px(old.x.origin, old.x.hi)];
    const [top, bottom] = [view.py(old.y.origin, old.y.hi), view.py(old.y.origin, old.y.lo)];
    if (right - left > 64 * view.width || bottom - top > 64 * view.height) return;
    context.save();
    context.imageSmoothingEnabled = false;
    const canvas = /** @type {OffscreenCanvas} */ (this.canvas);
    context.drawImage(canvas, 0, 0, canvas.width, canvas.height, Math.round(left), Math.round(top), Math.round(right - left), Math.round(bottom - top));
    context.restore();
  }

  /**
   * The rows at hand in a view that shows more, or while it moves.
   * @param {Context} context @param {View} view @param {number} dpr @param {boolean} rest new colours are found, as for a view at rest
   */
  draw(context, view, dpr, rest) {
    const { rows, layer } = this;
    if (!rows) return;
    const placed = placeRows(rows, view, layer.colors ?? GLASBEY);
    const ideal = radiusFor(placed.visible, (view.width * view.height) / (dpr * dpr)) * dpr;
    if (!(ideal < this.radius * STEADY && ideal > this.radius / STEADY)) this.radius = ideal;
    const surface = this.surface(view);
    const out = new Uint32Array(/** @type {ImageData} */ (this.pixels).data.buffer);
    const ink = /** @type {Ink} */ (this.ink);
    const { inked, radius } = this;
    if (!inked.view?.equals(view) || inked.rows !== rows || inked.radius !== radius) {
      if (inked.view) ink.wipe(out);
      else out.fill(0);
      ink.clear();
      ink.draw(placed, radius, layer.definition.agg === "any" ? "any" : layer.rule, radius >= OUTLINED * dpr);
      this.inked = { view, rows, radius, shader: null, rested: false };
    }
    if (!this.distribution || (rest && !this.inked.rested)) {
      this.distribution = new Distribution(ink.cores, layer.counts);
      this.reshade();
      this.inked.rested = true;
    }
    if (this.inked.shader !== this.shader) {
      ink.paint(out, rows.code ? null : this.shader, layer.style.dark ?? true);
      surface.getContext("2d").putImageData(this.pixels, 0, 0);
      this.inked.shader = this.shader;
    }
    context.drawImage(/** @type {OffscreenCanvas} */ (surface), 0, 0);
  }

  /** @param {View} view @returns {import("./tile-bitmaps.js").Surface} of the view's size, with ink and pixels of the same */
  surface({ width, height }) {
    if (!this.canvas || this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas = this.layer.createCanvas(width, height);
      this.pixels = /** @type {ImageData} */ (this.canvas.getContext("2d").createImageData(width, height));
      this.ink = new Ink(width, height);
      this.inked.view = null;
    }
    return this.canvas;
  }

  /** @param {View} view @returns {Picture} of the image's cells */
  resample(view) {
    const { box, width, height, blocks } = /** @type {NonNullable<Deep["image"]>} */ (this.image);
    const [left, right] = [view.px(box.x.origin, box.x.lo), view.px(box.x.origin, box.x.hi)];
    const [top, bottom] = [view.py(box.y.origin, box.y.hi), view.py(box.y.origin, box.y.lo)];
    const [columns, lines] = [Math.ceil(width / BLOCK), Math.ceil(height / BLOCK)];
    const source = {
      x: mapAxis(left, ((right - left) / width) * BLOCK, columns, view.width),
      y: mapAxis(top, ((bottom - top) / height) * BLOCK, lines, view.height),
      window: { zx: 0, zy: 0, i0: 0, i1: columns - 1, j0: 0, j1: lines - 1 },
      tile: (/** @type {number} */ i, /** @type {number} */ j) => blocks[j][i],
    };
    const { layer } = this;
    const one = { x: 1, y: 1 };
    return layer.info.planes ? Picture.ofCategories(view, source, layer.colors ?? GLASBEY, one) : Picture.ofPlane(view, source, layer.rule, one);
  }

  /** @param {Picture} picture @returns {import("./tile-bitmaps.js").Surface} */
  paintImage(picture) {
    const surface = this.surface(picture.view);
    const pixels = /** @type {ImageData} */ (this.pixels);
    const out = new Uint32Array(pixels.data.buffer);
    if (this.shader) picture.paint(this.shader, out);
    else out.fill(0);
    surface.getContext("2d").putImageData(pixels, 0, 0);
    this.inked.view = null;
    return surface;
  }

  // The pointer.

  /**
   * The mark nearest to a pixel.
   * @param {View} view @param {number} px @param {number} py @param {number} reach device pixels @returns {MarkHit|null}
   */
  nearest(view, px, py, reach) {
    return this.rows && nearestRow(this.rows, view, px, py, reach, this.layer.info.planes ?? null);
  }

  /**
   * The cell of the image under a pixel.
   * @param {View} view @param {number} px @param {number} py @returns {import("./tile-layer.js").Hit|null} null over rows, which are told one by one
   */
  valueAt(view, px, py) {
    const { image } = this;
    if (!image || this.rows) return null;
    const { box, width, height, blocks } = image;
    const column = Math.floor(fractionOf(box.x, view.x.origin, view.xAt(px)) * width);
    const row = Math.floor((1 - fractionOf(box.y, view.y.origin, view.yAt(py))) * height);
    if (column < 0 || row < 0 || column >= width || row >= height) return null;
    const tile = blocks[Math.floor(row / BLOCK)][Math.floor(column / BLOCK)];
    const cell = (row % BLOCK) * BLOCK + (column % BLOCK);
    const values = tile.planes.map((plane) => cellOf(plane, cell));
    const labels = this.layer.info.planes;
    const planes = labels && values.flatMap((value, k) => (value === null ? [] : [{ label: labels[k], value }]));
    const total = planes?.length ? planes.reduce((sum, { value }) => sum + Number(value), 0) : null;
    const [x, y] = [view.xAt(px), view.yAt(py)];
    return { key: tile.key, column: column % BLOCK, row: row % BLOCK, x: [x, x], y: [y, y], exact: true, planes, value: labels ? total : values[0] };
  }

}
