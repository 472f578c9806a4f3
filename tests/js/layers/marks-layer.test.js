// Rows drawn one by one, and the mark under the pointer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { draw, layerOf, rowsOf, viewOf } from "./rasters.js";

test("marks are discs of their value's colour, wherever the view moves", () => {
  const layer = layerOf({ agg: "mean(v)" });
  layer.addRows(rowsOf({ x: [0.25, 0.75], y: [0.5, 0.5], value: [1, 3] }));
  const pixels = draw(layer, viewOf(0, 1, 0, 1));
  assert.deepEqual([layer.norm?.low, layer.norm?.high], [1, 3]);
  const at = (/** @type {Uint32Array} */ p, /** @type {number} */ px, /** @type {number} */ py) => p[py * 200 + px];
  assert.equal(at(pixels, 50, 50), 0xff000000, "lowest value: black");
  assert.equal(at(pixels, 150, 50), 0xffffffff, "highest value: white");
  assert.equal(at(pixels, 100, 50), 0);
  const touched = pixels.filter((p) => p !== 0).length;
  assert.ok(touched > 2 * Math.PI * 3.5 ** 2 && touched < 2 * Math.PI * 5.5 ** 2, `${touched} pixels`);
  const moved = draw(layer, viewOf(0.25, 1.25, 0, 1), "compose");
  assert.equal(at(moved, 100, 50), 0xffffffff);
  assert.equal(at(moved, 0, 50), 0xff000000, "half of it is on the screen");
  const again = draw(layer, viewOf(0, 1, 0, 1));
  assert.deepEqual(again, pixels);
});

test("the pointer finds the nearest mark", () => {
  const layer = layerOf({ agg: "by(k)", planes: ["a", "b"] });
  layer.addRows(rowsOf({ x: [0.25, 0.75], y: [0.5, 0.5], code: [1, 0], number: [3, 1], value: [3, 1] }));
  const view = viewOf(0, 1, 0, 1);
  const hit = layer.nearest(view, 55, 52, 20);
  assert.ok(hit);
  assert.deepEqual([hit.row, hit.number, hit.label, hit.value, hit.px, hit.py], [10, 3, "b", 3, 50, 50]);
  assert.equal(layer.nearest(view, 100, 50, 20), null);
  assert.throws(() => layer.addRows(rowsOf({ x: [1], y: [1], code: [2] })), /categories/);
  assert.throws(() => layer.addRows(rowsOf({ x: [1], y: [1] })), /without categories/);
});
