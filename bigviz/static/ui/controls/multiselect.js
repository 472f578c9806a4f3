// A list to choose any number of: boxes, and a box to search a long one.

import { make } from "../../dom.js";
import { follow, grouped, labelOf } from "./field.js";
import { LONG, matches, searchBox } from "./select.js";

/** @param {import("./field.js").Built} built @returns {HTMLElement} */
export function multiselect(built) {
  const { id, spec, values } = built;
  const options = values.options(id);
  const items = options.map(({ value, label }) => {
    const box = make("input", { attrs: { type: "checkbox", name: id, value: String(value) } });
    return { value, label, box, row: make("label", { class: "choice" }, [box, make("span", { text: label })]) };
  });
  const tell = () =>
    values.set(
      id,
      items.filter(({ box }) => box.checked).map(({ value }) => /** @type {any} */ (value)),
    );
  const list = make(
    "div",
    { class: "choice-list" },
    items.map(({ row }) => row),
  );
  list.addEventListener("change", tell);
  follow(built, (value) => {
    const chosen = Array.isArray(value) ? value : [];
    for (const item of items) item.box.checked = chosen.includes(/** @type {any} */ (item.value));
  });
  const clear = make("button", {
    class: "link",
    text: "Clear",
    attrs: { type: "button", "aria-label": `Clear ${labelOf(id, spec)}` },
  });
  clear.addEventListener("click", () => values.set(id, []));
  follow(built, (value) => {
    clear.hidden = !Array.isArray(value) || value.length === 0;
  });
  const more = values.columns[id]?.more ? [make("p", { class: "muted", text: "There are more." })] : [];
  if (items.length <= LONG) return grouped(built, [list, ...more, clear]);
  const search = searchBox(labelOf(id, spec), (words) => {
    for (const { label, row } of items) row.hidden = !matches(label, words);
  });
  return grouped(built, [search, list, ...more, clear]);
}
