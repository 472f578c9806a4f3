// Bars: what they ask for, what they fill, stack and tell.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BarLayer } from "../../../../bigviz/static/layers/lines/bar-layer.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";

/** @param {{glyph?: string, planes?: string[]|null, yaxis?: string}} [o] */
function layer({ glyph = "histogram", planes = null, yaxis = "linear" } = {}) {
  return new BarLayer({
    definition: /** @type {any} */ ({ glyph, yaxis }),
    info: /** @type {any} */ ({ x: { kind: "float" }, planes }),
    limits: { columns_width: 16_384 },
    style: { color: "#123456", width: 1, opacity: 0.5 },
  });
}

/** @param {number[]} edges @param {number[][]} values of each category @param {number[][]} [rows] */
function columns(edges, values, rows = values) {
  const each = edges.length;
  const closed = (/** @type {number[][]} */ all, /** @type {number} */ last) => all.flatMap((one) => [...one, last]);
  const n = each * values.length;
  return {
    n,
    kept: 0,
    width: 100,
    xorigin: 0n,
    yorigin: 0n,
    flagged: [],
    column: Int32Array.from({ length: n }, (_, k) => k % each),
    run: Int32Array.from({ length: n }, (_, k) => Math.floor(k / each)),
    row: Float64Array.from(closed(rows, -1)),
    x: Float64Array.from(values.flatMap(() => edges)),
    y: Float64Array.from(closed(values, 0)),
    xwhole: null,
    ywhole: null,
  };
}

const view = (/** @type {number} */ low, /** @type {number} */ high, top = 10) =>
  new View({ x: span(low, high), y: span(0, top), width: 100, height: 100, limits: null, locked: false });

/** @param {BarLayer} bars @param {View} shown */
function filled(bars, shown) {
  /** @type {{color: string, rect: number[], alpha: number}[]} */ const rects = [];
  const context = /** @type {any} */ ({
    save() {},
    restore() {},
    fillRect(/** @type {number[]} */ ...rect) {
      rects.push({ color: this.fillStyle, rect, alpha: this.globalAlpha });
    },
  });
  bars.draw(context, shown);
  return rects;
}

test("bars reach from 0 to their value", () => {
  const bars = layer();
  bars.columns = columns([0, 5, 10], [[4, 10]]);
  assert.deepEqual(filled(bars, view(0, 10)), [
    { color: "#123456", rect: [1, 60, 49, 40], alpha: 0.5 },
    { color: "#123456", rect: [51, 0, 49, 100], alpha: 0.5 },
  ]);
  assert.deepEqual(bars.extent(view(0, 4)), { origin: 0n, low: 0, high: 4 });
});

test("categories are stacked, and values below 0 hang down", () => {
  const bars = layer({ planes: ["a", "b", "c"] });
  bars.columns = columns([0, 1], [[2], [-3], [4]], [[1], [1], [1]]);
  assert.deepEqual(
    bars.stack(0).map(({ low, high }) => [low, high]),
    [
      [0, 2],
      [0, -3],
      [2, 6],
    ],
  );
  assert.deepEqual(bars.extent(view(0, 1)), { origin: 0n, low: -3, high: 6 });
  assert.notEqual(bars.colorOf(0), bars.colorOf(1));
});

test("on a log axis bars stand on the view's edge, and the sum of two is the logarithm of a sum", () => {
  const bars = layer({ planes: ["a", "b"], yaxis: "log" });
  bars.columns = columns([0, 1], [[2], [2]], [[100], [100]]);
  const [first, second] = bars.stack(0);
  assert.equal(first.low, null);
  assert.ok(Math.abs(second.high - Math.log10(200)) < 1e-12);
});

test("a bin without a value is neither drawn nor told", () => {
  const bars = layer();
  bars.columns = columns([0, 1, 2], [[3, 0]], [[5, -1]]);
  assert.equal(filled(bars, view(0, 2)).length, 1);
  const hit = bars.barAt(view(0, 2), 75);
  assert.deepEqual([hit?.bin, hit?.parts[0].value, hit?.exact], [1, null, false]);
  const other = bars.barAt(view(0, 2), 25);
  assert.deepEqual(
    [other?.parts[0], other?.start.offset, other?.end.offset, other?.y],
    [{ label: null, code: 0, value: 3, rows: 5 }, 0, 1, [0, 3]],
  );
  assert.equal(bars.barAt(view(-5, 2), 5), null);
});

test("bars of labels are asked for once, those of a histogram for each view", () => {
  const [all, some] = [layer({ glyph: "bar" }), layer()];
  for (const bars of [all, some]) {
    const asked = bars.request(view(0, 1));
    assert.ok(asked);
    assert.equal(bars.covered(view(0, 1)), false);
    bars.add(/** @type {any} */ ({ columns: columns([0, 1], [[1]]), estimate: null }), asked);
    assert.equal(bars.request(view(0, 1)), null);
  }
  assert.equal(all.request(view(0, 3)), null);
  assert.ok(some.request(view(0, 3)));
  assert.equal(some.nearest(), null);
  assert.ok(some.shows(view(0, 1)) && !some.shows(view(5, 6)));
});
