// A layer of tiles: what to ask for, what to draw while moving and at rest.
/**
 * @typedef {{how: "linear"|"log"|"cbrt"|"eq_hist", lut: Uint8Array, low: Clip, high: Clip, colors?: Uint8Array}} RasterStyle  lut: 256 x RGB; colors: RGB of
 *   each category (under `by`; default palette.js GLASBEY)
 * @typedef {null|number|{percentile: number}} Clip  null: the visible cells' own end; a value; or a percentile (0..100) of the visible cells
 * @typedef {{value: number|bigint|null, planes: {label: string, value: number|bigint|null}[]|null, key: import("./protocol.js").TileKey, column: number, row: number,
 *   x: [number, number], y: [number, number]}} Hit  value of the cell (null: empty; total under `by`), its tile and place there, its bounds as offsets from view.x.origin / view.y.origin
 */
export class RasterLayer {
  /**
   * @param {{cache: import("./cache.js").TileCache, definition: import("./protocol.js").Definition, info: import("./protocol.js").LayerInfo, style: RasterStyle,
   *   createCanvas?: (width: number, height: number) => OffscreenCanvas}} o
   */
  constructor(o) { this.o = o; this.grid = /** @type {import("./grid.js").Grid} */ (/** @type {unknown} */ (null)); }
  /** Tiles that the view needs and the cache lacks, centre first, and those worth fetching next.
   * @param {import("./view.js").View} view @returns {{zx: number, zy: number, tiles: number[][], prefetch: number[][]}} */
  missing(view) { void view; return { zx: 0, zy: 0, tiles: [], prefetch: [] }; }
  /** Every tile of the view is in the cache.  @param {import("./view.js").View} view @returns {boolean} */
  complete(view) { void view; return false; }
  /** Decodes and keeps a tile.  @param {import("./protocol.js").TileMessage} message @returns {number} milliseconds of decoding */
  add(message) { void message; return 0; }
  /** New colours or normalisation: no tile is asked for. Draw again afterwards (settle at rest).  @param {RasterStyle} style */
  restyle(style) { void style; }
  /** Draws while moving or loading: shaded tiles scaled to the view, ancestors or children where tiles are missing, the last exact view's normalisation.
   * @param {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D} ctx  in device pixels of the plot area: (0, 0) is its top left; nothing is cleared
   * @param {import("./view.js").View} view */
  compose(ctx, view) { void ctx; void view; }
  /** Draws the exact picture of a view at rest. False (and nothing drawn) when a tile is missing.
   * @param {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D} ctx @param {import("./view.js").View} view @returns {boolean} */
  settle(ctx, view) { void ctx; void view; return false; }
  /** Normalisation of the last exact view, for the colour bar; null before the first or when nothing is visible.  @returns {import("./shade.js").Norm|null} */
  get norm() { return null; }
  /** The cell under a pixel; null where no tile is cached or outside the root.  @param {import("./view.js").View} view @param {number} px @param {number} py @returns {Hit|null} */
  valueAt(view, px, py) { void view; void px; void py; return null; }
}
