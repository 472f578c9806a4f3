// What the data of a layer span on an axis.

import { wholeBins } from "../geometry/home.js";

/** @typedef {{info: import("../wire/frames.js").LayerInfo|null, spec: import("../types.js").LayerSpec,
 *   definition: import("../wire/frames.js").Definition|null}} Known */
/** @typedef {readonly [number|string, number|string]|null} Ends */

/** Kinds of columns whose numbers may stand for cells, and how many of these an axis has at most. */
const CELLS = new Set(["integer", "bool", "category"]);
const MOST_CELLS = 64;

/**
 * What all of the data span.
 * @param {Known} layer
 * @param {"x"|"y"} side
 * @returns {import("../geometry/home.js").DataRange}
 */
export function dataRange(layer, side) {
  const range = withLastBin(layer, side, sideOf(layer.info?.range, side));
  return range && hasCells(layer, side) ? [...range, true] : range;
}

/**
 * The part of it with nearly all rows, where the server found that to be small.
 * @param {Known} layer
 * @param {"x"|"y"} side
 * @returns {Ends}
 */
export const denseRange = (layer, side) => withLastBin(layer, side, sideOf(layer.info?.dense?.box, side));

/**
 * The last bin of a histogram of whole numbers may end beyond them.
 * @param {Known} layer
 * @param {"x"|"y"} side
 * @param {Ends} range
 * @returns {Ends}
 */
function withLastBin({ info, definition, spec }, side, range) {
  const isWhole = side === "x" && info?.x.kind === "integer" && definition?.xaxis === "linear";
  return range && isWhole && definition?.glyph === "histogram" ? wholeBins(range, spec.bins) : range;
}

/**
 * Its numbers are few and whole, and drawn as cells or bands: labels, and the whole numbers of a table.
 * @param {Known} layer
 * @param {"x"|"y"} side
 * @returns {boolean}
 */
function hasCells(layer, side) {
  const { info, definition } = layer;
  if (definition?.glyph === "bar") return side === "x";
  if (!info || definition?.glyph !== "points" || !isShort(layer, side)) return false;
  return info[side].kind !== "integer" || isShort(layer, side === "x" ? "y" : "x");
}

/**
 * Its numbers are whole, and no more than are told apart at a glance.
 * @param {Known} layer
 * @param {"x"|"y"} side
 * @returns {boolean}
 */
function isShort({ info, definition }, side) {
  const range = sideOf(info?.range, side);
  const linear = definition?.[side === "x" ? "xaxis" : "yaxis"] === "linear";
  return (
    linear && range !== null && CELLS.has(info?.[side].kind ?? "") && Number(range[1]) - Number(range[0]) < MOST_CELLS
  );
}

/**
 * @param {(number|string)[]|null|undefined} box x0, y0, x1, y1
 * @param {"x"|"y"} side
 * @returns {Ends}
 */
function sideOf(box, side) {
  if (!box) return null;
  return side === "x" ? [box[0], box[2]] : [box[1], box[3]];
}
