// The axes of a figure: those that the document describes, while their columns are drawn, else those of the columns
// that were picked.

import { Axis } from "../../axes/axis.js";

/** @typedef {import("../../layers/layer.js").Layer} Layer */

/**
 * @param {import("../../types.js").FigureSpec} spec
 * @param {Layer|undefined} main the layer that the axes are named after; a figure may have none
 * @returns {{x: Axis, y: Axis}}
 */
export function axesOf(spec, main) {
  return { x: axisOf(spec.x_axis, "x", main), y: axisOf(spec.y_axis, "y", main) };
}

/** @param {import("../../types.js").AxisSpec} spec @param {"x"|"y"} side @param {Layer|undefined} main
 * @returns {Axis} */
function axisOf(spec, side, main) {
  const facts = main?.info?.[side] ?? null;
  const published = !main || main.choice[side] === main.spec[side];
  const kind = main?.definition?.[side === "x" ? "xaxis" : "yaxis"] ?? spec.kind;
  return new Axis({
    kind: /** @type {import("../../types.js").AxisSpec["kind"]} */ (kind),
    side,
    column: facts,
    label: published ? spec.label : null,
    unit: published ? spec.unit : null,
    zone: spec.zone ?? facts?.zone ?? null,
    categories: (published ? spec.categories : null) ?? facts?.categories ?? null,
  });
}
