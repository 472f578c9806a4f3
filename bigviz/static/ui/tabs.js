// Tabs: titles of which one is chosen, and its panel in front.

import { make } from "../dom.js";

let made = 0;

/**
 * @param {readonly string[]} titles
 * @param {readonly HTMLElement[]} children one for each
 * @param {() => void} changed another panel has come to the front
 * @returns {HTMLElement}
 */
export function buildTabs(titles, children, changed) {
  const name = `tabs-${++made}`;
  const panels = children.map((child, k) =>
    make(
      "div",
      { class: "tab-panel", attrs: { role: "tabpanel", id: `${name}-${k}`, "aria-labelledby": `${name}-t${k}` } },
      [child],
    ),
  );
  const buttons = titles.map((title, k) =>
    make("button", {
      class: "tab",
      text: title || `Tab ${k + 1}`,
      attrs: { type: "button", role: "tab", id: `${name}-t${k}`, "aria-controls": `${name}-${k}` },
    }),
  );
  const choose = (/** @type {number} */ chosen) => {
    for (const [k, button] of buttons.entries()) {
      button.setAttribute("aria-selected", String(k === chosen));
      button.tabIndex = k === chosen ? 0 : -1;
      panels[k].hidden = k !== chosen;
    }
  };
  const list = make("div", { class: "tab-list", attrs: { role: "tablist" } }, buttons);
  for (const [k, button] of buttons.entries()) {
    button.addEventListener("click", () => {
      choose(k);
      changed();
    });
  }
  list.addEventListener("keydown", (event) => {
    const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (now < 0 || to === undefined || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[(to + buttons.length) % buttons.length];
    next.focus();
    next.click();
  });
  choose(0);
  return make("div", { class: "layout-tabs" }, [list, ...panels]);
}
