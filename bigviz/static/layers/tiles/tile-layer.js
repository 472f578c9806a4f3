// A layer's tiles: what to request, what to draw while moving and at rest. Nothing goes blank: where a tile is
// missing, cached tiles above or below it stand in, and the normalisation of the last exact picture holds until the
// next one is exact.

import { Grid, TILE, toList } from "../../geometry/grid.js";
import { length } from "../../geometry/span.js";
import { mixtureOf } from "../../render/category-mix.js";
import { Distribution } from "../../render/distribution.js";
import { originOf, planeNear } from "../../render/integer-origin.js";
import { Norm } from "../../render/norm.js";
import { GLASBEY } from "../../render/palette.js";
import { Picture, sourceOf } from "../../render/picture.js";
import { MANY } from "../../render/resample.js";
import { Shader } from "../../render/shade.js";
import { decodePlane } from "../../wire/codec.js";
import { CELLS, check } from "../../wire/frames.js";
import { cellFacts } from "../cell-facts.js";
import { valuesAt } from "../cell-hit.js";
import { sumEstimates, tileEstimate } from "../estimate.js";
import { offscreen, Pixels } from "../pixels.js";
import { drawTile, standIns } from "./stand-ins.js";
import { Bitmaps } from "./tile-bitmaps.js";
import { addRows, cellsIn, filledWithin } from "./tile-cells.js";

/** @typedef {import("../../wire/frames.js").TileKey} TileKey */
/** @typedef {import("./tile-cache.js").Tile} Tile */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../geometry/grid.js").Window} Window */
/** @typedef {import("../../render/shade.js").RasterStyle} RasterStyle */
/** @typedef {import("../cell-hit.js").Hit} Hit */
/** @typedef {import("../pixels.js").Context} Context */

/** Tiles to fetch ahead at most; a view message may carry 1,024 in all. */
const PREFETCH = 64;
/** Tiles out of view that go on to the next version of data that grow: a page may name 256 of them for a layer. */
const KEPT = 64;
const ONE = Object.freeze({ x: 1, y: 1 });

export class TileLayer {
  /**
   * @param {{cache: import("./tile-cache.js").TileCache, definition: import("../../wire/frames.js").Definition, info:
   *   import("../../wire/frames.js").LayerInfo, style: RasterStyle, createCanvas?:
   *   import("../pixels.js").CanvasFactory, facts?: import("../cell-facts.js").CellFacts}} o
   */
  constructor({ cache, definition, info, style, createCanvas = offscreen, facts = cellFacts(definition, info) }) {
    /** @readonly */ this.grid = Grid.of(info);
    /** @readonly */ this.facts = facts;
    this.style = style;
    this.tiles = cache.set(definition, info.version, info.root);
    this.bitmaps = new Bitmaps(createCanvas);
    /** @type {Picture|null} */ this.picture = null;
    /** What was painted last.  @type {Pixels} */ this.pixels = new Pixels(createCanvas);
    /** Shader of the last exact picture that showed anything; of the tiles at hand before.  @type {Shader|null} */
    this.shader = null;
    this.exactOnce = false;
    /** Device pixels a CSS pixel, as last drawn at rest; 0 before. */ this.dpr = 0;
    /** A tile of the picture was replaced by a better one. */ this.stale = false;
    /** The pixels show this picture through this shader.  @type {{picture: Picture|null, shader: Shader|null}} */
    this.painted = { picture: null, shader: null };
  }

  /** Tile levels of a view.  @param {View} view @returns {{zx: number, zy: number}} */
  level(view) {
    return this.grid.level(view);
  }

  /** Lets the cache drop this layer's tiles: the layer has left its figure. */
  dispose() {
    this.tiles.windows.delete(this);
    this.bitmaps.clear();
  }

  /**
   * What the view shows stays in the cache.
   * @param {View} view
   * @returns {Window|null} null where it shows nothing of the root
   */
  keep(view) {
    const window = this.grid.window(view, this.grid.level(view));
    this.tiles.windows.set(this, window);
    return window;
  }

