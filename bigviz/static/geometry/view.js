// What a figure shows: two ranges and a size in device pixels. Views are immutable; each gesture gives a new one.
// Pixels count from the top left of the plot area; y ranges grow upwards.

import {
  at,
  clampFactor,
  equalSpans,
  fractionOf,
  length,
  padSpan,
  panSpan,
  resolution,
  span,
  zoomSpan,
} from "./span.js";

/** @typedef {import("./span.js").Span} Span */
/** @typedef {import("./span.js").AxisLimits} AxisLimits */
/** @typedef {Readonly<{x: Span, y: Span}>} Ranges */
/** @typedef {Readonly<{x: AxisLimits, y: AxisLimits}>} Limits */

export class View {
  /**
   * @param {{x: Span, y: Span, width: number, height: number, limits?: Limits|null, locked?: boolean}} o size in device
   *   pixels (at least 1); `locked` keeps one unit of x as long as one unit of y on the screen.
   */
  constructor({ x, y, width, height, limits = null, locked = false }) {
    /** @readonly */ this.x = x;
    /** @readonly */ this.y = y;
    /** @readonly */ this.width = Math.max(1, width);
    /** @readonly */ this.height = Math.max(1, height);
    /** @readonly */ this.limits = limits;
    /** @readonly */ this.locked = locked;
    Object.freeze(this);
  }

  /**
   * A copy with some fields replaced.
   * @param {{x?: Span, y?: Span, width?: number, height?: number, limits?: Limits|null, locked?: boolean}} change
   * @returns {View}
   */
  with(change) {
    const { x, y, width, height, limits, locked } = this;
    return new View({ x, y, width, height, limits, locked, ...change });
  }

  /**
   * The picture follows the pointer: dx pixels to the right, dy down.
   * @param {number} dx
   * @param {number} dy
   * @returns {View}
   */
  pan(dx, dy) {
    const x = dx === 0 ? this.x : panSpan(this.x, (-dx * length(this.x)) / this.width);
    const y = dy === 0 ? this.y : panSpan(this.y, (dy * length(this.y)) / this.height);
    return this.with({ x, y });
  }

  /**
   * Multiplies the length of each range (2 shows twice as much, 1 leaves it) about a point, which stays under the
   * pointer, within the limits. A locked view uses one factor for both: the one farther from 1.
   * @param {number} fx @param {number} fy @param {number} px @param {number} py device pixels @returns {View}
   */
  zoom(fx, fy, px, py) {
    const { limits } = this;
    let [a, b] = [fx, fy];
    if (this.locked) {
      a = Math.abs(Math.log(fx)) >= Math.abs(Math.log(fy)) ? fx : fy;
      const [x, y] = [clampFactor(this.x, a, limits?.x ?? null), clampFactor(this.y, a, limits?.y ?? null)];
      a = Math.abs(Math.log(x)) < Math.abs(Math.log(y)) ? x : y;
      b = a;
    }
    return this.with({
      x: zoomSpan(this.x, a, px / this.width, limits?.x),
      y: zoomSpan(this.y, b, 1 - py / this.height, limits?.y),
    });
  }

  /**
   * The view of the rectangle between two corners in pixels; a locked view widens it, limits too.
   * @param {number} ax
   * @param {number} ay
   * @param {number} bx
   * @param {number} by
   * @returns {View}
   */
  box(ax, ay, bx, by) {
    const part = (
      /** @type {Span} */ s,
      /** @type {number} */ f,
      /** @type {number} */ g,
      /** @type {AxisLimits|undefined} */ limit,
    ) => {
      const [lo, hi] = [at(s, Math.min(f, g)), at(s, Math.max(f, g))];
      const least = Math.max(limit?.min ?? 0, resolution(s));
      const more = Math.max(0, (least - (hi - lo)) / 2);
      return lo - more < hi + more ? span(lo - more, hi + more, s.origin, s.exact) : s;
    };
    const x = part(this.x, ax / this.width, bx / this.width, this.limits?.x);
    const y = part(this.y, 1 - ay / this.height, 1 - by / this.height, this.limits?.y);
    return this.with({ x, y }).lock();
  }

  /**
   * The same ranges (a locked view shows more of one) on a canvas of another size.
   * @param {number} width
   * @param {number} height
   * @returns {View}
   */
  resize(width, height) {
    return width === this.width && height === this.height ? this : this.with({ width, height }).lock();
  }

  /**
   * A locked view in which both axes have the same length per pixel: the denser one shows more about its middle.
   * @returns {View}
   */
  lock() {
    if (!this.locked) return this;
    const [x, y] = [length(this.x) / this.width, length(this.y) / this.height];
    if (Math.abs(x / y - 1) < 1e-12) return this;
    return x < y
      ? this.with({ x: padSpan(this.x, (y / x - 1) / 2) })
      : this.with({ y: padSpan(this.y, (x / y - 1) / 2) });
  }

  /** Other ranges, same size.  @param {Partial<Ranges>} ranges @returns {View} */
  show(ranges) {
    return this.with({ x: ranges.x ?? this.x, y: ranges.y ?? this.y }).lock();
  }

  /** Offset from x.origin under a pixel position.  @param {number} px @returns {number} */
  xAt(px) {
    return at(this.x, px / this.width);
  }

  /** Offset from y.origin under a pixel position (0 at the top).  @param {number} py @returns {number} */
  yAt(py) {
    return at(this.y, 1 - py / this.height);
  }

  /** Pixels from the left of origin + offset.  @param {bigint} origin @param {number} offset @returns {number} */
  px(origin, offset) {
    return fractionOf(this.x, origin, offset) * this.width;
  }

  /** Pixels from the top of origin + offset.  @param {bigint} origin @param {number} offset @returns {number} */
  py(origin, offset) {
    return (1 - fractionOf(this.y, origin, offset)) * this.height;
  }

  /**
   * Same ranges and size?
   * @param {View|null} other
   * @param {number} [tolerance] a share of the ranges' length
   * @returns {boolean}
   */
  equals(other, tolerance = 0) {
    return (
      other !== null &&
      this.width === other.width &&
      this.height === other.height &&
      equalRanges(this, other, tolerance)
    );
  }
}

/** @param {Ranges} a @param {Ranges} b @param {number} [tolerance] @returns {boolean} */
export function equalRanges(a, b, tolerance = 0) {
  return equalSpans(a.x, b.x, tolerance) && equalSpans(a.y, b.y, tolerance);
}
