// The exact picture of a view at rest: values resampled from the tiles, their distribution, and their pixels.

import { Distribution } from "./histogram.js";
import { Norm } from "./norm.js";
import { levelSums, mapAxis, Resampler } from "./resample.js";
import { Mixture, paintMixed, Shader } from "./shade.js";

/** @typedef {import("./planes.js").Cells} Cells */
/** @typedef {import("./view.js").View} View */
/** @typedef {import("./grid.js").Window} Window */
/** @typedef {import("./resample.js").AxisMap} AxisMap */
/** @typedef {{x: AxisMap, y: AxisMap, window: Window, tile: (i: number, j: number) => import("./cache.js").Tile}} Source */

/**
 * @param {import("./grid.js").Grid} grid @param {View} view @param {Window} window all tiles of which `tile` gives
 * @param {Source["tile"]} tile @returns {Source}
 */
export function sourceOf(grid, view, window, tile) {
  const { zx, zy, i0, i1, j0, j1 } = window;
  const first = grid.rect({ zx, zy, i: i0, j: j0 }, view);
  return {
    x: mapAxis(first.left, first.right - first.left, i1 - i0 + 1, view.width),
    y: mapAxis(first.top, first.bottom - first.top, j1 - j0 + 1, view.height),
    window,
    tile,
  };
}

/** @param {Source} source @param {number} plane @param {import("./resample.js").Rule} rule @param {Cells} out @returns {Cells} */
function gather({ x, y, window, tile }, plane, rule, out) {
  const resampler = new Resampler(x, y, rule, out);
  for (let j = window.j0; j <= window.j1; j++) {
    for (let i = window.i0; i <= window.i1; i++) resampler.add(tile(i, j).planes[plane], i - window.i0, j - window.j0);
  }
  return resampler.finish();
}

/** The highest value of a plane over the window's tiles; 0 when all are empty.  @param {Source} source @param {number} plane @returns {number} */
function highest({ window, tile }, plane) {
  let most = 0;
  for (let j = window.j0; j <= window.j1; j++) {
    for (let i = window.i0; i <= window.i1; i++) {
      const { filled, high } = tile(i, j).planes[plane];
      if (filled && high > most) most = high;
    }
  }
  return most;
}

/** An empty array for counts of which none exceeds `most` and at most `cells` are added up.  @param {number} size @param {number} most @param {number} cells @returns {Cells} */
function countArray(size, most, cells) {
  return most * cells < 2 ** 32 ? new Uint32Array(size) : new Float64Array(size);
}

/** @param {AxisMap} map @returns {number} */
function mostCells(map) {
  return map.counts.reduce((a, b) => Math.max(a, b), 1);
}

/** A view's values, one a device pixel, row 0 on top; null `values` where nothing of the root is shown. */
export class Picture {
  /**
   * @param {View} view @param {Cells|null} values @param {boolean} counts 0 is empty, else NaN
   * @param {Uint32Array|null} mixed category colours of each pixel
   */
  constructor(view, values, counts, mixed = null) {
    /** @readonly */ this.view = view;
    /** @readonly */ this.values = values;
    /** @readonly */ this.counts = counts;
    /** @readonly */ this.mixed = mixed;
    /** @readonly */ this.distribution = values ? new Distribution(values, counts) : null;
  }

  /**
   * @param {View} view @param {Source} source @param {import("./resample.js").Rule} rule @param {number} nominal cells that a pixel
   * nominally covers @returns {Picture}
   */
  static ofPlane(view, source, rule, nominal) {
    const { x, y } = source;
    const size = view.width * view.height;
    const counts = rule === "count";
    const values = counts ? countArray(size, highest(source, 0), mostCells(x) * mostCells(y)) : emptyValues(size, rule);
    gather(source, 0, rule, values);
    if (counts || rule === "sum") levelSums(values, x, y, nominal, counts);
    return new Picture(view, values, counts);
  }

  /** @param {View} view @param {Source} source @param {number} planes @param {Uint8Array} colors @param {number} nominal @returns {Picture} */
  static ofCategories(view, source, planes, colors, nominal) {
    const { x, y } = source;
    const mixture = new Mixture(view.width * view.height, colors);
    const cells = mostCells(x) * mostCells(y);
    /** @type {Cells|null} */ let scratch = null;
    for (let plane = 0; plane < planes; plane++) {
      const most = highest(source, plane);
      if (most === 0) continue;
      if (scratch instanceof Uint32Array && most * cells < 2 ** 32) scratch.fill(0);
      else scratch = countArray(view.width * view.height, most, cells);
      mixture.add(gather(source, plane, "count", scratch), plane);
    }
    const mixed = mixture.mixed(); // before levelling: the shares of the colours are of the unlevelled total
    levelSums(mixture.total, x, y, nominal, true);
    return new Picture(view, mixture.total, true, mixed);
  }

  /** The normalisation of what is visible; null when nothing is.  @param {import("./raster.js").RasterStyle} style @returns {Norm|null} */
  norm(style) {
    return this.distribution?.cells ? new Norm(this.distribution, style.how, style.low, style.high) : null;
  }

  /** @param {Shader} shader @param {Uint32Array} out pixels of the view */
  paint(shader, out) {
    const { values, distribution, counts, mixed } = this;
    if (!values || !distribution?.cells) out.fill(0);
    else if (mixed) paintMixed(mixed, values, shader.norm, out);
    else shader.paint(values, counts, distribution.high, out);
  }
}

/** @param {number} size @param {import("./resample.js").Rule} rule @returns {Cells} NaN everywhere; means travel as float32 */
function emptyValues(size, rule) {
  return (rule === "mean" ? new Float32Array(size) : new Float64Array(size)).fill(Number.NaN);
}

