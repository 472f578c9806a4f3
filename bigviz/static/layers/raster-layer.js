// A layer of cells: tiles; where a view holds few rows, the rows in their place; where tiles are not deep enough for
// many, an image.

import { toList } from "../geometry/grid.js";
import { CELL_LEVELS } from "../geometry/root.js";
import { bandAt, bandsOf, drawBands } from "./tiles/bands.js";
import { cellFacts } from "./cell-facts.js";
import { ImageLayer } from "./tiles/image-layer.js";
import { MarksLayer } from "./rows/marks-layer.js";
import { offscreen } from "./pixels.js";
import { TileLayer } from "./tiles/tile-layer.js";
import { WindowRequests } from "./window-requests.js";

/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../geometry/window.js").Asked} Asked */
/** @typedef {import("../render/norm.js").Norm} Norm */
/** @typedef {import("../render/shade.js").RasterStyle} RasterStyle */
/** @typedef {import("./cell-hit.js").Hit} Hit */
/** @typedef {import("./pixels.js").Context} Context */
/** @typedef {import("./tiles/tile-cache.js").Tile} Tile */
/**
 * What a page has of a layer: tiles of the window in view, others, and the window that rows or an image are here for.
 * @typedef {{window: import("../geometry/grid.js").Window|null, tiles: Tile[], kept: Tile[], asked: Asked|null}} Held
 */
/** @typedef {import("./rows/row-places.js").MarkHit} MarkHit */

/** Rows that are read for an image without a notice: more take longer than a tile may. */
const MOST_READ = 2 ** 20;

export class RasterLayer {
  /**
   * @param {{cache: import("./tiles/tile-cache.js").TileCache, definition: import("../wire/frames.js").Definition,
   *   info: import("../wire/frames.js").LayerInfo, limits: Pick<import("../wire/reassembler.js").Limits,
   *   "image_side"|"rows">, style: RasterStyle, createCanvas?: import("./pixels.js").CanvasFactory}} o
   */
  constructor({ cache, definition, info, limits, style, createCanvas = offscreen }) {
    const facts = cellFacts(definition, info);
    this.facts = facts;
    this.createCanvas = createCanvas;
    /** What bands are drawn from.  @type {(import("./pixels.js").Surface|null)[]} */ this.scratch = [null, null];
    this.info = info;
    this.limits = limits;
    this.tiles = new TileLayer({ cache, definition, info, style, createCanvas, facts });
    this.marks = new MarksLayer({ facts, style, createCanvas });
    this.image = new ImageLayer({ facts, style, createCanvas });
    /** @readonly */ this.grid = this.tiles.grid;
    this.windows = new WindowRequests({
      glyph: definition.glyph,
      grid: this.grid,
      facts,
      limits,
      filledCells: (view, enough) => this.tiles.filledCells(view, enough),
    });
    /** What drew the last picture at rest.  @type {TileLayer|MarksLayer|ImageLayer} */ this.drawn = this.tiles;
  }

  /** Lets the cache drop this layer's tiles: the layer has left its figure. */
  dispose() {
    this.tiles.dispose();
  }

  // What is here, and what to request.

  /** Rows (or an image) are here for all that a view shows.  @param {View} view @returns {boolean} */
  needsNoTiles(view) {
    return this.marks.covers(view) || this.image.fits(view);
  }

  /**
   * Tiles that the view needs, those worth fetching next, and the window that they show, unless it is known whether its
   * rows are many.
   * @param {View} view
   * @returns {ReturnType<TileLayer["missing"]> & {window: Asked|null}} nothing where rows or an image are here
   */
  missing(view) {
    if (!this.needsNoTiles(view))
      return { ...this.tiles.missing(view), window: this.windows.isTiled(view) ? null : this.windows.asked(view) };
    this.tiles.keep(view);
    return { ...this.grid.level(view), tiles: [], prefetch: [], window: null };
  }

  /**
   * All that the view shows is here, and exact: its rows where they are few, else its tiles.
   * @param {View} view
   * @param {View} [asking] what was asked for, if that is more
   * @returns {boolean}
   */
  complete(view, asking = view) {
    return this.needsNoTiles(view) || (this.tiles.complete(view) && this.windows.isTiled(asking));
  }

  /** All that the view shows is here, at least as an estimate.  @param {View} view @returns {boolean} */
  covered(view) {
    return this.needsNoTiles(view) || this.tiles.covered(view);
  }

  /** What the estimates on the screen are of, together; null when there is none.  @param {View} view */
  estimate(view) {
    return this.needsNoTiles(view) ? null : this.tiles.estimate(view);
  }

  /** The view's rows are too many to be drawn one by one, as far as is known.  @param {View} view @returns {boolean} */
  isCrowded(view) {
    return this.windows.shows(view) && this.windows.isTiled(view);
  }

