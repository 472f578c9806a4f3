// Discs: how they look, and how they combine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { depthIn, Ink, radiusFor, stampOf } from "../../../bigviz/static/render/marks.js";

test("overlapping marks combine by the layer's rule", () => {
  const ink = new Ink(20, 20);
  const both = { n: 2, px: Float64Array.of(10, 10), py: Float64Array.of(10, 10), values: [2, 4], colors: null };
  const rules = /** @type {const} */ ({ count: 6, sum: 6, mean: 3, min: 2, max: 4, first: 2, last: 4 });
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
    assert.equal(
      dx.reduce((sum, d) => sum + d, 0),
      0,
    );
    assert.ok(edge <= core && core <= alpha.length && alpha.slice(0, core).every((a) => a >= 128));
  }
  assert.ok(radiusFor(1, 5e5) === 4 && radiusFor(50_000, 5e5) < 1.5 && radiusFor(1e9, 5e5) === 1);
});

test("shapes are as large as they should be, and lie about their centre", () => {
  const r = 12;
  const areas = {
    circle: Math.PI * r * r,
    square: 4 * r * r,
    diamond: 2 * 0.7 * r * r,
    triangle: Math.sqrt(3) * r * r,
    cross: 4 * r * 3.84 - 3.84 ** 2,
    x: 4 * r * 3.84 - 3.84 ** 2,
  };
  for (const [name, area] of Object.entries(areas)) {
    const shape = /** @type {keyof typeof areas} */ (name);
    const { alpha, dx, dy, core } = stampOf(r, 0.5, 0.5, false, shape);
    const drawn = alpha.reduce((sum, a) => sum + a / 255, 0);
    assert.ok(Math.abs(drawn / area - 1) < 0.08, `${name}: ${drawn} of ${area}`);
    const middle = (/** @type {Int16Array} */ d) => d.slice(0, core).reduce((sum, at) => sum + at, 0) / core;
    assert.ok(Math.abs(middle(dx)) < 0.01 && Math.abs(middle(dy)) < 0.5, name);
    assert.ok(depthIn(shape, 0, 0, r) > 0 && depthIn(shape, 0, -1.2 * r, r) < 0 && depthIn(shape, 1.1 * r, r, r) < 0);
  }
});

test("marks beyond the screen are cut, and half on it are drawn", () => {
  const ink = new Ink(10, 10);
  const px = Float64Array.of(-100, 0, 9.9, 1e300, Number.NaN, 5, -1e-17);
  const py = Float64Array.of(5, 0, 9.9, 5, 5, -1, -1e-17);
  ink.draw({ n: 7, px, py, values: [1, 1, 1, 1, 1, 1, 1], colors: null }, 2.5, "count");
  const out = new Uint32Array(100);
  ink.paint(out, null, false);
  assert.ok(out[0] && out[99] && out[5] && !out[55]);
});
