// Rows that are selected in a figure: a table, sorted by a press on a heading, and paged.

import { make, textButton } from "../../dom.js";
import { labelOf } from "./field.js";

/** @typedef {string|number|bigint|boolean|null} Cell */
/** What is seen of a figure's selection; fires `change`.
 * @typedef {EventTarget & {readonly answer: {id: string}|null, readonly isBusy: boolean, readonly error: string|null,
 *   again: () => void, readonly requests: Pick<import("../../wire/selections.js").SelectionRequests, "rows">}}
 *   Selected */

const PAGE = 20;
/** The names of Arrow's types of numbers. */
const NUMBER = /^(u?int|half|float|double|decimal)/;

export class RowTable {
  /** @param {import("./field.js").Built} built @param {string} figure its title */
  constructor({ id, spec, signal }, figure) {
    this.wanted = spec.columns ?? null;
    this.signal = signal;
    /** Where rows come from, page by page; null: all are here.  @type {Selected|null} */ this.source = null;
    this.shown = "";
    /** @type {AbortController|null} */ this.asking = null;
    /** @type {string[]} */ this.columns = [];
    /** Which columns hold numbers: these end on one line.  @type {readonly boolean[]} */ this.numbers = [];
    /** @type {readonly (readonly Cell[])[]} */ this.rows = [];
    this.total = 0;
    this.page = 0;
    /** @type {{column: number, descending: boolean}|null} */ this.sorted = null;
    this.words = `No rows are selected${figure ? ` in ${figure}` : ""}.`;
    this.note = make("p", { class: "muted table-note", text: this.words, attrs: { role: "status" } });
    this.head = make("tr");
    this.body = make("tbody");
    this.before = pager("Previous page", "‹", () => this.#turn(-1));
    this.after = pager("Next page", "›", () => this.#turn(1));
    this.where = make("span", { class: "muted", attrs: { role: "status" } });
    this.feet = make("div", { class: "table-feet" }, [this.before, this.where, this.after]);
    this.scroller = make(
      "div",
      { class: "table-scroll", attrs: { tabindex: "0", role: "region", "aria-label": labelOf(id, spec) } },
      [make("table", {}, [make("thead", {}, [this.head]), this.body])],
    );
    this.element = make("div", { class: "control table", attrs: { "data-control": id } }, [
      make("span", { class: "control-label", text: labelOf(id, spec) }),
      this.note,
      this.scroller,
      this.feet,
    ]);
    this.clear();
  }

  /**
   * Lists what is selected from now on.
   * @param {...Selected} sources what is selected in a figure, and the rows of brushes: the first that has rows
   */
  follow(...sources) {
    const take = () => {
      const source = sources.find(({ answer, isBusy }) => answer !== null || isBusy);
      if (!source) {
        this.clear();
        const failed = sources.find(({ error }) => error !== null);
        if (failed?.error) this.#fail(failed.error, failed);
      }
      const answer = source?.answer ?? null;
      if (!source || answer === null || answer.id === this.shown) return;
      this.source = source;
      this.shown = answer.id;
      this.page = 0;
      this.sorted = null;
      void this.#load();
    };
    for (const each of sources) each.addEventListener("change", take, { signal: this.signal });
  }

  /** The page of rows that is wanted now. */
  async #load() {
    const { source, shown, page, sorted, columns, wanted } = this;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    if (!source) return;
    const sort = sorted ? columns[sorted.column] : null;
    const part = { offset: page * PAGE, limit: PAGE, sort, desc: sorted?.descending ?? false, columns: wanted };
    try {
      const found = await source.requests.rows(shown, part, asking.signal);
      if (this.asking !== asking) return;
      const names = found.columns.map(({ name }) => name);
      this.numbers = found.columns.map(({ type }) => NUMBER.test(type));
      this.#take(found.rows, names, found.total);
    } catch (error) {
      if (this.asking !== asking) return;
      this.clear();
      this.#fail(error instanceof Error ? error.message : String(error), source);
    }
  }

  /** There are no rows, and why.  @param {string} words @param {Selected} source can be asked again */
  #fail(words, source) {
    this.note.replaceChildren(
      `${words} `,
      textButton("Try again", () => source.again()),
    );
  }

