// What a figure of a link shows, as a message about a brush names it.

import { isBars } from "../layers/glyphs.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/layer.js").Layer} Layer */

const SIDE = 256;

/** @param {Layer} layer @param {string} dataset @returns {boolean} it can show a brush over a dataset's rows */
export function takesPart({ definition, info, asked, isHidden }, dataset) {
  return (
    definition?.dataset === dataset && !definition.filter && info !== null && !info.provisional && !asked && !isHidden
  );
}

/**
 * @param {Figure} figure @param {string} dataset
 * @returns {object[]} its layers over a dataset, as they are drawn
 */
export function targetsOf(figure, dataset) {
  const { view, layers, index } = figure;
  if (!view) return [];
  return layers.flatMap((layer) => {
    const { definition, raster, line } = layer;
    if (!definition || !takesPart(layer, dataset)) return [];
    const target = { figure: index, layer: layer.index, definition };
    if (definition.glyph === "bar") return [target];
    if (line) return line.asked ? [{ ...target, columns: line.asked }] : [];
    const window = raster?.grid.window(view, raster.grid.level(view));
    if (!window) return [];
    const { zx, zy, i0, i1, j0, j1 } = window;
    return [{ ...target, view: [zx, zy, i0 * SIDE, j0 * SIDE, (i1 - i0 + 1) * SIDE, (j1 - j0 + 1) * SIDE] }];
  });
}

/** @param {Layer} layer @returns {boolean} bars, whose labels or bins are brushed */
export const hasBars = ({ definition }) => isBars(definition?.glyph);
