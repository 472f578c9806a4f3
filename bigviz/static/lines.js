// A layer of decimated line columns.
/** @typedef {{color: string, width: number}} LineStyle  width in CSS pixels */
/** @typedef {{row: number, x: {origin: bigint, offset: number}, y: {origin: bigint, offset: number}, px: number, py: number, distance: number}} RowHit  px, py and distance in device pixels */
export class LineLayer {
  /** @param {{definition: import("./protocol.js").Definition, info: import("./protocol.js").LayerInfo, style: LineStyle}} o */
  constructor(o) { this.o = o; }
  /** What to ask for this view; null when the columns here already are this view's.  @param {import("./view.js").View} view
   * @returns {{x0: number|string, x1: number|string, width: number}|null} */
  request(view) { void view; return null; }
  /** @param {import("./view.js").View} view @returns {boolean} */
  complete(view) { void view; return false; }
  /** Keeps the columns that answer `asked` (from the ViewLayer of the request).  @param {import("./protocol.js").ColumnsMessage} message
   * @param {{x0: number|string, x1: number|string, width: number}} asked @returns {number} ms */
  add(message, asked) { void message; void asked; return 0; }
  /** @param {LineStyle} style */
  restyle(style) { void style; }
  /** Strokes the columns at hand, transformed to the view.  @param {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D} ctx device pixels @param {import("./view.js").View} view @param {number} dpr */
  draw(ctx, view, dpr) { void ctx; void view; void dpr; }
  /** The real row nearest to a pixel (by x first, then y), within `reach` device pixels.  @param {import("./view.js").View} view @param {number} px @param {number} py @param {number} [reach] @returns {RowHit|null} */
  nearest(view, px, py, reach) { void view; void px; void py; void reach; return null; }
  /** Lowest and highest y among the rows within the view's x range, as offsets from the origin; null without rows.  @param {import("./view.js").View} view @returns {{origin: bigint, low: number, high: number}|null} */
  extent(view) { void view; return null; }
}
