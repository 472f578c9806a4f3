// Rows drawn as marks. Marks that overlap combine by the layer's own rule (counts add up, means are averaged,
// categories are mixed), so a picture of rows still shows what the picture of cells did: where they are dense. Drawn
// into typed arrays, since the colour of a pixel follows from all marks on it; only the pixels touched are looked at
// again.

import { blend } from "./category-mix.js";

/** @typedef {import("./resample.js").Rule} Rule */
/**
 * Places on the screen in device pixels, with what each mark shows: a value, and under `by` a category's pixel colour
 * and weight.
 * @typedef {{n: number, px: Float64Array, py: Float64Array, values: ArrayLike<number>, colors: Uint32Array|null}}
 *   Placed
 */
/**
 * Offsets of a mark's pixels from the one that holds its centre; the first `core` are at least half covered, the last
 * of them, from `edge` on, are its outline.
 * @typedef {{dx: Int16Array, dy: Int16Array, alpha: Uint8Array, core: number, edge: number}} Stamp */
/** @typedef {import("../types.js").Shape} Shape */

/** Radii of marks in CSS pixels: few ones are easy to see and to point at, many leave room for each other. */
export const LARGEST = 4;
export const SMALLEST = 1;
/** The share of the plot that marks would cover without overlapping. */
const COVERED = 0.2;
/** From this radius on (CSS pixels) marks have an outline, so that each is seen over others and on any ground. */
export const OUTLINED = 2;
/** How much of the outline's colour is mixed into a mark's own. */
const OUTLINE = 0.35;
/** How much of the ground a plain mark hides: one over others still shows. */
const PLAIN = 0.72;
const SHEEREST = 0.12;
/** Between cells: a share of their size, where they are at least so many pixels large. */
const GAP = 0.06;
const LEAST_CELL = 4;
/**
 * Positions within a pixel that are distinguished, on each axis; small marks are kept crisp on whole pixels instead,
 * and for large ones it does not show.
 */
const PHASES = 4;
const CRISP = 2;
const BROAD = 24;
/** Half the thickness of the bars of crosses, as a share of their radius; not below half a pixel. */
const BAR = 0.16;
/** Width of a diamond, as a share of its height. */
const SLIM = 0.7;
/** Radius of the circle in a triangle, as a share of half its side. */
const INNER = 1 / Math.sqrt(3);

/** @param {number} marks on the screen @param {number} area of the plot in CSS pixels @returns {number} CSS pixels */
export function radiusFor(marks, area) {
  return Math.min(LARGEST, Math.max(SMALLEST, Math.sqrt((COVERED * area) / (Math.PI * Math.max(1, marks)))));
}

/** Where in its pixel a mark's centre is drawn.  @typedef {{number: number, fx: number, fy: number}} Phase */
const WHOLE = Object.freeze({ number: 0, fx: 0.5, fy: 0.5 });
const PHASED = Array.from({ length: PHASES * PHASES }, (_, k) =>
  Object.freeze({ number: k, fx: ((k % PHASES) + 0.5) / PHASES, fy: (Math.floor(k / PHASES) + 0.5) / PHASES }),
);

/**
 * @param {number} fx
 * @param {number} fy where the centre lies in its pixel, 0..1 (1 too: what rounding makes of places just below a pixel)
 * @param {number} radius device pixels
 * @returns {Phase} the nearest of those that are distinguished
 */
export function phaseOf(fx, fy, radius) {
  if (radius < CRISP || radius > BROAD) return WHOLE;
  const step = (/** @type {number} */ share) => Math.min(PHASES - 1, Math.floor(share * PHASES));
  return PHASED[PHASES * step(fy) + step(fx)];
}

/** @type {Map<string, Stamp>} */
const stamps = new Map();

/**
 * @param {number} radius device pixels
 * @param {number} fx
 * @param {number} fy where the centre lies in its pixel, 0..1
 * @param {boolean} [outlined]
 * @param {Shape} [shape]
 * @returns {Stamp}
 */
export function stampOf(radius, fx, fy, outlined = false, shape = "circle") {
  const size = Math.round(radius * 4) / 4;
  const name = `${size} ${fx} ${fy} ${outlined} ${shape}`;
  let stamp = stamps.get(name);
  if (!stamp) {
    stamp = rastered(size, fx, fy, outlined, shape);
    if (stamps.size > 512) stamps.clear();
    stamps.set(name, stamp);
  }
  return stamp;
}

/**
 * How far inside a shape's edge a place lies, negative outside.
 * @param {Shape} shape @param {number} x @param {number} y from its centre, down @param {number} radius
 * @returns {number} in the units of its radius
 */
