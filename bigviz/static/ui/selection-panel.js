// What is known of the selected rows, at the side of the plot (below it where that is narrow): how many there are,
// statistics of columns, of all of them and by label, the rows themselves, and files of them.

import { labelWords } from "../axes/label-words.js";
import { find, make } from "../dom.js";
import { formatNumber } from "../axes/axis.js";
import { formatStamp } from "../axes/time-ticks.js";
import { RowTable } from "./row-table.js";
import { narrowed } from "../layers/value-filter.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../wire/selections.js").Selected} Selected */
/** @typedef {import("../wire/selections.js").Summary} Summary */
/** @typedef {import("../wire/selections.js").Value} Value */

const FACTS = /** @type {const} */ (["count", "mean", "min", "q25", "median", "q75", "max"]);
const WORDS = { count: "values", mean: "mean", min: "lowest", q25: "¼", median: "median", q75: "¾", max: "highest" };
/** A figure narrower than this, in CSS pixels, has it below the plot. */
const NARROW = 640;
const FILES = /** @type {const} */ (["csv", "parquet", "arrow"]);

/** @param {Figure} figure @param {(words: string) => void} say to screen readers */
export function bindSelectionPanel(figure, say) {
  if (!figure.selection.requests.isPossible) return;
  const panel = new SelectionPanel(figure, say);
  figure.selection.addEventListener("change", () => panel.show());
}

