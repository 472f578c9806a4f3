// Canvases that layers make for themselves, and one that is filled pixel by pixel.

/** @typedef {import("../axes/draw.js").Context} Context */
/** A canvas to draw on: an OffscreenCanvas in the page, a stand-in in tests.
 * @typedef {{width: number, height: number, getContext: (kind: "2d") => any}} Surface */
/** @typedef {(width: number, height: number) => Surface} CanvasFactory */

/** @type {CanvasFactory} */
export const offscreen = (width, height) => new OffscreenCanvas(width, height);

export class Pixels {
  /** @param {CanvasFactory} createCanvas */
  constructor(createCanvas) {
    this.createCanvas = createCanvas;
    /** @type {Surface|null} */ this.surface = null;
    /** @type {ImageData|null} */ this.image = null;
    /** What `put` will show: R, G, B, A in memory. */ this.out = new Uint32Array(0);
  }

  /**
   * Takes a size.
   * @param {{width: number, height: number}} size
   * @returns {boolean} it had another one, and is blank now
   */
  fit({ width, height }) {
    if (this.surface?.width === width && this.surface.height === height) return false;
    this.surface = this.createCanvas(width, height);
    this.image = /** @type {ImageData} */ (this.surface.getContext("2d").createImageData(width, height));
    this.out = new Uint32Array(this.image.data.buffer);
    return true;
  }

  /** Shows what `out` holds. */
  put() {
    this.surface?.getContext("2d").putImageData(this.image, 0, 0);
  }

  /** Draws the canvas, as last put.  @param {Context} context @param {number} [x] @param {number} [y] */
  draw(context, x = 0, y = 0) {
    if (this.surface) context.drawImage(/** @type {OffscreenCanvas} */ (this.surface), x, y);
  }
}
