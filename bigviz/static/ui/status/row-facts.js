// Facts about a figure's rows: how many there are, which are not drawn, and a button that brings far ones in; where the
// cells drawn are coarser than the view's pixels; and where a view takes long because so many rows lie closer together
// than the index can tell apart.

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../layers/layer.js").Layer} Layer */

/** Shown where a view lies deeper than the last level and is still drawn from its cells. */
export const COARSE =
  "Cells are larger than pixels here: an exact image of this view would have more than 16,777,216 numbers. " +
  "A smaller plot, or fewer categories, has one.";

/** @param {number} rows @returns {string} why views here take long */
export const crowdWords = (rows) =>
  `Views here take longer: each reads ${rows.toLocaleString("en")} rows, which lie closer together than the index ` +
  "can tell apart (2^-32 of the plot's whole width and height).";

/** Why rows are in no cell. */
const NOT_DRAWN = "missing, not finite, or off the axis";

/**
 * Keeps the facts about a figure's rows in its status line.
 * @param {Figure} figure
 * @param {import("./status.js").Status} status
 */
export function bindRowFacts(figure, status) {
  const show = () => {
    const text = rowsWords(figure.layers);
    const missing = figure.layers.some((l) => (l.info?.rows_outside ?? 0) > 0);
    status.set("rows", text ? { text, detail: missing ? NOT_DRAWN : undefined } : null);
    const notes = notesOf(figure);
    status.set(
      "notes",
      text && notes.length > 0
        ? { text: notes.length === 1 ? "1 note" : `${notes.length} notes`, detail: notes.join(" ") }
        : null,
    );
    status.set("coarse", isCoarse(figure) ? { text: "cells larger than pixels", detail: COARSE } : null);
    const crowd = crowdOf(figure);
    status.set(
      "crowd",
      crowd > 0 ? { text: `${crowd.toLocaleString("en")} rows read for this view`, detail: crowdWords(crowd) } : null,
    );
    status.set("far", farPart(figure));
  };
  for (const event of ["info", "rest", "exact", "notes"]) figure.addEventListener(event, show);
}

/** @param {Figure} figure @returns {import("./status.js").Part|null} what is said of rows very far from all others */
function farPart(figure) {
  const index = figure.layers.findIndex(
    (l) => l.info !== null && (l.info.rows_far > 0 || l.definition?.root === "full"),
  );
  const layer = figure.layers[index];
  if (!layer?.info) return null;
  const full = layer.definition?.root === "full";
  const run = () => {
    figure.choose(index, { root: full ? "default" : "full" });
    figure.surface.focus();
  };
  const text = full
    ? "The view makes room for rows very far from all others"
    : farWords(layer.info.rows_far, layer.info.provisional);
  return {
    text,
    detail: full ? undefined : "a fill value, perhaps",
    spoken: text,
    tone: "warn",
    action: figure.page.offline ? undefined : { label: full ? "Leave them out" : "Show them", run },
  };
}

/** @param {number} n @param {boolean} [provisional] it is a sample's @returns {string} */
export function farWords(n, provisional = false) {
  if (n === 1 && !provisional) return "1 row lies very far from all others and is left out";
  return `${about(n, provisional)} rows lie very far from all others and are left out`;
}

/**
 * A number of rows, marked like the picture where it is a sample's.
 * @param {number} n
 * @param {boolean} provisional
 * @returns {string}
 */
export function about(n, provisional) {
  return `${provisional ? "about " : ""}${n.toLocaleString("en")}`;
}

/** @param {Figure} figure @returns {boolean} a layer's view is deeper than its tiles, and it got no image */
function isCoarse({ layers, view }) {
  return view !== null && layers.some(({ raster }) => raster?.coarse(view) ?? false);
}

/** @param {Figure} figure @returns {number} rows that the visible image took, where they are too many; else 0 */
function crowdOf({ layers, view }) {
  return view === null ? 0 : Math.max(0, ...layers.map(({ raster }) => raster?.crowd(view) ?? 0));
}

/**
 * Notes about the figure's datasets, such as why a column cannot be used; each once.
 * @param {Pick<Figure, "layers">} figure
 */
export const notesOf = ({ layers }) => [...new Set(layers.flatMap((layer) => layer.notes))];

/**
 * @param {readonly Pick<Layer, "info"|"definition">[]} layers
 * @returns {string} how many rows, of each dataset and filter once
 */
export function rowsWords(layers) {
  const told = new Map();
  for (const { info, definition } of layers) {
    if (!info || !definition) continue;
    const all = `${info.rows.toLocaleString("en")} ${info.rows === 1 ? "row" : "rows"}`;
    const kept = definition.filter ? `${about(info.rows_kept, info.provisional)} of ${all}` : all;
    const outside = info.rows_outside > 0 ? `, ${about(info.rows_outside, info.provisional)} not drawn` : "";
    told.set(JSON.stringify([definition.dataset, definition.filter]), kept + outside);
  }
  return [...told.values()].join(" · ");
}
