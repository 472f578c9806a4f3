// A box that is ticked or not.

import { make } from "../../dom.js";
import { follow, labelOf } from "./field.js";

/** @param {import("./field.js").Built} built @returns {HTMLElement} */
export function checkbox(built) {
  const { id, spec, values } = built;
  const box = make("input", { attrs: { type: "checkbox", name: id } });
  box.addEventListener("change", () => values.set(id, box.checked));
  follow(built, (value) => {
    box.checked = value === true;
  });
  return make("div", { class: "control checkbox", attrs: { "data-control": id } }, [
    make("label", { class: "choice" }, [box, make("span", { text: labelOf(id, spec) })]),
  ]);
}
