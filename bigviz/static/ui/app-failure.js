// The error of the app behind the page, under `bigviz serve --dev`: file, line, message and traceback, until the file is mended.

import { find } from "../dom.js";

/** @typedef {import("../wire/reassembler.js").AppFailure} Failure */

export class AppFailure {
  constructor() {
    this.element = find(document, "#app-failure", HTMLElement);
    this.close = find(document, "#app-failure-close", HTMLButtonElement);
    this.close.addEventListener("click", () => this.clear());
  }

  /** @param {Failure} failure @param {boolean} shown whether the version before is on the page, to go back to */
  show({ file, line, message, trace }, shown) {
    const set = (/** @type {string} */ part, /** @type {string} */ text) => {
      find(this.element, part, HTMLElement).textContent = text;
    };
    set(".app-failure-place", line === null ? file : `${file}, line ${line}`);
    set(".app-failure-message", message);
    set("pre", trace);
    this.close.hidden = !shown;
    if (!shown) find(document, "#opening", HTMLElement).hidden = true;
    this.element.hidden = false;
  }

  clear() {
    this.element.hidden = true;
  }
}
