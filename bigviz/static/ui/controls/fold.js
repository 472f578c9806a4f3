// On a phone the controls beside figures are folded away, under a button that says how many of them are set. Words and
// live figures among them stay in sight.

import { make } from "../../dom.js";

/**
 * @param {HTMLElement} box the part of the layout @param {readonly string[]} ids of its controls
 * @param {import("../../figure/values/control-values.js").ControlValues} values @param {AbortSignal} signal ends it
 */
export function foldControls(box, ids, values, signal) {
  if (!ids.some((id) => values.values.has(id))) return;
  const count = make("span", { class: "fold-count" });
  const button = make("button", { class: "fold", attrs: { type: "button", "aria-expanded": "false" } }, [
    make("span", { text: "Controls" }),
    count,
  ]);
  button.addEventListener("click", () => {
    const isOpen = box.toggleAttribute("data-unfolded");
    button.setAttribute("aria-expanded", String(isOpen));
  });
  const show = () => {
    const set = values.changed().filter(([id]) => ids.includes(id)).length;
    count.textContent = set > 0 ? `${set} set` : "";
  };
  show();
  values.onChange(show, signal);
  box.prepend(button);
}
