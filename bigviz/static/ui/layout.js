// The document's layout as elements: rows, columns and grids of figures.

import { clone, find, make } from "../dom.js";

/** @typedef {import("../types.js").DocumentSpec} DocumentSpec */
/** @typedef {import("../types.js").FigureSpec} FigureSpec */
/** @typedef {import("../types.js").Node} Node */

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
