// Lines: what they ask for, what they stroke, and the row under the pointer against looking at every row.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cutSegment, LineLayer } from "../../../../bigviz/static/layers/lines/line-layer.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";
import { createCanvas } from "../../canvas.js";
import { random, whole } from "../../random.js";

const STYLE = { color: "#123456", width: 1.5 };

/** @param {string} [kind] of the x column */
const makeLayer = (kind = "float") =>
  new LineLayer({
    definition: /** @type {any} */ ({}),
    info: /** @type {any} */ ({ x: { kind } }),
    limits: { columns_width: 16_384 },
    style: STYLE,
  });

/** @param {number[]} x @param {number[]} y @param {number[]} run @param {{xorigin?: bigint, yorigin?: bigint}} [o] */
function columns(x, y, run, { xorigin = 0n, yorigin = 0n } = {}) {
  const n = x.length;
  return {
    n,
    width: 100,
    xorigin,
    yorigin,
    flagged: [],
    column: new Int32Array(n),
    run: Int32Array.from(run),
    row: Float64Array.from({ length: n }, (_, k) => 10 * k),
    x: Float64Array.from(x),
    y: Float64Array.from(y),
    xwhole: null,
    ywhole: null,
  };
}

/** @param {LineLayer} layer @param {any} data @param {View} view */
function give(layer, data, view) {
  const asked = layer.request(view);
  assert.ok(asked);
  layer.add(/** @type {any} */ ({ columns: data }), asked);
}

/** @param {LineLayer} layer @param {View} view @param {number} [dpr] @returns {any[][]} */
function calls(layer, view, dpr) {
  const canvas = createCanvas(1, 1);
  layer.draw(canvas.context, view, dpr);
  return canvas.context.calls;
}

test("a view asks once: numbers on float axes, whole nanoseconds outwards on time axes", () => {
  const layer = makeLayer();
  const view = new View({ x: span(0.25, 2.5), y: span(0, 1), width: 800, height: 600 });
  assert.deepEqual(layer.request(view), { x0: 0.25, x1: 2.5, width: 800 });
  assert.ok(!layer.complete(view));
  give(layer, columns([], [], []), view);
  assert.ok(layer.complete(view));
  assert.ok(layer.complete(view.with({ y: span(5, 6), height: 10 })), "y does not matter");
  assert.ok(!layer.complete(view.pan(1, 0)) && !layer.complete(view.with({ width: 801 })));
  const times = view.with({ x: span(-3.5, 3.5, 1_700_000_000_000_000_000n, true), width: 1e6 });
  assert.deepEqual(makeLayer("timestamp").request(times), {
    x0: "1699999999999999996",
    x1: "1700000000000000004",
    width: 16384,
  });
  const all = view.with({ x: span(-(2 ** 63), 2 ** 63 + 2 ** 60, 0n, true) });
  assert.deepEqual(makeLayer("timestamp").request(all), {
    x0: String(-(2n ** 63n) + 1n),
    x1: String(2n ** 63n - 1n),
    width: 800,
  });
});

test("rows of one run are joined, runs are apart, a row alone is a dot", () => {
  const layer = makeLayer();
  const view = new View({ x: span(0, 10), y: span(0, 10), width: 100, height: 100 });
  give(layer, columns([1, 2, 3, 5, 8, 9], [1, 2, 1, 5, 5, 6], [0, 0, 0, 1, 2, 2]), view);
  const strokes = calls(layer, view);
  assert.deepEqual(strokes.slice(0, 4), [["beginPath"], ["moveTo", 10, 90], ["lineTo", 20, 80], ["lineTo", 30, 90]]);
  assert.deepEqual(strokes.slice(4), [
    ["moveTo", 50, 50],
    ["moveTo", 49.98, 50],
    ["lineTo", 50.02, 50],
    ["moveTo", 80, 50],
    ["lineTo", 90, 40],
    ["stroke"],
  ]);
});

test("a dashed line is stroked with its dashes, its rows alone without", () => {
  const layer = makeLayer();
  layer.restyle({ ...layer.style, dash: [6, 3] });
  const view = new View({ x: span(0, 10), y: span(0, 10), width: 100, height: 100 });
  give(layer, columns([1, 2, 5], [1, 2, 5], [0, 0, 1]), view);
  assert.deepEqual(calls(layer, view, 2), [
    ["beginPath"],
    ["setLineDash", 12, 6],
    ["moveTo", 10, 90],
    ["lineTo", 20, 80],
    ["moveTo", 50, 50],
    ["stroke"],
    ["setLineDash"],
    ["beginPath"],
    ["moveTo", 49.98, 50],
    ["lineTo", 50.02, 50],
    ["stroke"],
  ]);
});

test("the rows at hand follow any view, from their own origins", () => {
  const layer = makeLayer("timestamp");
  const origin = 1_700_000_000_000_000_000n;
  const view = new View({ x: span(0, 1000, origin, true), y: span(0, 10), width: 1000, height: 100 });
  give(layer, columns([100, 200], [2, 4], [0, 0], { xorigin: origin, yorigin: 1n }), view);
  assert.deepEqual(calls(layer, view).slice(1, 3), [
    ["moveTo", 100, 70],
    ["lineTo", 200, 50],
  ]);
  const moved = view.pan(50, 10).zoom(0.5, 1, 0, 0);
  const [, [, x0], [, x1]] = calls(layer, moved);
  assert.ok(Math.abs(x0 - 300) < 1e-6 && Math.abs(x1 - 500) < 1e-6);
});

