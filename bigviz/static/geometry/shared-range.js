// The named ranges of a document. Figures that name the same range are linked: each shows what the others do.

import { distance, Glide, isSameLength, isStep } from "./glide.js";
import { HOME_PADDING, homeSpan, newestSpan } from "./home.js";
import { at, equalSpans, fractionOf, length, panSpan, span, spanOf, toFloat } from "./span.js";

/** @typedef {import("./span.js").Span} Span */
/** @typedef {import("./home.js").DataRange} DataRange */

/** Without gliding, a window moves on by this share of its length once the newest data have left it. */
const CALM_STEP = 1 / 8;

export class SharedRange extends EventTarget {
  /**
   * Fires "change" (detail: {by: whoever moved it, itself when its home became better known, time, isGlide}) when the
   * range moves, and "grow" when it has to glide (`advance`) to where the data are now.
   * @param {{start: number|string|null, end: number|string|null}} declared what the document says
   * @param {{window?: number|null, isCalm?: () => boolean}} [o] `window`: the document says that the newest part of the
   *   data is shown, so long; `isCalm`: nothing may glide
   */
  constructor(declared, { window = null, isCalm = () => false } = {}) {
    super();
    this.declared = declared;
    /** @readonly */ this.published = window;
    /** The window of home: the published one, if the columns are those that it was published for. */
    this.usual = window;
    /** The length of the newest part of the data that is shown unless it is moved; null: it shows all. */
    this.window = window;
    this.isCalm = isCalm;
    this.glide = new Glide();
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
    if (this.moved) return;
    if (this.window === null || this.now === null) this.set(this.home, this, 0, false);
    else this.#grow(this.now);
  }

  /** The window moves on to where the data are now.  @param {Span} now what is shown */
  #grow(now) {
    const { home, glide } = this;
    const isCalm = this.isCalm() && isSameLength(now, home);
    if (isCalm && isWithin(now, home)) return;
    if (glide.to !== null && equalSpans(glide.to, home)) return;
    if (!isStep(now, home)) this.set(home, this, 0, false);
    else if (isCalm) this.set(panSpan(home, length(home) * CALM_STEP), this, 0, false);
    else {
      glide.aim(now, home, performance.now());
      this.dispatchEvent(new Event("grow"));
    }
  }

  /** The newest part of the data is shown, and what comes will be. */
  get isFollowing() {
    return this.window !== null && !this.moved;
  }

  /**
   * Shows the newest part of the data from now on, until it is moved.
   * @param {number} window its length @param {object|null} by @param {number} time event.timeStamp
   */
  follow(window, by, time) {
    this.window = window;
    this.moved = false;
    this.set(this.home, by, time, false);
  }

  /** It is moved by nobody any more: home is what the document says. */
  release() {
    this.window = this.usual;
    this.moved = false;
  }

  /** Other columns: nobody has moved it.  @param {boolean} isPublished they are those of the document */
  renew(isPublished) {
    this.usual = isPublished ? this.published : null;
    this.release();
  }

  /**
   * Glides on, by `least` or more unless it arrives.
   * @param {number} time ms, of performance.now()
   * @param {number} least
   * @returns {boolean} it has not arrived
   */
  advance(time, least) {
    const { glide, now } = this;
    const next = now && glide.at(time);
    if (!next) return false;
    if (glide.to !== null && distance(now, next) < least) return true;
    this.set(next, null, 0, false, true);
    return glide.to !== null;
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
   * The first view: the declared range, or the newest part of the data, or the dense part of them, or else all, with a
   * margin.
   * @returns {Span}
   */
  get home() {
    if (this.window !== null)
      return newestSpan(
        [...this.data.values()].map((d) => d.range),
        this.exact,
        this.window,
      );
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

  /** All data without a margin. @returns {Span} */
  get extent() {
    return homeSpan(
      [...this.data.values()].map((d) => d.range),
      this.exact,
      0,
    );
  }

  /** The first view leaves data out by itself, not because the document says so. */
  get isPart() {
    return this.#said === null && this.window === null && !equalSpans(this.all, this.home, 1e-9);
  }

  /** Nobody has said where it is: no layer has data, and it was not moved. */
  get isUnknown() {
    return !this.moved && this.#said === null && [...this.data.values()].every(({ range }) => range === null);
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

  /** It shows what home does. A window that was moved is not at home, though it may be where home is now. */
  get atHome() {
    return this.window === null ? this.isOnHome : this.isFollowing;
  }

  get isOnHome() {
    return this.now !== null && equalSpans(this.home, this.now, 1e-9);
  }

  /**
   * @param {Span} next @param {object|null} by @param {number} time event.timeStamp @param {boolean} [moved]
   * @param {boolean} [isGlide]
   */
  set(next, by, time, moved = true, isGlide = false) {
    const same = this.now !== null && this.now.exact === next.exact && equalSpans(this.now, next);
    this.now = next;
    this.moved = moved;
    if (moved) this.window = this.usual;
    if (!isGlide) this.glide.stop();
    if (!same) this.dispatchEvent(new CustomEvent("change", { detail: { by, time, isGlide } }));
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

/** @param {Span} now @param {Span} home a window @returns {boolean} the newest data in the window are shown */
function isWithin(now, home) {
  const place = fractionOf(now, home.origin, at(home, 1 - HOME_PADDING));
  return place > 0 && place <= 1;
}
