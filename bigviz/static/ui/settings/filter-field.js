// The expression that a layer's rows have to meet, as one line of text. Enter applies it, Escape brings back what is
// drawn, an empty one keeps every row. Where the server refuses it, the text stays, with the fault under its character.

import { find } from "../../dom.js";

/** What the server says of an expression.  @typedef {{error: string, at: number|null}} Fault */

export class FilterField {
  /**
   * @param {HTMLElement} group of its controls
   * @param {(filter: string) => void} choose is called with the user's choice
   */
  constructor(group, choose) {
    this.group = group;
    this.input = find(group, '[name="filter"]', HTMLInputElement);
    this.fault = find(group, ".fault", HTMLElement);
    this.drawn = "";
    /** What was typed and is not drawn: it is kept until the user takes it back.  @type {string|null} */
    this.draft = null;
    /** What is drawn is about to be again what it was before the text that was refused. */ this.isRefused = false;
    this.input.addEventListener("input", () => {
      this.draft = this.input.value;
      this.#tell(null);
    });
    this.input.addEventListener("change", () => this.#apply(choose));
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#apply(choose);
      else if (event.key === "Escape" && this.#isChanged) this.#restore();
      else return;
      event.preventDefault();
    });
    this.input.addEventListener("scroll", () => this.#place());
  }

  get #isChanged() {
    return this.input.value !== this.drawn || !this.fault.hidden;
  }

  /** What is drawn now.  @param {string} filter */
  show(filter) {
    if (filter !== this.drawn && !this.isRefused) this.draft = null;
    this.isRefused = false;
    this.drawn = filter;
    this.input.value = this.draft ?? filter;
    if (this.draft === null) this.#tell(null);
    this.group.classList.toggle("on", filter !== "");
    this.input.title = filter;
  }

  /** The server refused an expression.  @param {string} filter @param {Fault} fault */
  refuse(filter, fault) {
    this.draft = filter;
    this.isRefused = true;
    this.input.value = filter;
    this.#tell(fault);
    if (fault.at !== null && document.activeElement === this.input) this.input.setSelectionRange(fault.at, fault.at);
    this.#place();
  }

  /** @param {(filter: string) => void} choose */
  #apply(choose) {
    const text = this.input.value.trim();
    if (text === this.drawn) this.#restore();
    else if (this.fault.hidden) {
      this.draft = text; // until the server has answered
      choose(text);
    }
  }

  #restore() {
    this.draft = null;
    this.input.value = this.drawn;
    this.#tell(null);
  }

  /** @param {Fault|null} fault */
  #tell(fault) {
    this.at = fault?.at ?? null;
    this.fault.hidden = fault === null;
    this.group.classList.toggle("refused", fault !== null);
    find(this.fault, ".words", HTMLElement).textContent = fault?.error ?? "";
    find(this.fault, ".caret", HTMLElement).hidden = this.at === null;
    if (fault === null) this.input.removeAttribute("aria-invalid");
    else this.input.setAttribute("aria-invalid", "true");
  }

  /** The mark stands under the character: the text is of letters of one width. */
  #place() {
    if (this.at === null) return;
    const { input, fault } = this;
    const text = input.getBoundingClientRect().left + Number.parseFloat(getComputedStyle(input).paddingLeft);
    const start = text - fault.getBoundingClientRect().left - input.scrollLeft;
    find(fault, ".caret", HTMLElement).style.setProperty("--at", `calc(${start}px + ${this.at}ch)`);
  }
}
