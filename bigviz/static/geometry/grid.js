// Which tiles a view needs and where they lie on the screen. x and y have levels of their own.

import { AxisRoot, CELL_LEVELS } from "./root.js";

/** @typedef {import("../wire/frames.js").TileKey} TileKey */
/** @typedef {import("./view.js").View} View */
/** Tiles i0..i1 by j0..j1, both ends included, of one pair of levels.
 * @typedef {Readonly<{zx: number, zy: number, i0: number, i1: number, j0: number, j1: number}>} Window */
/**
 * Pixel edges in doubles; y grows downwards.
 * @typedef {Readonly<{left: number, top: number, right: number, bottom: number}>} Rect
 */

export const TILE = 1 << CELL_LEVELS;

/** The tile dx and dy levels above.  @param {TileKey} key @param {number} dx @param {number} dy @returns {TileKey} */
export function ancestor({ zx, zy, i, j }, dx, dy) {
  return { zx: zx - dx, zy: zy - dy, i: Math.floor(i / 2 ** dx), j: Math.floor(j / 2 ** dy) };
}

/** @param {TileKey} key @returns {[number, number, number, number]} as `view` requests want it */
export function toList({ zx, zy, i, j }) {
  return [zx, zy, i, j];
}

/** @param {Window} window @param {number} i @param {number} j @returns {boolean} */
export function contains(window, i, j) {
  return i >= window.i0 && i <= window.i1 && j >= window.j0 && j <= window.j1;
}

export class Grid {
  /**
   * @param {AxisRoot} x
   * @param {AxisRoot} y
   * @param {import("../wire/frames.js").Inside} [inside] the levels there are
   */
  constructor(x, y, { deepest = Number.POSITIVE_INFINITY, apart = null } = {}) {
    /** @readonly */ this.x = x;
    /** @readonly */ this.y = y;
    /** @readonly */ this.deepest = deepest;
    /** @readonly */ this.apart = apart ?? Number.POSITIVE_INFINITY;
  }

  /**
   * @param {{root: {x: [string, number], y: [string, number]}, inside?: import("../wire/frames.js").Inside}} info the
   *   answer to `layer`
   * @returns {Grid}
   */
  static of(info) {
    return new Grid(AxisRoot.parse(info.root.x), AxisRoot.parse(info.root.y), info.inside);
  }

  /**
   * The levels whose cells are nearest to one device pixel, of those that there are.
   * @param {View} view
   * @returns {{zx: number, zy: number}}
   */
  level(view) {
    const zx = Math.min(this.deepest, this.x.level(view.x, view.width));
    const zy = Math.min(this.deepest, this.y.level(view.y, view.height));
    return { zx: Math.min(zx, zy + this.apart), zy: Math.min(zy, zx + this.apart) };
  }

  /** Deeper levels than there are would be nearer to a pixel.  @param {View} view @returns {boolean} */
  isShallow(view) {
    const { zx, zy } = this.level(view);
    return zx < this.x.level(view.x, view.width) || zy < this.y.level(view.y, view.height);
  }

  /**
   * The tiles of two levels that a view touches (its high ends excluded); null when it shows nothing of the root.
   * @param {View} view @param {{zx: number, zy: number}} level @returns {Window|null}
   */
  window(view, { zx, zy }) {
    const last = { x: 2 ** zx - 1, y: 2 ** zy - 1 };
    const [i0, i1] = indices(this.x, zx, view.x);
    const [low, high] = indices(this.y, zy, view.y);
    if (i1 < 0 || i0 > last.x || high < 0 || low > last.y) return null;
    return {
      zx,
      zy,
      i0: Math.max(0, i0),
      i1: Math.min(last.x, i1),
      j0: Math.max(0, last.y - high),
      j1: Math.min(last.y, last.y - low),
    };
  }

