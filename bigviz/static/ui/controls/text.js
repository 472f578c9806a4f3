// A line of text. It is taken once typing rests.

import { make } from "../../dom.js";
import { follow, labelled } from "./field.js";

const REST_MS = 250;

/** @param {import("./field.js").Built} built @returns {HTMLElement} */
export function text(built) {
  const { id, spec, values, signal } = built;
  const box = make("input", {
    attrs: { type: "text", name: id, placeholder: spec.placeholder ?? "", autocomplete: "off", spellcheck: "false" },
  });
  /** @type {ReturnType<typeof setTimeout>|undefined} */ let resting;
  const tell = () => {
    clearTimeout(resting);
    values.set(id, box.value);
  };
  box.addEventListener("input", () => {
    clearTimeout(resting);
    resting = setTimeout(tell, REST_MS);
  });
  box.addEventListener("change", tell);
  signal.addEventListener("abort", () => clearTimeout(resting));
  follow(built, (value) => {
    if (box.value !== (value ?? "")) box.value = String(value ?? "");
  });
  return labelled(built, [box]);
}
