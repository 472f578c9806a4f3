// The kinds of axis that a layer's columns can go on.

import { isBars } from "./glyphs.js";
import { NUMBERS, TIMES } from "../wire/column-kinds.js";

/** `axes`: the figure's kinds of axes as published for the columns of `first`.
 * @typedef {{axes: {x: string, y: string}, first: {x: string, y: string}, columns: {name: string, kind: string}[],
 *   choice: {x: string, y: string, glyph: import("../types.js").Glyph, xaxis: string|null, yaxis: string|null}}} Placed
 */

/**
 * The kinds of axis that the chosen column can go on, its default first.
 * @param {Placed} layer
 * @param {"x"|"y"} side
 * @returns {string[]}
 */
export function axisKinds(layer, side) {
  const { axes, choice, columns } = layer;
  if (side === "y" && isBars(choice.glyph)) return axes.y === "log" ? ["log", "linear"] : ["linear", "log"];
  if (side === "x" && choice.glyph === "bar") return ["linear"];
  const kind = columns.find((c) => c.name === choice[side])?.kind ?? "";
  const first = defaultKind(layer, side);
  return NUMBERS.has(kind) && first !== "mercator"
    ? [first, ...["linear", "log"].filter((other) => other !== first)]
    : [first];
}

/**
 * The kind of axis that the chosen column goes on.
 * @param {Placed} layer
 * @param {"x"|"y"} side
 * @returns {string}
 */
export function axisKind(layer, side) {
  const kinds = axisKinds(layer, side);
  const chosen = layer.choice[side === "x" ? "xaxis" : "yaxis"];
  return chosen !== null && kinds.includes(chosen) ? chosen : kinds[0];
}

/**
 * As published for the published column, else by the column's own kind.
 * @param {Placed} layer
 * @param {"x"|"y"} side
 * @returns {string}
 */
export function defaultKind({ axes, choice, columns, first }, side) {
  const published = axes[side];
  const same = published === "mercator" ? choice.x === first.x && choice.y === first.y : choice[side] === first[side];
  if (same) return published;
  const column = columns.find((c) => c.name === choice[side]);
  if (column && TIMES.has(column.kind)) return "datetime";
  return published === "log" && column && NUMBERS.has(column.kind) ? "log" : "linear";
}
