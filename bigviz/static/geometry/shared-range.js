// The named ranges of a document. Figures that name the same range are linked: each shows what the others do.

import { homeSpan } from "./home.js";
import { equalSpans, span, spanOf, toFloat } from "./span.js";

/** @typedef {import("./span.js").Span} Span */
/** @typedef {import("./home.js").DataRange} DataRange */

export class SharedRange extends EventTarget {
  /**
   * Fires "change" (detail: {by: whoever moved it, itself when its home became better known, time}) when the range
   * moves.
   * @param {{start: number|string|null, end: number|string|null}} declared what the document says
   */
  constructor(declared) {
    super();
    this.declared = declared;
    /** @type {Map<object, {range: DataRange, exact: boolean, dense: DataRange}>} */ this.data = new Map();
    /** @type {Span|null} */ this.now = null;
    /** Was it moved by hand or by the URL, so that late data must not move it? */
    this.moved = false;
  }

  /**
   * Sets what a layer's data spans (null: no data), and the part of it with nearly all rows, if that is small (else
   * null). The layer's key is any object; a second call replaces the first.
   * @param {object} layer @param {DataRange} range @param {boolean} exact @param {DataRange} [dense]
   */
  tell(layer, range, exact, dense = null) {
    this.data.set(layer, { range, exact, dense });
    if (!this.moved) this.set(this.home, this, 0, false);
  }

  /** @param {object} layer */
  forget(layer) {
    this.data.delete(layer);
  }

  /** Axis numbers are int64 on every layer of the range. */
  get exact() {
    const all = [...this.data.values()];
    return all.length > 0 && all.every((d) => d.exact);
  }

  /**
   * The first view: the declared range, or the dense part of the data, or else all data, with a margin.
   * @returns {Span}
   */
  get home() {
    return (
      this.#said ??
      homeSpan(
        [...this.data.values()].map((d) => d.dense ?? d.range),
        this.exact,
      )
    );
  }

  /** All data with a margin. @returns {Span} */
  get all() {
    return homeSpan(
      [...this.data.values()].map((d) => d.range),
      this.exact,
    );
  }

  /** The first view leaves data out by itself, not because the document says so. */
  get isPart() {
    return this.#said === null && !equalSpans(this.all, this.home, 1e-9);
  }

  /** The document says where it is. */
  get isDeclared() {
    return this.#said !== null;
  }

  /** @returns {Span|null} */
  get #said() {
    const { start, end } = this.declared;
    return start === null || end === null ? null : spanOf(start, end, this.exact);
  }

  get atHome() {
    return this.now !== null && equalSpans(this.home, this.now, 1e-9);
  }

  /** @param {Span} next @param {object|null} by @param {number} time event.timeStamp @param {boolean} [moved] */
  set(next, by, time, moved = true) {
    const same = this.now !== null && this.now.exact === next.exact && equalSpans(this.now, next);
    this.now = next;
    this.moved = moved;
    if (!same) this.dispatchEvent(new CustomEvent("change", { detail: { by, time } }));
  }
}

/**
 * A span for an axis of another kind of number: linked figures may join a float column with whole numbers.
 * @param {Span} s @param {boolean} exact @returns {Span}
 */
export function asKind(s, exact) {
  if (s.exact === exact) return s;
  return exact ? span(s.lo, s.hi, 0n, true) : toFloat(s);
}
