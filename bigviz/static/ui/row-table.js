// The selected rows as a table: in pages, in file order or by a column.

import { make } from "../dom.js";

/** @typedef {import("../figure/selection.js").Selection} Selection */
/** @typedef {import("../wire/selections.js").RowPage} RowPage */

const PAGE = 25;

export class RowTable {
  /** @param {HTMLElement} element a details element: rows are read once it is open @param {Selection} selection */
  constructor(element, selection) {
    this.element = /** @type {HTMLDetailsElement} */ (element);
    this.selection = selection;
    this.body = make("div", {
      class: "side-scroll",
      attrs: { tabindex: "0", role: "region", "aria-label": "Selected rows" },
    });
    this.pager = make("div", { class: "side-actions" });
    this.element.append(this.body, this.pager);
    this.id = "";
    this.offset = 0;
    /** @type {string|null} */ this.sort = null;
    this.desc = false;
    /** @type {AbortController|null} */ this.asking = null;
    this.element.addEventListener("toggle", () => void this.#load());
  }

  clear() {
    this.asking?.abort();
    this.id = "";
    this.body.replaceChildren();
    this.pager.replaceChildren();
  }

  /** @param {import("../wire/selections.js").Selected} answer */
  show({ id, rows }) {
    if (this.id === id) return;
    this.clear();
    this.id = id;
    this.offset = 0;
    this.element.hidden = rows === 0;
    void this.#load();
  }

  async #load() {
    if (!this.element.open || this.id === "") return;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    const { offset, sort, desc } = this;
    try {
      const page = await this.selection.requests.rows(this.id, { offset, limit: PAGE, sort, desc }, asking.signal);
      if (this.asking === asking) this.#fill(page);
    } catch (error) {
      if (this.asking !== asking) return;
      this.body.replaceChildren(
        make("p", { class: "bad", text: error instanceof Error ? error.message : String(error) }),
      );
      this.pager.replaceChildren();
    }
  }

  /** @param {RowPage} page */
  #fill({ columns, rows, row, total, offset }) {
    const focused = document.activeElement instanceof HTMLElement && this.element.contains(document.activeElement);
    const name = focused ? /** @type {HTMLElement} */ (document.activeElement).dataset.name : undefined;
    const heads = columns.map(({ name: column }) => {
      const button = make("button", { text: column, attrs: { type: "button", "data-name": column } });
      button.addEventListener("click", () => this.#by(column));
      const head = make("th", { attrs: { scope: "col" } }, [button]);
      const order = this.sort === column ? (this.desc ? "descending" : "ascending") : "none";
      head.setAttribute("aria-sort", order);
      return head;
    });
    const lines = rows.map((values, k) =>
      make("tr", {}, [
        make("th", { text: row[k].toLocaleString("en"), attrs: { scope: "row" } }),
        ...values.map((value) => make("td", { class: value === null ? "null" : "", text: value ?? "null" })),
      ]),
    );
    const table = make("table", {}, [
      make("caption", { class: "sr", text: "Selected rows" }),
      make("thead", {}, [make("tr", {}, [make("th", { text: "row", attrs: { scope: "col" } }), ...heads])]),
      make("tbody", {}, lines),
    ]);
    this.body.replaceChildren(table);
    this.#page(total, offset);
    if (name !== undefined)
      for (const each of this.element.querySelectorAll("button")) if (each.dataset.name === name) each.focus();
  }

  /** @param {number} total @param {number} offset */
  #page(total, offset) {
    const turn = (/** @type {string} */ text, /** @type {string} */ label, /** @type {number} */ to) => {
      const button = make("button", {
        class: "text",
        text,
        attrs: { type: "button", "aria-label": label, "data-name": label },
      });
      button.disabled = to < 0 || to >= total;
      button.addEventListener("click", () => {
        this.offset = to;
        void this.#load();
      });
      return button;
    };
    const last = Math.min(offset + PAGE, total);
    this.pager.replaceChildren(
      turn("‹", "Rows before", offset - PAGE),
      make("span", {
        class: "muted",
        text: `${(offset + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${total.toLocaleString("en")}`,
      }),
      turn("›", "Rows after", offset + PAGE),
    );
  }

  /** Sort by a column: up, down, and in file order again.  @param {string} column */
  #by(column) {
    if (this.sort !== column) [this.sort, this.desc] = [column, false];
    else if (!this.desc) this.desc = true;
    else [this.sort, this.desc] = [null, false];
    this.offset = 0;
    void this.#load();
  }
}
