// The document's links: each of their figures gets a brush.

import { BrushTool } from "./brush-tool.js";
import { LinkedBrush } from "./linked-brush.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */

/**
 * @param {readonly import("../types.js").LinkSpec[]} links
 * @param {{figures: readonly Figure[], numbers: ReadonlyMap<string, import("./linked-brush.js").Live>, page:
 *   import("../figure/page.js").Page}} o `figures` in the order of the document, `numbers` by control
 * @param {AbortSignal} signal ends it
 * @returns {LinkedBrush[]}
 */
export function linkFigures(links, { figures, numbers, page }, signal) {
  if (page.offline) return []; // a file has no rows to be counted
  return links.map(({ figures: ids, mode = "filter", numbers: named = [] }) => {
    const linked = figures.filter((figure) => ids.includes(figure.spec.id));
    const link = new LinkedBrush({ figures: linked, mode, page, named, numbers }, signal);
    for (const figure of linked) figure.brush = new BrushTool(figure, link, signal);
    return link;
  });
}
