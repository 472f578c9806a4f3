// Decoded tiles of all layers under one budget of bytes, least recently used dropped first.

import { planeBytes } from "../../wire/codec.js";
import { contains } from "../../geometry/grid.js";

/** @typedef {import("../../wire/frames.js").TileKey} TileKey */
/** @typedef {import("../../geometry/grid.js").Window} Window */
/** @typedef {import("../../wire/codec.js").Plane} Plane */
/**
 * A tile in the cache; `planes` in the layer's order; `mixture` of its categories once something drew it; `estimate` of
 * one that is not exact.
 * @typedef {{key: TileKey, planes: Plane[], bytes: number, set: TileSet, mixture:
 *   import("../../render/category-mix.js").Mixture|null, near?: import("../../render/integer-origin.js").Tile["near"],
 *   estimate: import("../estimate.js").TileEstimate|null}} Tile */

/** @param {number} zx @param {number} zy @returns {number} */
const levelName = (zx, zy) => zx * 32 + zy;
/** i and j have at most 24 bits.  @param {number} i @param {number} j @returns {number} */
const placeName = (i, j) => i * 2 ** 24 + j;

/** One budget for the page: layers come and go, their tiles share it. */
export class TileCache {
  /** @param {number} [budget] bytes of decoded planes to keep; tiles on the screen stay even beyond it */
  constructor(budget = 256 * 2 ** 20) {
    this.budget = budget;
    this.bytes = 0;
    /** Tiles, least recently used first.  @type {Set<Tile>} */ this.order = new Set();
    /** @type {Map<string, TileSet>} */ this.sets = new Map();
  }

  /**
   * The tiles of one layer definition at one version of its dataset and on its roots (a sample's may be others), made
   * when absent.
   * @param {import("../../wire/frames.js").Definition} definition
   * @param {number} version
   * @param {import("../../wire/frames.js").LayerInfo["root"]} roots
   * @returns {TileSet}
   */
  set(definition, version, roots) {
    const { dataset, glyph, x, y, agg, xaxis, yaxis, root, filter, values } = definition;
    const layer = [glyph, x, y, agg, xaxis, yaxis, root, filter, values];
    const name = JSON.stringify([dataset, version, ...layer, roots.x, roots.y]);
    let found = this.sets.get(name);
    if (!found) {
      found = new TileSet(this, dataset);
      this.sets.set(name, found);
    }
    return found;
  }

  /** Forgets all tiles of a dataset: it has a new version.  @param {string} dataset */
  forget(dataset) {
    for (const [name, set] of this.sets) {
      if (set.dataset !== dataset) continue;
      set.clear();
      this.sets.delete(name);
    }
  }

  /** Forgets all tiles. */
  clear() {
    for (const set of this.sets.values()) set.clear();
    this.sets.clear();
  }

  /**
   * A dataset has another version: its tiles are those of that version, but for those that are dropped here.
   * @param {string} dataset @param {number} version @param {ReadonlySet<Tile>} good
   */
  advance(dataset, version, good) {
    for (const [name, set] of [...this.sets]) {
      if (set.dataset !== dataset) continue;
      set.retain(good);
      this.sets.delete(name);
      const [, , ...rest] = JSON.parse(name);
      if (set.size > 0 || set.windows.size > 0) this.sets.set(JSON.stringify([dataset, version, ...rest]), set);
    }
  }

  /** Drops old tiles until the budget holds; tiles of a set's current windows are passed over. */
  trim() {
    let looked = this.order.size;
    for (const tile of this.order) {
      if (this.bytes <= this.budget || looked-- <= 0) return;
      if (tile.set.holds(tile.key)) {
        this.order.delete(tile);
        this.order.add(tile);
      } else tile.set.drop(tile);
    }
  }
}

/** The tiles of one layer. */
export class TileSet {
  /** @param {TileCache} cache @param {string} dataset */
  constructor(cache, dataset) {
    this.cache = cache;
    this.dataset = dataset;
    /** What each figure shows of this layer; never dropped.  @type {Map<object, Window|null>} */ this.windows =
      new Map();
    /** Level name -> place name -> tile.  @type {Map<number, Map<number, Tile>>} */ this.levels = new Map();
    this.size = 0;
  }

  /** @param {TileKey} key @returns {Tile|undefined} the tile, now the most recently used */
  get(key) {
    const tile = this.peek(key);
    if (tile) {
      this.cache.order.delete(tile);
      this.cache.order.add(tile);
    }
    return tile;
  }

  /** @param {TileKey} key @returns {Tile|undefined} */
  peek({ zx, zy, i, j }) {
    return this.levels.get(levelName(zx, zy))?.get(placeName(i, j));
  }

