// Rows drawn as round marks. Marks that overlap combine by the layer's own rule (counts add up, means are averaged, categories are
// mixed), so a picture of rows keeps what the picture of cells told: where they are dense. Drawn into typed arrays, since the
// colour of a pixel follows from all marks on it; only the pixels touched are looked at again.

import { blend } from "./mixture.js";

/** @typedef {import("./resample.js").Rule|"any"} Rule */
/** Places on the screen in device pixels, with what each mark shows: a value, and under `by` a category's pixel colour and weight.
 * @typedef {{n: number, px: Float64Array, py: Float64Array, values: ArrayLike<number>, colors: Uint32Array|null}} Placed */
/** Offsets of a disc's pixels from the one that holds its centre; the first `core` are at least half covered, the last of them, from
 * `edge` on, are its outline.
 * @typedef {{dx: Int8Array, dy: Int8Array, alpha: Uint8Array, core: number, edge: number}} Stamp */

/** Radii of marks in CSS pixels: few ones are easy to see and to point at, many leave room for each other. */
export const LARGEST = 4;
export const SMALLEST = 1;
/** The share of the plot that marks would cover without overlapping. */
const COVERED = 0.2;
/** From this radius on (CSS pixels) marks have an outline, so that each is seen over others and on any ground. */
export const OUTLINED = 2;
/** How much of the outline's colour is mixed into a mark's own. */
const OUTLINE = 0.35;
/** Positions within a pixel that are told apart, on each axis; small marks are kept crisp on whole pixels instead. */
const PHASES = 4;
const CRISP = 2;

/** @param {number} marks on the screen @param {number} area of the plot in CSS pixels @returns {number} CSS pixels */
export function radiusFor(marks, area) {
  return Math.min(LARGEST, Math.max(SMALLEST, Math.sqrt((COVERED * area) / (Math.PI * Math.max(1, marks)))));
}

/** @type {Map<string, Stamp>} */
const stamps = new Map();

/** @param {number} radius device pixels @param {number} fx @param {number} fy where the centre lies in its pixel, 0..1 @param {boolean} [outlined] @returns {Stamp} */
export function stampOf(radius, fx, fy, outlined = false) {
  const size = Math.round(radius * 4) / 4;
  const name = `${size} ${fx} ${fy} ${outlined}`;
  let stamp = stamps.get(name);
  if (!stamp) {
    stamp = disc(size, fx, fy, outlined);
    if (stamps.size > 512) stamps.clear();
    stamps.set(name, stamp);
  }
  return stamp;
}

/** @param {number} radius @param {number} fx @param {number} fy @param {boolean} outlined @returns {Stamp} */
function disc(radius, fx, fy, outlined) {
  const reach = Math.ceil(radius + 1);
  const found = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const covered = radius + 0.5 - Math.hypot(dx + 0.5 - fx, dy + 0.5 - fy);
      if (covered > 0.05) found.push({ dx, dy, covered, alpha: Math.round(Math.min(1, covered) * 255) });
    }
  }
  found.sort((a, b) => b.covered - a.covered);
  const core = found.filter((p) => p.alpha >= 128).length;
  return {
    dx: Int8Array.from(found, (p) => p.dx),
    dy: Int8Array.from(found, (p) => p.dy),
    alpha: Uint8Array.from(found, (p) => p.alpha),
    core,
    edge: !outlined ? core : found.filter((p) => p.covered >= 1 + radius / 12).length,
  };
}

