// What a cell under the pointer holds, in words: its value, and under `by` that of each category, with its share.

import { labelWords } from "../axes/label-words.js";
import { categoryColor } from "./category-color.js";

/** @typedef {import("./bar-facts.js").Fact} Fact */
/** @typedef {import("../layers/cell-hit.js").Hit} Hit */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {Pick<import("../figure/figure.js").Figure, "axes"|"view"|"exact">} Drawn */

const MOST_CATEGORIES = 8;

/**
 * What is told of a place and of the cell there.
 * @param {Hit|null} hit @param {Layer} layer @param {Drawn} figure
 * @param {number} px @param {number} py device pixels of the plot
 * @returns {Fact[]}
 */
export function cellFacts(hit, layer, { axes, view, exact }, px, py) {
  if (!view) return [];
  const step = { x: (view.x.hi - view.x.lo) / view.width, y: (view.y.hi - view.y.lo) / view.height };
  const facts = [
    { name: axes.x.title, value: axes.x.format(view.x.origin, view.xAt(px), step.x) },
    { name: axes.y.title, value: axes.y.format(view.y.origin, view.yAt(py), step.y) },
  ];
  if (hit) return [...facts, ...valueFacts(hit, layer, MOST_CATEGORIES)];
  if (!layer?.raster || layer.raster.marks.covers(view)) return facts;
  return [...facts, { name: layer.definition?.agg ?? "", value: exact ? "no cell" : "…" }];
}

/**
 * What is told of a cell that is looked into: its bounds, and all of its categories.
 * @param {Hit} hit @param {Layer} layer @param {Drawn} figure @returns {Fact[]}
 */
export function wholeCell(hit, layer, { axes, view }) {
  if (!view) return [];
  const bounds = (/** @type {"x"|"y"} */ side) => {
    const step = (hit[side][1] - hit[side][0]) / 10;
    const [low, high] = hit[side].map((offset) => axes[side].format(view[side].origin, offset, step));
    return { name: axes[side].title, value: low === high ? low : `${low} to ${high}` };
  };
  return [bounds("x"), bounds("y"), ...valueFacts(hit, layer, Number.POSITIVE_INFINITY)];
}

/** @param {Hit} hit @param {Layer} layer @param {number} most categories @returns {Fact[]} */
function valueFacts(hit, layer, most) {
  const mark = hit.estimated ? "about " : "";
  const none = mark + (layer.info?.traits.counts ? "0" : "no rows");
  const told = (/** @type {number|bigint} */ value) =>
    mark + (hit.estimated ? layer.words.about(value) : layer.words.one(value));
  if (!hit.planes) {
    const value = hit.value === null ? none : told(hit.value);
    return [{ name: layer.definition?.agg ?? "", value, strong: true }];
  }
  const present = [...hit.planes].sort((a, b) => (a.value === b.value ? 0 : a.value < b.value ? 1 : -1));
  const whole = layer.info?.traits.counts ? Number(hit.value) : 0;
  /** @type {Fact[]} */
  const facts = present.slice(0, most).map((p) => ({
    name: labelWords(p.label),
    value: told(p.value),
    color: categoryColor((layer.planes ?? []).indexOf(p.label)),
    share: whole > 0 ? shareWords(Number(p.value) / whole) : undefined,
  }));
  if (present.length > most) facts.push({ name: `${present.length - most} more`, value: "" });
  if (hit.value !== null) return [...facts, { name: "all", value: told(hit.value), strong: true }];
  // the means of categories do not give that of all rows
  return present.length ? facts : [{ name: "all", value: none, strong: true }];
}

/** @param {number} share @returns {string} "7 %", and "0.4 %" below 1 */
function shareWords(share) {
  const percent = 100 * share;
  return `${percent >= 1 ? Math.round(percent) : Number(percent.toPrecision(1))} %`;
}
