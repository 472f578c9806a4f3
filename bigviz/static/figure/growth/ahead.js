// What a figure asks for while its x range moves on with the data: the view, and a part to its right for what comes.

import { equalSpans, fractionOf, length, span } from "../../geometry/span.js";

/** @typedef {import("../../geometry/view.js").View} View */

/** The part to the right, as a share of the view. */
const MORE = 1 / 8;

/** @param {View} view @returns {View} of the same scale, and with more to the right */
export function aheadOf(view) {
  const { x, width } = view;
  const pixels = Math.ceil(width * MORE);
  const hi = x.hi + (length(x) * pixels) / width;
  return view.with({ x: span(x.lo, hi, x.origin, x.exact), width: width + pixels });
}

/**
 * What was asked for serves a view too.
 * @param {View} ahead @param {View} view @param {boolean} anyY whatever its y range is, as that of a line
 * @returns {boolean}
 */
export function isAhead(ahead, view, anyY) {
  const left = fractionOf(ahead.x, view.x.origin, view.x.lo);
  const right = fractionOf(ahead.x, view.x.origin, view.x.hi);
  const scale = length(view.x) / view.width / (length(ahead.x) / ahead.width);
  return (
    left >= -1e-9 &&
    right <= 1 + 1e-9 &&
    Math.abs(scale - 1) < 1e-6 &&
    ahead.height === view.height &&
    (anyY || equalSpans(ahead.y, view.y))
  );
}
