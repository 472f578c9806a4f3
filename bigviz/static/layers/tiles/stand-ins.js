// Drawing shaded tiles while the view moves or loads. Edges are rounded to whole pixels, so neighbours join without
// seams.

/** @typedef {import("../../wire/frames.js").TileKey} TileKey */
/** @typedef {import("./tile-cache.js").Tile} Tile */
/** @typedef {import("../../geometry/grid.js").Rect} Rect */
/** @typedef {import("../pixels.js").Context} Context */
/** A part of a tile's bitmap, in cells.  @typedef {{x: number, y: number, width: number, height: number}} Part */

const TILE = 256;

/**
 * The part of an ancestor's bitmap that a tile covers; where that is less than a cell, the cell.
 * @param {TileKey} key @param {TileKey} above @returns {Part}
 */
export function partOf(key, above) {
  const [dx, dy] = [key.zx - above.zx, key.zy - above.zy];
  const [width, height] = [TILE / 2 ** dx, TILE / 2 ** dy];
  const [x, y] = [(key.i - above.i * 2 ** dx) * width, (key.j - above.j * 2 ** dy) * height];
  return {
    x: width < 1 ? Math.floor(x) : x,
    y: height < 1 ? Math.floor(y) : y,
    width: Math.max(1, width),
    height: Math.max(1, height),
  };
}

/**
 * Draws part of a bitmap into a rectangle, cut to the screen first: far beyond the deepest level a tile is 10^12 pixels
 * wide, which a canvas (float32 inside) would not draw where it belongs.
 * @param {Context} context @param {import("../pixels.js").Surface|HTMLImageElement} bitmap @param {Part} part
 * @param {Rect} rect
 * @param {{width: number, height: number}} screen
 */
export function drawPart(context, bitmap, part, rect, screen) {
  const x = cut(rect.left, rect.right, part.x, part.width, screen.width);
  const y = cut(rect.top, rect.bottom, part.y, part.height, screen.height);
  if (!x || !y) return;
  context.drawImage(
    /** @type {OffscreenCanvas} */ (bitmap),
    x.from,
    y.from,
    x.size,
    y.size,
    x.to,
    y.to,
    x.length,
    y.length,
  );
}

/**
 * One axis of drawPart.
 * @param {number} low pixel edge
 * @param {number} high pixel edge
 * @param {number} from first cell
 * @param {number} size cells
 * @param {number} pixels of the screen
 * @returns {{from: number, size: number, to: number, length: number}|null} null when nothing is visible
 */
export function cut(low, high, from, size, pixels) {
  const [a, b] = [Math.max(-pixels, Math.round(low)), Math.min(2 * pixels, Math.round(high))];
  if (b <= a || b <= 0 || a >= pixels) return null;
  const per = size / (high - low);
  const start = a > low + 1 ? from + (a - low) * per : from;
  const end = b < high - 1 ? from + (b - low) * per : from + size;
  return { from: start, size: Math.max(end - start, 2 ** -20), to: a, length: b - a };
}

/**
 * What to draw for a wanted tile, bottom first: itself; else the cached tiles below when they cover it all; else the
 * nearest one above; else whatever is below.
 * @param {import("./tile-cache.js").TileSet} tiles @param {TileKey} key
 * @returns {Tile[]}
 */
export function standIns(tiles, key) {
  const own = tiles.get(key);
  if (own) return [own];
  const below = tiles.descendants(key);
  const share = below.reduce((sum, tile) => sum + 2 ** (key.zx - tile.key.zx + key.zy - tile.key.zy), 0);
  const first =
    below.length > 0 ? below.filter(({ key: k }) => k.zx === below[0].key.zx && k.zy === below[0].key.zy) : [];
  if (share >= 1 && first.length === 2 ** (below[0].key.zx - key.zx + below[0].key.zy - key.zy)) return first;
  const above = tiles.ancestor(key);
  return above ? [above] : below;
}

/**
 * Draws a wanted tile or what stands in for it.
 * @param {{context: Context, grid: import("../../geometry/grid.js").Grid, view: import("../../geometry/view.js").View,
 *   tiles: import("./tile-cache.js").TileSet, bitmap: (tile: Tile, scale: number) => import("../pixels.js").Surface}}
 *   scene  `bitmap`: a tile shaded with its values times a scale
 * @param {TileKey} key
 * @param {boolean} additive counts and sums: a cell over more of the plane than a wanted one is shaded with its share
 */
export function drawTile({ context, grid, view, tiles, bitmap }, key, additive) {
  for (const tile of standIns(tiles, key)) {
    const [dx, dy] = [key.zx - tile.key.zx, key.zy - tile.key.zy];
    const surface = bitmap(tile, additive ? 2 ** -(dx + dy) : 1);
    const isAbove = dx >= 0 && dy >= 0;
    const part = isAbove ? partOf(key, tile.key) : { x: 0, y: 0, width: TILE, height: TILE };
    drawPart(context, surface, part, grid.rect(isAbove ? key : tile.key, view), view);
  }
}
