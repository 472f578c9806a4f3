// A row's value as a filter that keeps rows with the same.

import { NUMBERS } from "../../wire/column-kinds.js";

/** @typedef {import("../layer.js").Column} Column */

const WORDS = new Set(["or", "and", "not", "between", "in", "is", "null", "true", "false"]);

/** @param {string} name of a column @returns {string} as an expression has it */
export function nameText(name) {
  if (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) && !name.startsWith("_") && !WORDS.has(name.toLowerCase())) return name;
  return `\`${name.replaceAll("`", "``")}\``;
}

/**
 * @param {Column} column
 * @param {string|null} value as the server writes it
 * @returns {string|null} null where an expression has no word for it: it was cut, or is no finite number
 */
export function valueFilter({ name, kind, type }, value) {
  if (value === null) return `${nameText(name)} is null`;
  if (value.endsWith("…")) return null;
  if (kind === "bool") return `${nameText(name)} = ${value}`;
  if (NUMBERS.has(kind) && !Number.isFinite(Number(value))) return null;
  if (type === "float") return `${nameText(name)} = ${float32Text(Number(value))}`;
  if (NUMBERS.has(kind)) return `${nameText(name)} = ${value}`;
  if (kind === "category" || kind === "timestamp" || kind === "date" || kind === "time")
    return `${nameText(name)} = '${value.replaceAll("'", "''")}'`;
  return null;
}

/**
 * The server writes a float32 with the fewest digits that tell it from others; filters compare it as float64. Digits
 * alone would be a whole number, which is compared exactly.
 * @param {number} value
 */
function float32Text(value) {
  const number = Math.fround(value);
  return Math.abs(number) < 2 ** 53 ? String(number) : number.toExponential();
}

/**
 * Rows with other labels, or none.
 * @param {Pick<Column, "name"|"kind">} column that has labels
 * @param {readonly string[]} left labels that are left out @param {readonly string[]} all
 * @returns {string} named by those that are fewer
 */
export function labelsFilter({ name, kind }, left, all) {
  const text = (/** @type {string} */ label) =>
    kind === "bool" ? label.toLowerCase() : kind === "integer" ? label : `'${label.replaceAll("'", "''")}'`;
  const out = new Set(left);
  const kept = all.filter((label) => !out.has(label));
  const isFew = left.length <= kept.length;
  if (!isFew && kept.length === 0) return `${nameText(name)} is null`;
  const words = `${nameText(name)} ${isFew ? "not in" : "in"} (${(isFew ? left : kept).map(text).join(", ")})`;
  return `(${nameText(name)} is null or ${words})`;
}

/** Both must hold.  @param {string} filter "" keeps all @param {string} more @returns {string} */
export const narrowed = (filter, more) => (filter ? `(${filter}) and ${more}` : more);
