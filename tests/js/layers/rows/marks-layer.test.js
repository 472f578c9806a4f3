// Rows drawn one by one, and the mark under the pointer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";
import { draw, layerOf, rowsOf, viewOf } from "../rasters.js";

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

const ACCENT = 0xc45f1d;

/** @param {object} o */
function sparseLayer(o) {
  const layer = layerOf(o);
  layer.restyle({ ...layer.marks.style, sparse: { accent: ACCENT, dark: false } });
  return layer;
}

test("few rows without values have one colour, deeper where they overlap", () => {
  const layer = sparseLayer({});
  layer.addRows(rowsOf({ x: [0.25, 0.75, 0.75], y: [0.5, 0.5, 0.5], number: [1, 1, 1] }));
  const view = viewOf(0, 1, 0, 1);
  const pixels = draw(layer, view);
  assert.ok(layer.isSparse(view) && layer.isPlain(view) && layer.isAlwaysPlain);
  assert.ok(pixels.every((p) => p === 0 || (p & 0xffffff) === ACCENT));
  const opacity = (/** @type {number} */ px) => pixels[50 * 200 + px] >>> 24;
  assert.ok(opacity(50) > 150 && opacity(150) > opacity(50) && opacity(150) < 255);
  const moved = viewOf(0.1, 1.1, 0, 1);
  assert.ok(layer.isPlain(moved));
});

test("rows with a colour or a size of their own are plain however many they are here", () => {
  const view = viewOf(0, 1, 0, 1);
  const styled = (/** @type {object} */ o) => {
    const layer = sparseLayer(o);
    const marks = { isPlain: true, size: 6, opacity: 0.5, shape: /** @type {const} */ ("square") };
    layer.restyle({ ...layer.marks.style, marks });
    return layer;
  };
  const layer = styled({});
  const many = Array.from({ length: 7000 }, (_, k) => k / 7000);
  layer.info.rows_kept = 50_001;
  layer.addRows(rowsOf({ x: many, y: many }));
  assert.ok(!layer.isAlwaysPlain, "other views may hold more");
  layer.info.rows_kept = 50_000;
  assert.ok(layer.isSparse(view) && layer.isPlain(view) && layer.isAlwaysPlain);
  layer.addRows(rowsOf({ x: [0.25, 0.75, 0.75], y: [0.5, 0.5, 0.5] }));
  const pixels = draw(layer, view);
  assert.ok(pixels.every((p) => p === 0 || (p & 0xffffff) === ACCENT));
  const row = [...pixels.slice(50 * 200 + 40, 50 * 200 + 60)].map((p) => (p >>> 24 > 60 ? 1 : 0));
  assert.equal(
    row.reduce((sum, on) => sum + on, 0),
    6,
    "6 pixels wide",
  );
  const valued = styled({ agg: "mean(v)" });
  valued.addRows(rowsOf({ x: [0.25, 0.75], y: [0.5, 0.5], value: [1, 3] }));
  const colours = draw(valued, view);
  assert.deepEqual(
    [50, 150].map((x) => colours[50 * 200 + x]),
    [0x80000000, 0x80ffffff],
    "a value keeps its colour",
  );
});

test("marks with a size stand alone where a table's cells would", () => {
  const layer = sparseLayer({ kind: "integer", root: ["0", 2] });
  const marks = { isPlain: true, size: 4, opacity: 1, shape: /** @type {const} */ ("circle") };
  layer.restyle({ ...layer.marks.style, marks });
  layer.addRows(rowsOf({ x: [0, 1, 0, 1], y: [0, 0, 1, 1] }));
  const view = new View({ x: span(-0.5, 1.5, 0n, true), y: span(-0.5, 1.5, 0n, true), width: 60, height: 60 });
  assert.ok(draw(layer, view).filter((p) => p !== 0).length < 4 * 40);
});

