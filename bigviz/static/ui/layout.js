// The document's layout as elements: rows, columns and grids of figures.

import { clone, find, make } from "../dom.js";

/** @typedef {import("../types.js").DocumentSpec} DocumentSpec */
/** @typedef {import("../types.js").FigureSpec} FigureSpec */
/** @typedef {import("../types.js").Node} Node */
/**
 * A figure and its element; figures with one `row` stand next to each other, null: it stands alone.
 * @typedef {{spec: FigureSpec, section: HTMLElement, row: string|null}} Placed
 */

/**
 * @param {DocumentSpec} spec
 * @param {HTMLElement} into emptied first
 * @returns {Placed[]} the figures, counted depth first
 */
export function buildLayout(spec, into) {
  /** @type {Placed[]} */
  const figures = [];
  const build = (/** @type {Node} */ node, /** @type {string|null} */ row) => {
    if (node.type === "figure") {
      const section = clone("figure");
      section.dataset.figure = String(figures.length);
      find(section, ".title", HTMLElement).textContent = node.title ?? "";
      figures.push({ spec: node, section, row });
      sized(section, node);
      return section;
    }
    const box = make("div", { class: `layout-${node.type}` });
    const columns =
      node.type === "row"
        ? node.children.length
        : node.type === "column"
          ? 1
          : (node.columns ?? Math.ceil(Math.sqrt(node.children.length)));
    if (node.type === "grid") box.style.setProperty("--columns", String(columns));
    const tracks = tracksOf(node.children, columns);
    if (tracks) box.style.setProperty("--tracks", tracks);
    box.append(
      ...node.children.map((child, k) => build(child, columns > 1 ? `${node.id} ${Math.floor(k / columns)}` : null)),
    );
    return box;
  };
  into.replaceChildren(build(spec.layout, null));
  return figures;
}

/**
 * The widths of a layout's columns: of one whose figures all have a width the largest, of others equal shares of the
 * rest; narrower where the screen has less.
 * @param {readonly Node[]} children
 * @param {number} columns
 * @returns {string|null} for `grid-template-columns`; null where all are equal
 */
export function tracksOf(children, columns) {
  const widths = Array.from({ length: columns }, (_, column) =>
    children
      .filter((_, k) => k % columns === column)
      .map((child) => (child.type === "figure" ? child.width : null))
      .reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)), 0),
  );
  if (widths.every((width) => !width)) return null;
  return widths.map((width) => `minmax(0, ${width ? `${width}px` : "1fr"})`).join(" ");
}

/**
 * A figure keeps the size that its document asks for, if the screen has room for it.
 * @param {HTMLElement} section
 * @param {FigureSpec} spec
 */
function sized(section, spec) {
  if (spec.width) {
    section.style.width = `${spec.width}px`;
    section.style.maxWidth = "100%";
  }
  if (spec.height) {
    section.style.height = `${spec.height}px`;
    section.style.minHeight = "0";
    section.style.flex = "none";
  }
}
