// Rows in pages, in file order or by a column. The keyboard goes over them row by row, and the row that it is on is
// told of.

import { find, make, textButton } from "../../dom.js";

/** @typedef {import("../../wire/selections.js").RowPage} RowPage */
/** @typedef {import("../../wire/row-values.js").RowValues} RowValues */
/** @typedef {{offset: number, limit: number, sort: string|null, desc: boolean}} Wanted */
/** What the table asks for and tells: `load` gives a page, `pick` is told of a row, `copy` of one to copy; `enter`: the
 * viewer wants to go on in the row's columns; `loaded`: other rows are shown, or none; `again`: what failed is to be
 * tried again.
 * @typedef {{load: (wanted: Wanted, signal: AbortSignal) => Promise<RowPage>,
 *   pick: (values: RowValues, byKey: boolean) => void, copy: (values: RowValues) => void, enter: () => void,
 *   loaded: () => void, again: () => void}} Acts */

const PAGE = 25;
/** CSS pixels that an arrow key scrolls aside. */
const ASIDE = 80;

export class RowsTable {
  /** @param {HTMLElement} element @param {Acts} acts */
  constructor(element, acts) {
    this.element = element;
    this.acts = acts;
    this.body = find(element, ".side-scroll", HTMLElement);
    this.pager = find(element, ".side-pager", HTMLElement);
    this.order = find(element, '[name="sort"]', HTMLSelectElement);
    this.way = find(element, '[data-act="direction"]', HTMLButtonElement);
    this.table = make("table", { attrs: { role: "grid", "aria-label": "Rows" } });
    this.offset = 0;
    /** @type {string|null} */ this.sort = null;
    this.desc = false;
    /** @type {RowPage|null} what is shown */ this.page = null;
    /** The row that the keyboard is on, of the page. */ this.at = 0;
    /** The number of the row that is told of.  @type {number|null} */ this.told = null;
    /** Go to the first or the last row of the page that comes.  @type {"first"|"last"|null} */ this.going = null;
    /** @type {AbortController|null} */ this.asking = null;
    this.order.addEventListener("change", () => this.#by(this.order.value || null, this.desc));
    this.way.addEventListener("click", () => this.#by(this.sort, !this.desc));
    this.table.addEventListener("click", (event) => this.#click(event));
    this.table.addEventListener("keydown", (event) => this.#key(event));
    this.body.addEventListener("scroll", () => this.#shade(), { passive: true });
    new ResizeObserver(() => this.#shade()).observe(this.body);
  }

  /** No rows. */
  clear() {
    this.asking?.abort();
    this.asking = this.page = null;
    this.offset = 0;
    this.body.replaceChildren();
    this.pager.replaceChildren();
  }

  /** The columns that rows are sorted by, and what else they are.
   * @param {readonly string[]} names @param {string} [unsorted] */
  offer(names, unsorted = "row order") {
    const now = ["", ...names];
    if (this.sort !== null && !names.includes(this.sort)) this.sort = null;
    if ([...this.order.options].map((each) => each.value).join("\0") !== now.join("\0"))
      this.order.replaceChildren(...now.map((name) => new Option(name, name)));
    this.order.options[0].text = unsorted;
    this.#showOrder();
  }

  /** Other rows are to be shown: from the first one on.  @param {boolean} [keep] the page that is shown */
  renew(keep = false) {
    if (!keep) this.offset = 0;
    void this.#load();
  }

  /** The keyboard goes on in the rows, now or once they are here. */
  focus() {
    const row = this.#rows()[this.at];
    if (row) row.focus();
    else this.going = "first";
  }

  /** Which row is told of.  @param {number|null} row its number */
  mark(row) {
    this.told = row;
    for (const [k, line] of this.#rows().entries())
      line.setAttribute("aria-selected", String(this.page?.row[k] === row));
  }

  async #load() {
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    this.element.setAttribute("aria-busy", "true");
    const { offset, sort, desc } = this;
    try {
      const page = await this.acts.load({ offset, limit: PAGE, sort, desc }, asking.signal);
      if (this.asking !== asking) return;
      if (page.rows.length === 0 && page.total > 0 && offset > 0) {
        this.renew(); // there are fewer rows than before
        return;
      }
      this.#fill(page);
    } catch (error) {
      if (this.asking !== asking) return;
      this.page = null;
      this.body.replaceChildren(
        make("p", { class: "bad", text: error instanceof Error ? error.message : String(error) }),
        textButton("Try again", () => this.acts.again()),
      );
      this.pager.replaceChildren();
    }
    this.element.setAttribute("aria-busy", "false");
    this.acts.loaded();
  }

  /** @param {RowPage} page */
  #fill(page) {
    const hadRow = this.table.querySelector("tbody")?.contains(document.activeElement) ?? false;
    const { columns, rows, row, total, offset, all = total } = page;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.name : undefined;
    this.page = page;
    const lines = rows.map((values, k) =>
      make("tr", { attrs: { tabindex: "-1", "aria-rowindex": String(offset + k + 2), "aria-selected": "false" } }, [
        make("th", { text: row[k].toLocaleString("en"), attrs: { scope: "row" } }),
        ...values.map((value) => make("td", { class: value === null ? "null" : "", text: value ?? "null" })),
      ]),
    );
    this.table.setAttribute("aria-rowcount", String(total + 1));
    this.table.replaceChildren(
      make("thead", {}, [
        make("tr", { attrs: { "aria-rowindex": "1" } }, [
          make("th", { text: "row", attrs: { scope: "col" } }),
          ...columns.map(({ name, type }) => this.#head(name, type)),
        ]),
      ]),
      make("tbody", {}, lines),
    );
    if (!this.body.contains(this.table)) this.body.replaceChildren(this.table);
    this.at = this.going === "last" ? Math.max(0, rows.length - 1) : 0;
    if (this.going === null && this.told !== null) this.at = Math.max(0, row.indexOf(this.told));
    const line = this.#rows()[this.at];
    if (line) line.tabIndex = 0;
    this.#page(total, offset, rows.length, all);
    this.#showOrder();
    this.mark(this.told);
    this.#shade();
    if (line && (hadRow || this.going !== null)) this.#go(this.at);
    else if (focused !== undefined)
      for (const each of this.element.querySelectorAll("button")) if (each.dataset.name === focused) each.focus();
    this.going = null;
  }

  /** @param {string} name @param {string} type */
  #head(name, type) {
    const button = make("button", { text: name, attrs: { type: "button", "data-name": name, tabindex: "-1" } });
    button.title = type;
    const order = this.sort === name ? (this.desc ? "descending" : "ascending") : "none";
    return make("th", { attrs: { scope: "col", "aria-sort": order } }, [button]);
  }

  #rows() {
    return /** @type {HTMLTableRowElement[]} */ ([...this.table.querySelectorAll("tbody tr")]);
  }

  /** @param {number} total @param {number} offset @param {number} shown @param {number} all */
  #page(total, offset, shown, all) {
    const turn = (/** @type {string} */ text, /** @type {string} */ label, /** @type {number} */ to) => {
      const button = make("button", {
        class: "text",
        text,
        attrs: { type: "button", "aria-label": label, "data-name": label },
      });
      button.disabled = to < 0 || to >= total;
      button.addEventListener("click", () => this.#turn(to, null));
      return button;
    };
    const told = (/** @type {number} */ n) => n.toLocaleString("en");
    const first = all > total ? `the first ${told(total)}` : told(total);
    const words = `${told(offset + 1)} to ${told(offset + shown)} of ${first}`;
    this.pager.replaceChildren(
      turn("‹", "Rows before", offset - PAGE),
      make("span", { class: "muted", text: total === 0 ? "no rows" : words }),
      turn("›", "Rows after", offset + PAGE),
    );
  }

  /** @param {number} offset @param {"first"|"last"|null} going */
  #turn(offset, going) {
    if (!this.page || offset < 0 || offset >= this.page.total) return;
    this.offset = offset;
    this.going = going;
    void this.#load();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = event.target instanceof Element ? event.target : null;
    const head = target?.closest("button");
    if (head) {
      this.#press(head.dataset.name ?? "");
      return;
    }
    const line = target?.closest("tbody tr");
    const at = this.#rows().indexOf(/** @type {HTMLTableRowElement} */ (line));
    if (at >= 0 && getSelection()?.isCollapsed !== false) this.#go(at, false);
  }

  /** A head is pressed: up, down, and in file order again.  @param {string} column */
  #press(column) {
    if (this.sort !== column) this.#by(column, false);
    else if (!this.desc) this.#by(column, true);
    else this.#by(null, false);
  }

  /** @param {string|null} column @param {boolean} desc */
  #by(column, desc) {
    this.sort = column;
    this.desc = column !== null && desc;
    this.offset = 0;
    this.#showOrder();
    void this.#load();
  }

  #showOrder() {
    const { order, way, sort, desc } = this;
    order.value = sort ?? "";
    way.disabled = sort === null;
    way.textContent = desc ? "highest first" : "lowest first";
    way.setAttribute("aria-pressed", String(desc));
  }