  /**
   * The window and `margin` more tiles on each side, as far as the level goes.
   * @param {Window} window
   * @param {number} margin
   * @returns {Window}
   */
  widen({ zx, zy, i0, i1, j0, j1 }, margin) {
    return {
      zx,
      zy,
      i0: Math.max(0, i0 - margin),
      i1: Math.min(2 ** zx - 1, i1 + margin),
      j0: Math.max(0, j0 - margin),
      j1: Math.min(2 ** zy - 1, j1 + margin),
    };
  }

  /**
   * The keys of a window, those nearest to the view's centre (in pixels) first.
   * @param {Window} window
   * @param {View} view
   * @returns {TileKey[]}
   */
  keys(window, view) {
    const { zx, zy, i0, i1, j0, j1 } = window;
    const found = [];
    for (let j = j0; j <= j1; j++) {
      for (let i = i0; i <= i1; i++) {
        const { left, right, top, bottom } = this.rect({ zx, zy, i, j }, view);
        const distance = Math.hypot((left + right - view.width) / 2, (top + bottom - view.height) / 2);
        found.push({ distance, key: { zx, zy, i, j } });
      }
    }
    return found.sort((a, b) => a.distance - b.distance).map(({ key }) => key);
  }

  /** Where a tile lies, in device pixels of the view.  @param {TileKey} key @param {View} view @returns {Rect} */
  rect({ zx, zy, i, j }, view) {
    const row = 2 ** zy - 1 - j;
    return {
      left: toPixel(this.x.edge(zx, i, view.x.origin), view.x, view.width),
      right: toPixel(this.x.edge(zx, i + 1, view.x.origin), view.x, view.width),
      top: view.height - toPixel(this.y.edge(zy, row + 1, view.y.origin), view.y, view.height),
      bottom: view.height - toPixel(this.y.edge(zy, row, view.y.origin), view.y, view.height),
    };
  }

  /**
   * The cell under a pixel position; null outside the root.
   * @param {View} view @param {{zx: number, zy: number}} level @param {number} px @param {number} py
   * @returns {{key: TileKey, column: number, row: number, x: [number, number], y: [number, number]}|null} column and
   *   row in the tile (row 0 on top) and the cell's bounds as offsets from the view's origins
   */
  cellAt(view, { zx, zy }, px, py) {
    const [column, row] = [
      this.x.index(zx + CELL_LEVELS, view.x.origin, view.xAt(px)),
      this.y.index(zy + CELL_LEVELS, view.y.origin, view.yAt(py)),
    ];
    if (column < 0 || column >= TILE * 2 ** zx || row < 0 || row >= TILE * 2 ** zy) return null;
    const fromTop = TILE * 2 ** zy - 1 - row;
    return {
      key: { zx, zy, i: Math.floor(column / TILE), j: Math.floor(fromTop / TILE) },
      column: column % TILE,
      row: fromTop % TILE,
      x: [
        this.x.edge(zx + CELL_LEVELS, column, view.x.origin),
        this.x.edge(zx + CELL_LEVELS, column + 1, view.x.origin),
      ],
      y: [this.y.edge(zy + CELL_LEVELS, row, view.y.origin), this.y.edge(zy + CELL_LEVELS, row + 1, view.y.origin)],
    };
  }
}

/**
 * First and last interval of a level that a half-open span touches.
 * @param {AxisRoot} root
 * @param {number} z
 * @param {import("./span.js").Span} s
 * @returns {[number, number]}
 */
function indices(root, z, s) {
  const first = root.index(z, s.origin, s.lo);
  const last = root.index(z, s.origin, s.hi);
  return [first, root.edge(z, Math.min(last, 2 ** z), s.origin) >= s.hi && last > first ? last - 1 : last];
}

/** @param {number} offset @param {import("./span.js").Span} s @param {number} pixels @returns {number} */
function toPixel(offset, s, pixels) {
  return ((offset - s.lo) / (s.hi - s.lo)) * pixels;
}
