// A row's value as a filter that keeps rows with the same.

import { NUMBERS } from "../wire/column-kinds.js";

/** @typedef {import("../layers/layer.js").Column} Column */

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
export function valueFilter({ name, kind }, value) {
  if (value === null) return `${nameText(name)} is null`;
  if (value.endsWith("…")) return null;
  if (kind === "bool") return `${nameText(name)} = ${value}`;
  if (NUMBERS.has(kind)) return Number.isFinite(Number(value)) ? `${nameText(name)} = ${value}` : null;
  if (kind === "category" || kind === "timestamp" || kind === "date" || kind === "time")
    return `${nameText(name)} = '${value.replaceAll("'", "''")}'`;
  return null;
}

/** Both must hold.  @param {string} filter "" keeps all @param {string} more @returns {string} */
export const narrowed = (filter, more) => (filter ? `(${filter}) and ${more}` : more);
