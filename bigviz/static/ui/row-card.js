// A card with all columns of one row, kept open where its mark was clicked until it is closed: its values can be
// copied, and rows that have the same value as one of them kept.

import { make } from "../dom.js";
import { narrowed, valueFilter } from "../layers/value-filter.js";

/** @typedef {import("../wire/row-values.js").RowValues} RowValues */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** A filter for a layer is chosen, or words are to be said.
 * @typedef {{filter: (layer: Layer, filter: string) => void, note: (words: string) => void}} Acts */

const OFFSET = 14;

export class RowCard {
  /** @param {HTMLElement} surface @param {Acts} acts */
  constructor(surface, acts) {
    this.surface = surface;
    this.acts = acts;
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

  /** @param {RowValues} values @param {number} px @param {number} py CSS pixels of the surface @param {Layer} layer */
  open(values, px, py, layer) {
    const title = `Row ${values.row.toLocaleString("en")}`;
    const close = make("button", { class: "quiet", text: "×" });
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => this.close());
    const head = make("header");
    const copy = make("button", { class: "quiet words", text: "Copy", attrs: { type: "button" } });
    copy.addEventListener("click", () => void this.#copy(values));
    head.append(make("h3", { text: title }), copy, close);
    const list = make("dl");
    for (const { name, type, value } of values.columns) {
      const term = make("dt", { text: name });
      term.title = type;
      const text = make("span", { text: value ?? "null" });
      const told = make("dd", { class: value === null ? "null" : "" }, [text]);
      const column = layer.columns.find((each) => each.name === name);
      const filter = column ? valueFilter(column, value) : null;
      if (filter !== null) told.append(this.#keep(layer, filter));
      list.append(term, told);
    }
    const more = values.more > 0 ? [make("p", { text: `and ${values.more.toLocaleString("en")} more columns` })] : [];
    this.element.setAttribute("aria-label", title);
    this.element.replaceChildren(head, list, ...more);
    this.element.hidden = false;
    this.element.focus({ preventScroll: true });
    const { clientWidth: width, clientHeight: height } = this.surface;
    const { offsetWidth: w, offsetHeight: h } = this.element;
    const left = px + OFFSET + w > width - 4 ? px - OFFSET - w : px + OFFSET;
    this.element.style.left = `${Math.max(4, Math.round(left))}px`;
    this.element.style.top = `${Math.max(4, Math.min(Math.round(py - h / 3), height - h - 4))}px`;
  }

  /** A button that keeps rows with the same value.  @param {Layer} layer @param {string} filter */
  #keep(layer, filter) {
    const button = make("button", { class: "quiet keep", text: "=", attrs: { type: "button" } });
    button.setAttribute("aria-label", `Filter: ${filter}`);
    button.title = `Filter: ${filter}`;
    button.addEventListener("click", () => {
      this.close();
      this.acts.filter(layer, narrowed(layer.choice.filter, filter));
    });
    return button;
  }

  /** @param {RowValues} values */
  async #copy({ columns }) {
    const text = columns.map(({ name, value }) => `${name}\t${value ?? ""}`).join("\n");
    try {
      await navigator.clipboard.writeText(text);
      this.acts.note("The row is on the clipboard.");
    } catch {
      getSelection()?.selectAllChildren(this.element);
      this.acts.note("This page may not use the clipboard: press Ctrl+C.");
    }
  }

  close() {
    if (!this.isOpen) return;
    const focused = this.element.contains(document.activeElement);
    this.element.hidden = true;
    if (focused) this.surface.focus({ preventScroll: true });
  }
}