test("strokes far outside are cut before the canvas sees them", () => {
  const layer = makeLayer();
  const view = new View({ x: span(0, 1), y: span(0, 1), width: 1000, height: 1000 });
  give(layer, columns([-1e9, 0.5, 1e9, 2e9], [0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0]), view);
  const numbers = calls(layer, view).flatMap((call) => call.slice(1));
  assert.ok(numbers.length > 0 && numbers.every((value) => Math.abs(value) <= 16384));
  assert.ok(calls(layer, view).some((call) => call[0] === "lineTo" && call[1] === 500));
});

test("cutting keeps the points of a segment and leaves none outside", () => {
  const rand = random(70);
  for (let round = 0; round < 3000; round++) {
    const [ax, ay, bx, by] = Array.from({ length: 4 }, () => (rand() - 0.5) * 60);
    const cut = cutSegment(ax, ay, bx, by, 10);
    const inside = Array.from({ length: 200 }, (_, k) => [
      ax + ((bx - ax) * k) / 199,
      ay + ((by - ay) * k) / 199,
    ]).filter(([x, y]) => Math.abs(x) <= 10 && Math.abs(y) <= 10);
    if (!cut) {
      assert.equal(inside.length, 0);
      continue;
    }
    assert.ok(cut.every((value) => Math.abs(value) <= 10 + 1e-9));
    for (const [x, y] of inside)
      assert.ok(
        Math.min(cut[0], cut[2]) - 1e-9 <= x &&
          x <= Math.max(cut[0], cut[2]) + 1e-9 &&
          Math.min(cut[1], cut[3]) - 1e-9 <= y &&
          y <= Math.max(cut[1], cut[3]) + 1e-9,
      );
  }
  assert.equal(cutSegment(0, 0, Number.POSITIVE_INFINITY, 0, 10), null);
});

test("the pointer finds the nearest row: nearest pixel column, then nearest in y", () => {
  const rand = random(71);
  const layer = makeLayer();
  const view = new View({ x: span(0, 1), y: span(0, 1), width: 500, height: 300 });
  for (let round = 0; round < 200; round++) {
    const n = whole(rand, 1, 400);
    const x = Array.from({ length: n }, () => rand() * 1.2 - 0.1).sort((a, b) => a - b);
    const y = Array.from({ length: n }, rand);
    layer.asked = null;
    give(layer, columns(x, y, new Array(n).fill(0)), view);
    const [px, py] = [rand() * 500, rand() * 300];
    const across = x.map((value) => Math.abs(value * 500 - px));
    const closest = Math.min(...across);
    const away = y.map((value, k) =>
      across[k] <= closest + 1 ? Math.abs(300 - value * 300 - py) : Number.POSITIVE_INFINITY,
    );
    const hit = layer.nearest(view, px, py);
    assert.ok(hit);
    assert.equal(hit.row, 10 * away.indexOf(Math.min(...away)));
    assert.ok(Math.abs(hit.distance - Math.hypot(hit.px - px, hit.py - py)) < 1e-9);
    const near = layer.nearest(view, px, py, 8);
    assert.equal(near !== null, Math.abs(hit.px - px) <= 8 && Math.abs(hit.py - py) <= 8);
  }
  layer.columns = null;
  assert.equal(layer.nearest(view, 1, 1), null);
});

test("the extent has the line where it crosses the view's ends, not its gaps", () => {
  const layer = makeLayer();
  const view = new View({ x: span(2, 6), y: span(0, 1), width: 100, height: 100 });
  give(layer, columns([0, 4, 8], [0, 10, 50], [0, 0, 0]), view);
  assert.deepEqual(layer.extent(view), { origin: 0n, low: 5, high: 30 });
  assert.deepEqual(
    layer.extent(view.with({ x: span(5, 6) })),
    { origin: 0n, low: 20, high: 30 },
    "no row is within it",
  );
  const gaps = makeLayer();
  give(gaps, columns([0, 4, 8], [0, 10, 50], [0, 1, 2]), view);
  assert.deepEqual(gaps.extent(view), { origin: 0n, low: 10, high: 10 });
  assert.equal(gaps.extent(view.with({ x: span(5, 6) })), null);
});

test("the extent is that of the rows within the view", () => {
  const layer = makeLayer();
  const view = new View({ x: span(0, 10), y: span(0, 1), width: 100, height: 100 });
  assert.equal(layer.extent(view), null);
  give(layer, columns([-1, 0, 4, 10, 11], [99, 2, Number.NaN, -3, -99], [0, 0, 1, 2, 2], { yorigin: 5n }), view);
  assert.deepEqual(layer.extent(view), { origin: 5n, low: -3, high: 2 });
  assert.equal(layer.extent(view.with({ x: span(20, 30) })), null);
});
