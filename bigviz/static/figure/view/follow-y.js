// Where a figure shows lines or bars only, its y range follows what its x range shows, until the user moves it.

import { homeSpan } from "../../geometry/home.js";
import { asKind } from "../../geometry/shared-range.js";
import { at, equalSpans, fractionOf, padSpan, toBigInt } from "../../geometry/span.js";

/** @typedef {import("../../geometry/span.js").Span} Span */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../geometry/shared-range.js").SharedRange} SharedRange */
/** @typedef {Pick<import("../../layers/layer.js").Layer, "definition"|"line"|"brushed">} Layer */
/** @typedef {{readonly layers: readonly Layer[], readonly ranges: {x: SharedRange, y: SharedRange}}} Followed */

/** While x moves on by itself: room above and below the rows, and the share of y that they fill at least. */
const ROOM = 0.1;
const FILLED = 0.6;

export class FollowY {
  /** @param {Followed} figure */
  constructor(figure) {
    this.figure = figure;
    /** Nobody has moved y. */ this.isWanted = true;
  }

  /** Only lines and bars, on a y range that is this figure's alone and that the document leaves open. */
  get isPossible() {
    const { layers, ranges } = this.figure;
    const { y } = ranges;
    return (
      layers.length > 0 &&
      layers.every((layer) => layer.definition && layer.definition.glyph !== "points") &&
      !y.isDeclared &&
      [...y.data.keys()].every((key) => layers.some((layer) => layer === key))
    );
  }

  get isOn() {
    return this.isWanted && this.isPossible;
  }

  /**
   * The view with the y range of the rows at hand that its x range shows; home's where x is at home, and no more than
   * home where that leaves out far values. Without rows in the view y stays.
   * @param {View} view @returns {View}
   */
  fit(view) {
    if (!this.isOn || view.locked) return view;
    const { x, y } = this.figure.ranges;
    if (x.isFollowing) return this.#kept(view);
    const isBrushed = this.figure.layers.some(({ brushed }) => brushed?.line);
    const next = x.atHome && !isBrushed ? asKind(y.home, view.y.exact) : this.#shown(view);
    return next === null || equalSpans(next, view.y) ? view : view.with({ y: next });
  }

  /**
   * The view with a y range that changes seldom while x moves on by itself: it stays as long as the rows at hand are in
   * it and fill most of it.
   * @param {View} view @returns {View}
   */
  #kept(view) {
    const rows = this.#shown(view, 0);
    if (rows === null) return view;
    const [low, high] = [fractionOf(view.y, rows.origin, rows.lo), fractionOf(view.y, rows.origin, rows.hi)];
    if (low >= 0 && high <= 1 && high - low >= FILLED) return view;
    const next = padSpan(rows, ROOM);
    return equalSpans(next, view.y) ? view : view.with({ y: next });
  }

  /** @param {View} view @param {number} [padding] @returns {Span|null} */
  #shown(view, padding) {
    const { layers, ranges } = this.figure;
    const bounds = ranges.y.isPart ? asKind(ranges.y.home, view.y.exact) : null;
    const lines = layers.flatMap(({ line, brushed }) => [line, brushed?.line ?? null]);
    const extents = lines.flatMap((line) => {
      const extent = line?.extent(view) ?? null;
      return extent === null ? [] : [endsOf(extent, view.y.exact, bounds)];
    });
    return extents.length === 0 ? null : homeSpan(extents, view.y.exact, padding);
  }
}

/**
 * @param {{origin: bigint, low: number, high: number}} extent
 * @param {boolean} exact
 * @param {Span|null} bounds cut off what lies beyond
 * @returns {[number|string, number|string]}
 */
function endsOf({ origin, low, high }, exact, bounds) {
  const end = (/** @type {number} */ offset) => {
    const share = bounds === null ? 0.5 : fractionOf(bounds, origin, offset);
    const isInside = bounds === null || (share >= 0 && share <= 1);
    const place =
      isInside || bounds === null
        ? { origin, offset }
        : { origin: bounds.origin, offset: at(bounds, share < 0 ? 0 : 1) };
    return exact ? String(toBigInt(place.origin, place.offset)) : Number(place.origin) + place.offset;
  };
  return [end(low), end(high)];
}
