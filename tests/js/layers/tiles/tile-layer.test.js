// A layer of tiles on a canvas made for tests: what it asks for, what it shows at rest and while moving, what lies
// under the pointer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { createCanvas } from "../../canvas.js";
import { runs } from "../../frames.js";
import { STYLE, World, cellView, countAt } from "./world.js";

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

test("a tile of another number of planes is refused", () => {
  const world = new World();
  assert.throws(
    () => world.layer.add(/** @type {any} */ ({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: [], total: 2 })),
    /2 planes, the layer has 1/,
  );
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
