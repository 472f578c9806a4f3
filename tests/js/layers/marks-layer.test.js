// Rows in place of tiles: what a view asks for, what covers it, how marks are drawn and found; and images deeper than tiles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TileCache } from "../../../bigviz/static/layers/tile-cache.js";
import { Ink, radiusFor, stampOf } from "../../../bigviz/static/render/marks.js";
import { RasterLayer } from "../../../bigviz/static/layers/tile-layer.js";
import { span, spanOf } from "../../../bigviz/static/geometry/span.js";
import { spreadOf, spreadPixels } from "../../../bigviz/static/render/spread.js";
import { View } from "../../../bigviz/static/geometry/view.js";
import { createCanvas } from "../canvas.js";
import { rlev } from "../frames.js";

const RAMP = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));

/** @param {{agg?: string, planes?: string[]|null, kind?: string, root?: [string, number]}} [o] */
function layerOf({ agg = "count", planes = null, kind = "float", root = ["0", 0] } = {}) {
  const info = /** @type {any} */ ({ root: { x: root, y: root }, version: 1, planes, reduction: agg, x: { kind }, y: { kind } });
  const axis = kind === "timestamp" ? "datetime" : "linear";
  const definition = /** @type {any} */ ({ dataset: "d", agg, glyph: "points", xaxis: axis, yaxis: axis });
  const style = /** @type {any} */ ({ how: "linear", lut: RAMP, low: null, high: null, dark: true });
  return new RasterLayer({ cache: new TileCache(), definition, info, style, createCanvas });
}

/** @param {number} x0 @param {number} x1 @param {number} y0 @param {number} y1 @param {number} [width] @param {number} [height] */
const viewOf = (x0, x1, y0, y1, width = 200, height = 100) => new View({ x: span(x0, x1), y: span(y0, y1), width, height });

/** @param {{x: number[], y: number[], value?: number[], number?: number[], code?: number[], window?: any, exact?: any}} o @returns {import("../../../bigviz/static/wire/rows.js").Rows} */
function rowsOf({ x, y, value = x.map(() => 1), number = x.map(() => 1), code, window = null, exact = null }) {
  return {
    n: x.length,
    matched: x.length,
    window,
    xorigin: 0n,
    yorigin: 0n,
    x: Float64Array.from(x),
    y: Float64Array.from(y),
    row: Float64Array.from(x, (_, k) => 10 + k),
    number: Uint32Array.from(number),
    code: code ? Int32Array.from(code) : null,
    value: Float64Array.from(value),
    exact,
  };
}

/** @param {RasterLayer} layer @param {View} view @param {"settle"|"compose"} [how] @returns {Uint32Array} */
function draw(layer, view, how = "settle") {
  const canvas = createCanvas(view.width, view.height);
  assert.notEqual(layer[how](canvas.context, view, 1), false);
  return canvas.pixels;
}

test("a view asks for its window until it is answered, by rows or by tiles", () => {
  const layer = layerOf();
  const view = viewOf(0.25, 0.5, 0.25, 0.5);
  const { tiles, window } = layer.missing(view);
  assert.deepEqual(window, { x0: 0.25, x1: 0.5, y0: 0.25, y1: 0.5, width: 200, height: 100 });
  assert.ok(tiles.length > 0 && !layer.complete(view));
  layer.deep.addRows(rowsOf({ x: [0.3], y: [0.3], window: [0.125, 0.625, 0.125, 0.625] }));
  assert.deepEqual(layer.missing(view), { zx: layer.level(view).zx, zy: layer.level(view).zy, tiles: [], prefetch: [], window: null });
  assert.ok(layer.complete(view) && layer.complete(viewOf(0.3, 0.30001, 0.2, 0.6)));
  assert.ok(!layer.complete(viewOf(0.1, 0.5, 0.25, 0.5)), "it leaves the rows' window");
  layer.deep.addRows(rowsOf({ x: [0.3], y: [0.3] }));
  assert.ok(layer.complete(viewOf(-5, 5, -5, 5)), "these are all rows");
  const other = layerOf();
  other.deep.tiled(/** @type {any} */ (window));
  assert.equal(other.missing(view).window, null);
  assert.equal(other.missing(viewOf(0.2, 0.6, 0.2, 0.6)).window, null, "a window around it holds more");
  assert.notEqual(other.missing(viewOf(0.3, 0.5, 0.25, 0.5)).window, null);
  assert.equal(other.missing(viewOf(2, 3, 2, 3)).window, null, "nothing of the root is shown");
});