  /**
   * Tiles that the view needs and the cache lacks or only estimates, centre first, and those worth fetching next
   * (neighbours, then a level out).
   * @param {View} view
   * @returns {{zx: number, zy: number, tiles: number[][], prefetch: number[][]}} lists [zx, zy, i, j] for `view`
   *   requests
   */
  missing(view) {
    const level = this.grid.level(view);
    const window = this.keep(view);
    if (!window) return { ...level, tiles: [], prefetch: [] };
    const lacking = (/** @type {Window} */ w) =>
      this.grid.keys(w, view).filter((key) => this.tiles.peek(key)?.estimate !== null);
    const tiles = lacking(window);
    const next = lacking(this.grid.widen(window, 1)).filter(
      ({ i, j }) => i < window.i0 || i > window.i1 || j < window.j0 || j > window.j1,
    );
    const out = this.grid.window(view, { zx: Math.max(0, level.zx - 1), zy: Math.max(0, level.zy - 1) });
    if (out && (out.zx !== level.zx || out.zy !== level.zy)) next.push(...lacking(this.grid.widen(out, 1)));
    return { ...level, tiles: tiles.map(toList), prefetch: next.slice(0, PREFETCH).map(toList) };
  }

  /** Every tile of the view is here, and exact.  @param {View} view @returns {boolean} */
  complete(view) {
    return this.every(view, (tile) => tile.estimate === null);
  }

  /** Every tile of the view is here, at least as an estimate.  @param {View} view @returns {boolean} */
  covered(view) {
    return this.every(view, () => true);
  }

  /**
   * @param {View} view
   * @param {(tile: Tile) => boolean} holds
   * @returns {boolean} every tile of the view is there, and it holds
   */
  every(view, holds) {
    const window = this.grid.window(view, this.grid.level(view));
    if (!window) return true;
    for (let j = window.j0; j <= window.j1; j++) {
      for (let i = window.i0; i <= window.i1; i++) {
        const tile = this.tiles.peek({ zx: window.zx, zy: window.zy, i, j });
        if (!tile || !holds(tile)) return false;
      }
    }
    return true;
  }

  /**
   * At least so many cells of cached tiles in the view are filled.
   * @param {View} view
   * @param {number} enough counting ends beyond
   * @returns {number}
   */
  filledCells(view, enough) {
    const window = this.grid.window(view, this.grid.level(view));
    return window
      ? filledWithin(
          this.grid,
          view,
          this.grid.keys(window, view).map((key) => this.tiles.peek(key)),
          enough,
        )
      : 0;
  }

  /** What the estimates on the screen are of, together; null when there is none.  @param {View} view */
  estimate(view) {
    /** @type {import("../estimate.js").TileEstimate[]} */ const found = [];
    this.every(view, ({ estimate }) => {
      if (estimate) found.push(estimate);
      return true;
    });
    return sumEstimates(found);
  }

  /**
   * Decodes and keeps a tile of this layer's definition.
   * @param {Pick<import("../../wire/tiles.js").TileMessage, "key"|"planes"|"total"|"estimate">} message
   * @throws {import("../../wire/frames.js").ProtocolError} when a plane does not decode
   */
  add(message) {
    const expected = this.facts.planes?.length ?? 1;
    check(message.total === expected, `tile of ${message.total} planes, the layer has ${expected}`);
    const planes = new Array(expected);
    for (const encoded of message.planes) planes[encoded.plane] = decodePlane(encoded, this.facts.traits.counts);
    if (this.tiles.peek(message.key)) this.replace(message.key);
    this.tiles.put(message.key, planes, message.estimate && tileEstimate(message.estimate, planes));
  }

  /**
   * What is here of a view, and besides: it may be brought to a later version.
   * @param {View} view @returns {{window: Window|null, tiles: Tile[], kept: Tile[]}}
   */
  held(view) {
    const window = this.grid.window(view, this.grid.level(view));
    const shown = window ? this.grid.keys(window, view).flatMap((key) => this.tiles.peek(key) ?? []) : [];
    return {
      window,
      tiles: shown.filter((tile) => tile.estimate === null),
      kept: this.tiles.besides(window, KEPT),
    };
  }

  /** The data have grown, and what is shown has changed: no picture of it is good any more. */
  outdate() {
    this.stale = true;
    this.picture = null;
  }

  /** A tile is about to be another: what was drawn of it is no longer good.  @param {TileKey} key */
  replace(key) {
    if (this.tiles.holds(key)) this.stale = true;
  }

  /**
   * New colours or normalisation; asks for no tile. Draw again afterwards: settle at rest.
   * @param {RasterStyle} style
   */
  restyle(style) {
    const recolor = (style.colors ?? GLASBEY) !== (this.style.colors ?? GLASBEY);
    this.style = style;
    if (recolor && this.facts.planes) {
      this.picture = null;
      this.bitmaps.clear();
    }
    this.reshade();
  }

