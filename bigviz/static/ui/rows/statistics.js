// Statistics of selected rows as tables: of columns that are ticked, of all rows and told apart by a column.

import { labelWords } from "../../axes/label-words.js";
import { formatNumber } from "../../axes/axis.js";
import { formatStamp } from "../../axes/time-ticks.js";
import { find, make } from "../../dom.js";

/** @typedef {import("../../figure/rows/selection.js").Selection} Selection */
/** @typedef {import("../../layers/layer.js").Column} Column */
/** @typedef {import("../../wire/selections.js").Selected} Selected */
/** @typedef {import("../../wire/selections.js").Value} Value */

const FACTS = /** @type {const} */ (["count", "mean", "min", "q25", "median", "q75", "max"]);
const WORDS = { count: "values", mean: "mean", min: "lowest", q25: "¼", median: "median", q75: "¾", max: "highest" };
/** Whole numbers below it are written out. */
const WRITTEN_OUT = 1e12;

export class Statistics {
  /** @param {HTMLElement} element @param {() => Selection} shown what the statistics are of */
  constructor(element, shown) {
    this.element = element;
    this.shown = shown;
    this.tables = find(element, ".side-stats", HTMLElement);
    this.columns = find(element, ".side-columns", HTMLElement);
    this.by = find(element, '[name="by"]', HTMLSelectElement);
    /** What the lists of columns were made of. */ this.listed = "";
    this.by.addEventListener("change", () => shown().want({ by: this.by.value || null }));
    this.columns.addEventListener("change", () => shown().want({ chosen: this.#ticked() }));
  }

  /** @param {Selected} answer */
  show(answer) {
    const { columns } = this.shown().layer;
    this.tables.replaceChildren(...tablesOf(answer, columns));
  }

  clear() {
    this.tables.replaceChildren();
  }

  /** The lists of columns to choose from. */
  list() {
    const { numbers, labels, stats, by } = this.shown();
    const now = JSON.stringify([numbers, labels, stats, by]);
    if (now === this.listed) return;
    this.listed = now;
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    const name = focused instanceof HTMLInputElement ? focused.value : null;
    const boxes = numbers.map((column) => {
      const box = make("input", { attrs: { type: "checkbox", name: "stats", value: column } });
      box.checked = stats.includes(column);
      return make("label", {}, [box, make("span", { text: column })]);
    });
    this.columns.replaceChildren(...boxes);
    for (const box of this.columns.querySelectorAll("input")) if (box.value === name) box.focus();
    this.by.replaceChildren(
      ...["", ...labels].map((column) => new Option(column || "none", column, false, column === (by ?? ""))),
    );
  }

  /** @returns {string[]} */
  #ticked() {
    return [...this.columns.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value);
  }
}

/** @param {Selected} answer @param {readonly Column[]} columns @returns {HTMLElement[]} */
function tablesOf({ stats, by, rows }, columns) {
  const names = Object.keys(stats);
  const told = (/** @type {string} */ name, /** @type {Value} */ value) =>
    valueWords(
      value,
      columns.find((each) => each.name === name),
    );
  const out = [];
  if (names.length > 0 && rows > 0) {
    const lines = FACTS.map((fact) =>
      line(
        WORDS[fact],
        names.map((name) => (fact === "count" ? valueWords(stats[name].count) : told(name, stats[name][fact]))),
      ),
    );
    out.push(table("Statistics of the selected rows", [head(["", ...names]), make("tbody", {}, lines)]));
  }
  if (by && by.groups.length > 0) {
    const words = [by.column, "rows", ...names.flatMap((name) => [`mean ${name}`, `median ${name}`])];
    const lines = by.groups.map((group) =>
      line(group.label === null ? "null" : labelWords(group.label), [
        group.rows.toLocaleString("en"),
        ...names.flatMap((name) => [told(name, group.stats[name].mean), told(name, group.stats[name].median)]),
      ]),
    );
    out.push(table(`The selected rows by ${by.column}`, [head(words), make("tbody", {}, lines)]));
  }
  return out;
}

/**
 * A value of a column in words: whole numbers below 10^12 are written out.
 * @param {Value} value @param {Column} [column] @returns {string}
 */
export function valueWords(value, column) {
  if (value === null) return "–";
  const isStamp = typeof value === "string" && (column?.kind === "timestamp" || column?.kind === "date");
  if (isStamp) return formatStamp(BigInt(value), column?.zone ?? null, 1e9);
  if (typeof value === "string") return formatNumber(BigInt(value), 12);
  return formatNumber(value, Number.isInteger(value) && Math.abs(value) < WRITTEN_OUT ? 12 : 6);
}

/** @param {string[]} words */
const head = (words) =>
  make("thead", {}, [
    make(
      "tr",
      {},
      words.map((text) => make("th", { text, attrs: { scope: "col" } })),
    ),
  ]);

/** @param {string} word @param {string[]} cells */
const line = (word, cells) =>
  make("tr", {}, [make("th", { text: word, attrs: { scope: "row" } }), ...cells.map((text) => make("td", { text }))]);

/** @param {string} caption @param {HTMLElement[]} parts */
const table = (caption, parts) =>
  make("div", { class: "side-scroll", attrs: { tabindex: "0", role: "region", "aria-label": caption } }, [
    make("table", {}, [make("caption", { class: "sr", text: caption }), ...parts]),
  ]);
