// The error of the app that makes the page, under `bigviz serve --dev`: file, line, message and traceback, until the
// file is fixed.

import { find } from "../../dom.js";

/** @typedef {import("../../wire/reassembler.js").AppFailure} Failure */

export class AppFailure {
  /** @param {HTMLElement} root that holds the place for it */
  constructor(root) {
    this.root = root;
    this.element = find(root, ".app-failure", HTMLElement);
    this.close = find(this.element, "button", HTMLButtonElement);
    this.close.addEventListener("click", () => this.clear());
  }

  /** @param {Failure} failure @param {boolean} shown whether the previous version is on the page, to go back to */
  show({ file, line, message, trace }, shown) {
    const set = (/** @type {string} */ part, /** @type {string} */ text) => {
      find(this.element, part, HTMLElement).textContent = text;
    };
    set(".app-failure-place", line === null ? file : `${file}, line ${line}`);
    set(".app-failure-message", message);
    set("pre", trace);
    this.close.hidden = !shown;
    if (!shown) find(this.root, ".opening", HTMLElement).hidden = true;
    this.element.hidden = false;
  }

  clear() {
    this.element.hidden = true;
  }
}
