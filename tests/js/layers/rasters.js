// Layers of cells over no server: their views, rows and drawing, shared by the tests of their parts.

import assert from "node:assert/strict";
import { RasterLayer } from "../../../bigviz/static/layers/raster-layer.js";
import { TileCache } from "../../../bigviz/static/layers/tiles/tile-cache.js";
import { span } from "../../../bigviz/static/geometry/span.js";
import { View } from "../../../bigviz/static/geometry/view.js";
import { createCanvas } from "../canvas.js";
import { traitsOf } from "../traits.js";

const LIMITS = { image_side: 16_384, rows: 50_000 };
const RAMP = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));

/** @param {{agg?: string, planes?: string[]|null, kind?: string, root?: [string, number]}} [o] */
export function layerOf({ agg = "count", planes = null, kind = "float", root = ["0", 0] } = {}) {
  const info = /** @type {any} */ ({
    root: { x: root, y: root },
    version: 1,
    planes,
    traits: traitsOf(agg),
    x: { kind },
    y: { kind },
  });
  const axis = kind === "timestamp" ? "datetime" : "linear";
  const definition = /** @type {any} */ ({ dataset: "d", agg, glyph: "points", xaxis: axis, yaxis: axis });
  const style = /** @type {any} */ ({ how: "linear", lut: RAMP, low: null, high: null, dark: true });
  return new RasterLayer({ cache: new TileCache(), limits: LIMITS, definition, info, style, createCanvas });
}

/**
 * @param {number} x0
 * @param {number} x1
 * @param {number} y0
 * @param {number} y1
 * @param {number} [width]
 * @param {number} [height]
 */
export const viewOf = (x0, x1, y0, y1, width = 200, height = 100) =>
  new View({ x: span(x0, x1), y: span(y0, y1), width, height });

/**
 * @param {{x: number[], y: number[], value?: number[], number?: number[], code?: number[], window?: any, exact?: any}}
 *   o
 * @returns {import("../../../bigviz/static/wire/rows.js").Rows}
 */
export function rowsOf({ x, y, value = x.map(() => 1), number = x.map(() => 1), code, window = null, exact = null }) {
  return {
    n: x.length,
    matched: x.length,
    window,
    xorigin: 0n,
    yorigin: 0n,
    x: Float64Array.from(x),
    y: Float64Array.from(y),
    xwhole: null,
    ywhole: null,
    row: Float64Array.from(x, (_, k) => 10 + k),
    number: Uint32Array.from(number),
    code: code ? Int32Array.from(code) : null,
    value: Float64Array.from(value),
    exact,
  };
}

/** @param {RasterLayer} layer @param {View} view @param {"settle"|"compose"} [how] @returns {Uint32Array} */
export function draw(layer, view, how = "settle") {
  const canvas = createCanvas(view.width, view.height);
  assert.notEqual(layer[how](canvas.context, view, 1), false);
  return canvas.pixels;
}
