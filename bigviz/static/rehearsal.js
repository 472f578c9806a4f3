// The browser compiles code only once it has run hot, so the first steps on a page would be its slowest. Here the drawing of tiles runs
// on the first picture's own tiles, in idle time, into a canvas that nobody sees.

import { TileCache } from "./cache.js";
import { offscreen } from "./bitmaps.js";
import { RasterLayer } from "./raster.js";

/** @typedef {import("./figure.js").Figure} Figure */
/** @typedef {import("./view.js").View} View */

/** Views drawn for each type of array that planes come in: about 100 ms in all, after which a step takes no less the next time. */
const ROUNDS = 8;
/** A round is begun only with so much of the idle time left: the first take 5 ms. */
const ROUND_MS = 6;

const COUNTS = [Uint8Array, Uint16Array, Uint32Array];
const VALUES = [Float32Array, Float64Array];

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
 * Pans and zooms of the middle of a view, by a layer of its own over the same values. They are drawn out of every type of array that they
 * may come in: code that the browser compiled for one type is thrown away when it meets the next (in the first 100 steps, 5 ms each).
 * @param {RasterLayer} layer @param {View} view whose tiles it holds @param {import("./bitmaps.js").CanvasFactory} [createCanvas] @returns {(() => void)[]}
 */
export function roundsOf({ definition, info, style, grid, tiles, counts }, view, createCanvas = offscreen) {
  const window = grid.window(view, grid.level(view));
  if (!window) return [];
  const held = grid.keys(window, view).flatMap((key) => tiles.peek(key) ?? []);
  const [width, height] = [Math.round(view.width / 2), Math.round(view.height / 2)];
  const middle = view.box(width / 2, height / 2, 1.5 * width, 1.5 * height).resize(width, height);
  const context = createCanvas(width, height).getContext("2d");
  return (counts ? COUNTS : VALUES).flatMap((type) => {
    const twin = new RasterLayer({ cache: new TileCache(), definition, info, style, createCanvas });
    const fill = () => {
      for (const { key, planes } of held) twin.tiles.put(key, planes.map((plane) => ({ ...plane, data: plane.data && type.from(plane.data) })));
    };
    const rounds = Array.from({ length: ROUNDS }, (_, k) => () => {
      twin.settle(context, middle.pan(k + 1, -k - 1));
      const factor = k % 2 ? 0.6 : 1.7;
      twin.compose(context, middle.zoom(factor, factor, width / 2, height / 2));
    });
    return [fill, ...rounds];
  });
}
