// Rows that are selected in a figure: a table, sorted by a press on a heading, and paged.

import { make } from "../../dom.js";
import { labelOf } from "./field.js";

/** @typedef {string|number|bigint|boolean|null} Cell */

const PAGE = 20;

export class RowTable {
  /** @param {import("./field.js").Built} built @param {string} figure its title */
  constructor({ id, spec }, figure) {
    /** @type {string[]} */ this.columns = [];
    /** @type {readonly (readonly Cell[])[]} */ this.rows = [];
    this.total = 0;
    this.page = 0;
    /** @type {{column: number, descending: boolean}|null} */ this.sorted = null;
    this.note = make("p", {
      class: "muted table-note",
      text: `No rows are selected${figure ? ` in ${figure}` : ""}.`,
      attrs: { role: "status" },
    });
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

  /** Nothing is selected. */
  clear() {
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
    if (columns.join("\0") !== this.columns.join("\0")) this.sorted = null;
    this.rows = rows;
    this.columns = columns;
    this.page = page;
    this.total = total;
    this.note.hidden = rows.length > 0;
    this.scroller.hidden = this.feet.hidden = rows.length === 0;
    this.#heads();
    this.#draw();
  }

  #heads() {
    this.head.replaceChildren(
      ...this.columns.map((name, column) => {
        const button = make("button", { text: name, attrs: { type: "button" } });
        button.addEventListener("click", () => {
          this.sorted = { column, descending: this.sorted?.column === column && !this.sorted.descending };
          this.page = 0;
          this.#draw();
        });
        return make("th", { attrs: { scope: "col" } }, [button]);
      }),
    );
  }

  #draw() {
    const { sorted, page, rows, total } = this;
    for (const [k, head] of [...this.head.children].entries())
      head.setAttribute("aria-sort", sorted?.column !== k ? "none" : sorted.descending ? "descending" : "ascending");
    const all = sorted ? [...rows].sort(byColumn(sorted.column, sorted.descending)) : rows;
    const shown = all.slice(page * PAGE, (page + 1) * PAGE);
    this.body.replaceChildren(
      ...shown.map((row) =>
        make(
          "tr",
          {},
          row.map((cell) => make("td", { text: cellWords(cell) })),
        ),
      ),
    );
    const first = page * PAGE + 1;
    const more = total > rows.length ? ` of the first ${rows.length.toLocaleString("en")}` : "";
    this.where.textContent = `${first} to ${first + shown.length - 1}${more} of ${total.toLocaleString("en")} rows`;
    this.before.disabled = page === 0;
    this.after.disabled = first + shown.length > rows.length;
  }

  /** @param {1|-1} by */
  #turn(by) {
    this.page += by;
    this.#draw();
  }
}

/** @param {string} label @param {string} text @param {() => void} press @returns {HTMLButtonElement} */
function pager(label, text, press) {
  const button = make("button", { class: "tool", text, attrs: { type: "button", "aria-label": label } });
  button.addEventListener("click", press);
  return button;
}

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
