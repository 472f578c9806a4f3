// The exact picture of a view at rest: values resampled from the tiles, their distribution, and their pixels.

import { Distribution } from "./distribution.js";
import { planeNear } from "./integer-origin.js";
import { Norm } from "./norm.js";
import { mixtureOf } from "./category-mix.js";
import { spreadOf, spreadPixels } from "./spread.js";
import { addMixture, levelSums, mapAxis, MANY, MixtureResampler, Resampler } from "./resample.js";
import { paintMixed } from "./shade.js";

/** @typedef {import("../wire/codec.js").Cells} Cells */
/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../geometry/grid.js").Window} Window */
/** @typedef {import("./resample.js").AxisMap} AxisMap */
/** @typedef {import("./shade.js").Shader} Shader */
/**
 * @typedef {{x: AxisMap, y: AxisMap, window: Window, tile: (i: number, j: number) =>
 *   import("./category-mix.js").Mixable}} Source
 */

/**
 * @param {import("../geometry/grid.js").Grid} grid
 * @param {View} view
 * @param {Window} window all tiles of which `tile` gives
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

/**
 * @param {Source} source
 * @param {(tile: import("./category-mix.js").Mixable, column: number, row: number) => unknown} look at each tile and
 *   its place in the window
 */
function eachTile({ window, tile }, look) {
  for (let j = window.j0; j <= window.j1; j++) {
    for (let i = window.i0; i <= window.i1; i++) look(tile(i, j), i - window.i0, j - window.j0);
  }
}

/**
 * An empty array for counts of at most `most`.
 * @param {number} size
 * @param {number} most
 * @returns {Uint32Array|Float64Array}
 */
function countArray(size, most) {
  return most < 2 ** 32 ? new Uint32Array(size) : new Float64Array(size);
}

/** @param {AxisMap} map @returns {number} */
function mostCells(map) {
  return map.counts.reduce((a, b) => Math.max(a, b), 1);
}

/** A view's values, one a device pixel, row 0 on top; null `values` where nothing of the root is shown. */
export class Picture {
  /**
   * @param {View} view @param {Cells|null} values @param {boolean} counts 0 is empty, else NaN
   * @param {number} [most] no count is above it
   * @param {Uint32Array|null} [mixed] category colours of each pixel
   * @param {bigint} [origin] what the values count from
   */
  constructor(view, values, counts, most, mixed = null, origin = 0n) {
    /** @readonly */ this.view = view;
    /** @readonly */ this.values = values;
    /** @readonly */ this.counts = counts;
    /** @readonly */ this.mixed = mixed;
    /** @readonly */ this.distribution = values ? new Distribution(values, counts, most, origin) : null;
    /** How its pixels are spread, once it was painted.  @type {{dpr: number, how: ReturnType<typeof spreadOf>}|null} */
    this.spread = null;
  }

  /**
   * @param {View} view @param {Source} source @param {import("./resample.js").Rule} rule
   * @param {import("./resample.js").Nominal} nominal @param {bigint} [origin] what values are to count from
   * @returns {Picture}
   */
  static ofPlane(view, source, rule, nominal, origin = 0n) {
    const { x, y } = source;
    const counts = rule === "count";
    let most = 0;
    eachTile(source, ({ planes: [plane] }) => {
      if (plane.filled && plane.high > most) most = plane.high;
    });
    most *= Math.max(mostCells(x), Math.min(nominal.x, MANY)) * Math.max(mostCells(y), Math.min(nominal.y, MANY));
    const size = view.width * view.height;
    const resampler = new Resampler(
      x,
      y,
      rule,
      counts ? countArray(size, most) : new Float64Array(size).fill(Number.NaN),
    );
    eachTile(source, (tile, column, row) => resampler.add(planeNear(tile, origin), column, row));
    const values = resampler.finish();
    if (counts || rule === "sum") levelSums(values, x, y, nominal, counts);
    return new Picture(view, values, counts, most, null, origin);
  }

  /**
   * @param {View} view
   * @param {Source} source
   * @param {Uint8Array} colors of the categories
   * @param {import("./resample.js").Nominal} nominal
   * @param {{counts: boolean, additive: boolean}} traits of the planes @returns {Picture}
   */
  static ofCategories(view, source, colors, nominal, { counts, additive }) {
    const { x, y } = source;
    if (!counts) {
      const resampler = new MixtureResampler(x, y, additive);
      eachTile(
        source,
        (tile, column, row) => tile.planes.length && resampler.add(mixtureOf(tile, colors), column, row),
      );
      resampler.finish(nominal);
      return new Picture(view, resampler.totals, false, undefined, resampler.mixed);
    }
    let most = 0;
    eachTile(source, (tile) => {
      most = Math.max(most, mixtureOf(tile, colors).high);
    });
    most *= Math.max(mostCells(x), Math.min(nominal.x, MANY)) * Math.max(mostCells(y), Math.min(nominal.y, MANY));
    const size = view.width * view.height;
    const totals = countArray(size, most);
    const mixed = new Uint32Array(size);
    eachTile(source, (tile, column, row) => addMixture(x, y, mixtureOf(tile, colors), column, row, totals, mixed));
    levelSums(totals, x, y, nominal, true);
    return new Picture(view, totals, true, most, mixed);
  }

  /**
   * The normalisation of what is visible; null when nothing is.
   * @param {import("./shade.js").RasterStyle} style
   * @returns {Norm|null}
   */
  norm(style) {
    return this.distribution?.cells ? new Norm(this.distribution, style.how, style.low, style.high) : null;
  }

  /**
   * @param {Shader} shader
   * @param {Uint32Array} out pixels of the view
   * @param {number} [dpr] device pixels a CSS pixel; without it nothing is spread
   */
  paint(shader, out, dpr = 0) {
    this.shade(shader, out);
    if (!this.values || !dpr || !this.distribution?.cells) return;
    if (this.spread?.dpr !== dpr) this.spread = { dpr, how: spreadOf(this.values, this.counts, this.view.width, dpr) };
    if (this.spread.how) spreadPixels(this.values, this.view.width, this.spread.how, out);
  }

  /** @param {Shader} shader @param {Uint32Array} out */
  shade(shader, out) {
    const { values, distribution, counts, mixed } = this;
    if (!values || !distribution?.cells) out.fill(0);
    else if (mixed) paintMixed(mixed, values, counts, shader.norm, out);
    else if (shader.norm.distribution === distribution) shader.paintOwn(values, counts, out);
    else shader.paint(values, counts, distribution.high, out);
  }
}
