// What a row under the pointer holds, in words: a row of a line, or one that is drawn as a mark.

import { labelWords } from "../axes/label-words.js";
import { length } from "../geometry/span.js";
import { categoryColor } from "./category-color.js";

/** @typedef {import("./bar-facts.js").Fact} Fact */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** @typedef {import("../layers/lines/line-layer.js").RowHit} RowHit */
/** @typedef {import("../geometry/view.js").View} View */
/** A row of a line, or of rows drawn one by one: then with their number, value and category.
 * @typedef {RowHit & {layer: Layer, number?: number, value?: number|bigint, label?: string|null, code?: number}} Row
 */
/** @typedef {Pick<import("../figure/figure.js").Figure, "axes"|"view">} Drawn */

/** @param {Row} hit @param {Drawn} figure @returns {Fact[]} */
export function rowFacts(hit, { axes, view }) {
  const { row, x, y, layer } = hit;
  if (!view) return [];
  const xFact = { name: axes.x.title, value: axes.x.format(x.origin, x.offset, length(view.x) / view.width / 100) };
  const yValue = axes.y.format(y.origin, y.offset, length(view.y) / view.height / 100);
  if (hit.value !== undefined)
    return [xFact, { name: axes.y.title, value: yValue }, ...legendFact(layer), ...markFacts(hit, hit.value)];
  return [
    xFact,
    { name: layer.definition?.y ?? axes.y.title, value: yValue, strong: true },
    ...legendFact(layer),
    { name: "row", value: row.toLocaleString("en") },
  ];
}

/** The entry of the legend that a row belongs to.  @param {Layer} layer @returns {Fact[]} */
function legendFact(layer) {
  const { legend_label: name, color } = layer.spec;
  return name ? [{ name, value: "", color: color ?? undefined }] : [];
}

/** @param {Row} hit @param {number|bigint} value @returns {Fact[]} */
function markFacts({ row, layer, number = 1, label, code = 0 }, value) {
  const { plane = "", counts = false, total = null } = layer.info?.traits ?? {};
  /** @type {Fact[]} */ const facts = [];
  const rowsOnly = counts || total === "any"; // their number is shown below
  if (typeof label === "string")
    facts.push({
      name: labelWords(label),
      value: rowsOnly ? "" : layer.words.one(value),
      color: categoryColor(code),
      strong: true,
    });
  else if (!rowsOnly) facts.push({ name: plane, value: layer.words.one(value), strong: true });
  facts.push({ name: "row", value: row.toLocaleString("en"), strong: rowsOnly && typeof label !== "string" });
  if (number > 1) facts.push({ name: "rows here", value: number.toLocaleString("en") });
  return facts;
}
