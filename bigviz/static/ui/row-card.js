// A card with all columns of one row, kept open where its mark was clicked until it is closed.

import { make } from "../dom.js";

/** @typedef {import("../wire/row-values.js").RowValues} RowValues */

const OFFSET = 14;

export class RowCard {
  /** @param {HTMLElement} surface */
  constructor(surface) {
    this.surface = surface;
    this.element = make("section", { class: "row-card" });
    this.element.hidden = true;
    this.element.tabIndex = -1;
    // Events on the card do not reach the plot.
    for (const name of ["pointerdown", "pointermove", "pointerup", "wheel", "dblclick"])
      this.element.addEventListener(name, (event) => event.stopPropagation());
    this.element.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
    });
    for (const name of ["pointerdown", "wheel"]) surface.addEventListener(name, () => this.close(), { passive: true });
    surface.append(this.element);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** @param {RowValues} values @param {number} px @param {number} py CSS pixels of the surface */
  open(values, px, py) {
    const title = `Row ${values.row.toLocaleString("en")}`;
    const close = make("button", { class: "quiet", text: "×" });
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => this.close());
    const head = make("header");
    head.append(make("h3", { text: title }), close);
    const list = make("dl");
    for (const { name, type, value } of values.columns) {
      const term = make("dt", { text: name });
      term.title = type;
      list.append(term, make("dd", { class: value === null ? "null" : "", text: value ?? "null" }));
    }
    const more = values.more > 0 ? [make("p", { text: `and ${values.more.toLocaleString("en")} more columns` })] : [];
    this.element.setAttribute("aria-label", title);
    this.element.replaceChildren(head, list, ...more);
    this.element.hidden = false;
    const { clientWidth: width, clientHeight: height } = this.surface;
    const { offsetWidth: w, offsetHeight: h } = this.element;
    const left = px + OFFSET + w > width - 4 ? px - OFFSET - w : px + OFFSET;
    this.element.style.left = `${Math.max(4, Math.round(left))}px`;
    this.element.style.top = `${Math.max(4, Math.min(Math.round(py - h / 3), height - h - 4))}px`;
  }

  close() {
    if (!this.isOpen) return;
    const focused = this.element.contains(document.activeElement);
    this.element.hidden = true;
    if (focused) this.surface.focus({ preventScroll: true });
  }
}
