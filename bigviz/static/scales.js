// Axes: what numbers in axis space mean to a reader.
/** @typedef {{fraction: number, label: string, context: string|null, minor: boolean}} Tick  fraction 0..1 along the span; context: second line for times (date or zone), null mostly */
/** @typedef {{kind: "linear"|"log"|"datetime"|"mercator", side: "x"|"y", column?: import("./protocol.js").ColumnFacts|null, label?: string|null, unit?: string|null, zone?: string|null, categories?: string[]|null}} AxisOptions */
export class Axis {
  /** @param {AxisOptions} o */
  constructor(o) { this.o = o; /** axis numbers are int64 */ this.exact = false; }
  /** The axis' title: label or column, unit, zone. @returns {string} */
  get title() { return ""; }
  /** @param {import("./span.js").Span} s @param {number} pixels CSS length @param {{spacing?: number}} [o] CSS pixels between labels @returns {Tick[]} */
  ticks(s, pixels, o) { void s; void pixels; void o; return []; }
  /** One value with enough digits to tell neighbouring pixels apart.  @param {bigint} origin @param {number} offset @param {number} step axis-space size of a pixel or cell @returns {string} */
  format(origin, offset, step) { void origin; void offset; void step; return ""; }
  /** For the hash: two strings.  @param {import("./span.js").Span} s @returns {[string, string]} */
  toUrl(s) { void s; return ["", ""]; }
  /** @param {string|null} start @param {string|null} end @returns {import("./span.js").Span|null} null when they are no range */
  fromUrl(start, end) { void start; void end; return null; }
}
/** A plain number for hover and colour bar: thousands separators, at most `digits` significant digits.  @param {number|bigint} value @param {number} [digits] @returns {string} */
export function formatNumber(value, digits) { void digits; return String(value); }
