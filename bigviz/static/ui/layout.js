// The document's layout as elements: rows, columns and grids of figures.

import { clone, find, make } from "../dom.js";

/** @typedef {{id: string, dataset: string, glyph: "points"|"line", x: string, y: string, agg: string, cmap: string, how: string, low: number|null, high: number|null, color: string|null, root: string}} LayerSpec */
/** @typedef {{kind: "linear"|"log"|"datetime"|"mercator", label: string|null, unit: string|null, zone: string|null, categories: string[]|null}} AxisSpec */
/** @typedef {{id: string, type: "figure", title: string|null, x_range: string, y_range: string, x_axis: AxisSpec, y_axis: AxisSpec, aspect: string|null, width: number|null, height: number|null, layers: LayerSpec[]}} FigureSpec */
/** @typedef {{id: string, type: "row"|"column"|"grid", children: Node[], columns?: number|null}} BoxSpec */
/** @typedef {FigureSpec|BoxSpec} Node */
/** @typedef {{format: number, id: string, title: string|null, datasets: string[], ranges: Record<string, {start: number|string|null, end: number|string|null}>, layout: Node}} DocumentSpec */

/**
 * @param {DocumentSpec} spec
 * @param {HTMLElement} into emptied first
 * @returns {{spec: FigureSpec, section: HTMLElement}[]} the figures, counted depth first
 */
export function buildLayout(spec, into) {
  /** @type {{spec: FigureSpec, section: HTMLElement}[]} */
  const figures = [];
  const build = (/** @type {Node} */ node) => {
    if (node.type === "figure") {
      const section = clone("figure");
      section.dataset.figure = String(figures.length);
      find(section, ".title", HTMLElement).textContent = node.title ?? "";
      figures.push({ spec: node, section });
      sized(section, node);
      return section;
    }
    const box = make("div", { class: `layout-${node.type}` });
    if (node.type === "grid") box.style.setProperty("--columns", String(node.columns ?? Math.ceil(Math.sqrt(node.children.length))));
    box.append(...node.children.map(build));
    return box;
  };
  into.replaceChildren(build(spec.layout));
  return figures;
}

/** A figure keeps the size that its document asks for, as far as the screen has it.  @param {HTMLElement} section @param {FigureSpec} spec */
function sized(section, spec) {
  if (spec.width) {
    section.style.width = `${spec.width}px`;
    section.style.maxWidth = "100%";
  }
  if (spec.height) {
    section.style.height = `${spec.height}px`;
    section.style.flex = "none";
  }
}
