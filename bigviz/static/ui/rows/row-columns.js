// All columns of one row, or what is known of one cell: values are copied, and rows with the same value kept.

import { icon, make, roving, textButton } from "../../dom.js";
import { narrowed, valueFilter } from "../../layers/rows/value-filter.js";

/** @typedef {import("../../wire/row-values.js").RowValues} RowValues */
/** @typedef {import("../../layers/layer.js").Layer} Layer */
/** @typedef {import("../../input/bar-facts.js").Fact} Fact */
/** A filter for a layer is chosen, or text goes to the clipboard.
 * @typedef {{filter: (layer: Layer, filter: string) => void, copy: (text: string, what: string) => void}} Acts */

export class RowColumns {
  /** @param {HTMLElement} element emptied @param {Acts} acts */
  constructor(element, acts) {
    this.element = element;
    this.acts = acts;
    /** @type {number|null} the row that is shown */ this.row = null;
    this.clear();
  }

  clear() {
    this.row = null;
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  /** @param {RowValues} values @param {Layer} layer */
  show(values, layer) {
    const { acts } = this;
    this.row = values.row;
    const copy = textButton("Copy row", () => acts.copy(rowText(values), "The row"));
    const list = make("dl");
    for (const { name, type, value } of values.columns) {
      const term = make("dt", { text: name });
      term.title = type;
      const column = layer.columns.find((each) => each.name === name);
      const filter = column ? valueFilter(column, value) : null;
      const buttons = [];
      if (filter !== null) {
        const words = `Filter: ${filter}`;
        buttons.push(small("filter", words, () => acts.filter(layer, narrowed(layer.choice.filter, filter))));
      }
      if (value !== null) buttons.push(small("copy", `Copy ${name}`, () => acts.copy(value, name)));
      list.append(term, told(value, buttons));
    }
    roving(list);
    this.#fill(`Row ${values.row.toLocaleString("en")}`, [copy], list, moreWords(values.more));
  }

  /** The keyboard goes on in the columns. */
  focus() {
    const first = this.element.querySelector("dl button") ?? this.element.querySelector("button");
    if (first instanceof HTMLElement) first.focus();
  }

  /** What is known of a cell.  @param {readonly Fact[]} facts */
  showCell(facts) {
    this.row = null;
    const list = make("dl");
    for (const { name, value, color, share } of facts) {
      const chip = color ? [make("span", { class: "chip" })] : [];
      for (const each of chip) each.style.background = color ?? "";
      const text = share ? `${value} · ${share}` : value;
      list.append(make("dt", {}, [...chip, make("span", { text: name })]), told(text, []));
    }
    this.#fill("Cell", [], list, "");
  }

  /** @param {string} title @param {HTMLElement[]} buttons @param {HTMLElement} list @param {string} more */
  #fill(title, buttons, list, more) {
    const head = make("header", {}, [make("h4", { text: title }), ...buttons]);
    const rest = more === "" ? [] : [make("p", { class: "muted", text: more })];
    this.element.setAttribute("aria-label", title);
    this.element.replaceChildren(head, list, ...rest);
    this.element.hidden = false;
  }
}

/** @param {RowValues} values @returns {string} a line a column: name, tab, value */
export const rowText = ({ columns }) => columns.map(({ name, value }) => `${name}\t${value ?? ""}`).join("\n");

/** @param {number} more @returns {string} */
const moreWords = (more) => (more > 0 ? `and ${more.toLocaleString("en")} more columns` : "");

/** @param {string|null} value @param {HTMLElement[]} buttons */
const told = (value, buttons) =>
  make("dd", { class: value === null ? "null" : "" }, [make("span", { text: value ?? "null" }), ...buttons]);

/** @param {string} symbol @param {string} words @param {() => void} act */
function small(symbol, words, act) {
  const button = make("button", { class: "tool small", attrs: { type: "button", "aria-label": words, title: words } });
  button.append(icon(symbol));
  button.addEventListener("click", act);
  return button;
}