  /** The shader of the exact picture at hand; an empty one keeps the shader before it. */
  reshade() {
    const norm = this.picture ? this.picture.norm(this.style) : null;
    if (norm) this.shader = new Shader(norm, this.style.lut);
    else if (this.shader)
      this.shader = new Shader(
        new Norm(this.shader.norm.distribution, this.style.how, this.style.low, this.style.high),
        this.style.lut,
      );
  }

  /**
   * Normalisation of the last exact view, for the colour bar: null before the first one and while nothing is visible.
   * @returns {Norm|null}
   */
  get norm() {
    return this.exactOnce && this.shader && (this.picture === null || this.picture.distribution?.cells)
      ? this.shader.norm
      : null;
  }

  /**
   * Draws the exact picture of a view at rest: each device pixel from the values of the cells whose centres lie in it.
   * @param {Context} context whose (0, 0) is the plot area's top left, in device pixels; nothing is cleared
   * @param {View} view @param {number} [dpr] device pixels a CSS pixel; without it sparse pixels are not spread
   * @returns {boolean} false, and nothing drawn, while a tile is missing
   */
  settle(context, view, dpr) {
    if (!this.#resampled(view)) return false;
    if (dpr && dpr !== this.dpr) {
      this.dpr = dpr;
      this.painted = { picture: null, shader: null };
    }
    this.paint().draw(context);
    return true;
  }

  /**
   * Makes the picture that `settle` will draw, if its tiles are here: in the time before the next frame, which would be
   * lost.
   * @param {View} view at rest
   */
  prepare(view) {
    if (this.#resampled(view)) this.paint();
  }

  /** The picture is that of the view.  @param {View} view @returns {boolean} false while a tile is missing */
  #resampled(view) {
    if (!this.stale && this.picture?.view.equals(view)) return true;
    if (!this.covered(view)) return false;
    this.stale = false;
    this.picture = this.resample(view);
    this.exactOnce = true;
    this.reshade();
    return true;
  }

  /**
   * The sum of each plane of counts over the cells whose centres a view shows.
   * @param {View} view @param {number} count of planes
   * @returns {number[]|null} null while a tile is missing
   */
  rowsByCategory(view, count) {
    const sums = new Array(count).fill(0);
    const window = this.grid.window(view, this.grid.level(view));
    if (!this.covered(view)) return null;
    for (const key of window ? this.grid.keys(window, view) : []) {
      const tile = this.tiles.peek(key);
      if (tile) addRows(tile.planes, cellsIn(this.grid.rect(key, view), view), sums);
    }
    return sums;
  }

  /** @param {View} view whose tiles are all there @returns {Picture} */
  resample(view) {
    const level = this.grid.level(view);
    const window = this.grid.window(view, level);
    if (!window) return new Picture(view, null, this.facts.traits.counts);
    const { zx, zy } = window;
    const source = sourceOf(this.grid, view, window, (i, j) => /** @type {Tile} */ (this.tiles.get({ zx, zy, i, j })));
    const nominal = this.facts.traits.additive ? this.nominalCells(view) : ONE;
    if (this.facts.planes)
      return Picture.ofCategories(view, source, this.colors ?? GLASBEY, nominal, this.facts.traits);
    const planes = this.grid.keys(window, view).flatMap((key) => this.tiles.peek(key)?.planes ?? []);
    return Picture.ofPlane(view, source, this.facts.rule, nominal, this.originOf(planes));
  }

  /** What values of planes count from in colours: as before, where that serves.
   * @param {import("../../wire/codec.js").Plane[]} planes @returns {bigint} */
  originOf(planes) {
    return this.facts.movable ? originOf(planes, this.shader?.norm.origin) : 0n;
  }

  /** @param {View} view @returns {import("../../render/resample.js").Nominal} */
  nominalCells(view) {
    return {
      x: 2 ** Math.max(0, -this.grid.x.nominalLevel(view.x, view.width)),
      y: 2 ** Math.max(0, -this.grid.y.nominalLevel(view.y, view.height)),
    };
  }

  /** RGB of each category; null for one plane.  @returns {Uint8Array|null} */
  get colors() {
    return this.facts.planes ? (this.style.colors ?? GLASBEY) : null;
  }

  /** @returns {Pixels} of the picture */
  paint() {
    const picture = /** @type {Picture} */ (this.picture);
    const { pixels, shader } = this;
    const isBlank = pixels.fit(picture.view);
    if (!isBlank && this.painted.picture === picture && this.painted.shader === shader) return pixels;
    if (shader) picture.paint(shader, pixels.out, this.dpr);
    else pixels.out.fill(0);
    pixels.put();
    this.painted = { picture, shader };
    return pixels;
  }

  /**
   * Draws while the view moves or loads: the last exact picture where it only has to be shifted; elsewhere shaded tiles
   * scaled to the view, and cached tiles above or below where one is missing.
   * @param {Context} context as for `settle` @param {View} view
   */
  compose(context, view) {
    const window = this.grid.window(view, this.grid.level(view));
    if (!window) return;
    const keys = this.grid.keys(window, view);
    if (!this.exactOnce) this.guess(keys);
    const { shader } = this;
    if (!shader) return;
    const { additive } = this.facts.traits;
    const { x, y } = this.nominalCells(view);
    const nominal = additive ? Math.min(x, MANY) * Math.min(y, MANY) : 1;
    /** @param {Tile} tile @param {number} scale */
    const bitmap = (tile, scale) => this.bitmaps.get(tile, shader, scale * nominal, this.colors);
    const shift = this.shift(view);
    this.bitmaps.limit = Math.max(192, 2 * keys.length);
    context.save();
    context.imageSmoothingEnabled = false;
    if (shift) clipOutside(context, view, shift);
    for (const key of keys) drawTile({ context, grid: this.grid, view, tiles: this.tiles, bitmap }, key, additive);
    context.restore();
    if (shift) this.paint().draw(context, shift.x, shift.y);
  }

  /**
   * By how many pixels the exact picture has to be moved to fit the view; null when it shows another size or zoom.
   * @param {View} view
   * @returns {{x: number, y: number}|null}
   */
  shift(view) {
    const old = this.picture?.view;
    if (!old || old.width !== view.width || old.height !== view.height || !this.picture?.values) return null;
    const same = (
      /** @type {import("../../geometry/span.js").Span} */ a,
      /** @type {import("../../geometry/span.js").Span} */ b,
    ) => Math.abs(length(a) / length(b) - 1) < 1e-7;
    if (!same(old.x, view.x) || !same(old.y, view.y)) return null;
    const [x, y] = [Math.round(view.px(old.x.origin, old.x.lo)), Math.round(view.py(old.y.origin, old.y.hi))];
    return Math.abs(x) < view.width && Math.abs(y) < view.height ? { x, y } : null;
  }

  /**
   * Before the first exact picture: a shader from the tiles at hand (or their stand-ins), of which the middle ones are
   * looked at.
   * @param {TileKey[]} keys
   */
  guess(keys) {
    /** @type {Set<Tile>} */ const seen = new Set();
    for (const key of keys) {
      for (const tile of standIns(this.tiles, key)) if (tile.planes.some((plane) => plane.filled)) seen.add(tile);
      if (seen.size >= 4) break;
    }
    if (seen.size === 0) return;
    const { counts } = this.facts.traits;
    const origin = this.originOf([...seen].map((tile) => tile.planes[0]));
    const all = counts ? new Float64Array(seen.size * CELLS) : new Float64Array(seen.size * CELLS).fill(Number.NaN);
    [...seen].forEach((tile, k) => {
      const { data, filled, constant } = planeNear(tile, origin);
      if (this.colors) all.set(mixtureOf(tile, this.colors).totals, k * CELLS);
      else if (data) all.set(data, k * CELLS);
      else if (filled) all.fill(constant, k * CELLS, (k + 1) * CELLS);
    });
    const distribution = new Distribution(all, counts, undefined, origin);
    if (distribution.cells)
      this.shader = new Shader(new Norm(distribution, this.style.how, this.style.low, this.style.high), this.style.lut);
  }

  /**
   * The cell under a pixel position: of the view's own tile, or of the nearest cached one above it.
   * @param {View} view
   * @param {number} px
   * @param {number} py device pixels
   * @returns {Hit|null} null where no tile is cached or outside the root
   */
  valueAt(view, px, py) {
    const level = this.grid.level(view);
    let cell = this.grid.cellAt(view, level, px, py);
    let tile = cell && this.tiles.peek(cell.key);
    const exact = Boolean(tile);
    if (cell && !tile) {
      tile = this.tiles.ancestor(cell.key);
      cell = tile ? this.grid.cellAt(view, tile.key, px, py) : null;
    }
    if (!cell || !tile) return null;
    return {
      ...cell,
      ...valuesAt(tile.planes, cell.row * TILE + cell.column, this.facts, this.style.colors),
      exact,
      estimated: tile.estimate !== null,
    };
  }
}

/**
 * Everything of a view but the part that its shifted exact picture covers.
 * @param {Context} context
 * @param {View} view
 * @param {{x: number, y: number}} shift
 */
function clipOutside(context, { width, height }, { x, y }) {
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(x, y, width, height);
  context.clip("evenodd");
}
