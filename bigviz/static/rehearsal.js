// The browser compiles code only once it has run hot, so the first steps on a page would be its slowest. Here the drawing of tiles runs
// on the first picture's own tiles, in idle time, into a canvas that nobody sees.

import { TileCache } from "./cache.js";
import { offscreen } from "./bitmaps.js";
import { RasterLayer } from "./raster.js";

/** @typedef {import("./figure.js").Figure} Figure */
/** @typedef {import("./view.js").View} View */

/** Views drawn: about 100 ms in all, after which a step takes no less the next time. */
const ROUNDS = 24;
/** A round is begun only with so much of the idle time left: the first take 5 ms. */
const ROUND_MS = 6;

/** Rehearses the steps of a figure that shows its first exact picture.  @param {Figure} figure */
export function rehearse(figure) {
  const { view } = figure;
  const rounds = view ? figure.layers.flatMap(({ raster }) => (raster ? roundsOf(raster, view) : [])) : [];
  /** @param {IdleDeadline} deadline */
  const work = (deadline) => {
    while (rounds.length > 0 && deadline.timeRemaining() > ROUND_MS) rounds.shift()?.();
    if (rounds.length > 0) requestIdleCallback(work);
  };
  // Safari has no idle callbacks; there the first steps compile the code as they always did.
  if (rounds.length > 0 && "requestIdleCallback" in globalThis) requestIdleCallback(work);
}

/**
 * Pans and zooms of the middle of a view, by a layer of its own over the same planes.
 * @param {RasterLayer} layer @param {View} view whose tiles it holds @param {import("./bitmaps.js").CanvasFactory} [createCanvas] @returns {(() => void)[]}
 */
export function roundsOf({ definition, info, style, grid, tiles }, view, createCanvas = offscreen) {
  const window = grid.window(view, grid.level(view));
  if (!window) return [];
  const twin = new RasterLayer({ cache: new TileCache(), definition, info, style, createCanvas });
  for (const key of grid.keys(window, view)) {
    const tile = tiles.peek(key);
    if (tile) twin.tiles.put(key, tile.planes);
  }
  const [width, height] = [Math.round(view.width / 2), Math.round(view.height / 2)];
  const middle = view.box(width / 2, height / 2, 1.5 * width, 1.5 * height).resize(width, height);
  const context = createCanvas(width, height).getContext("2d");
  return Array.from({ length: ROUNDS }, (_, k) => () => {
    twin.settle(context, middle.pan(k + 1, -k - 1));
    const factor = k % 2 ? 0.6 : 1.7;
    twin.compose(context, middle.zoom(factor, factor, width / 2, height / 2));
  });
}