export function depthIn(shape, x, y, radius) {
  const [across, down] = [Math.abs(x), Math.abs(y)];
  const bar = Math.max(0.5, BAR * radius);
  const inBars = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.max(Math.min(radius - a, bar - b), Math.min(radius - b, bar - a));
  switch (shape) {
    case "square":
      return radius - Math.max(across, down);
    case "diamond":
      return (radius - across / SLIM - down) / Math.hypot(1 / SLIM, 1);
    case "triangle": {
      const inner = INNER * radius;
      return Math.min(inner - y, inner + y / 2 - (across * Math.sqrt(3)) / 2);
    }
    case "cross":
      return inBars(across, down);
    case "x":
      return inBars(Math.abs(x + y) * Math.SQRT1_2, Math.abs(x - y) * Math.SQRT1_2);
    default:
      return radius - Math.hypot(x, y);
  }
}

/**
 * @param {number} radius @param {number} fx @param {number} fy @param {boolean} outlined @param {Shape} shape
 * @returns {Stamp}
 */
function rastered(radius, fx, fy, outlined, shape) {
  const reach = Math.ceil(1.2 * radius + 1); // a triangle's tip
  const found = [];
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const covered = depthIn(shape, dx + 0.5 - fx, dy + 0.5 - fy, radius) + 0.5;
      if (covered > 0.05) found.push({ dx, dy, covered, alpha: Math.round(Math.min(1, covered) * 255) });
    }
  }
  found.sort((a, b) => b.covered - a.covered);
  const core = found.filter((p) => p.alpha >= 128).length;
  return {
    dx: Int16Array.from(found, (p) => p.dx),
    dy: Int16Array.from(found, (p) => p.dy),
    alpha: Uint8Array.from(found, (p) => p.alpha),
    core,
    edge: !outlined ? core : found.filter((p) => p.covered >= 1 + radius / 12).length,
  };
}

