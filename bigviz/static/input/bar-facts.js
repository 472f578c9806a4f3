// What a bar under the pointer holds, in words: where it lies, its value, and its share of all rows.

import { labelWords } from "../axes/label-words.js";
import { length } from "../geometry/span.js";

/**
 * `share`: of all rows.
 * @typedef {{name: string, value: string, strong?: boolean, color?: string, share?: string}} Fact
 */
/** @typedef {import("../layers/lines/bar-layer.js").BarHit} BarHit */
/** @typedef {import("../layers/layer.js").Layer} Layer */

const MOST_CATEGORIES = 8;

/**
 * @param {BarHit} hit @param {Layer} layer
 * @param {Pick<import("../figure/figure.js").Figure, "axes"|"view">} figure
 * @returns {Fact[]}
 */
export function barFacts(hit, layer, { axes, view }) {
  const { info, shownLine: line, words } = layer;
  if (!view || !info || !line) return [];
  const rows = hit.parts.reduce((sum, each) => sum + each.rows, 0);
  const whole = Math.min(info.rows - info.rows_outside - info.rows_far, info.rows_kept);
  const facts = [{ name: axes.x.title, value: placeWords(hit, layer, axes.x, length(view.x) / view.width / 100) }];
  const told = (/** @type {number} */ value) => words.one(isLog(layer) ? 10 ** value : value);
  const filled = hit.parts.filter(({ value, rows }) => value !== null && (hit.parts.length === 1 || rows > 0));
  /** @type {Fact[]} */
  const values =
    hit.parts.length === 1
      ? [{ name: info.traits.plane, value: filled.length ? told(filled[0].value ?? 0) : "no rows", strong: true }]
      : [...filled]
          .sort((a, b) => b.rows - a.rows)
          .slice(0, MOST_CATEGORIES)
          .map(({ label, code, value }) => ({
            name: labelWords(label ?? ""),
            value: told(value ?? 0),
            color: /** @type {import("../layers/lines/bar-layer.js").BarLayer} */ (line).colorOf(code),
          }));
  if (filled.length > MOST_CATEGORIES) values.push({ name: `${filled.length - MOST_CATEGORIES} more`, value: "" });
  if (!info.traits.counts || hit.parts.length > 1) values.push({ name: "rows", value: rows.toLocaleString("en") });
  const share = whole > 0 ? (100 * rows) / whole : 0;
  return [...facts, ...values, { name: "share", value: `${share >= 10 ? share.toFixed(1) : share.toPrecision(2)} %` }];
}

/** @param {Layer} layer @returns {boolean} values of bars are logarithms */
const isLog = ({ definition }) => definition?.yaxis === "log";

/**
 * @param {BarHit} hit @param {Layer} layer @param {import("../axes/axis.js").Axis} axis @param {number} step
 * @returns {string} a label, one whole number, or both ends
 */
function placeWords({ bin, start, end }, { definition, info }, axis, step) {
  if (definition?.glyph === "bar") return info?.x.categories?.[bin] ?? "";
  const [low, high] = [start, end].map(({ origin, offset }) => axis.format(origin, offset, step));
  const isOne =
    axis.exact &&
    info?.x.kind === "integer" &&
    end.origin + BigInt(end.offset) - start.origin - BigInt(start.offset) === 1n;
  return isOne ? low : `${low} to ${high}`;
}
