// The map below a mercator figure: the host's tiles that a view shows, each where it belongs. Tiles of other levels
// stand in for those that are not there yet; beyond the host's deepest level its tiles are magnified.

import { Grid } from "../../geometry/grid.js";
import { AxisRoot } from "../../geometry/root.js";
import { MapImages } from "./map-images.js";
import { drawPart, partOf } from "../tiles/stand-ins.js";

/** @typedef {import("../../types.js").BasemapSpec} BasemapSpec */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../pixels.js").Context} Context */
/** @typedef {import("./map-images.js").MapKey} MapKey */

const TILE = 256;
const WORLD = new AxisRoot(0n, 0);
const GRID = new Grid(WORLD, WORLD);

export class Basemap {
  /**
   * @param {BasemapSpec} spec
   * @param {{changed: () => void, images?: MapImages}} o `changed`: there is more to draw
   */
  constructor(spec, { changed, images = new MapImages(spec, { changed }) }) {
    this.spec = spec;
    this.images = images;
  }

  /**
   * The level whose tiles are nearest to 256 CSS pixels, so that a map's words are as large as its maker meant them.
   * @param {View} view @param {number} dpr device pixels a CSS pixel @returns {number}
   */
  level(view, dpr) {
    return Math.max(0, Math.min(this.spec.max_zoom, WORLD.nominalLevel(view.x, view.width / dpr)));
  }

  /** The tiles of a view, those in its middle first.  @param {View} view @param {number} dpr @returns {MapKey[]} */
  keys(view, dpr) {
    const z = this.level(view, dpr);
    const window = GRID.window(view, { zx: z, zy: z });
    return window ? GRID.keys(window, view).map(({ i, j }) => ({ z, i, j })) : [];
  }

  /**
   * Draws what is there of a view, and asks for what is not.
   * @param {Context} context whose (0, 0) is the plot's top left, in device pixels
   * @param {View} view on mercator axes
   * @param {number} dpr device pixels a CSS pixel
   * @returns {boolean} nothing is awaited any more
   */
  draw(context, view, dpr) {
    const keys = this.keys(view, dpr);
    context.save();
    context.imageSmoothingEnabled = true;
    for (const key of keys) {
      if (this.#drawTile(context, view, key, dpr)) continue;
      this.#drawAbove(context, view, key, dpr);
      for (const below of childrenOf(key)) this.#drawTile(context, view, below, dpr);
    }
    context.restore();
    this.images.want(keys, dpr);
    return keys.every((key) => this.images.isSettled(key, dpr));
  }

  /** @param {Context} context @param {View} view @param {MapKey} key @param {number} dpr @returns {boolean} is there */
  #drawTile(context, view, key, dpr) {
    const image = this.images.get(key, dpr);
    if (!image) return false;
    drawPart(context, image, { x: 0, y: 0, width: image.width, height: image.height }, rectOf(key, view), view);
    return true;
  }

  /**
   * The part of the nearest tile above that a tile covers.
   * @param {Context} context @param {View} view @param {MapKey} key @param {number} dpr
   */
  #drawAbove(context, view, key, dpr) {
    for (let up = 1; up <= key.z; up++) {
      const above = { z: key.z - up, i: Math.floor(key.i / 2 ** up), j: Math.floor(key.j / 2 ** up) };
      const image = this.images.get(above, dpr);
      if (!image) continue;
      const { x, y, width, height } = partOf(both(key), both(above));
      const [fx, fy] = [image.width / TILE, image.height / TILE];
      const part = { x: x * fx, y: y * fy, width: width * fx, height: height * fy };
      drawPart(context, image, part, rectOf(key, view), view);
      return;
    }
  }
}

/** @param {MapKey} key @returns {MapKey[]} */
function childrenOf({ z, i, j }) {
  return [0, 1, 2, 3].map((k) => ({ z: z + 1, i: 2 * i + (k & 1), j: 2 * j + (k >> 1) }));
}

/** @param {MapKey} key @returns {import("../../wire/frames.js").TileKey} */
function both({ z, i, j }) {
  return { zx: z, zy: z, i, j };
}

/** @param {MapKey} key @param {View} view @returns {import("../../geometry/grid.js").Rect} */
function rectOf(key, view) {
  return GRID.rect(both(key), view);
}
