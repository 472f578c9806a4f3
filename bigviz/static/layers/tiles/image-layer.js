// An exact image of one view, for views deeper than the last level of tiles whose rows are many.

import { fractionOf, length } from "../../geometry/span.js";
import { boxOf, holds } from "../../geometry/window.js";
import { originOf } from "../../render/integer-origin.js";
import { Norm } from "../../render/norm.js";
import { GLASBEY } from "../../render/palette.js";
import { Picture } from "../../render/picture.js";
import { mapAxis } from "../../render/resample.js";
import { Shader } from "../../render/shade.js";
import { decodePlane } from "../../wire/codec.js";
import { check } from "../../wire/frames.js";
import { BLOCK } from "../../wire/images.js";
import { valuesAt } from "../cell-hit.js";
import { Pixels } from "../pixels.js";

/** @typedef {import("../../geometry/span.js").Span} Span */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../geometry/window.js").Box} Box */
/** @typedef {import("../../render/category-mix.js").Mixable} Mixable */
/** @typedef {import("../../render/shade.js").RasterStyle} RasterStyle */
/** @typedef {import("../../wire/images.js").Image} Image */
/** @typedef {import("../pixels.js").Context} Context */
/** `read` rows were looked at for it; blocks of 256 x 256 cells, from the top left.
 * @typedef {{box: Box, width: number, height: number, read: number, blocks: Mixable[][]}} Decoded */

/**
 * How much larger or smaller than pixels its cells may be where it is drawn, as a saved picture of another size wants.
 */
const LOOSE = 3;
const NO_TILE = { zx: 0, zy: 0, i: 0, j: 0 };

export class ImageLayer {
  /**
   * @param {{facts: import("../cell-facts.js").CellFacts, style: RasterStyle, createCanvas:
   *   import("../pixels.js").CanvasFactory}} o
   */
  constructor({ facts, style, createCanvas }) {
    this.facts = facts;
    this.style = style;
    /** @type {Decoded|null} */ this.image = null;
    /** What the pixels show.  @type {Picture|null} */ this.picture = null;
    /** Of what the last view at rest showed.  @type {import("../../render/distribution.js").Distribution|null} */
    this.distribution = null;
    this.pixels = new Pixels(createCanvas);
    /** @type {Shader|null} */ this.shader = null;
  }

  /**
   * The image is of this view's window, and has its pixels.
   * @param {View} view
   * @param {number} [slack] how much larger or smaller its cells may be
   * @returns {boolean}
   */
  fits(view, slack = 1e-6) {
    const { image } = this;
    if (!image || !holds(image.box, view)) return false;
    const near = (
      /** @type {Span} */ whole,
      /** @type {number} */ cells,
      /** @type {Span} */ s,
      /** @type {number} */ pixels,
    ) => {
      const ratio = length(whole) / cells / (length(s) / pixels);
      return ratio <= 1 + slack && ratio >= 1 / (1 + slack);
    };
    return near(image.box.x, image.width, view.x, view.width) && near(image.box.y, image.height, view.y, view.height);
  }

  /** The image can be drawn as the picture of a view at rest.  @param {View} view @returns {boolean} */
  serves(view) {
    return this.fits(view, LOOSE);
  }

  /**
   * @param {Image} image in place of the one before
   * @throws {import("../../wire/frames.js").ProtocolError} when a plane does not decode
   */
  add({ window, width, height, total, read, planes }) {
    check(total === (this.facts.planes?.length ?? 1), `an image of ${total} planes`);
    const across = Math.ceil(width / BLOCK);
    /** @type {Mixable[]} */ const blocks = [];
    for (let first = 0; first < planes.length; first += total) {
      const decoded = planes.slice(first, first + total).map((plane) => decodePlane(plane, this.facts.traits.counts));
      blocks.push({ planes: decoded, mixture: null, set: null });
    }
    const rows = [];
    for (let k = 0; k < blocks.length; k += across) rows.push(blocks.slice(k, k + across));
    this.image = { box: boxOf(window, this.facts.exact), width, height, read, blocks: rows };
    this.picture = null;
  }

  clear() {
    this.image = null;
    this.picture = null;
  }

  /** Of what was drawn last at rest; null while nothing is visible.  @returns {Norm|null} */
  get norm() {
    return this.distribution?.cells && this.shader ? this.shader.norm : null;
  }

