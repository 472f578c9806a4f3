// A reduction as text, "mean(fare)", and as two choices: the reduction and its column.

import { NUMBERS, TIMES } from "../../wire/column-kinds.js";

/** @typedef {import("../../layers/layer.js").Column} Column */
/** @typedef {{name: string, column: string|null}} Reduction  column: null for those of whole rows */

/** Kinds that have a sum. */
const SUMMED = new Set([...NUMBERS, "bool"]);
/** Kinds of columns whose values can be categories where these are few, those most fit for it first. */
const CATEGORIES = ["category", "bool", "integer"];
const isAdded = (/** @type {Column} */ { kind }) => SUMMED.has(kind) || kind === "duration";
const isOrdered = (/** @type {Column} */ { kind }) => SUMMED.has(kind) || TIMES.has(kind);

/** Which columns a reduction takes; null: none.  @type {ReadonlyMap<string, ((column: Column) => boolean)|null>} */
const TAKES = new Map([
  ["count", null],
  ["any", null],
  ["by", ({ kind, by_reason }) => CATEGORIES.includes(kind) && !by_reason],
  ["mean", isOrdered],
  ["sum", isAdded],
  ["min", isOrdered],
  ["max", isOrdered],
  ["first", isOrdered],
  ["last", isOrdered],
]);

/**
 * A column's name inside a reduction's text: in backticks where it could be taken for something else.
 * @param {string} name
 * @returns {string}
 */
export function quoted(name) {
  return name !== "" && name === name.trim() && !/[(),`'"]/.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;
}

/** @param {Reduction} reduction @returns {string} */
export function reductionText({ name, column }) {
  return column === null ? name : `${name}(${quoted(column)})`;
}

/**
 * @param {string} text
 * @returns {Reduction|null} null where it is none of those that two choices can say, as by(kind, mean(fare)) and
 *   count(fare) are
 */
export function readReduction(text) {
  const found = /^\s*(\w+)\s*(?:\((.*)\)\s*)?$/s.exec(text);
  const takes = found && TAKES.get(found[1]);
  if (!found || takes === undefined) return null;
  if ((takes === null) !== (found[2] === undefined)) return null;
  if (found[2] === undefined) return { name: found[1], column: null };
  const column = unquoted(found[2].trim());
  return column === null ? null : { name: found[1], column };
}

/**
 * @param {string} text a column's name as it stands in a reduction
 * @returns {string|null} null where it is not one name
 */
function unquoted(text) {
  const quote = text[0];
  if (quote !== "`" && quote !== "'" && quote !== '"') return text !== "" && !/[(),`'"]/.test(text) ? text : null;
  const inside = text.slice(1, -1);
  const isWhole = text.length > 1 && text.endsWith(quote) && !inside.replaceAll(quote + quote, "").includes(quote);
  return isWhole ? inside.replaceAll(quote + quote, quote) : null;
}

/** @param {readonly Column[]} columns @param {string} name of a reduction @returns {Column[]} those that it takes */
export function columnsFor(columns, name) {
  const takes = TAKES.get(name) ?? null;
  const found = takes === null ? [] : columns.filter((column) => column.plottable && takes(column));
  return name === "by" ? found.sort((a, b) => CATEGORIES.indexOf(a.kind) - CATEGORIES.indexOf(b.kind)) : found;
}

/**
 * The reductions that a table's columns allow, those of whole rows included.
 * @param {readonly Column[]} columns @returns {string[]}
 */
export function reductionsOf(columns) {
  return [...TAKES]
    .filter(([name, takes]) => takes === null || columnsFor(columns, name).length > 0)
    .map(([name]) => name);
}

/**
 * The column that a newly chosen reduction starts with: the one chosen before where it takes that, else the first that
 * is not on an axis.
 * @param {readonly Column[]} columns
 * @param {string} name of the reduction
 * @param {{x: string, y: string, before: readonly string[]}} o before: columns chosen before, the last first
 * @returns {string|null} null where it takes none
 */
export function startColumn(columns, name, { x, y, before }) {
  const names = columnsFor(columns, name).map((column) => column.name);
  return (
    before.find((each) => names.includes(each)) ?? names.find((each) => each !== x && each !== y) ?? names[0] ?? null
  );
}
