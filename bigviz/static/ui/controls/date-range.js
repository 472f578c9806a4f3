// Two days, from the first until the end of the last.

import { make } from "../../dom.js";
import { follow, grouped, labelOf } from "./field.js";

/** @param {import("./field.js").Built} built @returns {HTMLElement} */
export function dateRange(built) {
  const { id, spec, values } = built;
  /** @type {Record<string, string>} */ const limits = {};
  if (spec.start) limits.min = String(spec.start);
  if (spec.end) limits.max = String(spec.end);
  const boxes = ["first day", "last day"].map((word) =>
    make("input", { attrs: { type: "date", name: id, "aria-label": `${labelOf(id, spec)}, ${word}`, ...limits } }),
  );
  const tell = () => {
    const [first, last] = boxes.map((box) => box.value);
    if (first === "" && last === "") values.set(id, null);
    else if (first !== "" && last !== "") values.set(id, first <= last ? [first, last] : [last, first]);
  };
  for (const box of boxes) box.addEventListener("change", tell);
  follow(built, (value) => {
    const pair = Array.isArray(value) ? value.map(String) : ["", ""];
    for (const [k, box] of boxes.entries()) box.value = pair[k];
  });
  return grouped(built, [make("div", { class: "ends" }, [boxes[0], make("span", { text: "to" }), boxes[1]])]);
}
