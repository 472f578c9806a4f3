// What a figure of a link shows, and what a brush in it is over, as a message about a brush names it.

import { isInPlace } from "../layers/in-place.js";
import { labelsFilter, narrowed } from "../layers/rows/value-filter.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {import("../wire/frames.js").Definition} Definition */
/** A layer in a message about a brush.
 * @typedef {{figure: number, layer: number, definition: Definition,
 *   columns?: import("../layers/lines/line-layer.js").Asked, view?: number[]}} Target */

const SIDE = 256;

/** @param {Layer} layer @returns {boolean} what was chosen is drawn, from all rows */
export function isDrawn({ definition, info, asked, isHidden }) {
  return definition !== null && info !== null && !info.provisional && !asked && !isHidden;
}

/**
 * What a layer is with the values that controls have now, where it is drawn in the same place as before: with other
 * rows at most. The picture need not be there yet.
 * @param {Layer} layer @returns {Definition|null} null where it can show no brush
 */
function brushable(layer) {
  const { definition, info, asked, isHidden, brushed } = layer;
  if (definition === null || info === null || isHidden) return null;
  if (info.provisional && !brushed?.stays) return null; // its roots may be others
  const now = layer.define();
  if (isInPlace(now, definition)) return now;
  return asked ? null : definition;
}

/**
 * What a brush in a figure is over: the rows of its first layer, without those of categories that its legend hides.
 * @param {Layer|undefined} layer @returns {Definition|null}
 */
export function sourceOf(layer) {
  if (!layer) return null;
  const definition = brushable(layer);
  const labels = layer.planes ?? [];
  const left = layer.hidden.map((k) => labels[k]);
  const column = layer.columns.find(({ name }) => name === layer.info?.traits.by);
  if (!definition || !column || left.length === 0) return definition;
  return { ...definition, filter: narrowed(definition.filter ?? "", labelsFilter(column, left, labels)) };
}

/**
 * @param {Figure} figure @param {string} dataset
 * @returns {Target[]} its layers over a dataset, as they are drawn
 */
export function targetsOf(figure, dataset) {
  return figure.layers.flatMap((layer) => {
    const definition = brushable(layer);
    const target = definition?.dataset === dataset ? targetOf(figure, layer, definition) : null;
    return target ? [target] : [];
  });
}

/**
 * @param {Figure} figure @param {Layer} layer of it, which is drawn
 * @param {Definition} definition of the layer, if with other values
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