  /**
   * An exported page holds no cells as small as this view's pixels.
   * @param {View} view
   * @returns {boolean}
   */
  isShallow(view) {
    return !this.needsNoTiles(view) && this.windows.shows(view) && this.grid.isShallow(view);
  }

  /**
   * The server answered with tiles though a pixel is smaller than their smallest cell: an image would have been too
   * large.
   * @param {View} view @returns {boolean} */
  coarse(view) {
    return !this.needsNoTiles(view) && !this.info.inside && this.windows.deeper(view) && this.windows.wasTiled(view);
  }

  /**
   * How many rows were read for the image of a view, where an index could not tell them apart from those outside and
   * they are many.
   * @param {View} view @returns {number} 0 where it is not so */
  crowd(view) {
    const read = this.image.image?.read ?? 0;
    return read > MOST_READ && this.info.index !== "none" && this.image.fits(view) ? read : 0;
  }

  // What arrives.

  /**
   * A tile came.
   * @param {import("../wire/tiles.js").TileMessage} message
   * @returns {number} milliseconds of decoding
   */
  add(message) {
    return timed(() => this.tiles.add(message));
  }

  /** Rows came, in place of tiles.  @param {import("../wire/rows.js").Rows} rows @returns {number} milliseconds */
  addRows(rows) {
    return timed(() => {
      this.marks.add(rows);
      this.image.clear();
    });
  }

  /**
   * An image came, in place of tiles.
   * @param {import("../wire/images.js").Image} image
   * @returns {number} milliseconds
   */
  addImage(image) {
    return timed(() => {
      this.image.add(image);
      this.marks.clear();
    });
  }

  /** A request was answered by tiles alone.  @param {Asked} asked */
  tiled(asked) {
    this.windows.tiled(asked);
  }

  // Data that grow.

  /**
   * What is here of a view, of data that grow.
   * @param {View} view
   * @returns {Held} `window`: its rows, or an image, are drawn in place of tiles
   */
  held(view) {
    return { ...this.tiles.held(view), asked: this.needsNoTiles(view) ? this.windows.asked(view) : null };
  }

  /**
   * The tiles of a page that are good at a later version.
   * @param {Held} held @param {number[][]} changed those that are others
   * @returns {Tile[]}
   */
  static good({ tiles, kept }, changed) {
    const others = new Set(changed.map(String));
    return [...tiles, ...kept].filter((tile) => !others.has(String(toList(tile.key))));
  }

  /**
   * The data have grown; the tiles that have changed are gone from the cache.
   * @param {import("../wire/frames.js").LayerInfo} info
   * @param {Held} held what the page had
   * @param {{changed: number[][], rows: boolean, parts: import("../wire/update-group.js").UpdatePart[]}} update
   */
  advance(info, held, { changed, rows, parts }) {
    this.info = info;
    this.windows.counted = null;
    if (held.asked && rows) this.#advanceRows(held.asked, parts);
    else {
      if (held.asked) this.windows.tiled(held.asked);
      this.marks.clear();
      this.image.clear();
    }
    if (changed.length > 0) this.tiles.outdate();
    for (const part of parts) if (part.type === "tile") this.tiles.add(part);
  }

