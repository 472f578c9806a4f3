// A layer of tiles on a canvas made for tests: what it asks for, what it shows at rest and while moving, what lies
// under the pointer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TileCache } from "../../../../bigviz/static/layers/tiles/tile-cache.js";
import { partOf } from "../../../../bigviz/static/layers/tiles/stand-ins.js";
import { TileLayer } from "../../../../bigviz/static/layers/tiles/tile-layer.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";
import { createCanvas } from "../../canvas.js";
import { rlev, runs } from "../../frames.js";
import { random, whole } from "../../random.js";
import { traitsOf } from "../../traits.js";

const RAMP = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));
const STYLE = /** @type {import("../../../../bigviz/static/render/shade.js").RasterStyle} */ ({
  how: "linear",
  lut: RAMP,
  low: null,
  high: null,
});

/** Rows as cells of level 16 (of tiles: 8) of a root [0, 1) x [0, 1), and the layer over them. */
class World {
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
function cellView(level, column, row, width = 300, height = 200) {
  const cells = 2 ** (level + 8);
  return new View({
    x: span(column / cells, (column + width) / cells),
    y: span(row / cells, (row + height) / cells),
    width,
    height,
  });
}

test("a view asks for its tiles once, and is complete with them", () => {
  const world = new World();
  const view = cellView(2, 100, 300);
  const { zx, zy, tiles, prefetch } = world.layer.missing(view);
  assert.deepEqual([zx, zy], [2, 2]);
  assert.deepEqual(
    tiles.map((tile) => tile.join()).sort(),
    ["2,2,0,2", "2,2,1,2"],
    "cells 100..399 by 300..499 from below",
  );
  assert.ok(prefetch.length > 0 && !prefetch.some((key) => tiles.some((tile) => tile.join() === key.join())));
  assert.ok(!world.layer.complete(view));
  assert.equal(world.layer.settle(createCanvas(300, 200).context, view), false);
  world.answer(tiles);
  assert.ok(world.layer.complete(view));
  assert.deepEqual(world.layer.missing(view).tiles, []);
});

test("at one cell a pixel the picture is the cells, row 0 on top", () => {
  const world = new World();
  const view = cellView(1, 40, 17);
  world.load(view);
  const pixels = world.draw(view);
  const cells = world.counts({ zx: 1, zy: 1, i: 0, j: 1 }, 0);
  const below = (/** @type {number} */ px, /** @type {number} */ py) => cells[(255 - (17 + 199 - py)) * 256 + 40 + px];
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (let py = 0; py < 200; py++) {
    for (let px = 0; px < 300; px++) {
      const count = countAt(world, 1, 40 + px, 17 + 199 - py);
      if (px < 216) assert.equal(count, below(px, py));
      if (count) [low, high] = [Math.min(low, count), Math.max(high, count)];
    }
  }
  assert.deepEqual([world.layer.norm?.low, world.layer.norm?.high], [low, high]);
  for (let py = 0; py < 200; py += 7) {
    for (let px = 0; px < 300; px += 7) {
      const count = countAt(world, 1, 40 + px, 17 + 199 - py);
      const pixel = pixels[py * 300 + px];
      assert.equal(pixel >>> 24, count ? 255 : 0);
      if (count) assert.equal(pixel & 255, Math.floor(((count - low) / (high - low)) * 255 + 0.5));
    }
  }
});

/** @type {Map<string, Uint32Array>} */
const known = new Map();

/**
 * Rows in a cell, by its column and row from below.
 * @param {World} world
 * @param {number} level
 * @param {number} column
 * @param {number} row
 */
function countAt(world, level, column, row) {
  const last = 2 ** level - 1;
  const [i, j] = [Math.floor(column / 256), last - Math.floor(row / 256)];
  if (i < 0 || j < 0 || i > last || j > last) return 0;
  const name = `${world.rows.length}/${level}/${i},${j}`;
  const cells = known.get(name) ?? world.counts({ zx: level, zy: level, i, j }, 0);
  known.set(name, cells);
  return cells[(255 - (row % 256)) * 256 + (column % 256)];
}

test("while moving, a shift of the exact picture fits to the bit and the rest comes from tiles", () => {
  const world = new World();
  const view = cellView(2, 100, 300);
  world.load(view);
  const before = world.draw(view);
  const moved = view.pan(30, -20);
  world.load(moved);
  const during = world.draw(moved, "compose");
  for (let py = 0; py < 180; py++)
    for (let px = 30; px < 300; px++) assert.equal(during[py * 300 + px], before[(py + 20) * 300 + px - 30]);
  const norm = world.layer.norm;
  const after = world.draw(moved);
  const strip = Array.from({ length: 30 }, (_, px) => px).filter(
    (px) => during[50 * 300 + px] >>> 24 !== after[50 * 300 + px] >>> 24,
  );
  assert.deepEqual(strip, [], "the exposed strip was drawn from its tiles");
  assert.notEqual(world.layer.norm, norm, "and normalised again at rest");
});

test("the picture never blanks: parents stand in when zooming in, children when zooming out", () => {
  const world = new World({ rows: 200_000 });
  const wide = cellView(1, 0, 0, 400, 400);
  world.load(wide);
  world.draw(wide);
  const close = wide.zoom(0.25, 0.25, 100, 300);
  assert.ok(world.layer.missing(close).tiles.length > 0);
  const blank = (/** @type {Uint32Array} */ pixels) =>
    pixels.filter((pixel) => pixel >>> 24 === 0).length / pixels.length;
  const standIn = world.draw(close, "compose");
  assert.ok(blank(standIn) < blank(world.draw(wide)) + 0.3, `${blank(standIn)}`);
  world.load(close);
  world.draw(close);
  const far = new World({ rows: 200_000 });
  far.load(close);
  far.draw(close);
  const out = close.zoom(2, 2, 200, 200);
  assert.ok(far.layer.missing(out).tiles.length > 0);
  const small = far.draw(out, "compose");
  far.load(out);
  const inked = 1 - blank(far.draw(out));
  assert.ok(
    1 - blank(small) > 0.05 * inked && 1 - blank(small) < inked,
    `the children are shown small: ${1 - blank(small)} of ${inked}`,
  );
});

test("stand-ins are shaded with their share, so the brightness holds", () => {
  const world = new World({ rows: 400_000 });
  const wide = cellView(0, 0, 0, 256, 256);
  world.load(wide);
  world.draw(wide);
  const close = wide.zoom(0.5, 0.5, 0, 256);
  world.load(close);
  world.draw(close);
  const mean = (/** @type {Uint32Array} */ pixels) =>
    pixels.reduce((sum, pixel) => sum + (pixel & 255), 0) / pixels.length;
  const exact = mean(world.draw(close, "compose"));
  const bare = new World({ rows: 400_000 });
  bare.load(wide);
  bare.layer.shader = world.layer.shader;
  bare.layer.exactOnce = true;
  const standIn = mean(bare.draw(close, "compose"));
  assert.ok(Math.abs(standIn / exact - 1) < 0.1, `${standIn} instead of ${exact}`);
});

test("a stand-in tells its cells apart though each is divided to less than a row", () => {
  const world = new World({ rows: 400_000 });
  const wide = cellView(0, 0, 0, 256, 256);
  world.load(wide);
  world.draw(wide);
  const close = wide.zoom(1 / 4, 1 / 4, 128, 100);
  const counts = new Set();
  for (let px = 2; px < 256; px += 4)
    for (let py = 2; py < 256; py += 4)
      counts.add(countAt(world, 0, Math.floor(close.xAt(px) * 256), Math.floor(close.yAt(py) * 256)));
  assert.ok(counts.size > 4 && Math.max(...counts) < 16);
  assert.equal(new Set(world.draw(close, "compose")).size, counts.size);
});

test("tiles that arrive before the first exact picture are shown already", () => {
  const world = new World();
  const view = cellView(2, 100, 300);
  assert.ok(
    world.draw(view, "compose").every((pixel) => pixel === 0),
    "nothing yet",
  );
  world.answer(world.layer.missing(view).tiles.slice(0, 1));
  assert.ok(world.draw(view, "compose").some((pixel) => pixel >>> 24 === 255));
  assert.equal(world.layer.norm, null, "the colour bar waits for the exact picture");
});

test("a new style redraws the same values without asking for tiles", () => {
  const world = new World();
  const view = cellView(2, 100, 300);
  world.load(view);
  const linear = world.draw(view);
  const picture = world.layer.picture;
  world.layer.restyle({ ...STYLE, how: "eq_hist" });
  const equal = world.draw(view);
  assert.equal(world.layer.picture, picture);
  assert.equal(world.layer.norm?.how, "eq_hist");
  assert.deepEqual(
    equal.map((pixel) => pixel >>> 24),
    linear.map((pixel) => pixel >>> 24),
    "the same cells are empty",
  );
  world.layer.restyle({ ...STYLE, low: 0.5, high: { percentile: 90 } });
  world.draw(view);
  assert.equal(world.layer.norm?.low, 0.5);
  world.layer.restyle(STYLE);
  assert.deepEqual(world.draw(view), linear);
});

test("an empty view draws nothing and keeps the colours for the next", () => {
  const world = new World();
  const view = cellView(2, 100, 300);
  world.load(view);
  world.draw(view);
  const { shader } = world.layer;
  const outside = view.with({ x: span(5, 6), y: span(5, 6) });
  assert.deepEqual(world.layer.missing(outside).tiles, []);
  assert.ok(world.layer.complete(outside));
  assert.ok(world.draw(outside).every((pixel) => pixel === 0));
  assert.equal(world.layer.norm, null);
  assert.equal(world.layer.shader?.norm.distribution, shader?.norm.distribution);
});

test("the pointer finds the exact count of its cell, its bounds and its tile", () => {
  const world = new World();
  const view = cellView(2, 100, 300);
  world.load(view);
  for (let k = 0; k < 200; k++) {
    const [px, py] = [(k * 37) % 300, (k * 53) % 200];
    const hit = world.layer.valueAt(view, px + 0.5, py + 0.5);
    const count = countAt(world, 2, 100 + px, 300 + 199 - py);
    assert.equal(hit?.value ?? 0, count);
    assert.ok(hit?.exact);
    assert.deepEqual(hit?.x, [(100 + px) / 1024, (101 + px) / 1024]);
  }
  assert.equal(world.layer.valueAt(view.with({ x: span(2, 3) }), 5, 5), null);
  const deeper = view.zoom(0.25, 0.25, 150, 100);
  const hit = world.layer.valueAt(deeper, 150.5, 100.5);
  assert.ok(hit && !hit.exact && hit.key.zx === 2, "a coarser cell until the tile is there");
});

test("categories: colours mix, the pointer names them, totals add up", () => {
  const world = new World({ reduction: "by(k)", planes: ["a", "b", "c"], rows: 50_000 });
  const view = cellView(1, 40, 17);
  world.load(view);
  const pixels = world.draw(view);
  let seen = 0;
  for (let py = 0; py < 200; py += 11) {
    for (let px = 0; px < 300; px += 11) {
      const hit = world.layer.valueAt(view, px + 0.5, py + 0.5);
      assert.ok(hit?.planes);
      const total = hit.planes.reduce((sum, { value }) => sum + Number(value), 0);
      assert.equal(hit.value ?? 0, total);
      assert.equal(pixels[py * 300 + px] >>> 24 > 0, total > 0);
      if (hit.planes.length === 1 && hit.planes[0].label === "b") {
        assert.deepEqual(
          [pixels[py * 300 + px] & 255, (pixels[py * 300 + px] >> 8) & 255],
          [255, 126],
          "the second colour of the palette",
        );
        seen++;
      }
    }
  }
  assert.ok(seen > 0);
  world.layer.restyle({ ...STYLE, colors: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9, 9) });
  assert.ok(world.draw(view).every((pixel) => pixel === 0 || (pixel & 0xffffff) === 0x090909));
});

