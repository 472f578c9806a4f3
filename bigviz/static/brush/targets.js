// What a figure of a link shows, as a message about a brush names it.

import { isBars } from "../layers/glyphs.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** A layer in a message about a brush.
 * @typedef {{figure: number, layer: number, definition: import("../wire/frames.js").Definition,
 *   columns?: import("../layers/line-layer.js").Asked, view?: number[]}} Target */

const SIDE = 256;

/** @param {Layer} layer @param {string} dataset @returns {boolean} it can show a brush over a dataset's rows */
export function takesPart(layer, dataset) {
  const { definition } = layer;
  return definition?.dataset === dataset && !definition.filter && isDrawn(layer);
}

/** @param {Layer} layer @returns {boolean} what was chosen is drawn, from all rows */
export function isDrawn({ definition, info, asked, isHidden }) {
  return definition !== null && info !== null && !info.provisional && !asked && !isHidden;
}

/**
 * @param {Figure} figure @param {string} dataset
 * @returns {object[]} its layers over a dataset, as they are drawn
 */
export function targetsOf(figure, dataset) {
  return figure.layers.flatMap((layer) => {
    const { definition } = layer;
    const target = definition && takesPart(layer, dataset) ? targetOf(figure, layer, definition) : null;
    return target ? [target] : [];
  });
}

/**
 * @param {Figure} figure @param {Layer} layer of it, which is drawn
 * @param {import("../wire/frames.js").Definition} definition of the layer, if with other values
 * @returns {Target|null} the layer at what it shows now; null where that is nothing
 */
export function targetOf({ view, index }, { index: layer, raster, line }, definition) {
  if (!view) return null;
  const target = { figure: index, layer, definition };
  if (definition.glyph === "bar") return target;
  if (line) return line.asked ? { ...target, columns: line.asked } : null;
  const window = raster?.grid.window(view, raster.grid.level(view));
  if (!window) return null;
  const { zx, zy, i0, i1, j0, j1 } = window;
  return { ...target, view: [zx, zy, i0 * SIDE, j0 * SIDE, (i1 - i0 + 1) * SIDE, (j1 - j0 + 1) * SIDE] };
}

/** @param {Layer} layer @returns {boolean} bars, whose labels or bins are brushed */
export const hasBars = ({ definition }) => isBars(definition?.glyph);
