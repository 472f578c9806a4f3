// Windows of views: what is requested from the server, and which window lies in which.

import { check } from "../wire/frames.js";
import { fractionOf, spanOf, toBigInt } from "./span.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./span.js").Span} Span */
/** @typedef {{x: Span, y: Span}} Box */
/** @typedef {import("../wire/open-requests.js").WindowAsked} Asked */

const LAST_TIME = 2n ** 63n - 1n;
const LAST_WHOLE = 2n ** 64n;

/** @param {Asked} asked @returns {string} */
export function nameOf({ x0, x1, y0, y1 }) {
  return `${x0} ${x1} ${y0} ${y1}`;
}

/** @param {Box} box @param {View} view @returns {boolean} all that the view shows lies in the box */
export function holds(box, view) {
  const part = (/** @type {Span} */ whole, /** @type {Span} */ s) =>
    fractionOf(whole, s.origin, s.lo) >= -1e-9 && fractionOf(whole, s.origin, s.hi) <= 1 + 1e-9;
  return part(box.x, view.x) && part(box.y, view.y);
}

/** @param {Box} box @param {View} view @returns {boolean} all of the box lies in what the view shows */
export function inside(box, view) {
  const part = (/** @type {Span} */ s, /** @type {Span} */ whole) =>
    fractionOf(whole, s.origin, s.lo) >= -1e-9 && fractionOf(whole, s.origin, s.hi) <= 1 + 1e-9;
  return part(box.x, view.x) && part(box.y, view.y);
}

/** @param {Span} s @param {boolean} exact @param {boolean} times @returns {[number|string, number|string]} */
export function ends(s, exact, times) {
  if (!exact || !s.exact) return [s.lo + Number(s.origin), s.hi + Number(s.origin)];
  const most = times ? LAST_TIME : LAST_WHOLE;
  /** @param {bigint} value */
  const cut = (value) => {
    if (value > most) return most;
    if (value < -most) return -most;
    return value;
  };
  const start = cut(toBigInt(s.origin, Math.floor(s.lo)));
  const end = cut(toBigInt(s.origin, Math.ceil(s.hi)));
  return [String(start), String(end > start ? end : start + 1n)];
}

/**
 * @param {readonly (number|string)[]} window half-open ends x0, x1, y0, y1 in axis space, as frames and requests hold
 *   them
 * @param {Readonly<{x: boolean, y: boolean}>} exact axes of whole numbers @returns {Box}
 * @throws {import("../wire/frames.js").ProtocolError} when an end is none of its axis
 */
export function boxOf([x0, x1, y0, y1], exact) {
  const [x, y] = [spanOf(x0, x1, exact.x), spanOf(y0, y1, exact.y)];
  check(x !== null && y !== null, `a window of ${x0}, ${x1}, ${y0}, ${y1}`);
  return { x, y };
}