/**
 * A tile of values, and what settles of it, one pixel a cell.
 * @param {string} agg
 * @param {string[]|null} planes
 * @param {(cell: number) => (number|bigint|null)[]} valuesOf
 * @param {{dtype: number, type: any}} [kind] of the numbers on the wire
 */
function drawn(agg, planes, valuesOf, { dtype, type } = { dtype: 10, type: Float64Array }) {
  const world = new World({ reduction: agg, planes, rows: 0 });
  const all = Array.from({ length: 65536 }, (_, cell) => valuesOf(cell));
  const encoded = (planes ?? [""]).map((_, plane) => {
    const cells = all.map((values) => values[plane]);
    const held = cells.flatMap((value) => (value === null ? [] : [Number(value)]));
    const ends = { low: held.reduce((a, b) => Math.min(a, b)), high: held.reduce((a, b) => Math.max(a, b)) };
    return {
      codec: 4,
      dtype,
      plane,
      filled: held.length,
      ...ends,
      constant: new Uint8Array(8),
      payload: runs(cells, type),
    };
  });
  world.layer.add(/** @type {any} */ ({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: encoded, total: encoded.length }));
  const view = cellView(0, 0, 0, 256, 256);
  return {
    pixels: world.draw(view),
    moved: world.draw(cellView(0, 64, 0, 256, 256), "compose"),
    norm: world.layer.norm,
    at: (/** @type {number} */ px, /** @type {number} */ py) => world.layer.valueAt(view, px + 0.5, py + 0.5),
  };
}

