// Marks of one colour, shape and size, drawn as copies of one picture: they overlap as shapes on a canvas do. Unlike
// ink, whose time is that of all their pixels, it takes the time of so many copies.

import { phaseOf, stampOf } from "../../render/marks.js";

/** @typedef {import("../../types.js").Shape} Shape */
/** @typedef {import("../pixels.js").Context} Context */
/** @typedef {import("../pixels.js").Surface} Surface */
/** radius: device pixels; color: a pixel, whose alpha is ignored.
 * @typedef {Readonly<{radius: number, shape: Shape, color: number, opacity: number}>} Mark */

export class MarkSprites {
  /** @param {import("../pixels.js").CanvasFactory} createCanvas */
  constructor(createCanvas) {
    this.createCanvas = createCanvas;
    /** What the pictures are of. */ this.key = "";
    /** By where the centre lies in its pixel.  @type {(Surface|undefined)[]} */ this.sprites = [];
    /** From a picture's edge to the pixel with its centre. */ this.reach = 0;
  }

  /**
   * @param {Context} context
   * @param {import("../../render/marks.js").Placed} marks in the order in which they are drawn
   * @param {Mark} mark
   * @param {{width: number, height: number}} view device pixels
   */
  draw(context, { n, px, py }, mark, { width, height }) {
    this.#take(mark);
    const { sprites, reach } = this;
    context.save();
    context.globalAlpha = mark.opacity;
    for (let k = 0; k < n; k++) {
      const [x, y] = [px[k], py[k]];
      if (!(x > -reach && x < width + reach && y > -reach && y < height + reach)) continue;
      const [column, row] = [Math.floor(x), Math.floor(y)];
      const phase = phaseOf(x - column, y - row, mark.radius);
      sprites[phase.number] ??= this.#sprite(mark, phase);
      const sprite = /** @type {OffscreenCanvas} */ (sprites[phase.number]);
      context.drawImage(sprite, column - reach, row - reach);
    }
    context.restore();
  }

  /** Forgets pictures of other marks.  @param {Mark} mark */
  #take({ radius, shape, color }) {
    const key = `${radius} ${shape} ${color}`;
    if (key === this.key) return;
    this.key = key;
    this.sprites = [];
    const { dx, dy } = stampOf(radius, 0.5, 0.5, false, shape);
    this.reach = 1 + [...dx, ...dy].reduce((most, d) => Math.max(most, Math.abs(d)), 0);
  }

  /** @param {Mark} mark @param {import("../../render/marks.js").Phase} phase @returns {Surface} */
  #sprite({ radius, shape, color }, { fx, fy }) {
    const { reach } = this;
    const size = 2 * reach + 1;
    const sprite = this.createCanvas(size, size);
    const context = sprite.getContext("2d");
    const image = context.createImageData(size, size);
    const out = new Uint32Array(image.data.buffer);
    const { dx, dy, alpha } = stampOf(radius, fx, fy, false, shape);
    for (let p = 0; p < dx.length; p++) {
      const [x, y] = [reach + dx[p], reach + dy[p]];
      if (x >= 0 && x < size && y >= 0 && y < size) out[y * size + x] = ((color & 0xffffff) | (alpha[p] << 24)) >>> 0;
    }
    context.putImageData(image, 0, 0);
    return sprite;
  }
}
