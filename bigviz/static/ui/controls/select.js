// A list to choose one of; a long one is found by typing.

import { make } from "../../dom.js";
import { follow, labelOf, labelled } from "./field.js";

/** @typedef {import("./field.js").Built} Built */

/** Longer lists have a box to search them. */
export const LONG = 50;
const ROWS = 7;

/** @param {Built} built @returns {HTMLElement} */
export function select(built) {
  const { id, spec, values } = built;
  const options = values.options(id);
  const isLong = options.length > LONG;
  const list = make("select", { attrs: { name: id, ...(isLong ? { size: String(ROWS) } : {}) } });
  const none = values.published(id) === null ? [{ value: null, label: "All" }] : [];
  let shown = [...none, ...options];
  const fill = () => {
    list.replaceChildren(...shown.map(({ value, label }) => new Option(label, value === null ? "" : String(value))));
    list.selectedIndex = shown.findIndex((each) => each.value === values.get(id));
  };
  fill();
  list.addEventListener("change", () => values.set(id, shown[list.selectedIndex]?.value ?? null));
  follow(built, (value) => {
    list.selectedIndex = shown.findIndex((each) => each.value === value);
  });
  const element = labelled(built, [list]);
  if (!isLong) return element;
  const search = searchBox(labelOf(id, spec), (words) => {
    shown = [...none, ...options.filter((each) => matches(each.label, words))];
    fill();
  });
  element.prepend(search);
  return element;
}

/** @param {string} label @param {(words: string) => void} found @returns {HTMLInputElement} */
export function searchBox(label, found) {
  const box = make("input", {
    class: "search",
    attrs: { type: "search", placeholder: "Search", "aria-label": `Search ${label}`, autocomplete: "off" },
  });
  box.addEventListener("input", () => found(box.value.trim().toLowerCase()));
  return box;
}

/** @param {string} label @param {string} words in lower case */
export const matches = (label, words) => label.toLowerCase().includes(words);
