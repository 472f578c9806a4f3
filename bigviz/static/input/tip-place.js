// Where a tooltip stands: next to the pointer, within the surface, and off the words over the plot where there is room.

/** @typedef {{left: number, top: number, width: number, height: number}} Box in CSS pixels of the surface */
/** @typedef {{width: number, height: number}} Size */

/** Between the pointer and the tooltip. */
const OFFSET = 14;
/** Between the tooltip and the edges of the surface. */
const MARGIN = 4;

/**
 * Right of the pointer and below it; on another side where the surface ends, or where words stand that are shown. Where
 * words are on every side it stands over them.
 * @param {number} px
 * @param {number} py
 * @param {Size} tip
 * @param {Size} surface
 * @param {readonly Box[]} [words]
 * @returns {{left: number, top: number}}
 */
export function tipPlace(px, py, tip, surface, words = []) {
  const lefts = inOrder(px, tip.width, surface.width);
  const tops = inOrder(py, tip.height, surface.height);
  const places = tops.flatMap((top) => lefts.map((left) => ({ left, top })));
  return places.find((place) => !words.some((box) => meet({ ...place, ...tip }, box))) ?? places[0];
}

/**
 * @param {number} at the pointer
 * @param {number} length of the tooltip
 * @param {number} room of the surface
 * @returns {number[]} where it may begin, best first: after the pointer where it fits there, else before it; and on the
 *   other side where it does not cover the pointer there
 */
function inOrder(at, length, room) {
  const before = Math.max(MARGIN, at - OFFSET - length);
  const after = Math.min(at + OFFSET, room - MARGIN - length);
  const fits = after === at + OFFSET;
  const isClear = fits ? before + length <= at : after >= at;
  const places = fits ? [after, before] : [before, after];
  return places.slice(0, isClear ? 2 : 1).map(Math.round);
}

/** @param {Box} a @param {Box} b @returns {boolean} they have a pixel in common */
function meet(a, b) {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

/** @param {HTMLElement} surface @param {readonly HTMLElement[]} parts @returns {Box[]} of those that are shown */
export function boxesIn(surface, parts) {
  const shown = parts.filter((part) => !part.hidden);
  if (shown.length === 0) return [];
  const { left, top } = surface.getBoundingClientRect();
  return shown.map((part) => {
    const box = part.getBoundingClientRect();
    return { left: box.left - left, top: box.top - top, width: box.width, height: box.height };
  });
}
