// The rows that lie in the brushes of a link, for tables beside its figures: found when the brushes rest.

import { SelectionRequests } from "../wire/selections.js";
import { sourceOf } from "./targets.js";
import { wordsOf } from "./shape.js";

/** What is seen of a linked brush; it fires `rest` when its brushes rest or are gone.
 * @typedef {EventTarget & Pick<import("./linked-brush.js").LinkedBrush, "shapes">} Link */

/** As a figure's selection: fires `change` when the answer, or whether there is one on its way, is another. */
export class BrushRows extends EventTarget {
  /** @param {Link} link @param {import("../figure/page.js").Page} page @param {AbortSignal} signal ends it */
  constructor(link, { connection }, signal) {
    super();
    this.link = link;
    this.requests = new SelectionRequests(connection);
    /** @type {import("../wire/selections.js").Selected|null} */ this.answer = null;
    /** @type {string|null} why there is none */ this.error = null;
    /** @type {AbortController|null} */ this.asking = null;
    link.addEventListener("rest", () => this.#ask(), { signal });
    connection.addEventListener("up", () => this.#back(), { signal });
    signal.addEventListener("abort", () => this.asking?.abort());
  }

  get isBusy() {
    return this.asking !== null;
  }

  /** Asks anew, after an error. */
  again() {
    void this.#ask();
  }

  /** The connection is there again: who has kept the rows may have ended. */
  #back() {
    if (this.answer !== null || this.isBusy) void this.#ask();
  }

  async #ask() {
    this.asking?.abort();
    this.asking = this.error = null;
    const found = this.requests.isPossible ? this.#brushes() : [];
    if (found.length === 0) {
      this.answer = null;
      this.dispatchEvent(new Event("change"));
      return;
    }
    const asking = new AbortController();
    this.asking = asking;
    this.dispatchEvent(new Event("change"));
    const [{ figure, definition, brush }] = found;
    const whole = brush.labels ? { range: [-1, figure.main.info?.x.categories?.length ?? 0] } : brush;
    const brushes = found.map((each) => ({ definition: each.definition, ...each.brush })).slice(brush.labels ? 0 : 1);
    const body = /** @type {any} */ ({ ...whole, brushes });
    try {
      const answer = await this.requests.select(figure.firstLayer, definition, body, asking.signal);
      if (this.asking === asking) this.answer = answer;
    } catch (error) {
      if (this.asking !== asking) return; // another one is on its way
      this.answer = null;
      this.error = error instanceof Error ? error.message : String(error);
    }
    if (this.asking !== asking) return;
    this.asking = null;
    this.dispatchEvent(new Event("change"));
  }

  /** The brushes, bars last: these are selected by their labels. */
  #brushes() {
    return [...this.link.shapes]
      .flatMap(([figure, shape]) => {
        const definition = sourceOf(figure.main);
        return definition ? [{ figure, definition, brush: /** @type {any} */ (wordsOf(shape)) }] : [];
      })
      .sort((a, b) => Number("labels" in a.brush) - Number("labels" in b.brush));
  }
}