test("means are drawn and shown in float64: seconds a minute apart have two colours", () => {
  const { pixels, at } = drawn("mean(v)", null, (cell) => [cell % 256 < 128 ? 1_700_000_000 : 1_700_000_060]);
  assert.deepEqual([at(10, 10)?.value, at(200, 10)?.value], [1_700_000_000, 1_700_000_060]);
  assert.deepEqual([pixels[256 * 10 + 10] & 255, pixels[256 * 10 + 200] & 255], [0, 255]);
});

test("whole numbers beyond 2^53 that differ by 1 have two colours, at rest and moving, and exact ends", () => {
  const [low, high] = [2n ** 63n, 2n ** 63n + 1n];
  const wide = { dtype: 4, type: BigUint64Array };
  const { pixels, moved, norm, at } = drawn("max(u)", null, (cell) => [cell % 256 < 128 ? low : high], wide);
  assert.deepEqual([at(10, 10)?.value, at(200, 10)?.value], [low, high]);
  assert.deepEqual([pixels[256 * 10 + 10] & 255, pixels[256 * 10 + 200] & 255], [0, 255]);
  assert.deepEqual([moved[256 * 10 + 10] & 255, moved[256 * 10 + 100] & 255], [0, 255]);
  assert.deepEqual(norm?.ends, [low, high]);
  assert.deepEqual([norm?.place(low), norm?.place(high)], [0, 1]);
});

