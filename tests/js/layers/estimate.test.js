// Estimates: what they are of together, in words, and that they take no exact tile's place.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TileCache } from "../../../bigviz/static/layers/tiles/tile-cache.js";
import { sumEstimates, tileEstimate } from "../../../bigviz/static/layers/estimate.js";

const plane = (/** @type {any} */ o) => ({
  counts: false,
  filled: 0,
  low: 0,
  high: 0,
  constant: Number.NaN,
  data: null,
  exact: null,
  ...o,
});
const estimate = (/** @type {any} */ o = {}) => ({ share: 0.1, error: 1, start: false, ...o });

test("a tile's estimate knows its filled cells and the sum of their sizes", () => {
  const values = plane({ filled: 2, data: Float32Array.of(Number.NaN, -2, 3) });
  assert.deepEqual(tileEstimate(estimate(), [values, plane({ filled: 4, constant: 5 }), plane({})]), {
    ...estimate(),
    filled: 6,
    size: 25,
  });
});

test("tiles together: the least share, errors over all cells, relative to a usual value", () => {
  const tiles = [
    { ...estimate({ share: 0.2, error: 3 }), filled: 1, size: 10 },
    { ...estimate({ share: 0.1, error: 4 }), filled: 1, size: 30 },
    { ...estimate({ error: null, start: true }), filled: 0, size: 0 },
  ];
  assert.deepEqual(sumEstimates(tiles), {
    share: 0.1,
    start: true,
    error: Math.sqrt(12.5),
    relative: Math.sqrt(12.5) / 20,
  });
  assert.equal(sumEstimates([]), null);
  assert.deepEqual(sumEstimates([tiles[2]]), { share: 0.1, start: true, error: null, relative: null });
});

test("an estimate takes no exact tile's place, and each set of roots has tiles of its own", () => {
  const definition = {
    dataset: "d",
    glyph: "points",
    x: "x",
    y: "y",
    agg: "count",
    xaxis: "linear",
    yaxis: "linear",
    root: "default",
  };
  const cache = new TileCache();
  /** @type {import("../../../bigviz/static/wire/frames.js").LayerInfo["root"]} */ const roots = {
    x: ["-1", 1],
    y: ["-1", 1],
  };
  const tiles = cache.set(definition, 1, roots);
  const key = { zx: 0, zy: 0, i: 0, j: 0 };
  const rough = { ...estimate(), filled: 1, size: 1 };
  tiles.put(key, [plane({})], rough);
  assert.deepEqual(tiles.peek(key)?.estimate, rough);
  tiles.put(key, [plane({ filled: 1, constant: 7 })]);
  tiles.put(key, [plane({})], rough);
  assert.equal(tiles.peek(key)?.estimate, null);
  assert.equal(cache.set(definition, 1, { x: ["-2", 2], y: ["-1", 1] }).peek(key), undefined);
  assert.equal(cache.set(definition, 1, { x: ["-1", 1], y: ["-1", 1] }), tiles);
});
