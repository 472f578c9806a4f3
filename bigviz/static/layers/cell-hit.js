// What a cell under the pointer holds.

import { cellOf } from "../wire/codec.js";

/** The cell under the pointer: `value` null when empty, the total under `by`, whose non-empty categories `planes` lists; its tile and
 * place in it; its bounds as offsets from the view's origins. `exact` false: of a coarser cell, while the view's own tile is missing.
 * @typedef {CellValues & {key: import("../wire/frames.js").TileKey, column: number, row: number, x: [number, number], y: [number, number], exact: boolean}} Hit */
/** @typedef {{value: number|bigint|null, planes: {label: string, value: number|bigint}[]|null}} CellValues */

/**
 * @param {readonly import("../wire/codec.js").Plane[]} planes @param {number} at the cell's index
 * @param {readonly string[]|null} labels of the categories; null for a single plane @returns {CellValues}
 */
export function valuesAt(planes, at, labels) {
  const values = planes.map((plane) => cellOf(plane, at));
  if (!labels) return { value: values[0], planes: null };
  const filled = values.flatMap((value, k) => (value === null ? [] : [{ label: labels[k], value }]));
  return { value: filled.length ? addUp(filled.map(({ value }) => value)) : null, planes: filled };
}

/** @param {(number|bigint)[]} values @returns {number|bigint} their sum, exact when any is a BigInt */
function addUp(values) {
  if (values.some((value) => typeof value === "bigint")) return values.reduce((sum, value) => BigInt(sum) + BigInt(value), 0n);
  return values.reduce((sum, value) => Number(sum) + Number(value), 0);
}
