// Facts about a figure's rows: how many there are, which are not drawn, and a button that brings far ones in; where the cells drawn
// are coarser than the view's pixels; and where a view takes long because so many rows lie closer than the index tells apart.

import { find } from "../dom.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */

/** Said where a view lies deeper than the last level and is drawn from its cells all the same. */
export const COARSE =
  "Cells are larger than pixels here: an exact image of this view would have more than 16,777,216 numbers. A smaller plot, or fewer categories, has one.";

/** @param {number} rows @returns {string} why views here take long */
export const crowdWords = (rows) =>
  `Views here take longer: each reads ${rows.toLocaleString("en")} rows, which lie closer together than the index can tell apart (2^-32 of the plot's whole width and height).`;

/** @param {Figure} figure */
export function bindStrip(figure) {
  const strip = find(figure.section, ".strip", HTMLElement);
  const words = find(strip, "span", HTMLElement);
  const button = find(strip, "button.text", HTMLButtonElement);
  const meta = find(figure.section, ".meta", HTMLElement);
  let dismissed = "";

  const far = () => figure.layers.findIndex((l) => l.info !== null && (l.info.rows_far > 0 || l.definition?.root === "full"));
  const show = () => {
    meta.textContent = metaOf(figure);
    meta.title = titleOf(figure);
    const index = far();
    const layer = figure.layers[index];
    const text = layer ? farWords(layer) : "";
    strip.hidden = text === "" || text === dismissed;
    words.textContent = text;
    button.textContent = layer?.definition?.root === "full" ? "Leave them out" : "Show them";
  };
  for (const event of ["info", "rest", "exact"]) figure.addEventListener(event, show);
  button.addEventListener("click", () => {
    const index = far();
    if (index < 0) return;
    dismissed = "";
    figure.choose(index, { root: figure.layers[index].definition?.root === "full" ? "default" : "full" });
    figure.surface.focus();
  });
  find(strip, '[data-act="dismiss"]', HTMLButtonElement).addEventListener("click", () => {
    dismissed = words.textContent ?? "";
    strip.hidden = true;
    figure.surface.focus();
  });
}

/** @param {import("../layers/layer.js").Layer} layer @returns {string} */
function farWords({ info, definition }) {
  if (!info || !definition) return "";
  if (definition.root === "full") return "The view makes room for rows very far from all others.";
  const n = info.rows_far;
  const rows = `${n.toLocaleString("en")} ${n === 1 ? "row" : "rows"}`;
  return `${rows} ${n === 1 ? "lies" : "lie"} very far from all others (a fill value, perhaps) and ${n === 1 ? "is" : "are"} left out.`;
}

/** @param {Figure} figure @returns {boolean} a layer's view is deeper than its tiles, and it got no image */
export function isCoarse({ layers, view }) {
  return view !== null && layers.some(({ raster }) => raster?.coarse(view) ?? false);
}

/** @param {Figure} figure @returns {number} rows that the visible image took, where they are too many; else 0 */
function crowdOf({ layers, view }) {
  return view === null ? 0 : Math.max(0, ...layers.map(({ raster }) => raster?.crowd(view) ?? 0));
}

/** What there is to know of the figure's datasets, such as why a column cannot be used; each note once.  @param {Pick<Figure, "layers">} figure */
export const notesOf = ({ layers }) => [...new Set(layers.flatMap((layer) => layer.notes))];

/** @param {Figure} figure @returns {string} */
function titleOf(figure) {
  const words = figure.layers.some((l) => (l.info?.rows_outside ?? 0) > 0) ? ["Not drawn: missing, not finite, or off the axis."] : [];
  if (isCoarse(figure)) words.push(COARSE);
  const crowd = crowdOf(figure);
  if (crowd > 0) words.push(crowdWords(crowd));
  return [...words, ...notesOf(figure)].join(" ");
}

/** @param {Figure} figure @returns {string} how many rows, of each dataset once, and whether pixels are told apart, and what that took */
function metaOf(figure) {
  const { layers } = figure;
  const told = new Map();
  for (const { info, definition } of layers) {
    if (!info || !definition) continue;
    const outside = info.rows_outside > 0 ? `, ${info.rows_outside.toLocaleString("en")} not drawn` : "";
    told.set(definition.dataset, `${info.rows.toLocaleString("en")} ${info.rows === 1 ? "row" : "rows"}${outside}`);
  }
  const words = [...told.values()];
  const notes = notesOf(figure).length;
  if (notes > 0 && told.size > 0) words.push(notes === 1 ? "1 note" : `${notes} notes`);
  if (isCoarse(figure)) words.push("cells larger than pixels");
  const crowd = crowdOf(figure);
  if (crowd > 0) words.push(`${crowd.toLocaleString("en")} rows read for this view`);
  return words.join(" · ");
}
