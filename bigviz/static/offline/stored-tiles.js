// The tiles of one layer that an exported page holds: whole levels, in Z-order, those without a row left out.

import { cellOf, decodePlane } from "../wire/codec.js";
import { CELLS, check, HEADER, JSON_BYTES, parseFrame } from "../wire/frames.js";
import { messageOf, Reassembler } from "../wire/reassembler.js";
import { countsTile, emptyTile } from "./frame-writer.js";

/** @typedef {import("../wire/frames.js").TileKey} TileKey */
/** @typedef {import("../wire/codec.js").Plane} Plane */
/** A pair of levels, and of each of its blocks the Z-order of its first tile and its number.
 * @typedef {[zx: number, zy: number, blocks: [first: number, block: number][]]} StoredLevel */

const TILE = 256;

export class StoredTiles {
  /**
   * @param {import("./blocks.js").Blocks} blocks
   * @param {{planes: number, counts: boolean, levels: StoredLevel[]}} o `counts`: tiles of other pairs of levels can be
   *   made by adding
   */
  constructor(blocks, { planes, counts, levels }) {
    this.blocks = blocks;
    this.planes = planes;
    this.counts = counts;
    this.levels = new Map(levels.map(([zx, zy, parts]) => [`${zx},${zy}`, parts]));
    /** By number of a block: its tiles by key.  @type {WeakMap<Uint8Array, Map<string, Uint8Array<ArrayBuffer>[]>>} */
    this.byKey = new WeakMap();
  }

  /**
   * @param {TileKey} key
   * @returns {Promise<Uint8Array<ArrayBuffer>[]|null>} its frames; null: the file has no tiles of this pair of levels
   */
  async get(key) {
    const stored = await this.#stored(key);
    if (stored) return stored;
    const level = Math.max(key.zx, key.zy);
    return this.counts && this.levels.has(`${level},${level}`) ? this.#added(key, level) : null;
  }

  /** @param {TileKey} key @returns {Promise<Uint8Array<ArrayBuffer>[]|null>} null: no such levels */
  async #stored({ zx, zy, i, j }) {
    const parts = this.levels.get(`${zx},${zy}`);
    if (!parts) return null;
    const block = blockOf(parts, zOrder(i, j));
    const tiles = block === null ? null : await this.#tilesIn(block);
    return tiles?.get(`${zx},${zy},${i},${j}`) ?? [emptyTile({ zx, zy, i, j }, this.planes)];
  }

  /** @param {number} block @returns {Promise<Map<string, Uint8Array<ArrayBuffer>[]>>} */
  async #tilesIn(block) {
    const bytes = await this.blocks.bytes(block);
    const known = this.byKey.get(bytes);
    if (known) return known;
    /** @type {Map<string, Uint8Array<ArrayBuffer>[]>} */ const tiles = new Map();
    for (const frame of await this.blocks.frames(block)) {
      const view = new DataView(frame.buffer, frame.byteOffset + HEADER + jsonBytes(frame));
      const name = [view.getUint8(0), view.getUint8(1), view.getUint32(4, true), view.getUint32(8, true)].join();
      const parts = tiles.get(name);
      if (parts) parts.push(frame);
      else tiles.set(name, [frame]);
    }
    this.byKey.set(bytes, tiles);
    return tiles;
  }

  /**
   * A tile whose levels differ, as the exact sum of the tiles inside it at the deeper of its two levels.
   * @param {TileKey} key @param {number} level @returns {Promise<Uint8Array<ArrayBuffer>[]>}
   */
  async #added(key, level) {
    const [across, down] = [2 ** (level - key.zx), 2 ** (level - key.zy)];
    const sums = Array.from({ length: this.planes }, () => /** @type {Float64Array|null} */ (null));
    for (let row = 0; row < down; row++) {
      for (let column = 0; column < across; column++) {
        const inner = { zx: level, zy: level, i: key.i * across + column, j: key.j * down + row };
        const frames = /** @type {Uint8Array<ArrayBuffer>[]} */ (await this.#stored(inner));
        planesOf(frames).forEach((plane, k) => {
          if (plane.filled === 0) return;
          sums[k] ??= new Float64Array(CELLS);
          add(sums[k], plane, { across, down, column, row });
        });
      }
    }
    return countsTile(key, sums);
  }
}

/** @param {Uint8Array<ArrayBuffer>} frame @returns {number} */
const jsonBytes = (frame) => new DataView(frame.buffer, frame.byteOffset).getUint32(JSON_BYTES, true);

/** @param {Uint8Array<ArrayBuffer>[]} frames of one tile @returns {Plane[]} in the layer's order */
function planesOf(frames) {
  const parsed = frames.map((frame) => parseFrame(frame.slice().buffer));
  const reassembler = new Reassembler();
  const message = parsed.length === 1 ? messageOf(parsed[0]) : parsed.map((frame) => reassembler.push(frame)).at(-1);
  check(message?.type === "tile", "the file holds a tile that is none");
  const planes = new Array(message.total);
  for (const encoded of message.planes) planes[encoded.plane] = decodePlane(encoded, true);
  return planes;
}

/**
 * Adds the cells of a tile to those of a larger one that they lie in.
 * @param {Float64Array} sums @param {Plane} plane
 * @param {{across: number, down: number, column: number, row: number}} place of the tile among those in the larger one
 */
function add(sums, plane, { across, down, column, row }) {
  const [left, top] = [(column * TILE) / across, (row * TILE) / down];
  for (let y = 0; y < TILE; y++) {
    const from = y * TILE;
    const to = (top + Math.floor(y / down)) * TILE + left;
    for (let x = 0; x < TILE; x++) {
      const count = plane.data ? plane.data[from + x] : Number(cellOf(plane, from + x) ?? 0);
      if (count) sums[to + Math.floor(x / across)] += count;
    }
  }
}

/**
 * @param {[first: number, block: number][]} parts ascending @param {number} order
 * @returns {number|null} the block that has a tile of this Z-order, if any has
 */
function blockOf(parts, order) {
  let [a, b] = [0, parts.length];
  while (a < b) {
    const middle = (a + b) >> 1;
    if (parts[middle][0] <= order) a = middle + 1;
    else b = middle;
  }
  return a === 0 ? null : parts[a - 1][1];
}

/**
 * The bits of two numbers by turns, i's first from the low end.
 * @param {number} i
 * @param {number} j
 * @returns {number}
 */
export function zOrder(i, j) {
  let [order, bit] = [0, 1];
  for (let [x, y] = [i, j]; x > 0 || y > 0; x = Math.floor(x / 2), y = Math.floor(y / 2)) {
    order += (x % 2) * bit + (y % 2) * bit * 2;
    bit *= 4;
  }
  return order;
}