test("values of categories below 0 are there too", () => {
  const { pixels, at } = drawn("by(k, mean(v))", ["a", "b"], (cell) => [cell % 2 ? -4 : 0, cell % 2 ? null : -1e40]);
  assert.ok(pixels.every((pixel) => pixel >>> 24 >= 40));
  assert.deepEqual(at(1, 0), { ...at(1, 0), value: null, planes: [{ label: "a", value: -4 }] });
});

test("the cache keeps its budget, drops what was used longest ago, and never what is on the screen", () => {
  const world = new World({ budget: 600_000 });
  const view = cellView(3, 0, 0, 512, 512);
  world.load(view);
  assert.ok(world.layer.complete(view));
  for (let k = 1; k < 6; k++)
    world.answer([
      [3, 3, k, 0],
      [3, 3, k, 1],
    ]);
  assert.ok(world.layer.complete(view), "the window stays");
  assert.ok(world.cache.bytes <= 600_000 || world.layer.tiles.size === 4);
  world.layer.dispose();
  world.answer([[3, 3, 7, 7]]);
  assert.ok(world.cache.bytes <= 600_000);
  world.cache.forget("d");
  assert.deepEqual([world.cache.bytes, world.cache.order.size], [0, 0]);
});

test("a tile of another number of planes is refused", () => {
  const world = new World();
  assert.throws(
    () => world.layer.add(/** @type {any} */ ({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: [], total: 2 })),
    /2 planes, the layer has 1/,
  );
});

test("the part of an ancestor that a tile covers", () => {
  assert.deepEqual(partOf({ zx: 3, zy: 2, i: 5, j: 3 }, { zx: 1, zy: 2, i: 1, j: 3 }), {
    x: 64,
    y: 0,
    width: 64,
    height: 256,
  });
  assert.deepEqual(partOf({ zx: 10, zy: 0, i: 1023, j: 0 }, { zx: 0, zy: 0, i: 0, j: 0 }), {
    x: 255,
    y: 0,
    width: 1,
    height: 256,
  });
});

test("colours of categories do not depend on how many cells a pixel covers", () => {
  const world = new World({ reduction: "by(k)", planes: ["a", "b"], rows: 40_000 });
  for (const row of world.rows) row.category = 1;
  const view = cellView(1, 40, 17).zoom(1.3, 1.2, 0, 0);
  world.load(view);
  const colors = new Set(
    world
      .draw(view)
      .filter((pixel) => pixel !== 0)
      .map((pixel) => pixel & 0xffffff),
  );
  assert.deepEqual([...colors], [(14 << 16) | (126 << 8) | 255], "the second colour of the palette, everywhere");
});

test("far out, even planes stay even and large counts are not lost", () => {
  for (const zoom of [1.1, 2.9, 3.3, 5.8]) {
    const world = new World({ rows: 0 });
    const plane = {
      codec: 1,
      dtype: 3,
      plane: 0,
      filled: 65536,
      low: 40_000,
      high: 40_000,
      constant: new Uint8Array(Uint32Array.of(40_000, 0).buffer),
      payload: new Uint8Array(0),
    };
    world.layer.add(/** @type {any} */ ({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: [plane], total: 1 }));
    const view = cellView(0, 0, 0, 256, 256).zoom(zoom, zoom, 0, 256);
    assert.ok(world.layer.complete(view));
    const pixels = world.draw(view);
    const inked = pixels.filter((pixel) => pixel !== 0).length;
    assert.ok(Math.abs(Math.sqrt(inked) - 256 / zoom) <= 1.5, `${inked} pixels`);
    assert.equal(world.layer.norm?.cells, inked);
    assert.equal(world.layer.norm?.low, world.layer.norm?.high, "one value everywhere");
  }
});
