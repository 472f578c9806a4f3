// Two numbers: a slider with two thumbs, which are two native ones over each other.

import { make } from "../../dom.js";
import { follow, grouped, labelOf } from "./field.js";
import { limitsOf } from "./slider.js";

/** @param {import("./field.js").Built} built @returns {HTMLElement} */
export function range(built) {
  const { id, spec, values } = built;
  const ends = /** @type {[number, number]} */ ([Number(spec.start), Number(spec.end)]);
  const words = ["lowest", "highest"].map((word) => `${labelOf(id, spec)}, ${word}`);
  const thumbs = words.map((label) =>
    make("input", { attrs: { type: "range", name: id, "aria-label": label, ...limitsOf(spec) } }),
  );
  const boxes = words.map((label) =>
    make("input", { class: "number", attrs: { type: "number", "aria-label": `${label}, as a number`, step: "any" } }),
  );
  const track = make("div", { class: "track" }, thumbs);
  const now = () => /** @type {[number, number]} */ (values.get(id) ?? ends);
  const tell = (/** @type {[number, number]} */ pair) => {
    const isWhole = pair[0] === ends[0] && pair[1] === ends[1] && values.published(id) === null;
    values.set(id, isWhole ? null : pair);
  };
  const show = () => {
    const pair = now();
    for (const [k, value] of pair.entries()) thumbs[k].value = boxes[k].value = String(value);
    const share = pair.map((value) => (value - ends[0]) / (ends[1] - ends[0]));
    track.style.setProperty("--low", String(share[0]));
    track.style.setProperty("--high", String(share[1]));
    thumbs[0].classList.toggle("over", share[0] > 0.5); // both at the upper end: this one can still move
  };
  for (const k of /** @type {const} */ ([0, 1])) {
    /** A thumb stops at the other one.  @param {number} value */
    const move = (value) => {
      const pair = now();
      tell(k === 0 ? [Math.min(value, pair[1]), pair[1]] : [pair[0], Math.max(value, pair[0])]);
      show();
    };
    thumbs[k].addEventListener("input", () => move(Number(thumbs[k].value)));
    boxes[k].addEventListener("change", () => {
      const typed = Number(boxes[k].value);
      if (boxes[k].value !== "") move(Math.min(ends[1], Math.max(ends[0], typed)));
      else show();
    });
  }
  follow(built, show);
  return grouped(built, [track, make("div", { class: "ends" }, [boxes[0], make("span", { text: "to" }), boxes[1]])]);
}
