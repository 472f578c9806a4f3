// The document's layout as elements: rows, columns, grids and tabs of figures and controls.

import { clone, find, make } from "../../dom.js";
import { Tabs } from "./tabs.js";

/** @typedef {import("../../types.js").DocumentSpec} DocumentSpec */
/** @typedef {import("../../types.js").FigureSpec} FigureSpec */
/** @typedef {import("../../types.js").Node} Node */
/**
 * A figure and its element; figures with one `row` stand next to each other, null: it stands alone.
 * @typedef {{spec: FigureSpec, section: HTMLElement, row: string|null}} Placed
 */

/** CSS pixels of a column that holds controls alone, beside figures. */
const PANEL = 264;

/**
 * @param {DocumentSpec} spec
 * @param {HTMLElement} into emptied first
 * @param {{control?: (id: string) => HTMLElement, panel?: (box: HTMLElement, ids: string[]) => void}} [o] `control`
 *   makes a control's element; `panel` is told of a part with controls alone, beside figures, and of their ids, also of
 *   controls that stand there one by one
 * @returns {{figures: Placed[], tabs: Tabs[]}} both counted depth first
 */
export function buildLayout(spec, into, { control = () => make("div"), panel = () => {} } = {}) {
  /** @type {Placed[]} */
  const figures = [];
  /** @type {Tabs[]} */
  const tabs = [];
  /** @param {Node} node @param {string|null} row @returns {HTMLElement} */
  const build = (node, row) => {
    if (node.type === "figure") {
      const section = clone("figure");
      section.dataset.figure = String(figures.length);
      find(section, ".title", HTMLElement).textContent = node.title ?? "";
      figures.push({ spec: node, section, row });
      sized(section, node);
      return section;
    }
    if (node.type === "control") return control(node.control);
    if (node.type === "tabs") {
      const place = tabs.push(/** @type {any} */ (null)) - 1; // before those within
      tabs[place] = new Tabs(
        node.titles ?? [],
        node.children.map((child) => build(child, null)),
      );
      return tabs[place].element;
    }
    const box = make("div", { class: `layout-${node.type}` });
    box.classList.toggle("panel-of-controls", node.children.every(isSlim));
    const columns =
      node.type === "row"
        ? node.children.length
        : node.type === "column"
          ? 1
          : (node.columns ?? Math.ceil(Math.sqrt(node.children.length)));
    if (node.type === "grid") box.style.setProperty("--columns", String(columns));
    box.style.setProperty("--rows", rowsOf(node.children, columns));
    box.style.setProperty("--stacked", stackedOf(groupsOf(node).map(({ children }) => children[0][1])));
    // Said by each: a layout within another one would inherit that one's.
    box.style.setProperty("--tracks", tracksOf(node.children, columns) ?? "initial");
    for (const group of groupsOf(node)) {
      const single = group.isSingle ? make("div", { class: "single-controls" }) : null;
      for (const [k, child] of group.children) {
        const made = build(child, columns > 1 ? `${node.id} ${Math.floor(k / columns)}` : null);
        (single ?? box).append(made);
        if (isSlim(child) && child.type !== "control" && !isSlim(node)) panel(made, controlsIn(child));
      }
      if (!single) continue;
      box.append(single);
      panel(
        single,
        group.children.flatMap(([, child]) => controlsIn(child)),
      );
    }
    return box;
  };
  into.replaceChildren(build(spec.layout, null));
  return { figures, tabs };
}

/** Controls alone: it takes the height that they need, and no more.  @param {Node} node @returns {boolean} */
function isSlim(node) {
  if (node.type === "control") return true;
  return node.type !== "figure" && node.type !== "tabs" && node.children.length > 0 && node.children.every(isSlim);
}

/**
 * The children of a part with figures, controls that follow each other in it together: one box on a phone, and none
 * elsewhere.
 * @param {import("../../types.js").BoxSpec} node
 * @returns {{isSingle: boolean, children: [number, Node][]}[]}
 */
function groupsOf(node) {
  const isMixed = !isSlim(node);
  /** @type {{isSingle: boolean, children: [number, Node][]}[]} */ const groups = [];
  for (const [k, child] of node.children.entries()) {
    const isSingle = isMixed && child.type === "control";
    const last = groups.at(-1);
    if (isSingle && last?.isSingle) last.children.push([k, child]);
    else groups.push({ isSingle, children: [[k, child]] });
  }
  return groups;
}

/** @param {Node} node @returns {string[]} the ids of the controls within */
function controlsIn(node) {
  if (node.type === "figure") return [];
  return node.type === "control" ? [node.control] : node.children.flatMap(controlsIn);
}

/**
 * The heights of a layout's rows, for `grid-template-rows`.
 * @param {readonly Node[]} children @param {number} columns
 */
function rowsOf(children, columns) {
  const rows = Array.from({ length: Math.ceil(children.length / columns) }, (_, row) =>
    children.slice(row * columns, (row + 1) * columns).every(isSlim),
  );
  return rows.some((slim) => slim)
    ? rows.map((slim) => (slim ? "auto" : "minmax(min-content, 1fr)")).join(" ")
    : "none";
}

/**
 * The heights of a layout's children below each other, on a narrow screen: what each needs, and figures what is left.
 * Not shares: those of a layout within another one are all as high as its highest.
 * @param {readonly Node[]} children
 */
function stackedOf(children) {
  return children.map((child) => (isSlim(child) ? "min-content" : "minmax(min-content, auto)")).join(" ") || "none";
}

/**
 * The widths of a layout's columns: of one whose figures all have a width the largest, of others equal shares of the
 * rest; narrower where the screen has less.
 * @param {readonly Node[]} children
 * @param {number} columns
 * @returns {string|null} for `grid-template-columns`; null where all are equal
 */
export function tracksOf(children, columns) {
  const hasFigures = !children.every(isSlim);
  const widths = Array.from({ length: columns }, (_, column) =>
    children
      .filter((_, k) => k % columns === column)
      .map((child) => (child.type === "figure" ? child.width : isSlim(child) && hasFigures ? PANEL : null))
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
