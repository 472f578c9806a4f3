// The bar over the figures, with the document's title and the page's own buttons.

import { find } from "../../dom.js";
import { pageTools } from "../toolbar.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */

/**
 * One figure fills the element and carries the page's buttons; several, and one with a width of its own, stand under a
 * bar with the document's title.
 * @param {HTMLElement} element
 * @param {readonly Figure[]} figures
 * @param {{title: string, isShared: boolean, hasBrand: boolean}} o `isShared`: controls or tabs stand beside the
 *   figures; `hasBrand`: the bar leads to the list of documents
 * @param {Parameters<typeof pageTools>[1] & {wholePage: boolean}} tools
 */
export function frameFigures(element, figures, { title, isShared, hasBrand }, tools) {
  const bar = find(element, ".app", HTMLElement);
  const brand = find(bar, ".brand", HTMLElement);
  const single = figures.length === 1 && !figures[0].spec.width && !isShared;
  bar.hidden = single;
  brand.hidden = !hasBrand;
  find(bar, ".title", HTMLElement).textContent = title;
  const into = single ? find(figures[0].section, ".bar", HTMLElement) : bar;
  pageTools(into, tools);
  if (!single) return;
  figures[0].section.classList.add("alone");
  into.prepend(brand);
  const heading = find(figures[0].section, ".title", HTMLElement);
  heading.textContent ||= title;
  if (tools.wholePage) heading.ariaLevel = "1";
}
