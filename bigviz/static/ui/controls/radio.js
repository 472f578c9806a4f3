// Buttons of which one is pressed.

import { make } from "../../dom.js";
import { follow, grouped } from "./field.js";

/** @param {import("./field.js").Built} built @returns {HTMLElement} */
export function radio(built) {
  const { id, values } = built;
  const items = values.options(id).map(({ value, label }) => {
    const box = make("input", { attrs: { type: "radio", name: id, value: String(value) } });
    box.addEventListener("change", () => {
      if (box.checked) values.set(id, value);
    });
    return { value, box, row: make("label", { class: "choice" }, [box, make("span", { text: label })]) };
  });
  follow(built, (value) => {
    for (const item of items) item.box.checked = item.value === value;
  });
  return grouped(built, [
    make(
      "div",
      { class: "choices-row" },
      items.map(({ row }) => row),
    ),
  ]);
}