  /**
   * Rows or an image in place of those that are here; without any these are good as far as the page has named them.
   * @param {Asked} asked @param {import("../wire/update-group.js").UpdatePart[]} parts
   */
  #advanceRows(asked, parts) {
    const [part] = parts;
    if (part?.type === "rows") this.addRows(part.rows);
    else if (part?.type === "image") this.addImage(part.image);
    else this.marks.confine([asked.x0, asked.x1, asked.y0, asked.y1]);
  }

  // Drawing.

  /**
   * New colours or normalisation; asks for no tile. Draw again afterwards: settle at rest.
   * @param {RasterStyle} style
   */
  restyle(style) {
    for (const part of [this.tiles, this.marks, this.image]) part.restyle(style);
  }

  /**
   * Normalisation of the last exact view, for the colour bar: null before the first one and while nothing is visible.
   * @returns {Norm|null}
   */
  get norm() {
    return this.drawn.norm;
  }

  /**
   * Few rows make up the picture of a view: they are drawn on the page's ground.
   * @param {View} view
   * @returns {boolean}
   */
  isSparse(view) {
    return this.marks.isSparse(view);
  }

  /**
   * The colours of the picture of a view mean nothing: all its marks have the same.
   * @param {View} view
   * @returns {boolean}
   */
  isPlain(view) {
    return this.marks.isPlain(view);
  }

  /** No view of its rows has colours that mean something. */
  get isAlwaysPlain() {
    return this.marks.isAlwaysPlain || (this.marks.isStyledPlain && this.info.rows_kept <= this.limits.rows);
  }

  /**
   * Draws the exact picture of a view at rest: its rows where they are few, else its image or its tiles.
   * @param {Context} context whose (0, 0) is the plot area's top left, in device pixels; nothing is cleared
   * @param {View} view @param {number} [dpr] device pixels a CSS pixel; without it sparse pixels are not spread
   * @returns {boolean} false, and nothing drawn, while something is missing
   */
  settle(context, view, dpr) {
    if (this.marks.covers(view)) {
      this.drawn = this.marks;
      this.marks.draw(context, view, dpr ?? 1, true);
      return true;
    }
    if (this.image.serves(view)) {
      this.drawn = this.image;
      this.image.settle(context, view);
      return true;
    }
    this.drawn = this.tiles;
    let whole = true;
    this.#banded(context, view, 0, (target) => {
      whole = this.tiles.settle(target, view, dpr);
    });
    return whole;
  }

  /** Makes what `settle` will draw of tiles, in the time before the next frame.  @param {View} view at rest */
  prepare(view) {
    if (!this.marks.covers(view) && !this.image.serves(view)) this.tiles.prepare(view);
  }

  /**
   * Draws what is here of a view while it moves or loads.
   * @param {Context} context as for `settle` @param {View} view @param {number} [dpr]
   */
  compose(context, view, dpr = 1) {
    context.save();
    if (this.marks.clipOutside(context, view))
      this.#banded(context, view, 1, (target) => this.tiles.compose(target, view));
    context.restore();
    this.marks.draw(context, view, dpr, false);
    this.image.compose(context, view);
  }

  // The pointer.

  /**
   * The cell under a pixel; null over rows, which are shown one by one, and where nothing is.
   * @param {View} view
   * @param {number} px
   * @param {number} py device pixels
   * @returns {Hit|null}
   */
  valueAt(view, px, py) {
    if (this.marks.covers(view)) return null;
    if (this.image.fits(view)) return this.image.valueAt(view, px, py);
    const bands = this.#bandsIn(view);
    if (!bands) return this.tiles.valueAt(view, px, py);
    const cell = this.#cell(view);
    const across = bands.x && bandAt(view.x, px / view.width, cell.x);
    const up = bands.y && bandAt(view.y, 1 - py / view.height, cell.y);
    const hit = this.tiles.valueAt(
      view,
      across ? across.fraction * view.width : px,
      up ? (1 - up.fraction) * view.height : py,
    );
    return hit && { ...hit, x: across?.bounds ?? hit.x, y: up?.bounds ?? hit.y };
  }

  /**
   * How many rows of each category a view shows: those of cells whose centres it shows.
   * @param {View} view exact @param {number} count of categories
   * @returns {number[]|null} null while an image is shown
   */
  rowsByCategory(view, count) {
    if (this.marks.covers(view)) return this.marks.rowsByCategory(view, count);
    return this.image.fits(view) ? null : this.tiles.rowsByCategory(view, count);
  }

  /** Size of the cells that a view shows, in axis space.  @param {View} view @returns {{x: number, y: number}} */
  #cell(view) {
    const { zx, zy } = this.grid.level(view);
    return { x: 2 ** (this.grid.x.exponent - CELL_LEVELS - zx), y: 2 ** (this.grid.y.exponent - CELL_LEVELS - zy) };
  }

  /** @param {View} view @returns {import("./tiles/bands.js").Bands|null} */
  #bandsIn(view) {
    const { exact, times } = this.facts;
    return bandsOf(view, { x: exact.x && !times.x, y: exact.y && !times.y }, this.#cell(view));
  }

  /**
   * Draws tiles; as bands where an axis has few whole numbers.
   * @param {Context} context
   * @param {View} view
   * @param {number} slack
   * @param {(target: Context) => void} draw
   */
  #banded(context, view, slack, draw) {
    const bands = this.#bandsIn(view);
    if (!bands) {
      draw(context);
      return;
    }
    const [source, between] = this.scratch.map((surface, k) => {
      if (surface?.width === view.width && surface.height === view.height)
        surface.getContext("2d").clearRect(0, 0, view.width, view.height);
      else this.scratch[k] = this.createCanvas(view.width, view.height);
      return /** @type {import("./pixels.js").Surface} */ (this.scratch[k]);
    });
    draw(source.getContext("2d"));
    drawBands(context, source, between, bands, slack);
  }

  /**
   * The mark nearest to a pixel.
   * @param {View} view
   * @param {number} px
   * @param {number} py
   * @param {number} reach device pixels
   * @returns {MarkHit|null}
   */
  nearest(view, px, py, reach) {
    return this.marks.nearest(view, px, py, reach);
  }
}

/** @param {() => void} work @returns {number} milliseconds that it took */
function timed(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}
