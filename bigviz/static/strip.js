// Facts about a figure's rows: how many there are, which are not drawn, and a button that brings far ones in.

import { find } from "./dom.js";

/** @typedef {import("./figure.js").Figure} Figure */

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
    meta.title = figure.layers.some((l) => (l.info?.rows_outside ?? 0) > 0) ? "Not drawn: missing, not finite, or off the axis" : "";
    const index = far();
    const layer = figure.layers[index];
    const text = layer ? farWords(layer) : "";
    strip.hidden = text === "" || text === dismissed;
    words.textContent = text;
    button.textContent = layer?.definition?.root === "full" ? "Leave them out" : "Show them";
  };
  figure.addEventListener("info", show);
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

/** @param {import("./layers.js").Layer} layer @returns {string} */
function farWords({ info, definition }) {
  if (!info || !definition) return "";
  if (definition.root === "full") return "The view makes room for rows very far from all others.";
  const n = info.rows_far;
  const rows = `${n.toLocaleString("en")} ${n === 1 ? "row" : "rows"}`;
  return `${rows} ${n === 1 ? "lies" : "lie"} very far from all others (a fill value, perhaps) and ${n === 1 ? "is" : "are"} left out.`;
}

/** @param {Figure} figure @returns {string} how many rows, of each dataset once */
function metaOf({ layers }) {
  const told = new Map();
  for (const { info, definition } of layers) {
    if (!info || !definition) continue;
    const outside = info.rows_outside > 0 ? `, ${info.rows_outside.toLocaleString("en")} not drawn` : "";
    told.set(definition.dataset, `${info.rows.toLocaleString("en")} ${info.rows === 1 ? "row" : "rows"}${outside}`);
  }
  return [...told.values()].join(" · ");
}
