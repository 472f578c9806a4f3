// A button for an app: a press is an event on the element, that whatever serves an app listens for.

import { make } from "../../dom.js";
import { labelOf } from "./field.js";

/** @param {import("./field.js").Built} built @returns {HTMLElement} fires `press`, which bubbles */
export function button({ id, spec }) {
  const press = make("button", { class: "action", text: labelOf(id, spec), attrs: { type: "button", name: id } });
  press.addEventListener("click", () =>
    press.dispatchEvent(new CustomEvent("press", { bubbles: true, detail: { control: id } })),
  );
  return make("div", { class: "control button", attrs: { "data-control": id } }, [press]);
}
