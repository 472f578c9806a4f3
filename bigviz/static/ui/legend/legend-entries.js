// Buttons over the lines of a plot's legend: a press takes the layers of that label out of the picture, or back in.

import { isHidden } from "../../figure/legend/label-legend.js";
import { find, make } from "../../dom.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../figure/legend/label-legend.js").Box} Box */

/** @param {Figure} figure */
export function bindLegendEntries(figure) {
  const group = find(figure.surface, '.legend-entries[data-of="labels"]', HTMLElement);
  let shown = "";
  const show = () => {
    const { painter } = figure;
    const { legend: box } = painter;
    const now = box ? stateOf(box, painter.plot) : "";
    if (now === shown) return;
    shown = now;
    group.hidden = box === null;
    const { children } = group;
    while (children.length > (box?.lines.length ?? 0)) children[children.length - 1].remove();
    for (const [k, line] of (box?.lines ?? []).entries()) {
      const button =
        /** @type {HTMLElement|undefined} */ (children[k]) ?? make("button", { attrs: { type: "button" } });
      if (!children[k]) group.append(button);
      button.dataset.line = String(k);
      button.setAttribute("aria-pressed", String(!isHidden(line.entry)));
      button.setAttribute("aria-label", line.entry.label);
      button.title = isHidden(line.entry) ? `Show ${line.entry.label}` : `Hide ${line.entry.label}`;
      button.style.width = `${line.width}px`;
      button.style.height = `${line.height}px`;
      button.style.transform = `translate(${painter.plot.x + line.x}px, ${painter.plot.y + line.y}px)`;
    }
  };
  figure.addEventListener("frame", show);
  // A press on it is no gesture of the plot.
  for (const type of ["pointerdown", "dblclick"]) group.addEventListener(type, (event) => event.stopPropagation());
  group.addEventListener("click", (event) => {
    const button = event.target instanceof HTMLElement ? event.target : null;
    const line = figure.painter.legend?.lines[Number(button?.dataset.line)];
    if (!line) return;
    const hide = !isHidden(line.entry);
    for (const layer of line.entry.layers) layer.isHidden = hide;
    figure.redraw();
  });
}

/** @param {Box} box @param {{x: number, y: number}} plot @returns {string} what buttons depend on */
function stateOf({ lines }, plot) {
  return JSON.stringify([
    plot.x,
    plot.y,
    lines.map(({ entry, x, y, width }) => [entry.label, isHidden(entry), x, y, width]),
  ]);
}