  /**
   * The keyboard and what is told of go to a row of the page.
   * @param {number} at @param {boolean} [scroll] it may be out of sight
   */
  #go(at, scroll = true) {
    const rows = this.#rows();
    const line = rows[at];
    const values = this.#values(at);
    if (!line || !values) return;
    for (const each of rows) each.tabIndex = each === line ? 0 : -1;
    this.at = at;
    line.focus({ preventScroll: true });
    if (scroll) line.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.acts.pick(values, scroll);
    this.mark(values.row);
  }

  /** @param {number} at @returns {RowValues|null} */
  #values(at) {
    const { page } = this;
    if (!page?.rows[at]) return null;
    const columns = page.columns.map(({ name, type }, k) => ({ name, type, value: page.rows[at][k] }));
    return { row: page.row[at], columns, more: 0 };
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { page, at } = this;
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (!page || !target || event.altKey) return;
    if (target.closest("thead")) {
      if (!this.#headKey(event.key, target)) return;
    } else if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== "c" || getSelection()?.isCollapsed === false) return;
      const values = this.#values(at);
      if (values) this.acts.copy(values);
    } else {
      const last = page.rows.length - 1;
      /** @type {Record<string, () => void>} */
      const keys = {
        ArrowDown: () => (at < last ? this.#go(at + 1) : this.#turn(this.offset + PAGE, "first")),
        ArrowUp: () => {
          if (at > 0) this.#go(at - 1);
          else if (this.offset > 0) this.#turn(this.offset - PAGE, "last");
          else this.#heads()[0]?.focus();
        },
        ArrowRight: () => this.body.scrollBy(ASIDE, 0),
        ArrowLeft: () => this.body.scrollBy(-ASIDE, 0),
        Home: () => this.#go(0),
        End: () => this.#go(last),
        PageDown: () => this.#turn(this.offset + PAGE, "first"),
        PageUp: () => this.#turn(this.offset - PAGE, "first"),
        Enter: () => this.#enter(at),
        " ": () => this.#enter(at),
      };
      if (!keys[event.key]) return;
      keys[event.key]();
    }
    event.preventDefault();
  }

  /** @param {number} at */
  #enter(at) {
    this.#go(at);
    this.acts.enter();
  }

  #heads() {
    return /** @type {HTMLButtonElement[]} */ ([...this.table.querySelectorAll("thead button")]);
  }

  /** Arrows go over the heads, which Enter presses; the one down leads to the rows.
   * @param {string} key @param {HTMLElement} target @returns {boolean} the key has a meaning */
  #headKey(key, target) {
    const heads = this.#heads();
    const now = heads.indexOf(/** @type {HTMLButtonElement} */ (target));
    if (key === "ArrowRight") heads[now + 1]?.focus();
    else if (key === "ArrowLeft") heads[now - 1]?.focus();
    else if (key === "ArrowDown") this.#go(this.at);
    else if (key === "Enter" || key === " ") this.#press(target.dataset.name ?? "");
    else return false;
    return true;
  }

  /** More columns lie to a side. */
  #shade() {
    const { scrollLeft, scrollWidth, clientWidth } = this.body;
    this.element.toggleAttribute("data-left", scrollLeft > 1);
    this.element.toggleAttribute("data-right", scrollLeft + clientWidth < scrollWidth - 1);
  }
}
