// Shaded tiles as small canvases, for drawing while the view moves.

import { mixtureOf } from "../../render/category-mix.js";
import { planeNear } from "../../render/integer-origin.js";
import { paintMixed } from "../../render/shade.js";

/** @typedef {import("./tile-cache.js").Tile} Tile */
/** @typedef {import("../../render/shade.js").Shader} Shader */
/** @typedef {import("../pixels.js").CanvasFactory} CanvasFactory */
/** @typedef {import("../pixels.js").Surface} Surface */
/** @typedef {{surface: Surface, shader: Shader, scale: number}} Bitmap */

const TILE = 256;

/** Shaded tiles of one layer; canvases are reused when their tile has gone. */
export class Bitmaps {
  /** @param {CanvasFactory} createCanvas @param {number} [limit] canvases of 256 KiB kept */
  constructor(createCanvas, limit = 192) {
    this.createCanvas = createCanvas;
    this.limit = limit;
    /** Least recently used first.  @type {Map<Tile, Bitmap>} */ this.known = new Map();
    /** @type {ImageData|null} */ this.image = null;
  }

  /**
   * @param {Tile} tile @param {Shader} shader @param {number} scale multiplies values before shading
   * @param {Uint8Array|null} colors RGB of the categories, null for a single plane
   * @returns {Surface} 256 x 256 pixels
   */
  get(tile, shader, scale, colors) {
    let bitmap = this.known.get(tile);
    this.known.delete(tile);
    if (!bitmap) bitmap = { surface: this.surface(), shader, scale: Number.NaN };
    this.known.set(tile, bitmap);
    if (bitmap.shader !== shader || bitmap.scale !== scale) {
      this.paint(bitmap.surface, tile, shader, scale, colors);
      bitmap.shader = shader;
      bitmap.scale = scale;
    }
    return bitmap.surface;
  }

  /** @returns {Surface} a new canvas, or that of the tile not drawn for longest */
  surface() {
    if (this.known.size < this.limit) return this.createCanvas(TILE, TILE);
    const [oldest, bitmap] = /** @type {[Tile, Bitmap]} */ (this.known.entries().next().value);
    this.known.delete(oldest);
    return bitmap.surface;
  }

  /**
   * @param {Surface} surface
   * @param {Tile} tile
   * @param {Shader} shader
   * @param {number} scale
   * @param {Uint8Array|null} colors
   */
  paint(surface, tile, shader, scale, colors) {
    const context = surface.getContext("2d");
    this.image ??= /** @type {ImageData} */ (context.createImageData(TILE, TILE));
    const out = new Uint32Array(this.image.data.buffer);
    const plane = planeNear(tile, shader.norm.origin);
    if (colors) {
      const { mixed, totals, counts } = mixtureOf(tile, colors);
      paintMixed(mixed, totals, counts, shader.norm, out, scale);
    } else if (plane.filled === 0) out.fill(0);
    else if (!plane.data) out.fill(shader.scaled(plane.constant, scale));
    else shader.paint(plane.data, plane.counts, plane.high, out, scale);
    context.putImageData(this.image, 0, 0);
  }

  clear() {
    this.known.clear();
  }
}
