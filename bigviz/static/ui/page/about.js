// The text alternative of a picture: what it shows, between which bounds, from how many rows.

import { find, make } from "../../dom.js";
import { formatNumber } from "../../axes/axis.js";
import { about, COARSE, crowdWords, notesOf } from "../status/row-facts.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */

/**
 * Opens the dialog on all figures.
 * @param {HTMLElement} root that holds the dialog
 * @param {readonly Figure[]} figures
 */
export function showAbout(root, figures) {
  const dialog = find(root, ".about", HTMLDialogElement);
  find(dialog, ".about-body", HTMLElement).replaceChildren(...figures.map(tableOf));
  dialog.showModal();
}

/** @param {Figure} figure @returns {HTMLElement} */
function tableOf(figure) {
  const rows = factsOf(figure).map(([name, value]) =>
    make("tr", {}, [make("th", { text: name, attrs: { scope: "row" } }), make("td", { text: value })]),
  );
  return make("table", {}, [make("caption", { text: figure.title || "Figure" }), make("tbody", {}, rows)]);
}

/** Names and values, as text.  @param {Figure} figure @returns {[string, string][]} */
export function factsOf(figure) {
  const { view, axes, layers } = figure;
  /** @type {[string, string][]} */
  const facts = [];
  if (view)
    for (const side of /** @type {const} */ (["x", "y"])) facts.push([axes[side].title, rangeWords(figure, side)]);
  for (const layer of layers) {
    const { info, definition, error, raster, words } = layer;
    if (error) facts.push(["not drawn", error]);
    if (!info || !definition) continue;
    facts.push(["rows", `${info.rows.toLocaleString("en")} of ${definition.dataset}`]);
    if (definition.filter)
      facts.push(["rows kept", `${about(info.rows_kept, info.provisional)}, where ${definition.filter}`]);
    if (info.rows_outside > 0)
      facts.push([
        "rows not drawn",
        `${about(info.rows_outside, info.provisional)} (missing, not finite, or off the axis)`,
      ]);
    if (info.rows_far > 0)
      facts.push([
        "far rows",
        `${about(info.rows_far, info.provisional)}${definition.root === "full" ? ", shown" : ", left out"}`,
      ]);
    if (raster && view) {
      const { zx, zy } = raster.grid.level(view);
      facts.push([
        "cells",
        `${formatNumber(raster.grid.x.length / 2 ** (zx + 8), 4)} by ` +
          `${formatNumber(raster.grid.y.length / 2 ** (zy + 8), 4)} (level ${zx}, ${zy})`,
      ]);
      if (definition.glyph === "points" && raster.isCrowded(view))
        facts.push(["marks", "none: there are too many rows in view to draw each, more than about 50,000"]);
      if (raster.coarse(view)) facts.push(["pixels", COARSE]);
      const crowd = raster.crowd(view);
      if (crowd > 0) facts.push(["rows read", crowdWords(crowd)]);
      const { norm } = raster;
      if (!norm) continue;
      const { low, high } = norm.distribution;
      const mark = layer.estimate(view) ? "about " : "";
      facts.push([
        `${definition.agg}, visible`,
        `${mark}${words.apart([norm.told(low), norm.told(high)]).join(" to ")} in ` +
          `${norm.cells.toLocaleString("en")} cells`,
      ]);
      if (norm.low !== low || norm.high !== high) facts.push(["colours", mark + words.apart(norm.ends).join(" to ")]);
    }
  }
  for (const note of notesOf(figure)) facts.push(["note", note]);
  return facts;
}

/** @param {Figure} figure @param {"x"|"y"} side @returns {string} what the axis shows now */
export function rangeWords({ view, axes }, side) {
  if (!view) return "";
  const s = view[side];
  const step = (s.hi - s.lo) / (side === "x" ? view.width : view.height);
  return `${axes[side].format(s.origin, s.lo, step)} to ${axes[side].format(s.origin, s.hi, step)}`;
}