  /** Nothing is selected. */
  clear() {
    this.asking?.abort();
    this.asking = this.source = null;
    this.shown = "";
    this.note.textContent = this.words;
    this.rows = [];
    this.note.hidden = false;
    this.scroller.hidden = this.feet.hidden = true;
  }

  /**
   * Shows rows, from the page of that number on.
   * @param {readonly (readonly Cell[])[]} rows
   * @param {string[]} columns
   * @param {number} [page]
   * @param {number} [total] how many are selected, if `rows` are the first of them only
   */
  show(rows, columns, page = 0, total = rows.length) {
    this.source = null;
    this.page = page;
    this.numbers = columns.map((_, k) => rows.every((row) => row[k] === null || isNumber(row[k])));
    if (columns.join("\0") !== this.columns.join("\0")) this.sorted = null;
    this.#take(rows, columns, total);
  }

  /** @param {readonly (readonly Cell[])[]} rows @param {string[]} columns @param {number} total */
  #take(rows, columns, total) {
    const isOther = columns.join("\0") !== this.columns.join("\0") || this.head.childElementCount === 0;
    this.rows = rows;
    this.columns = columns;
    this.total = total;
    this.note.textContent = this.words;
    this.note.hidden = rows.length > 0;
    this.scroller.hidden = this.feet.hidden = rows.length === 0;
    if (isOther) this.#heads(); // the one that was pressed keeps the focus
    this.#draw();
  }

  #heads() {
    this.head.replaceChildren(
      ...this.columns.map((name, column) => {
        const button = make("button", { text: name, class: this.#classOf(column), attrs: { type: "button" } });
        button.addEventListener("click", () => {
          this.sorted = { column, descending: this.sorted?.column === column && !this.sorted.descending };
          this.page = 0;
          this.#renew();
        });
        return make("th", { attrs: { scope: "col" } }, [button]);
      }),
    );
  }

  /** @param {number} column */
  #classOf(column) {
    return this.numbers[column] ? "number" : "";
  }

  #draw() {
    const { sorted, page, rows, total, source } = this;
    for (const [k, head] of [...this.head.children].entries())
      head.setAttribute("aria-sort", sorted?.column !== k ? "none" : sorted.descending ? "descending" : "ascending");
    const all = sorted && !source ? [...rows].sort(byColumn(sorted.column, sorted.descending)) : rows;
    const shown = source ? all : all.slice(page * PAGE, (page + 1) * PAGE);
    this.body.replaceChildren(
      ...shown.map((row) =>
        make(
          "tr",
          {},
          row.map((cell, column) => make("td", { text: cellWords(cell), class: this.#classOf(column) })),
        ),
      ),
    );
    const first = page * PAGE + 1;
    const more = !source && total > rows.length ? ` of the first ${rows.length.toLocaleString("en")}` : "";
    this.where.textContent = `${first} to ${first + shown.length - 1}${more} of ${total.toLocaleString("en")} rows`;
    this.before.disabled = page === 0;
    this.after.disabled = first + shown.length > (source ? total : rows.length);
  }

  /** @param {1|-1} by */
  #turn(by) {
    this.page += by;
    this.#renew();
  }

  #renew() {
    if (this.source) void this.#load();
    else this.#draw();
  }
}

/** @param {string} label @param {string} text @param {() => void} press @returns {HTMLButtonElement} */
function pager(label, text, press) {
  const button = make("button", { class: "tool", text, attrs: { type: "button", "aria-label": label } });
  button.addEventListener("click", press);
  return button;
}

/** @param {Cell} cell */
const isNumber = (cell) => typeof cell === "number" || typeof cell === "bigint";

/** @param {Cell} cell @returns {string} */
const cellWords = (cell) =>
  cell === null ? "" : typeof cell === "number" ? String(Number(cell.toPrecision(9))) : String(cell);

/**
 * Numbers by size, texts by letter, nothing last.
 * @param {number} column @param {boolean} descending
 * @returns {(a: readonly Cell[], b: readonly Cell[]) => number}
 */
export function byColumn(column, descending) {
  const way = descending ? -1 : 1;
  return (a, b) => {
    const [p, q] = [a[column], b[column]];
    if (p === null || q === null) return p === q ? 0 : p === null ? 1 : -1;
    return p < q ? -way : p > q ? way : 0;
  };
}