/**
 * The pixels that marks cover: where they are, their values, how far they are covered, and under `by` their mixed
 * colours.
 */
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

  /**
   * Adds rectangles about their places, in the order given, with a gap between neighbours.
   * @param {Placed} marks
   * @param {{width: number, height: number}} cell device pixels between neighbours
   * @param {Rule} rule
   */
  drawCells(marks, cell, rule) {
    const { n, px, py, values, colors } = marks;
    const [across, down] = [gapOf(cell.width), gapOf(cell.height)];
    for (let k = 0; k < n; k++) {
      const [left, right] = [
        Math.round(px[k] - cell.width / 2) + across.before,
        Math.round(px[k] + cell.width / 2) - across.after,
      ];
      const [top, bottom] = [
        Math.round(py[k] - cell.height / 2) + down.before,
        Math.round(py[k] + cell.height / 2) - down.after,
      ];
      const [first, last] = [Math.max(0, left), Math.min(this.width, right)];
      for (let y = Math.max(0, top); y < Math.min(this.height, bottom); y++)
        this.fillRow(y * this.width, first, last, values[k], colors ? colors[k] : 0, rule);
    }
  }

  /**
   * @param {number} row index of its first pixel
   * @param {number} first
   * @param {number} last column after the end
   * @param {number} value
   * @param {number} color
   * @param {Rule} rule
   */
  fillRow(row, first, last, value, color, rule) {
    if (last <= first) return;
    if (this.n + last - first > this.pixels.length) this.room(2 * (this.n + last - first));
    const { slots, pixels, values, alpha, weight, mixed, edge } = this;
    for (let at = row + first; at < row + last; at++) {
      let slot = slots[at] - 1;
      if (slot < 0) {
        slot = this.n++;
        slots[at] = slot + 1;
        pixels[slot] = at;
        values[slot] = value;
        mixed[slot] = color;
        weight[slot] = 0;
      } else {
        values[slot] = joined(values[slot], weight[slot], value, rule);
        if (color !== mixed[slot]) mixed[slot] = blend(mixed[slot], weight[slot], color, 1);
      }
      alpha[slot] = 255;
      edge[slot] = 0;
      weight[slot] += 1;
    }
  }

  /**
   * Adds marks in the order given.
   * @param {Placed} marks
   * @param {number} radius device pixels
   * @param {Rule} rule
   * @param {boolean} [outlined]
   * @param {Shape} [shape]
   */
  draw(marks, radius, rule, outlined = false, shape = "circle") {
    const { n, px, py, values, colors } = marks;
    const { width, height } = this;
    const reach = 1.2 * radius + 1;
    /** @type {(Stamp|undefined)[]} */ const phases = [];
    for (let k = 0; k < n; k++) {
      const x = px[k];
      const y = py[k];
      if (!(x > -reach && x < width + reach && y > -reach && y < height + reach)) continue;
      const column = Math.floor(x);
      const row = Math.floor(y);
      const phase = phaseOf(x - column, y - row, radius);
      phases[phase.number] ??= stampOf(radius, phase.fx, phase.fy, outlined, shape);
      const stamp = /** @type {Stamp} */ (phases[phase.number]);
      this.stamp(stamp, column, row, values[k], colors ? colors[k] : 0, rule);
    }
  }

  /**
   * @param {Stamp} stamp
   * @param {number} column
   * @param {number} row
   * @param {number} value
   * @param {number} color
   * @param {Rule} rule
   */
  stamp({ dx, dy, alpha, core, edge }, column, row, value, color, rule) {
    const { width, height, slots } = this;
    if (this.n + dx.length > this.pixels.length) this.room(2 * (this.n + dx.length));
    const { pixels, values, alpha: covered, weight, mixed, edge: outlined } = this;
    for (let p = 0; p < dx.length; p++) {
      const x = column + dx[p];
      const y = row + dy[p];
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const at = y * width + x;
      let slot = slots[at] - 1;
      if (slot < 0) {
        slot = this.n++;
        slots[at] = slot + 1;
        pixels[slot] = at;
        covered[slot] = 0;
        weight[slot] = 0;
        outlined[slot] = edge < core ? 1 : 0;
      }
      const before = weight[slot];
      if (p < core) {
        if (before === 0) {
          covered[slot] = alpha[p];
          values[slot] = value;
          mixed[slot] = color;
        } else {
          if (alpha[p] > covered[slot]) covered[slot] = alpha[p];
          values[slot] = joined(values[slot], before, value, rule);
          if (color !== mixed[slot]) mixed[slot] = blend(mixed[slot], before, color, 1);
        }
        weight[slot] = before + 1;
        outlined[slot] = p >= edge ? 1 : 0;
      } else if (before === 0 && alpha[p] > covered[slot]) {
        covered[slot] = alpha[p];
        values[slot] = value;
        mixed[slot] = color;
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
   * @param {Uint32Array} out pixels, zero where nothing is drawn
   * @param {import("./shade.js").Shader|null} shader null: by the mixed colours
   * @param {boolean} dark the ground is
   * @param {number} [opacity] of all
   */
  paint(out, shader, dark, opacity = 1) {
    const { n, pixels, values, alpha, mixed, edge } = this;
    const outline = dark ? 0xffffff : 0;
    let [last, color] = [Number.NaN, 0];
    for (let k = 0; k < n; k++) {
      if (!shader) color = mixed[k];
      else if (values[k] !== last) {
        last = values[k];
        color = shader.color(last);
      }
      const shown = edge[k] === 0 ? color : blend(color, 1 - OUTLINE, outline, OUTLINE);
      out[pixels[k]] = ((shown & 0xffffff) | (Math.round(alpha[k] * opacity) << 24)) >>> 0;
    }
  }

  /**
   * The opacity of one mark with which those that most overlap hide a share of the ground; seen alone too.
   * @param {number} hidden
   * @returns {number}
   */
  sheer(hidden) {
    let most = 1;
    for (let k = 0; k < this.n; k++) if (this.weight[k] > most) most = this.weight[k];
    return Math.min(PLAIN, Math.max(SHEEREST, 1 - (1 - hidden) ** (1 / most)));
  }

  /**
   * All marks in one colour, more of it where they overlap; outlines are whole.
   * @param {Uint32Array} out pixels, zero where nothing is drawn
   * @param {number} color a pixel
   * @param {number} [opacity] of one mark
   */
  paintPlain(out, color, opacity = PLAIN) {
    const { n, pixels, alpha, weight, edge } = this;
    for (let k = 0; k < n; k++) {
      const share = edge[k] === 1 ? 1 : 1 - (1 - opacity) ** Math.max(1, weight[k]);
      out[pixels[k]] = ((color & 0xffffff) | (Math.round(alpha[k] * share) << 24)) >>> 0;
    }
  }

  /** Makes the painted pixels transparent again.  @param {Uint32Array} out */
  wipe(out) {
    for (let k = 0; k < this.n; k++) out[this.pixels[k]] = 0;
  }
}

/**
 * Device pixels left free before and after a cell; none where cells are too small for it.
 * @param {number} size
 * @returns {{before: number, after: number}}
 */
function gapOf(size) {
  const gap = size < LEAST_CELL ? 0 : Math.min(6, Math.max(1, Math.round(size * GAP)));
  return { before: Math.floor(gap / 2), after: Math.ceil(gap / 2) };
}

/**
 * @param {number} old of `weight` marks
 * @param {number} weight
 * @param {number} value
 * @param {Rule} rule
 * @returns {number}
 */
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
    case "max":
      return Math.max(old, value);
    default:
      return value;
  }
}