class SelectionPanel {
  /** @param {Figure} figure @param {(words: string) => void} say */
  constructor(figure, say) {
    const { section, selection } = figure;
    this.figure = figure;
    this.selection = selection;
    this.say = say;
    this.section = section;
    this.panel = find(section, ".side", HTMLElement);
    this.title = find(this.panel, "h3", HTMLElement);
    this.note = find(this.panel, ".side-note", HTMLElement);
    this.actions = find(this.panel, ".side-actions", HTMLElement);
    this.columns = find(this.panel, ".side-columns", HTMLElement);
    this.by = find(this.panel, '[name="by"]', HTMLSelectElement);
    this.stats = find(this.panel, ".side-stats", HTMLElement);
    this.rows = new RowTable(find(this.panel, ".side-rows", HTMLElement), selection);
    /** What the lists of columns were made of. */ this.listed = "";
    find(this.panel, '[data-act="unselect"]', HTMLButtonElement).addEventListener("click", () => this.#close());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      this.#close();
    });
    this.by.addEventListener("change", () => selection.want({ by: this.by.value || null }));
    this.columns.addEventListener("change", () => selection.want({ chosen: this.#ticked() }));
  }

  #close() {
    this.selection.clear();
    this.figure.surface.focus({ preventScroll: true });
  }

  show() {
    const { region, answer, error, isBusy } = this.selection;
    this.panel.hidden = region === null;
    if (region === null) {
      delete this.section.dataset.side;
      delete this.section.dataset.selected;
      this.rows.clear();
      return;
    }
    if (this.section.dataset.side === undefined)
      this.section.dataset.side = this.section.clientWidth < NARROW ? "below" : "beside";
    this.section.dataset.selected = isBusy ? "…" : String(answer?.rows ?? "");
    this.panel.setAttribute("aria-busy", String(isBusy));
    this.title.textContent = answer ? countWords(answer.rows) : "Selecting…";
    this.note.textContent =
      error ?? (region.kind === "lasso" ? "in a lasso" : region.isCell ? "in a cell" : "in a box");
    this.note.classList.toggle("bad", error !== null);
    if (region.kind === "box" && region.isCell) this.rows.element.open = true;
    this.#lists();
    if (!answer || isBusy) return;
    this.say(countWords(answer.rows));
    this.#offer(answer);
    this.stats.replaceChildren(...this.#tables(answer));
    this.rows.show(answer);
  }

  /** What can be done with the rows.  @param {Selected} answer */
  #offer({ id, rows, expression }) {
    const { selection } = this;
    const button = (/** @type {string} */ text, /** @type {() => void} */ act) => {
      const made = make("button", { class: "text", text, attrs: { type: "button" } });
      made.addEventListener("click", act);
      return made;
    };
    const found = [];
    if (expression !== null && selection.layer.index === 0)
      found.push(button("Use as filter", () => this.#filter(expression)));
    if (selection.region?.kind === "box") found.push(button("Zoom to it", () => this.#zoom()));
    found.push(button("All in view", () => selection.selectView()));
    const links = FILES.map((kind) =>
      make("a", {
        class: "text",
        text: kind.toUpperCase(),
        attrs: { href: selection.requests.file(id, kind), download: "" },
      }),
    );
    this.actions.replaceChildren(
      ...found,
      ...(rows > 0 && selection.requests.hasFiles ? [make("span", { class: "muted", text: "Save" }), ...links] : []),
    );
  }

  /** @param {string} expression */
  #filter(expression) {
    const { figure } = this;
    figure.choose(0, { filter: narrowed(figure.main.choice.filter, expression) });
  }

  #zoom() {
    const { figure } = this;
    const { region } = this.selection;
    if (region?.kind !== "box" || !figure.view) return;
    figure.followY.isWanted = false;
    figure.moves.show(figure.view.show({ x: region.x, y: region.y }), performance.now());
    figure.steps.settle();
  }

  /** The lists of columns to choose from. */
  #lists() {
    const { numbers, labels, stats, by } = this.selection;
    const now = JSON.stringify([numbers, labels, stats, by]);
    if (now === this.listed) return;
    this.listed = now;
    const focused = this.panel.contains(document.activeElement) ? document.activeElement : null;
    const name = focused instanceof HTMLInputElement ? focused.value : null;
    const boxes = numbers.map((column) => {
      const box = make("input", { attrs: { type: "checkbox", name: "stats", value: column } });
      box.checked = stats.includes(column);
      return make("label", {}, [box, make("span", { text: column })]);
    });
    this.columns.replaceChildren(...boxes);
    for (const box of this.columns.querySelectorAll("input")) if (box.value === name) box.focus();
    const options = ["", ...labels].map((column) => {
      const option = make("option", { text: column || "nothing", attrs: { value: column } });
      option.selected = column === (by ?? "");
      return option;
    });
    this.by.replaceChildren(...options);
  }

  /** @returns {string[]} */
  #ticked() {
    return [...this.columns.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value);
  }

  /** @param {Selected} answer @returns {HTMLElement[]} */
  #tables({ stats, by, rows }) {
    const names = Object.keys(stats);
    const told = (/** @type {string} */ name, /** @type {Value} */ value) => this.#told(name, value);
    const head = (/** @type {string[]} */ words) =>
      make("thead", {}, [
        make(
          "tr",
          {},
          words.map((text) => make("th", { text, attrs: { scope: "col" } })),
        ),
      ]);
    const line = (/** @type {string} */ word, /** @type {string[]} */ cells) =>
      make("tr", {}, [
        make("th", { text: word, attrs: { scope: "row" } }),
        ...cells.map((text) => make("td", { text })),
      ]);
    const table = (/** @type {string} */ caption, /** @type {HTMLElement[]} */ parts) =>
      make("div", { class: "side-scroll", attrs: { tabindex: "0", role: "region", "aria-label": caption } }, [
        make("table", {}, [make("caption", { class: "sr", text: caption }), ...parts]),
      ]);
    const out = [];
    if (names.length > 0 && rows > 0) {
      const lines = FACTS.map((fact) =>
        line(
          WORDS[fact],
          names.map((name) => told(name, stats[name][fact])),
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

  /** A value of a column in words.  @param {string} name @param {Value} value @returns {string} */
  #told(name, value) {
    if (value === null) return "–";
    const column = this.selection.layer.columns.find((each) => each.name === name);
    const isStamp = typeof value === "string" && (column?.kind === "timestamp" || column?.kind === "date");
    if (isStamp) return formatStamp(BigInt(value), column?.zone ?? null, 1e9);
    return formatNumber(typeof value === "string" ? BigInt(value) : value);
  }
}

/** @param {number} rows @returns {string} */
const countWords = (rows) => `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"} selected`;
