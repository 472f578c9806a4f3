// What a cell under the pointer holds.

import { isLeftOut } from "../render/palette.js";
import { cellOf } from "../wire/codec.js";

/**
 * The cell under the pointer: `value` null when empty; under `by`, whose non-empty categories `planes` lists, that of
 * all their rows, null where those of the categories do not tell it; its tile and place in it; its bounds as offsets
 * from the view's origins. `exact` false: of a coarser cell, while the view's own tile is missing; `estimated`: its
 * values are a sample's.
 * @typedef {CellValues & {key: import("../wire/frames.js").TileKey, column: number, row: number, x: [number, number],
 *   y: [number, number], exact: boolean,
 *   estimated: boolean}} Hit */
/** @typedef {import("../wire/frames.js").Traits["total"]} Total */
/** @typedef {{value: number|bigint|null, planes: {label: string, value: number|bigint}[]|null}} CellValues */

/**
 * @param {readonly import("../wire/codec.js").Plane[]} planes @param {number} at the cell's index
 * @param {{planes: readonly string[]|null, traits: {total: Total}}} facts of the layer
 * @param {Uint8Array} [colors] of the categories: those left out are not told
 * @returns {CellValues}
 */
export function valuesAt(planes, at, { planes: labels, traits }, colors) {
  const values = planes.map((plane) => cellOf(plane, at));
  if (!labels) return { value: values[0], planes: null };
  const filled = values.flatMap((value, k) =>
    value === null || (colors && isLeftOut(colors, k)) ? [] : [{ label: labels[k], value }],
  );
  return {
    value: filled.length
      ? total(
          filled.map(({ value }) => value),
          traits.total,
        )
      : null,
    planes: filled,
  };
}

/**
 * @param {(number|bigint)[]} values of a cell's categories, at least one
 * @param {Total} rule
 * @returns {number|bigint|null} that of all their rows
 */
function total(values, rule) {
  switch (rule) {
    case "sum":
      return addUp(values);
    case "min":
      return ahead(values, (a, b) => a < b);
    case "max":
    case "any":
      return ahead(values, (a, b) => a > b);
    default:
      return null;
  }
}

/**
 * @param {(number|bigint)[]} values
 * @param {(a: number|bigint, b: number|bigint) => boolean} beats
 * @returns {number|bigint}
 */
function ahead(values, beats) {
  return values.reduce((best, value) => (beats(value, best) ? value : best));
}

/** @param {(number|bigint)[]} values @returns {number|bigint} their sum, exact when any is a BigInt */
function addUp(values) {
  if (values.some((value) => typeof value === "bigint"))
    return values.reduce((sum, value) => BigInt(sum) + BigInt(value), 0n);
  return values.reduce((sum, value) => Number(sum) + Number(value), 0);
}
