// A number: a slider, and a box to type it.

import { make } from "../../dom.js";
import { follow, labelOf, labelled } from "./field.js";

/** @param {import("./field.js").Built} built @returns {HTMLElement} */
export function slider(built) {
  const { id, spec, values } = built;
  const limits = limitsOf(spec);
  const thumb = make("input", { attrs: { type: "range", name: id, ...limits } });
  const box = make("input", {
    class: "number",
    attrs: { type: "number", "aria-label": `${labelOf(id, spec)} as a number`, ...limits, step: "any" },
  });
  thumb.addEventListener("input", () => values.set(id, Number(thumb.value)));
  box.addEventListener("change", () => {
    const typed = Number(box.value);
    if (box.value !== "" && values.takes(id, typed)) values.set(id, typed);
    else box.value = String(values.get(id) ?? spec.start);
  });
  follow(built, (value) => {
    thumb.value = box.value = String(value ?? spec.start);
  });
  const element = labelled(built, [thumb]);
  element.append(box);
  return element;
}

/** @param {import("../../types.js").ControlSpec} spec @returns {{min: string, max: string, step: string}} */
export function limitsOf({ start, end, step }) {
  return { min: String(start), max: String(end), step: String(step ?? stepOf(Number(start), Number(end))) };
}

/** A step of 1, 2 or 5 and zeros: about 200 from one end to the other.  @param {number} start @param {number} end */
export function stepOf(start, end) {
  const rough = (end - start) / 200;
  const power = 10 ** Math.floor(Math.log10(rough));
  const nice = [1, 2, 5, 10].find((each) => each * power >= rough * 0.999) ?? 10;
  const step = Number((nice * power).toPrecision(1));
  return Number.isInteger(start) && Number.isInteger(end) && end - start >= 10 ? Math.max(1, Math.round(step)) : step;
}
