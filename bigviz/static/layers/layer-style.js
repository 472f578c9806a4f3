// How a layer is drawn: what was chosen, in the colours of the page's theme.

import { opacityOf, pixelOf } from "../render/css-color.js";
import { seenOn, wantsDark } from "../render/contrast.js";
import { coloursWithout } from "../render/palette.js";

/** What a style is made of: what was chosen and published of a layer, its categories and those that are left out.
 * @typedef {{choice: {cmap: string, how: import("../render/norm.js").How, low: import("../render/norm.js").Clip,
 *   high: import("../render/norm.js").Clip}, spec: import("../types.js").LayerSpec, index: number,
 *   planes: string[]|null, hidden: number[]}} Styled */
/** @typedef {{luts: Map<string, Uint8Array>, palette: import("../render/theme.js").Palette}} Look */

const LINE_WIDTH = 1.5;
/** Patterns of dashes by name, as Bokeh's, in CSS pixels.  @type {Record<string, number[]>} */
const DASHES = { solid: [], dashed: [6], dotted: [2, 4], dotdash: [2, 4, 6, 4], dashdot: [6, 4, 2, 4] };

/**
 * The colour map in use; a name that this server does not know falls back to its first.
 * @param {Styled} layer
 * @param {Look} look
 * @returns {Uint8Array}
 */
function mapOf({ choice }, { luts }) {
  const map = luts.get(choice.cmap) ?? luts.values().next().value;
  if (!map) throw new Error("the server sent no colour maps");
  return map;
}

/**
 * Its colours: those of its map that are seen on the ground that it needs.
 * @param {Styled} layer
 * @param {Look} look
 * @returns {Uint8Array}
 */
export const lutOf = (layer, look) => seenOn(mapOf(layer, look), needsDark(layer, look));

/**
 * The ground that its map needs is dark.
 * @param {Styled} layer
 * @param {Look} look
 * @returns {boolean}
 */
export const needsDark = (layer, look) => wantsDark(mapOf(layer, look), look.palette);

/**
 * @param {Styled} layer
 * @param {Look} look
 * @returns {import("../render/shade.js").RasterStyle}
 */
export function rasterStyle(layer, look) {
  const { how, low, high } = layer.choice;
  const { color, size, alpha, marker } = layer.spec;
  const { palette } = look;
  return {
    how,
    lut: lutOf(layer, look),
    low,
    high,
    dark: layer.planes ? palette.dark : needsDark(layer, look),
    sparse: { accent: pixelOf(onlyColor(layer, palette)), dark: palette.dark },
    ...leftOut(layer),
    marks: {
      isPlain: color !== null || size !== null,
      size,
      opacity: alpha * (color === null ? 1 : opacityOf(color)),
      shape: marker,
    },
  };
}

/**
 * @param {Styled} layer
 * @param {Look} look
 * @returns {import("./lines/line-layer.js").LineStyle}
 */
export function lineStyle(layer, { palette }) {
  const { line_width, line_dash, alpha } = layer.spec;
  const dash = typeof line_dash === "string" ? DASHES[line_dash] : line_dash;
  const width = line_width ?? LINE_WIDTH;
  return { color: onlyColor(layer, palette), width, opacity: alpha, dash, ...leftOut(layer) };
}

/**
 * The colours of categories where some are left out.
 * @param {Styled} layer
 * @returns {{colors?: Uint8Array}}
 */
function leftOut({ hidden }) {
  return hidden.length === 0 ? {} : { colors: coloursWithout(hidden) };
}

/**
 * Where one colour is all that is needed.
 * @param {Styled} layer
 * @param {import("../render/theme.js").Palette} palette
 * @returns {string}
 */
const onlyColor = ({ spec, index }, palette) => spec.color ?? palette.line[index % palette.line.length];
