// A text box that finds one of many names: the list shows what matches, the arrows and Enter choose, Escape gives up.

import { make } from "../../dom.js";
import { named, suggest } from "./suggest.js";

/** @typedef {import("./suggest.js").Option} Option */

/** As many options as one looks through; the list says how many more there are. */
const MOST = 100;
const PAGE = 8;
/** CSS pixels between the box and its list, and between the list and the window. */
const GAP = 4;
const EDGE = 8;

let made = 0;

export class Combobox {
  /**
   * Makes an input a combobox. Its value is always the chosen option's, except while the user types.
   * @param {HTMLInputElement} input @param {HTMLElement} host where the list is kept
   * @param {{label: string, choose: (value: string) => void}} o `label` of the list for screen readers; `choose` is
   *   called with the user's choice
   */
  constructor(input, host, { label, choose }) {
    this.input = input;
    this.tell = choose;
    /** @type {readonly Option[]} */ this.options = [];
    this.chosen = "";
    /** @type {Option[]} the list as it is shown */ this.shown = [];
    this.active = -1;
    /** Removes the listeners of the open list. */ this.opening = new AbortController();
    this.list = make("div", { attrs: { role: "listbox", id: `choices-${++made}`, "aria-label": label } });
    this.more = make("p", { class: "more", attrs: { role: "status" } });
    this.popover = make("div", { class: "popover choices", attrs: { popover: "manual" } }, [this.list, this.more]);
    host.append(this.popover);
    const attributes = {
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.list.id,
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
    };
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
    this.#listen();
  }

  #listen() {
    const { input, list } = this;
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => this.#open(""));
    input.addEventListener("input", () => this.#open(input.value));
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("change", () => this.#commit());
    input.addEventListener("blur", () => this.#commit());
    // The box keeps the focus while the user presses in its list.
    this.popover.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option) this.#take([...list.children].indexOf(option));
    });
  }

  get isOpen() {
    return this.popover.matches(":popover-open");
  }

  /** @param {readonly Option[]} options @param {string} chosen need not be among them */
  show(options, chosen) {
    this.options = options.some((option) => option.value === chosen) ? options : [{ value: chosen }, ...options];
    this.chosen = chosen;
    if (!this.isOpen || document.activeElement !== this.input) this.#restore();
  }

  close() {
    this.opening.abort();
    if (this.isOpen) this.popover.hidePopover();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.active = -1;
  }

  #restore() {
    this.input.value = this.chosen;
    this.input.title = this.chosen;
    this.input.size = Math.max(4, Math.min(18, this.chosen.length - 1));
  }

  /** @param {string} text what is looked for; "": the whole list, from the chosen option on */
  #open(text) {
    const { input, popover } = this;
    const { shown, more } = suggest(this.options, text, MOST, this.chosen);
    this.shown = shown;
    this.list.replaceChildren(...shown.map((option, k) => this.#item(option, k)));
    this.more.textContent =
      shown.length === 0 ? "no column matches" : more > 0 ? `${more.toLocaleString("en")} more: type to search` : "";
    if (!this.isOpen) {
      popover.showPopover();
      this.opening = new AbortController();
      const { signal } = this.opening;
      addEventListener("resize", () => this.close(), { signal });
      document.addEventListener("scroll", (event) => event.target !== popover && this.close(), {
        signal,
        capture: true,
      });
    }
    input.setAttribute("aria-expanded", "true");
    this.#place();
    const at = text.trim() === "" ? shown.findIndex((option) => option.value === this.chosen) : 0;
    this.#move(shown.length === 0 ? -1 : Math.max(0, at));
  }

  /** @param {Option} option @param {number} k @returns {HTMLElement} */
  #item({ value, note, off }, k) {
    const item = make(
      "div",
      {
        attrs: {
          role: "option",
          id: `${this.list.id}-${k}`,
          title: off ? `${value}: ${off}` : value,
          "aria-selected": String(value === this.chosen),
        },
      },
      [make("span", { class: "name", text: value }), make("span", { class: "note", text: note ?? "" })],
    );
    if (off) item.setAttribute("aria-disabled", "true");
    return item;
  }

  /** Below the box, or above it where there is more room. */
  #place() {
    const { popover } = this;
    const box = (this.input.closest(".pick") ?? this.input).getBoundingClientRect();
    popover.style.minWidth = `${box.width}px`;
    const below = innerHeight - box.bottom - GAP - EDGE;
    const above = box.top - GAP - EDGE;
    const isBelow = below >= Math.min(above, 260);
    popover.style.maxHeight = `${Math.min(420, isBelow ? below : above)}px`;
    popover.style.left = `${Math.max(EDGE, Math.min(box.left, innerWidth - popover.offsetWidth - EDGE))}px`;
    popover.style.top = `${isBelow ? box.bottom + GAP : box.top - GAP - popover.offsetHeight}px`;
  }

  /** @param {number} to */
  #move(to) {
    const { list, input } = this;
    list.children[this.active]?.removeAttribute("data-active");
    this.active = to;
    const item = list.children[to];
    if (!item) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    item.setAttribute("data-active", "");
    item.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", item.id);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { isOpen, shown } = this;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE }[event.key];
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (step !== undefined) {
      if (!isOpen) this.#open("");
      else this.#move(Math.max(0, Math.min(shown.length - 1, this.active + step)));
    } else if (event.key === "Enter") {
      if (isOpen && this.active >= 0) this.#take(this.active);
      else if (this.input.value === this.chosen) this.#open("");
      else this.#commit();
    } else if (event.key === "Escape" && (isOpen || this.input.value !== this.chosen)) {
      this.#restore();
      this.close();
      this.input.select();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} k of the list */
  #take(k) {
    const option = this.shown[k];
    if (!option || option.off) return;
    this.#choose(option.value);
    this.input.select();
  }

  /** The box is left, or was filled in from outside: a text that names an option chooses it, any other is given up. */
  #commit() {
    this.#choose(named(this.options, this.input.value) ?? this.chosen);
  }

  /** @param {string} value */
  #choose(value) {
    const isNew = value !== this.chosen;
    this.chosen = value;
    this.#restore();
    this.close();
    if (isNew) this.tell(value);
  }
}
