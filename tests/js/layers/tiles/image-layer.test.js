// Images of views deeper than tiles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rlev, runs } from "../../frames.js";
import { draw, layerOf, viewOf } from "../rasters.js";

test("an image stands for its own view, pixel for pixel", () => {
  const layer = layerOf();
  const [x0, x1] = [0.5, 0.5 + 2 ** -30];
  const view = viewOf(x0, x1, x0, x1, 300, 20);
  assert.ok(layer.windows.deeper(view));
  const counts = (/** @type {number} */ cell) => Uint32Array.from({ length: 65536 }, (_, k) => +(k === cell) * 5);
  const encoded = (/** @type {number} */ cell) => ({
    codec: 3,
    dtype: 1,
    plane: 0,
    filled: 1,
    low: 5,
    high: 5,
    constant: new Uint8Array(8),
    payload: rlev(counts(cell)),
  });
  const window = [x0, x1, x0, x1];
  layer.addImage({
    window,
    width: 300,
    height: 20,
    total: 1,
    read: 2 ** 21,
    planes: /** @type {any} */ ([encoded(3 * 256 + 7), encoded(0)]),
  });
  assert.ok(layer.complete(view));
  assert.equal(layer.crowd(view), 2 ** 21, "so many rows are worth a word");
  assert.equal(layer.crowd(viewOf(0, 1, 0, 1, 300, 20)), 0, "not of this view");
  assert.ok(!layer.complete(viewOf(x0, x0 + 2 ** -31, x0, x1, 300, 20)), "other pixels");
  const pixels = draw(layer, view);
  assert.deepEqual(
    [...pixels.keys()].filter((k) => pixels[k] !== 0),
    [256, 3 * 300 + 7],
  );
  assert.equal(layer.valueAt(view, 7.5, 3.5)?.value, 5);
  assert.equal(layer.valueAt(view, 8.5, 3.5)?.value, null);
  const moved = draw(layer, viewOf(x0 + 2 ** -30 / 3, x1 + 2 ** -30 / 3, x0, x1, 300, 20), "compose");
  assert.ok(moved[156] !== 0, "moved by 100 pixels while the next one comes");
});

test("categories of another reduction than count come as values", () => {
  const layer = layerOf({ agg: "by(k, mean(v))", planes: ["a", "b"] });
  const view = viewOf(0.5, 0.5 + 2 ** -30, 0.5, 0.5 + 2 ** -30, 300, 20);
  const cells = Array.from({ length: 65536 }, (_, k) => (k === 7 ? 2.5 : null));
  const plane = (/** @type {number} */ index) => ({
    codec: 4,
    dtype: 9,
    plane: index,
    filled: 1,
    low: 2.5,
    high: 2.5,
    constant: new Uint8Array(8),
    payload: runs(cells, Float32Array),
  });
  const window = [0.5, 0.5 + 2 ** -30, 0.5, 0.5 + 2 ** -30];
  layer.addImage({ window, width: 256, height: 20, total: 2, read: 1, planes: [plane(0), plane(1)] });
  assert.deepEqual(
    layer.image.image?.blocks[0][0].planes.map(({ data }) => data?.[7]),
    [2.5, 2.5],
  );
  assert.ok(draw(layer, view.with({ width: 256 })).some((pixel) => pixel !== 0));
});
