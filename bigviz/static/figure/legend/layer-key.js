// The key to the colours of a layer: which one stands next to the plot, and what it says.

import { labelWords } from "../../axes/label-words.js";
import { isBars } from "../../layers/glyphs.js";
import { lutOf } from "../../layers/layer-style.js";

/** @typedef {import("../../axes/draw.js").Frame} Frame */
/** @typedef {import("../../layers/layer.js").Layer} Layer */

/**
 * Which key stands next to the plot: lines, bars of one colour and rows that are each seen need none.
 * @param {Layer|undefined} layer @returns {"bar"|"legend"|"none"}
 */
export function sideOf(layer) {
  if (!layer || layer.raster?.isAlwaysPlain) return "none";
  const { glyph } = layer.definition ?? layer.choice;
  if (glyph === "line" || (isBars(glyph) && !layer.planes)) return "none";
  return layer.planes ? "legend" : "bar";
}

/** @param {Layer} layer @returns {string[]} its categories in words */
export const labelsOf = (layer) => (layer.planes ?? []).map(labelWords);

/** @param {Layer} layer @returns {string} what the colours mean */
export function keyTitle(layer) {
  const traits = layer.info?.traits;
  if (!traits) return layer.choice.agg;
  const { by, plane } = traits;
  return by === null ? plane : plane === "count" ? by : `${by}, ${plane}`;
}

/** Categories.  @param {Layer} layer @param {Frame} frame @returns {import("./legend.js").Key} */
export const keyOf = (layer, { bar, narrow }) => ({
  rect: bar,
  horizontal: narrow,
  labels: labelsOf(layer),
  title: keyTitle(layer),
});

/**
 * Values.
 * @param {Layer} layer @param {Frame} frame
 * @param {{look: import("../../layers/layer-style.js").Look, about: string, mark: number|bigint|null, room: number}} o
 *   about: before the title, of an estimate; mark: a value to point at; room: CSS pixels for labels next to the bar
 * @returns {import("./legend.js").Bar}
 */
export const barOf = (layer, { bar, narrow }, { look, about, mark, room }) => ({
  rect: bar,
  horizontal: narrow,
  norm: layer.keyRaster?.norm ?? null,
  lut: lutOf(layer, look),
  title: about + keyTitle(layer),
  words: layer.words,
  mark,
  room,
});
