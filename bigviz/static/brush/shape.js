// What a brush selects, in axis space: a box, a range of x, or labels; as it travels, and where it lies on the screen.

import { length, span, spanOf, toBigInt } from "../geometry/span.js";

/** @typedef {import("../geometry/span.js").Span} Span */
/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {"box"|"range"|"labels"} Kind */
/** @typedef {{kind: "box", x: Span, y: Span}|{kind: "range", x: Span}|{kind: "labels", labels: string[]}} Shape */
/** Sides that are dragged: -1 the left or lower one, 1 the other, 0 none; both 0 moves all of it.
 * @typedef {{x: -1|0|1, y: -1|0|1}} Grip */
/** In device pixels of the plot, y down.  @typedef {{left: number, right: number, top: number, bottom: number}} Rect */

/** A brush is at least so many device pixels wide and high. */
const LEAST = 1;

/** @param {string|undefined} glyph @returns {Kind} */
export const kindOf = (glyph) => (glyph === "points" ? "box" : glyph === "bar" ? "labels" : "range");

/** @param {Span} s @returns {[number|string, number|string]} its half-open ends as they travel */
function endsOf(s) {
  if (!s.exact) return [Number(s.origin) + s.lo, Number(s.origin) + s.hi];
  const [start, end] = [toBigInt(s.origin, Math.floor(s.lo)), toBigInt(s.origin, Math.ceil(s.hi))];
  return [String(start), String(end > start ? end : start + 1n)];
}

/** @param {Shape} shape @returns {object} the part of a message that says it */
export function wordsOf(shape) {
  if (shape.kind === "labels") return { labels: shape.labels };
  const [x0, x1] = endsOf(shape.x);
  if (shape.kind === "range") return { range: [x0, x1] };
  const [y0, y1] = endsOf(shape.y);
  return { box: [x0, y0, x1, y1] };
}

/**
 * The shape that words say, of an address for example.
 * @param {unknown} words
 * @param {Kind} kind
 * @param {{x: boolean, y: boolean}} exact
 * @returns {Shape|null} null where they say none of that kind
 */
export function shapeOf(words, kind, exact) {
  const value = typeof words === "object" && words !== null ? /** @type {any} */ (words)[kind] : null;
  if (!Array.isArray(value)) return null;
  if (kind === "labels") return value.every((each) => typeof each === "string") ? { kind, labels: value } : null;
  if (value.length !== (kind === "box" ? 4 : 2)) return null;
  const x = spanOf(value[0], value[kind === "box" ? 2 : 1], exact.x);
  if (kind === "range") return x && { kind, x };
  const y = spanOf(value[1], value[3], exact.y);
  return x && y && { kind, x, y };
}

/** @param {Shape} shape with ends @param {View} view @returns {Rect} a range has the plot's height */
export function rectOf(shape, view) {
  if (shape.kind === "labels") return { left: 0, right: 0, top: 0, bottom: 0 };
  const { x } = shape;
  const [left, right] = [view.px(x.origin, x.lo), view.px(x.origin, x.hi)];
  if (shape.kind === "range") return { left, right, top: 0, bottom: view.height };
  const { y } = shape;
  return { left, right, top: view.py(y.origin, y.hi), bottom: view.py(y.origin, y.lo) };
}

/**
 * @param {Rect} rect whose sides may be exchanged
 * @param {"box"|"range"} kind
 * @param {View} view
 * @returns {Shape}
 */
export function shapeAt(rect, kind, view) {
  const [left, right] = [Math.min(rect.left, rect.right), Math.max(rect.left, rect.right)];
  const [top, bottom] = [Math.min(rect.top, rect.bottom), Math.max(rect.top, rect.bottom)];
  const along = (
    /** @type {Span} */ s,
    /** @type {number} */ a,
    /** @type {number} */ b,
    /** @type {number} */ size,
  ) => {
    const unit = length(s) / size;
    return span(s.lo + a * unit, s.lo + Math.max(b, a + LEAST) * unit, s.origin, s.exact);
  };
  const x = along(view.x, left, right, view.width);
  if (kind === "range") return { kind, x };
  return { kind, x, y: along(view.y, view.height - bottom, view.height - top, view.height) };
}

/** @param {Rect} rect @param {Grip} grip @param {number} dx @param {number} dy device pixels @returns {Rect} */
export function dragged({ left, right, top, bottom }, grip, dx, dy) {
  if (grip.x === 0 && grip.y === 0) return { left: left + dx, right: right + dx, top: top + dy, bottom: bottom + dy };
  return {
    left: left + (grip.x < 0 ? dx : 0),
    right: right + (grip.x > 0 ? dx : 0),
    top: top + (grip.y > 0 ? dy : 0),
    bottom: bottom + (grip.y < 0 ? dy : 0),
  };
}

/**
 * What of a brush a place grasps.
 * @param {Rect} rect @param {"box"|"range"} kind @param {number} px @param {number} py @param {number} reach
 * @returns {Grip|null} null outside of it
 */
export function gripAt({ left, right, top, bottom }, kind, px, py, reach) {
  if (px < left - reach || px > right + reach || py < top - reach || py > bottom + reach) return null;
  const side = (/** @type {number} */ at, /** @type {number} */ low, /** @type {number} */ high) => {
    const near = Math.min(reach, (high - low) / 3);
    return at < low + near ? -1 : at > high - near ? 1 : 0;
  };
  const x = side(px, left, right);
  return { x, y: kind === "box" ? /** @type {-1|0|1} */ (0 - side(py, top, bottom)) : 0 };
}