  /**
   * Keeps a tile, in place of an older one of its key; an estimate takes no exact tile's place.
   * @param {TileKey} key @param {Plane[]} planes @param {Tile["estimate"]} [estimate]
   */
  put(key, planes, estimate = null) {
    const old = this.peek(key);
    if (old && estimate && !old.estimate) return;
    if (old) this.drop(old);
    const tile = {
      key,
      planes,
      bytes: planes.reduce((sum, plane) => sum + planeBytes(plane), 256),
      set: this,
      mixture: null,
      estimate,
    };
    const name = levelName(key.zx, key.zy);
    const level = this.levels.get(name) ?? new Map();
    this.levels.set(name, level);
    level.set(placeName(key.i, key.j), tile);
    this.size += 1;
    this.cache.order.add(tile);
    this.cache.bytes += tile.bytes;
    this.cache.trim();
  }

  /** @param {Tile} tile */
  drop(tile) {
    const name = levelName(tile.key.zx, tile.key.zy);
    const level = this.levels.get(name);
    if (!level?.delete(placeName(tile.key.i, tile.key.j))) return;
    if (level.size === 0) this.levels.delete(name);
    this.size -= 1;
    this.cache.order.delete(tile);
    this.cache.bytes -= tile.bytes;
  }

  /**
   * A tile now keeps more (or fewer) bytes; nothing is dropped until the next tile comes.
   * @param {Tile} tile
   * @param {number} bytes
   */
  weigh(tile, bytes) {
    tile.bytes += bytes;
    if (this.cache.order.has(tile)) this.cache.bytes += bytes;
  }

  /** Drops all tiles but these.  @param {ReadonlySet<Tile>} good */
  retain(good) {
    for (const level of [...this.levels.values()])
      for (const tile of [...level.values()]) if (!good.has(tile)) this.drop(tile);
  }

  /**
   * Exact tiles outside of a window.
   * @param {Window|null} window @param {number} most @returns {Tile[]}
   */
  besides(window, most) {
    /** @type {Tile[]} */ const found = [];
    for (const level of this.levels.values()) {
      for (const tile of level.values()) {
        const { zx, zy, i, j } = tile.key;
        const inside = window && window.zx === zx && window.zy === zy && contains(window, i, j);
        if (!inside && tile.estimate === null) found.push(tile);
      }
    }
    return found.slice(-most);
  }

  clear() {
    for (const level of [...this.levels.values()]) for (const tile of [...level.values()]) this.drop(tile);
  }

  /** Is the tile on the screen of some figure?  @param {TileKey} key @returns {boolean} */
  holds({ zx, zy, i, j }) {
    for (const window of this.windows.values())
      if (window && window.zx === zx && window.zy === zy && contains(window, i, j)) return true;
    return false;
  }

  /**
   * The cached tile nearest above a key: the fewest levels up over both axes together.
   * @param {TileKey} key @returns {Tile|undefined}
   */
  ancestor({ zx, zy, i, j }) {
    /** @type {Tile|undefined} */ let best;
    let least = Number.POSITIVE_INFINITY;
    for (const [name, level] of this.levels) {
      const [dx, dy] = [zx - Math.floor(name / 32), zy - (name % 32)];
      if (dx < 0 || dy < 0 || dx + dy === 0 || dx + dy >= least) continue;
      const tile = level.get(placeName(Math.floor(i / 2 ** dx), Math.floor(j / 2 ** dy)));
      if (!tile) continue;
      best = tile;
      least = dx + dy;
    }
    return best && this.get(best.key);
  }

  /**
   * Cached tiles inside a tile's area at deeper (or equal) levels on both axes, at most `deepest` levels down, coarse
   * ones first.
   * @param {TileKey} key @param {number} [deepest] @returns {Tile[]}
   */
  descendants({ zx, zy, i, j }, deepest = 3) {
    const found = [];
    for (const [name, level] of this.levels) {
      const [dx, dy] = [Math.floor(name / 32) - zx, (name % 32) - zy];
      if (dx < 0 || dy < 0 || dx > deepest || dy > deepest || dx + dy === 0) continue;
      for (let row = j * 2 ** dy; row < (j + 1) * 2 ** dy; row++) {
        for (let column = i * 2 ** dx; column < (i + 1) * 2 ** dx; column++) {
          const tile = level.get(placeName(column, row));
          if (tile) found.push(tile);
        }
      }
    }
    return found.sort((a, b) => a.key.zx + a.key.zy - b.key.zx - b.key.zy);
  }
}