/** The pixels that marks cover: where they are, their values, how far they are covered, and under `by` their mixed colours. */
export class Ink {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    /** One more than its place in the lists, for each pixel.  */
    this.slots = new Int32Array(width * height);
    this.n = 0;
    this.pixels = new Int32Array(1024);
    this.values = new Float64Array(1024);
    this.alpha = new Uint8Array(1024);
    /** Marks that cover at least half of the pixel; 0: none but rims. */
    this.weight = new Uint32Array(1024);
    this.mixed = new Uint32Array(1024);
    /** 1 where the topmost mark has its outline. */
    this.edge = new Uint8Array(1024);
  }

  /** @param {number} size */
  room(size) {
    /** @template {{set: (from: any) => void}} A @param {A} array @returns {A} */
    const grown = (array) => {
      const out = new /** @type {any} */ (array.constructor)(size);
      out.set(array);
      return out;
    };
    this.pixels = grown(this.pixels);
    this.values = grown(this.values);
    this.alpha = grown(this.alpha);
    this.weight = grown(this.weight);
    this.mixed = grown(this.mixed);
    this.edge = grown(this.edge);
  }

  clear() {
    for (let k = 0; k < this.n; k++) this.slots[this.pixels[k]] = 0;
    this.n = 0;
  }

  /** Adds discs in the order given.  @param {Placed} marks @param {number} radius device pixels @param {Rule} rule @param {boolean} [outlined] */
  draw(marks, radius, rule, outlined = false) {
    const { n, px, py, values, colors } = marks;
    const { width, height } = this;
    const crisp = radius < CRISP;
    const reach = radius + 1;
    for (let k = 0; k < n; k++) {
      const [x, y] = [px[k], py[k]];
      if (!(x > -reach && x < width + reach && y > -reach && y < height + reach)) continue;
      const [column, row] = [Math.floor(x), Math.floor(y)];
      const stamp = crisp ? stampOf(radius, 0.5, 0.5, outlined) : stampOf(radius, phase(x - column), phase(y - row), outlined);
      this.stamp(stamp, column, row, values[k], colors ? colors[k] : 0, rule);
    }
  }

  /** @param {Stamp} stamp @param {number} column @param {number} row @param {number} value @param {number} color @param {Rule} rule */
  stamp({ dx, dy, alpha, core, edge }, column, row, value, color, rule) {
    const { width, height, slots } = this;
    if (this.n + dx.length > this.pixels.length) this.room(2 * (this.n + dx.length));
    for (let p = 0; p < dx.length; p++) {
      const [x, y] = [column + dx[p], row + dy[p]];
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const at = y * width + x;
      let slot = slots[at] - 1;
      if (slot < 0) {
        slot = this.n++;
        slots[at] = slot + 1;
        this.pixels[slot] = at;
        this.alpha[slot] = 0;
        this.weight[slot] = 0;
        this.edge[slot] = +(edge < core);
      }
      const weight = this.weight[slot];
      if (p < core) {
        this.alpha[slot] = weight === 0 ? alpha[p] : Math.max(alpha[p], this.alpha[slot]);
        this.values[slot] = weight === 0 ? value : joined(this.values[slot], weight, value, rule);
        this.mixed[slot] = weight === 0 ? color : blend(this.mixed[slot], weight, color, 1);
        this.weight[slot] = weight + 1;
        this.edge[slot] = +(p >= edge);
      } else if (weight === 0 && alpha[p] > this.alpha[slot]) {
        this.alpha[slot] = alpha[p];
        this.values[slot] = value;
        this.mixed[slot] = color;
      }
    }
  }

  /** The values of pixels that are at least half covered.  @returns {Float64Array} */
  get cores() {
    const out = new Float64Array(this.n);
    let n = 0;
    for (let k = 0; k < this.n; k++) if (this.weight[k] > 0) out[n++] = this.values[k];
    return out.subarray(0, n);
  }

  /**
   * @param {Uint32Array} out pixels, zero where nothing is drawn @param {import("./shade.js").Shader|null} shader null: by the mixed colours
   * @param {boolean} dark the ground is
   */
  paint(out, shader, dark) {
    const { n, pixels, values, alpha, mixed, edge } = this;
    const outline = dark ? 0xffffff : 0;
    /** @type {Map<number, number>} */ const known = new Map();
    for (let k = 0; k < n; k++) {
      let color = mixed[k];
      if (shader) {
        const value = values[k];
        const before = known.get(value);
        color = before ?? shader.color(value);
        if (before === undefined && known.size < 4096) known.set(value, color);
      }
      if (edge[k]) color = blend(color, 1 - OUTLINE, outline, OUTLINE);
      out[pixels[k]] = ((color & 0xffffff) | (alpha[k] << 24)) >>> 0;
    }
  }

  /** Makes the painted pixels transparent again.  @param {Uint32Array} out */
  wipe(out) {
    for (let k = 0; k < this.n; k++) out[this.pixels[k]] = 0;
  }
}

/** @param {number} part of a pixel @returns {number} the middle of its phase */
function phase(part) {
  return (Math.floor(part * PHASES) + 0.5) / PHASES;
}

/** @param {number} old of `weight` marks @param {number} weight @param {number} value @param {Rule} rule @returns {number} */
function joined(old, weight, value, rule) {
  switch (rule) {
    case "count":
    case "sum":
      return old + value;
    case "mean":
      return old + (value - old) / (weight + 1);
    case "min":
      return Math.min(old, value);
    case "first":
      return old;
    case "any":
    case "max":
      return Math.max(old, value);
    default:
      return value;
  }
}
