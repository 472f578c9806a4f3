// What a layer of cells asks for, and whether rows, an image or tiles answer a view.

import assert from "node:assert/strict";
import { test } from "node:test";
import { View } from "../../../bigviz/static/geometry/view.js";
import { span } from "../../../bigviz/static/geometry/span.js";
import { rlev } from "../frames.js";
import { layerOf, rowsOf, viewOf } from "./rasters.js";

test("a view asks for its window until it is answered, by rows or by tiles", () => {
  const layer = layerOf();
  const view = viewOf(0.25, 0.5, 0.25, 0.5);
  const { tiles, window } = layer.missing(view);
  assert.deepEqual(window, { x0: 0.25, x1: 0.5, y0: 0.25, y1: 0.5, width: 200, height: 100 });
  assert.ok(tiles.length > 0 && !layer.complete(view));
  layer.addRows(rowsOf({ x: [0.3], y: [0.3], window: [0.125, 0.625, 0.125, 0.625] }));
  assert.deepEqual(layer.missing(view), {
    zx: layer.grid.level(view).zx,
    zy: layer.grid.level(view).zy,
    tiles: [],
    prefetch: [],
    window: null,
  });
  assert.ok(layer.complete(view) && layer.complete(viewOf(0.3, 0.30001, 0.2, 0.6)));
  assert.ok(!layer.complete(viewOf(0.1, 0.5, 0.25, 0.5)), "it leaves the rows' window");
  layer.addRows(rowsOf({ x: [0.3], y: [0.3] }));
  assert.ok(layer.complete(viewOf(-5, 5, -5, 5)), "these are all rows");
  const other = layerOf();
  other.tiled(/** @type {any} */ (window));
  assert.equal(other.missing(view).window, null);
  assert.equal(other.missing(viewOf(0.2, 0.6, 0.2, 0.6)).window, null, "a window around it holds more");
  assert.notEqual(other.missing(viewOf(0.3, 0.5, 0.25, 0.5)).window, null);
  assert.equal(other.missing(viewOf(2, 3, 2, 3)).window, null, "nothing of the root is shown");
});

test("a view deeper than tiles that is answered by tiles is coarse, until an image or rows come", () => {
  const layer = layerOf();
  const deep = viewOf(0.25, 0.25 + 2 ** -40, 0.25, 0.25 + 2 ** -40);
  const usual = viewOf(0.25, 0.5, 0.25, 0.5);
  assert.ok(!layer.coarse(deep), "nothing has come");
  for (const view of [deep, usual]) layer.tiled(layer.windows.asked(view));
  assert.ok(layer.coarse(deep));
  assert.ok(!layer.coarse(usual), "its cells are as large as pixels");
  assert.ok(!layer.coarse(viewOf(0.25, 0.25 + 2 ** -41, 0.25, 0.25 + 2 ** -41)), "another view");
  layer.addRows(rowsOf({ x: [0.25], y: [0.25] }));
  assert.ok(!layer.coarse(deep));
});

test("many filled cells are many rows: no window is requested", () => {
  const layer = layerOf();
  const view = new View({ x: span(0, 1), y: span(0, 1), width: 256, height: 256 });
  const counts = new Uint32Array(65536).fill(1, 0, 60_000);
  const plane = {
    codec: 3,
    dtype: 1,
    plane: 0,
    filled: 60_000,
    low: 1,
    high: 1,
    constant: new Uint8Array(8),
    payload: rlev(counts),
  };
  layer.add(/** @type {any} */ ({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: [plane], total: 1, estimate: null }));
  assert.equal(layer.missing(view).window, null);
  assert.ok(layer.complete(view));
  const part = new View({ x: span(0, 1), y: span(0.5, 1), width: 256, height: 128 });
  assert.equal(layer.tiles.filledCells(part, 1e9), 32_768, "the upper half of the tile");
  assert.notEqual(layer.missing(part).window, null);
});
