// Rows in cells, and a layer of tiles over them, on a canvas made for tests.

import assert from "node:assert/strict";
import { TileCache } from "../../../../bigviz/static/layers/tiles/tile-cache.js";
import { TileLayer } from "../../../../bigviz/static/layers/tiles/tile-layer.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";
import { createCanvas } from "../../canvas.js";
import { rlev } from "../../frames.js";
import { random, whole } from "../../random.js";
import { traitsOf } from "../../traits.js";

export const RAMP = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));
export const STYLE = /** @type {import("../../../../bigviz/static/render/shade.js").RasterStyle} */ ({
  how: "linear",
  lut: RAMP,
  low: null,
  high: null,
});

/** Rows as cells of level 16 (of tiles: 8) of a root [0, 1) x [0, 1), and the layer over them. */
export class World {
  /** @param {{reduction?: string, planes?: string[]|null, rows?: number, seed?: number, budget?: number}} [o] */
  constructor({ reduction = "count", planes = null, rows = 30_000, seed = 60, budget = 1 << 28 } = {}) {
    const rand = random(seed);
    this.rows = Array.from({ length: rows }, () => ({
      x: rand() ** 1.5,
      y: rand() ** 2,
      category: whole(rand, 0, (planes?.length ?? 1) - 1),
    }));
    this.planes = planes;
    const kinds = { x: { kind: "float" }, y: { kind: "float" } };
    const info = /** @type {any} */ ({
      root: { x: ["0", 0], y: ["0", 0] },
      version: 1,
      planes,
      traits: traitsOf(reduction),
      ...kinds,
    });
    this.cache = new TileCache(budget);
    this.layer = new TileLayer({
      cache: this.cache,
      definition: /** @type {any} */ ({ dataset: "d", agg: reduction }),
      info,
      style: STYLE,
      createCanvas,
    });
  }

  /**
   * Rows in a cell of a tile, from the rows themselves.
   * @param {{zx: number, zy: number, i: number, j: number}} key
   * @param {number} category
   * @returns {Uint32Array}
   */
  counts({ zx, zy, i, j }, category) {
    const out = new Uint32Array(65536);
    for (const row of this.rows) {
      if (row.category !== category) continue;
      const column = Math.floor(row.x * 2 ** (zx + 8)) - 256 * i;
      const line = 2 ** (zy + 8) - 1 - Math.floor(row.y * 2 ** (zy + 8)) - 256 * j;
      if (column >= 0 && column < 256 && line >= 0 && line < 256) out[256 * line + column]++;
    }
    return out;
  }

  /** @param {number[][]} tiles */
  answer(tiles) {
    for (const [zx, zy, i, j] of tiles) {
      const key = { zx, zy, i, j };
      const planes = (this.planes ?? [""]).map((_, category) => {
        const counts = this.counts(key, category);
        const filled = counts.filter((count) => count > 0).length;
        const high = counts.reduce((a, b) => Math.max(a, b));
        const empty = { low: Number.NaN, high: Number.NaN, payload: new Uint8Array(0), codec: 0 };
        return {
          dtype: 2,
          plane: category,
          filled,
          constant: new Uint8Array(8),
          ...(filled ? { codec: 3, low: 1, high, payload: rlev(counts) } : empty),
        };
      });
      this.layer.add(/** @type {any} */ ({ key, planes, total: planes.length }));
    }
  }

  /** @param {View} view */
  load(view) {
    this.answer(this.layer.missing(view).tiles);
  }

  /** @param {View} view @param {"settle"|"compose"} [how] @returns {Uint32Array} pixels */
  draw(view, how = "settle") {
    const canvas = createCanvas(view.width, view.height);
    const drawn = this.layer[how](canvas.context, view);
    assert.notEqual(drawn, false);
    return canvas.pixels;
  }
}

/**
 * A view whose pixels are the cells of a level.
 * @param {number} level of tiles
 * @param {number} column first cell
 * @param {number} row first cell from below
 * @param {number} [width]
 * @param {number} [height]
 */
export function cellView(level, column, row, width = 300, height = 200) {
  const cells = 2 ** (level + 8);
  return new View({
    x: span(column / cells, (column + width) / cells),
    y: span(row / cells, (row + height) / cells),
    width,
    height,
  });
}

/** @type {Map<string, Uint32Array>} */
const known = new Map();

/**
 * Rows in a cell, by its column and row from below.
 * @param {World} world
 * @param {number} level
 * @param {number} column
 * @param {number} row
 */
export function countAt(world, level, column, row) {
  const last = 2 ** level - 1;
  const [i, j] = [Math.floor(column / 256), last - Math.floor(row / 256)];
  if (i < 0 || j < 0 || i > last || j > last) return 0;
  const name = `${world.rows.length}/${level}/${i},${j}`;
  const cells = known.get(name) ?? world.counts({ zx: level, zy: level, i, j }, 0);
  known.set(name, cells);
  return cells[(255 - (row % 256)) * 256 + (column % 256)];
}