test("values and categories keep their colours; crowds are density", () => {
  const view = viewOf(0, 1, 0, 1);
  const valued = sparseLayer({ agg: "mean(v)" });
  valued.addRows(rowsOf({ x: [0.25], y: [0.5] }));
  assert.ok(valued.isSparse(view) && !valued.isPlain(view) && !valued.isAlwaysPlain);
  const crowd = sparseLayer({});
  const many = Array.from({ length: 7000 }, (_, k) => k / 7000);
  crowd.addRows(rowsOf({ x: many, y: many }));
  assert.ok(!crowd.isSparse(view) && crowd.isSparse(viewOf(0, 0.5, 0, 1)), "half of it is few");
  crowd.addRows(rowsOf({ x: many, y: many, window: [0, 1, 0, 1] }));
  assert.ok(!crowd.isSparse(viewOf(-1, 1, 0, 1)), "not all of the view's rows are here");
});

test("marks that stand for many rows each are coloured by their counts, also where they are few", () => {
  const view = viewOf(0, 1, 0, 1);
  const at = { x: [0.25, 0.75], y: [0.5, 0.5] };
  const stations = sparseLayer({});
  stations.addRows(rowsOf({ ...at, number: [90, 4000], value: [90, 4000] }));
  const pixels = draw(stations, view);
  assert.ok(!stations.isSparse(view) && !stations.isPlain(view) && !stations.isAlwaysPlain);
  assert.notEqual(pixels[50 * 200 + 50], pixels[50 * 200 + 150]);
  const many = Array.from({ length: 100 }, (_, k) => (k + 0.5) / 100);
  const pairs = many.map((_, k) => (k < 5 ? 2 : 1));
  const few = sparseLayer({});
  few.addRows(rowsOf({ x: many, y: many, number: pairs, value: pairs }));
  assert.ok(few.isPlain(view), "a pair here and there is told under the pointer alone");
});

test("a table's cells are rectangles: plain where each is one row, by their counts on a plate else", () => {
  const x = [0, 1, 2, 0, 1, 2];
  const y = [0, 0, 0, 1, 1, 1];
  const view = new View({ x: span(-0.5, 2.5, 0n, true), y: span(-0.5, 1.5, 0n, true), width: 60, height: 40 });
  const single = sparseLayer({ kind: "integer", root: ["0", 2] });
  single.addRows(rowsOf({ x, y }));
  const pixels = draw(single, view);
  assert.ok(single.isPlain(view));
  assert.equal(pixels.filter((p) => p !== 0).length, 6 * 19 * 19, "a pixel between neighbours");
  const counted = sparseLayer({ kind: "integer", root: ["0", 2] });
  counted.addRows(rowsOf({ x, y, number: [1, 2, 3, 4, 5, 6], value: [1, 2, 3, 4, 5, 6] }));
  const shaded = draw(counted, view);
  assert.ok(!counted.isSparse(view) && !counted.isAlwaysPlain);
  assert.equal(new Set(shaded.filter((p) => p !== 0)).size, 6);
  const hit = counted.nearest(view, 49, 1, 5);
  assert.deepEqual([hit?.number, hit?.px, hit?.py], [6, 50, 10], "all of a cell tells it");
});

test("marks of whole numbers beyond 2^53 that differ by 1 have two colours, and their values are exact", () => {
  const [low, high] = [2n ** 62n, 2n ** 62n + 1n];
  const layer = layerOf({ agg: "first(n)" });
  const exact = BigInt64Array.of(low, high);
  layer.addRows(rowsOf({ x: [0.25, 0.75], y: [0.5, 0.5], value: [2 ** 62, 2 ** 62], exact }));
  const view = viewOf(0, 1, 0, 1);
  const pixels = draw(layer, view);
  const colors = [50, 150].map((px) => pixels[50 * view.width + px] & 255);
  assert.deepEqual(colors, [0, 255]);
  assert.deepEqual(layer.norm?.ends, [low, high]);
  assert.equal(layer.nearest(view, 150, 50, 5)?.value, high);
});