test("a view deeper than tiles that is answered by tiles is coarse, until an image or rows come", () => {
  const layer = layerOf();
  const deep = viewOf(0.25, 0.25 + 2 ** -40, 0.25, 0.25 + 2 ** -40);
  const usual = viewOf(0.25, 0.5, 0.25, 0.5);
  assert.ok(!layer.deep.coarse(deep), "nothing has come");
  for (const view of [deep, usual]) layer.deep.tiled(layer.deep.asked(view));
  assert.ok(layer.deep.coarse(deep));
  assert.ok(!layer.deep.coarse(usual), "its cells are as large as pixels");
  assert.ok(!layer.deep.coarse(viewOf(0.25, 0.25 + 2 ** -41, 0.25, 0.25 + 2 ** -41)), "another view");
  layer.deep.addRows(rowsOf({ x: [0.25], y: [0.25] }));
  assert.ok(!layer.deep.coarse(deep));
});

test("many filled cells are many rows: no window is asked for", () => {
  const layer = layerOf();
  const view = new View({ x: span(0, 1), y: span(0, 1), width: 256, height: 256 });
  const counts = new Uint32Array(65536).fill(1, 0, 60_000);
  const plane = { codec: 3, dtype: 1, plane: 0, filled: 60_000, low: 1, high: 1, constant: new Uint8Array(8), payload: rlev(counts) };
  layer.add(/** @type {any} */ ({ key: { zx: 0, zy: 0, i: 0, j: 0 }, planes: [plane], total: 1, estimate: null }));
  assert.equal(layer.missing(view).window, null);
  assert.ok(layer.complete(view));
  const part = new View({ x: span(0, 1), y: span(0.5, 1), width: 256, height: 128 });
  assert.equal(layer.filledCells(part, 1e9), 32_768, "the upper half of the tile");
  assert.notEqual(layer.missing(part).window, null);
});

test("windows of times are whole nanoseconds, as text, within int64", () => {
  const layer = layerOf({ kind: "timestamp", root: ["0", 62] });
  const x = spanOf("1700000000000000003", "1700000000000000903", true);
  const far = spanOf("-9223372036854775808", "9223372036854775807", true);
  assert.ok(x && far);
  const view = new View({ x, y: far, width: 10, height: 10 });
  const asked = layer.deep.asked(view);
  assert.deepEqual([asked.x0, asked.x1], ["1700000000000000003", "1700000000000000903"]);
  assert.deepEqual([asked.y0, asked.y1], ["-9223372036854775807", "9223372036854775807"]);
});

