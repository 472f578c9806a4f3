// Tabs: titles of which one is chosen, and its panel in front.

import { make } from "../../dom.js";

let made = 0;

/** Tabs; fires `turn` when another panel comes to the front, and `press` after it where the viewer chose it. */
export class Tabs extends EventTarget {
  /** @param {readonly string[]} titles @param {readonly HTMLElement[]} children one for each */
  constructor(titles, children) {
    super();
    const name = `tabs-${++made}`;
    this.panels = children.map((child, k) =>
      make(
        "div",
        { class: "tab-panel", attrs: { role: "tabpanel", id: `${name}-${k}`, "aria-labelledby": `${name}-t${k}` } },
        [child],
      ),
    );
    this.buttons = titles.map((title, k) =>
      make("button", {
        class: "tab",
        text: title || `Tab ${k + 1}`,
        attrs: { type: "button", role: "tab", id: `${name}-t${k}`, "aria-controls": `${name}-${k}` },
      }),
    );
    for (const [k, button] of this.buttons.entries())
      button.addEventListener("click", () => {
        if (k === this.chosen) return;
        this.choose(k);
        this.dispatchEvent(new Event("press"));
      });
    const list = make("div", { class: "tab-list", attrs: { role: "tablist" } }, this.buttons);
    list.addEventListener("keydown", (event) => this.#key(event));
    this.element = make("div", { class: "layout-tabs" }, [list, ...this.panels]);
    /** The one in front. */ this.chosen = 0;
    this.choose(0);
  }

  /** Brings a panel to the front; without one of that number, the first.  @param {number} number */
  choose(number) {
    const chosen = number in this.panels ? number : 0;
    this.chosen = chosen;
    for (const [k, button] of this.buttons.entries()) {
      button.setAttribute("aria-selected", String(k === chosen));
      button.tabIndex = k === chosen ? 0 : -1;
      this.panels[k].hidden = k !== chosen;
    }
    this.dispatchEvent(new Event("turn"));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { buttons } = this;
    const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (now < 0 || to === undefined || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = buttons[(to + buttons.length) % buttons.length];
    next.focus();
    next.click();
  }
}
