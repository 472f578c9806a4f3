// The colour of a category in words of the pointer.

import { GLASBEY } from "../render/palette.js";

/** @param {number} code @returns {string} CSS colour of a category */
export function categoryColor(code) {
  const c = 3 * (code % (GLASBEY.length / 3));
  return `rgb(${GLASBEY[c]},${GLASBEY[c + 1]},${GLASBEY[c + 2]})`;
}