test("marks are discs of their value's colour, wherever the view moves", () => {
  const layer = layerOf({ agg: "mean(v)" });
  layer.deep.addRows(rowsOf({ x: [0.25, 0.75], y: [0.5, 0.5], value: [1, 3] }));
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

test("overlapping marks combine by the layer's rule", () => {
  const ink = new Ink(20, 20);
  const both = { n: 2, px: Float64Array.of(10, 10), py: Float64Array.of(10, 10), values: [2, 4], colors: null };
  const rules = /** @type {const} */ ({ count: 6, sum: 6, mean: 3, min: 2, max: 4, any: 4, first: 2, last: 4 });
  for (const [rule, value] of Object.entries(rules)) {
    ink.clear();
    ink.draw(both, 3, /** @type {any} */ (rule));
    assert.deepEqual([...new Set(ink.cores)], [value], rule);
  }
  ink.clear();
  ink.draw({ ...both, colors: Uint32Array.of(0x0000ff, 0xff0000) }, 3, "count");
  const out = new Uint32Array(400);
  ink.paint(out, null, true);
  assert.equal(out[10 * 20 + 10] & 0xffffff, 0x800080);
  ink.wipe(out);
  assert.ok(out.every((pixel) => pixel === 0));
});

test("discs are whole, symmetric, and as large as they should be", () => {
  for (const radius of [1, 1.5, 2, 3.25, 8]) {
    const { alpha, dx, core, edge } = stampOf(radius, 0.5, 0.5);
    const area = alpha.reduce((sum, a) => sum + a / 255, 0);
    assert.ok(Math.abs(area / (Math.PI * radius * radius) - 1) < 0.15, `radius ${radius}: area ${area}`);
    assert.equal(dx.reduce((sum, d) => sum + d, 0), 0);
    assert.ok(edge <= core && core <= alpha.length && alpha.slice(0, core).every((a) => a >= 128));
  }
  assert.ok(radiusFor(1, 5e5) === 4 && radiusFor(50_000, 5e5) < 1.5 && radiusFor(1e9, 5e5) === 1);
});

test("marks beyond the screen are cut, and half on it are drawn", () => {
  const ink = new Ink(10, 10);
  const px = Float64Array.of(-100, 0, 9.9, 1e300, Number.NaN, 5);
  const py = Float64Array.of(5, 0, 9.9, 5, 5, -1);
  ink.draw({ n: 6, px, py, values: [1, 1, 1, 1, 1, 1], colors: null }, 2.5, "count");
  const out = new Uint32Array(100);
  ink.paint(out, null, false);
  assert.ok(out[0] && out[99] && out[5] && !out[55]);
});

test("the pointer finds the nearest mark", () => {
  const layer = layerOf({ agg: "by(k)", planes: ["a", "b"] });
  layer.deep.addRows(rowsOf({ x: [0.25, 0.75], y: [0.5, 0.5], code: [1, 0], number: [3, 1], value: [3, 1] }));
  const view = viewOf(0, 1, 0, 1);
  const hit = layer.deep.nearest(view, 55, 52, 20);
  assert.ok(hit);
  assert.deepEqual([hit.row, hit.number, hit.label, hit.value, hit.px, hit.py], [10, 3, "b", 3, 50, 50]);
  assert.equal(layer.deep.nearest(view, 100, 50, 20), null);
  assert.throws(() => layer.deep.addRows(rowsOf({ x: [1], y: [1], code: [2] })), /categories/);
  assert.throws(() => layer.deep.addRows(rowsOf({ x: [1], y: [1] })), /without categories/);
});

test("an image stands for its own view, pixel for pixel", () => {
  const layer = layerOf();
  const [x0, x1] = [0.5, 0.5 + 2 ** -30];
  const view = viewOf(x0, x1, x0, x1, 300, 20);
  assert.ok(layer.deep.deeper(view));
  const counts = (/** @type {number} */ cell) => Uint32Array.from({ length: 65536 }, (_, k) => +(k === cell) * 5);
  const encoded = (/** @type {number} */ cell) => ({ codec: 3, dtype: 1, plane: 0, filled: 1, low: 5, high: 5, constant: new Uint8Array(8), payload: rlev(counts(cell)) });
  const window = [x0, x1, x0, x1];
  layer.deep.addImage({ window, width: 300, height: 20, total: 1, read: 2 ** 21, planes: /** @type {any} */ ([encoded(3 * 256 + 7), encoded(0)]) });
  assert.ok(layer.complete(view));
  assert.equal(layer.deep.crowd(view), 2 ** 21, "so many rows are worth a word");
  assert.equal(layer.deep.crowd(viewOf(0, 1, 0, 1, 300, 20)), 0, "not of this view");
  assert.ok(!layer.complete(viewOf(x0, x0 + 2 ** -31, x0, x1, 300, 20)), "other pixels");
  const pixels = draw(layer, view);
  assert.deepEqual([...pixels.keys()].filter((k) => pixels[k] !== 0), [256, 3 * 300 + 7]);
  assert.equal(layer.valueAt(view, 7.5, 3.5)?.value, 5);
  assert.equal(layer.valueAt(view, 8.5, 3.5)?.value, null);
  const moved = draw(layer, viewOf(x0 + 2 ** -30 / 3, x1 + 2 ** -30 / 3, x0, x1, 300, 20), "compose");
  assert.ok(moved[156] !== 0, "moved by 100 pixels while the next one comes");
});

test("sparse pictures are spread to empty pixels, dense ones are not", () => {
  const values = new Uint32Array(100 * 100);
  for (const [at, value] of [[5050, 1], [5070, 9], [2020, 2], [0, 1]]) values[at] = value;
  const how = spreadOf(values, true, 100, 1);
  assert.ok(how && how.radius === 2);
  const out = Uint32Array.from(values, (v) => v && 0xff000000 + v);
  spreadPixels(values, 100, how, out);
  assert.ok(out[5051] === 0xff000001 && out[5150] === 0xff000001 && out[5049] === 0xff000001);
  assert.equal(out[99], 0, "not around the edge");
  assert.ok(values[5051] === 0, "the values are what they were");
  const dense = new Uint32Array(100 * 100).fill(1, 0, 5000);
  assert.equal(spreadOf(dense, true, 100, 1), null);
  assert.equal(spreadOf(new Uint32Array(100), true, 10, 1), null);
  const near = new Uint32Array(100 * 100);
  for (let k = 0; k < 1000; k++) near[4000 + k] = 1;
  assert.equal(spreadOf(near, true, 100, 1), null, "a filled band is not sparse");
});
