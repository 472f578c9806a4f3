// A canvas for node: images, nearest-neighbour drawImage, and rectangular even-odd clips; enough to see what a layer
// draws.

class Context {
  /** @param {FakeCanvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.imageSmoothingEnabled = true;
    /** @type {number[][]} */ this.rects = [];
    /** @type {number[][]|null} */ this.clipped = null;
    /** @type {(number[][]|null)[]} */ this.saved = [];
    /** Calls of path functions, for tests of strokes.  @type {(string|number)[][]} */ this.calls = [];
    this.drawn = 0;
  }

  /** @param {number} width @param {number} height */
  createImageData(width, height) {
    return { width, height, data: new Uint8ClampedArray(4 * width * height) };
  }

  /** @param {{width: number, height: number, data: Uint8ClampedArray}} image */
  putImageData(image) {
    this.canvas.pixels.set(new Uint32Array(image.data.buffer));
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  clearRect(x, y, width, height) {
    for (let row = y; row < y + height; row++)
      this.canvas.pixels.fill(0, row * this.canvas.width + x, row * this.canvas.width + x + width);
  }

  save() {
    this.saved.push(this.clipped);
  }

  restore() {
    this.clipped = this.saved.pop() ?? null;
  }

  beginPath() {
    this.rects = [];
    this.calls.push(["beginPath"]);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  rect(x, y, width, height) {
    this.rects.push([x, y, x + width, y + height]);
  }

  clip() {
    this.clipped = this.rects;
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.calls.push(["moveTo", x, y]);
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.calls.push(["lineTo", x, y]);
  }

  stroke() {
    this.calls.push(["stroke"]);
  }

  /** @param {number[]} lengths */
  setLineDash(lengths) {
    this.calls.push(["setLineDash", ...lengths]);
  }

  /** @param {FakeCanvas} source @param {number[]} a */
  drawImage(source, ...a) {
    this.drawn++;
    const [sx, sy, sw, sh, x, y, w, h] =
      a.length === 2 ? [0, 0, source.width, source.height, a[0], a[1], source.width, source.height] : a;
    const { width, height, pixels } = this.canvas;
    for (let py = Math.max(0, y); py < Math.min(height, y + h); py++) {
      for (let px = Math.max(0, x); px < Math.min(width, x + w); px++) {
        const inside = this.clipped?.filter(([l, t, r, b]) => px >= l && px < r && py >= t && py < b).length ?? 1;
        if (inside % 2 === 0) continue;
        const column = Math.floor(sx + ((px + 0.5 - x) / w) * sw);
        const row = Math.floor(sy + ((py + 0.5 - y) / h) * sh);
        const pixel = source.pixels[row * source.width + column];
        if (pixel >>> 24) pixels[py * width + px] = pixel;
      }
    }
  }
}

export class FakeCanvas {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height);
    this.context = new Context(this);
  }

  getContext() {
    return this.context;
  }
}

/** @param {number} width @param {number} height @returns {any} */
export const createCanvas = (width, height) => new FakeCanvas(width, height);
