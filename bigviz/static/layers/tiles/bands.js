// Axes of few whole numbers or labels: their cells are one unit apart and a pixel wide, so they are drawn as bands
// about their numbers, with gaps between. This is painting only: values, hover and the colour bar stay as they are.

import { fractionOf, length, toBigInt } from "../../geometry/span.js";

/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../geometry/span.js").Span} Span */
/** @typedef {import("../pixels.js").Context} Context */
/** @typedef {import("../pixels.js").Surface} Surface */
/**
 * One number's band in pixels from the left or the top: the pixel that holds its cells, and where these are to be seen.
 * @typedef {{at: number, from: number, to: number}} Band */
/** The bands of each axis; null where it has none.  @typedef {Readonly<{x: Band[]|null, y: Band[]|null}>} Bands */

/** Whole numbers are this far apart, in device pixels, where they become bands. */
const LEAST_STEP = 4;
/** Left free between bands: a share of their width. */
const GAP = 0.06;

/**
 * @param {View} view @param {Readonly<{x: boolean, y: boolean}>} whole axes of whole numbers that are no times
 * @param {{x: number, y: number}} cell width and height of the cells drawn, in axis space
 * @returns {Bands|null} null where there are none
 */
export function bandsOf(view, whole, cell) {
  const x = whole.x ? bandsAlong(view.x, view.width, cell.x) : null;
  const y = whole.y
    ? (bandsAlong(view.y, view.height, cell.y)?.map(({ at, from, to }) => ({
        at: view.height - 1 - at,
        from: view.height - to,
        to: view.height - from,
      })) ?? null)
    : null;
  return x || y ? Object.freeze({ x, y }) : null;
}

/** @param {Span} s @param {number} pixels @param {number} cell @returns {Band[]|null} from the low end on */
function bandsAlong(s, pixels, cell) {
  const step = pixels / length(s);
  if (!(step >= LEAST_STEP) || cell >= 1) return null;
  const gap = Math.min(6, Math.max(1, Math.round(step * GAP)));
  const place = (/** @type {number} */ offset) => (offset - s.lo) * step;
  const out = [];
  for (let k = Math.ceil(s.lo - 0.5); k <= s.hi + 0.5; k++) {
    const at = Math.floor(place(k + cell / 2));
    if (at < 0 || at >= pixels) continue;
    out.push({
      at,
      from: Math.round(place(k - 0.5)) + Math.floor(gap / 2),
      to: Math.round(place(k + 0.5)) - Math.ceil(gap / 2),
    });
  }
  return out;
}

/**
 * Draws a picture of hairlines as bands.
 * @param {Context} context
 * @param {Surface} source of the view's size
 * @param {Surface} between of the same size, blank
 * @param {Bands} bands
 * @param {number} slack how many pixels off the computed one may hold a number's cells instead: 1 in a picture that
 *   was shifted
 */
export function drawBands(context, source, between, { x, y }, slack) {
  const { width, height } = source;
  const middle = x && y ? between.getContext("2d") : context;
  const image = (/** @type {Surface} */ surface) => /** @type {OffscreenCanvas} */ (/** @type {unknown} */ (surface));
  for (const target of [context, middle]) target.imageSmoothingEnabled = false;
  for (const { at, from, to } of x ?? []) {
    for (let column = at - slack; column <= at + slack; column++) {
      if (column >= 0 && column < width)
        middle.drawImage(image(source), column, 0, 1, height, from, 0, to - from, height);
    }
  }
  if (!y) return;
  const last = x ? between : source;
  for (const { at, from, to } of y) {
    for (let row = at - slack; row <= at + slack; row++) {
      if (row >= 0 && row < height) context.drawImage(image(last), 0, row, width, 1, 0, from, width, to - from);
    }
  }
}

/**
 * The whole number nearest to a pixel: where its cells are, and its band's bounds as offsets from the span's origin.
 * @param {Span} s
 * @param {number} fraction of the span
 * @param {number} cell
 * @returns {{fraction: number, bounds: [number, number]}}
 */
export function bandAt(s, fraction, cell) {
  const number = toBigInt(s.origin, s.lo + length(s) * fraction);
  const offset = Number(number - s.origin);
  return { fraction: fractionOf(s, number, cell / 2), bounds: [offset - 0.5, offset + 0.5] };
}
