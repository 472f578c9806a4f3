// About how many rows lie in a region, from the cells that are drawn: told while the server counts them.

import { outlineOf } from "./selection.js";

/** @typedef {import("./selection.js").Region} Region */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../layers/layer.js").Layer} Layer */

/** Places that are looked at on each side of the region's box. */
const SIDE = 48;

/**
 * @param {Region} region @param {View} view @param {Layer} layer
 * @returns {number|null} null where cells do not tell it: they hold no counts, or the region goes beyond the view
 */
export function regionRows(region, view, layer) {
  const { info, shownRaster } = layer;
  if (!info?.traits.counts || !shownRaster) return null;
  const outline = outlineOf(region, view);
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  if (left < -1 || top < -1 || right > view.width + 1 || bottom > view.height + 1) return null;
  const [width, height] = [(right - left) / SIDE, (bottom - top) / SIDE];
  let rows = 0;
  for (let j = 0; j < SIDE; j++) {
    const y = top + (j + 0.5) * height;
    for (let i = 0; i < SIDE; i++) {
      const x = left + (i + 0.5) * width;
      if (!isIn(outline, x, y)) continue;
      const hit = shownRaster.valueAt(view, x, y);
      if (!hit || hit.value === null) continue;
      const across = view.px(view.x.origin, hit.x[1]) - view.px(view.x.origin, hit.x[0]);
      const down = view.py(view.y.origin, hit.y[0]) - view.py(view.y.origin, hit.y[1]);
      if (across > 0 && down > 0) rows += (Number(hit.value) * width * height) / (across * down);
    }
  }
  return rows;
}

/** Even-odd.  @param {readonly [number, number][]} outline @param {number} x @param {number} y */
function isIn(outline, x, y) {
  let inside = false;
  for (const [k, [bx, by]] of outline.entries()) {
    const [ax, ay] = outline[(k + outline.length - 1) % outline.length];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  }
  return inside;
}
