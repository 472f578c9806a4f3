// Windows of views whose rows are requested: which to request, and which were answered by tiles alone because their
// rows are many.

import { MAX_LEVEL } from "../wire/frames.js";
import { boxOf, ends, inside, nameOf } from "../geometry/window.js";

/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../geometry/window.js").Asked} Asked */
/** @typedef {import("../geometry/window.js").Box} Box */

/** Windows remembered as answered by tiles. */
const REMEMBERED = 32;

export class WindowRequests {
  /**
   * @param {{glyph: string, grid: import("../geometry/grid.js").Grid, facts: import("./cell-facts.js").CellFacts,
   * limits: Pick<import("../wire/reassembler.js").Limits, "image_side"|"rows">, filledCells: (view: View, enough:
   * number) => number}} o `filledCells`: at least so many cells of tiles at hand in a view are filled
   */
  constructor({ glyph, grid, facts, limits, filledCells }) {
    this.glyph = glyph;
    this.grid = grid;
    this.facts = facts;
    this.limits = limits;
    this.filledCells = filledCells;
    /** Windows that hold more rows than are sent, by their ends.  @type {Map<string, Box>} */ this.many = new Map();
    /** @type {{view: View, many: boolean}|null} */ this.counted = null;
  }

  /** @param {View} view @returns {Asked} */
  asked(view) {
    const { exact, times } = this.facts;
    const [x0, x1] = ends(view.x, exact.x, times.x);
    const [y0, y1] = ends(view.y, exact.y, times.y);
    const side = (/** @type {number} */ pixels) => Math.min(this.limits.image_side, Math.max(1, Math.round(pixels)));
    return { x0, x1, y0, y1, width: side(view.width), height: side(view.height) };
  }

  /** A request was answered by tiles alone.  @param {Asked} asked */
  tiled(asked) {
    this.many.set(nameOf(asked), boxOf([asked.x0, asked.x1, asked.y0, asked.y1], this.facts.exact));
    for (const name of this.many.keys()) if (this.many.size > REMEMBERED) this.many.delete(name);
  }

  /** As far as is known, a view is answered by tiles.  @param {View} view @returns {boolean} */
  isTiled(view) {
    if (this.glyph !== "points" || !this.shows(view) || this.wasTiled(view)) return true;
    if (this.deeper(view)) return false;
    for (const box of this.many.values()) if (inside(box, view)) return true;
    const { rows } = this.limits; // of more coordinates tiles are sent: filled cells are at least as many coordinates
    if (this.counted?.view !== view) this.counted = { view, many: this.filledCells(view, rows) > rows };
    return this.counted.many;
  }

  /** The very window of a view was answered by tiles.  @param {View} view @returns {boolean} */
  wasTiled(view) {
    return this.many.has(nameOf(this.asked(view)));
  }

  /** @param {View} view @returns {boolean} it shows some of the root */
  shows(view) {
    return this.grid.window(view, this.grid.level(view)) !== null;
  }

  /** The level whose cells are nearest to a pixel lies beyond the last one.  @param {View} view @returns {boolean} */
  deeper(view) {
    const { x, y } = this.grid;
    return x.nominalLevel(view.x, view.width) > MAX_LEVEL || y.nominalLevel(view.y, view.height) > MAX_LEVEL;
  }
}