  /** New colours or normalisation.  @param {RasterStyle} style */
  restyle(style) {
    if (style.colors !== this.style.colors) this.picture = null;
    this.style = style;
    this.reshade();
  }

  reshade() {
    const { how, low, high, lut } = this.style;
    this.shader = this.distribution?.cells ? new Shader(new Norm(this.distribution, how, low, high), lut) : null;
  }

  /** Draws the exact picture of a view that the image serves.  @param {Context} context @param {View} view */
  settle(context, view) {
    if (!this.picture?.view.equals(view)) {
      this.picture = this.resample(view);
      this.distribution = this.picture.distribution;
      this.reshade();
    }
    this.pixels.fit(view);
    if (this.shader) this.picture.paint(this.shader, this.pixels.out);
    else this.pixels.out.fill(0);
    this.pixels.put();
    this.pixels.draw(context);
  }

  /** Draws the picture of the last view at rest, while the view moves.  @param {Context} context @param {View} view */
  compose(context, view) {
    const old = this.picture?.view;
    const { surface } = this.pixels;
    if (!old || !surface) return;
    const [left, right] = [view.px(old.x.origin, old.x.lo), view.px(old.x.origin, old.x.hi)];
    const [top, bottom] = [view.py(old.y.origin, old.y.hi), view.py(old.y.origin, old.y.lo)];
    if (right - left > 64 * view.width || bottom - top > 64 * view.height) return;
    context.save();
    context.imageSmoothingEnabled = false;
    const canvas = /** @type {OffscreenCanvas} */ (surface);
    context.drawImage(
      canvas,
      0,
      0,
      canvas.width,
      canvas.height,
      Math.round(left),
      Math.round(top),
      Math.round(right - left),
      Math.round(bottom - top),
    );
    context.restore();
  }

  /** @param {View} view @returns {Picture} of the image's cells */
  resample(view) {
    const { box, width, height, blocks } = /** @type {Decoded} */ (this.image);
    const [left, right] = [view.px(box.x.origin, box.x.lo), view.px(box.x.origin, box.x.hi)];
    const [top, bottom] = [view.py(box.y.origin, box.y.hi), view.py(box.y.origin, box.y.lo)];
    const [columns, lines] = [Math.ceil(width / BLOCK), Math.ceil(height / BLOCK)];
    const source = {
      x: mapAxis(left, ((right - left) / width) * BLOCK, columns, view.width),
      y: mapAxis(top, ((bottom - top) / height) * BLOCK, lines, view.height),
      window: { zx: 0, zy: 0, i0: 0, i1: columns - 1, j0: 0, j1: lines - 1 },
      tile: (/** @type {number} */ i, /** @type {number} */ j) => blocks[j][i],
    };
    const one = { x: 1, y: 1 };
    const origin = this.facts.movable
      ? originOf(
          blocks.flatMap((row) => row.map((block) => block.planes[0])),
          this.distribution?.origin,
        )
      : 0n;
    return this.facts.planes
      ? Picture.ofCategories(view, source, this.style.colors ?? GLASBEY, one, this.facts.traits)
      : Picture.ofPlane(view, source, this.facts.rule, one, origin);
  }

  /**
   * The cell of the image under a pixel.
   * @param {View} view @param {number} px @param {number} py @returns {import("../cell-hit.js").Hit|null} null outside
   */
  valueAt(view, px, py) {
    const { image } = this;
    if (!image) return null;
    const { box, width, height, blocks } = image;
    const column = Math.floor(fractionOf(box.x, view.x.origin, view.xAt(px)) * width);
    const row = Math.floor((1 - fractionOf(box.y, view.y.origin, view.yAt(py))) * height);
    if (column < 0 || row < 0 || column >= width || row >= height) return null;
    const tile = blocks[Math.floor(row / BLOCK)][Math.floor(column / BLOCK)];
    const cell = (row % BLOCK) * BLOCK + (column % BLOCK);
    const [x, y] = [view.xAt(px), view.yAt(py)];
    return {
      key: NO_TILE,
      column: column % BLOCK,
      row: row % BLOCK,
      x: [x, x],
      y: [y, y],
      exact: true,
      estimated: false,
      ...valuesAt(tile.planes, cell, this.facts, this.style.colors),
    };
  }
}
