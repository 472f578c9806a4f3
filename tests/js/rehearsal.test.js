// Rehearsing draws what the layer would draw, by a twin: the layer itself, its picture and its tiles stay as they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TileCache } from "../../bigviz/static/cache.js";
import { RasterLayer } from "../../bigviz/static/raster.js";
import { roundsOf } from "../../bigviz/static/rehearsal.js";
import { span } from "../../bigviz/static/span.js";
import { View } from "../../bigviz/static/view.js";
import { createCanvas } from "./canvas.js";

const LUT = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));

test("every round draws the middle of the picture, and the layer does not notice", () => {
  const cache = new TileCache();
  const info = /** @type {any} */ ({ root: { x: ["0", 0], y: ["0", 0] }, version: 1, planes: null, reduction: "count", x: { kind: "float" }, y: { kind: "float" } });
  const style = /** @type {any} */ ({ how: "linear", lut: LUT, low: null, high: null });
  const layer = new RasterLayer({ cache, definition: /** @type {any} */ ({ dataset: "d", agg: "count" }), info, style, createCanvas });
  const counts = Uint8Array.from({ length: 65536 }, (_, k) => (k * 7) % 5);
  const plane = { codec: 2, dtype: 1, plane: 0, filled: counts.filter((n) => n > 0).length, low: 1, high: 4, constant: new Uint8Array(8), payload: counts };
  layer.add(/** @type {any} */ ({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: [plane], total: 1 }));
  const view = new View({ x: span(0, 1), y: span(0, 1), width: 256, height: 256 });
  assert.ok(layer.settle(createCanvas(256, 256).context, view));
  const { picture, shader } = layer;
  const held = cache.bytes;

  const made = /** @type {ReturnType<typeof createCanvas>[]} */ ([]);
  const rounds = roundsOf(layer, view, (width, height) => {
    const canvas = createCanvas(width, height);
    made.push(canvas);
    return canvas;
  });
  assert.ok(rounds.length >= 10);
  for (const round of rounds) round();
  assert.ok(made[0].width === 128 && made[0].pixels.some((pixel) => pixel !== 0));
  assert.ok(layer.picture === picture && layer.shader === shader && cache.bytes === held);
});
