// Hairlines of whole numbers drawn as bands about these.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bandAt, bandsOf, drawBands } from "../../../../bigviz/static/layers/tiles/bands.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";
import { createCanvas } from "../../canvas.js";

const RED = 0xff0000ff;
const X = { x: true, y: false };

/** @param {number} lo @param {number} hi @param {number} width @param {bigint} [origin] */
const viewOf = (lo, hi, width, origin = 0n) =>
  new View({ x: span(lo, hi, origin, true), y: span(lo, hi, origin, true), width, height: width });

test("bands lie about their numbers, with a gap between, also far from 0", () => {
  for (const origin of [0n, 2n ** 62n + 1n, -(2n ** 60n)]) {
    const bands = bandsOf(viewOf(-0.5, 9.5, 200, origin), X, { x: 1 / 16, y: 1 / 16 });
    assert.ok(bands?.x && bands.y === null);
    assert.equal(bands.x.length, 10);
    for (const [k, { at, from, to }] of bands.x.entries()) {
      assert.equal(at, Math.floor(20 * (k + 0.5 + 1 / 32)), "where the cell of k is");
      assert.ok(from >= 20 * k && to <= 20 * (k + 1) && to - from === 19);
    }
    for (const [k, band] of bands.x.entries()) if (k > 0) assert.equal(band.from - bands.x[k - 1].to, 1);
  }
});

test("none where numbers are too close, cells as large, or an axis has no whole numbers", () => {
  const fine = { x: 1 / 16, y: 1 / 16 };
  assert.equal(bandsOf(viewOf(0, 100, 200), { x: true, y: true }, fine), null);
  assert.equal(bandsOf(viewOf(0, 10, 200), { x: true, y: true }, { x: 1, y: 2 }), null);
  assert.equal(bandsOf(viewOf(0, 10, 200), { x: false, y: false }, fine), null);
});

test("a hairline becomes a band, and a crossing of two a cell", () => {
  const view = viewOf(-0.5, 4.5, 50);
  for (const sides of [X, { x: false, y: true }, { x: true, y: true }]) {
    const bands = bandsOf(view, sides, { x: 1 / 8, y: 1 / 8 });
    assert.ok(bands);
    const [source, between, shown] = [0, 1, 2].map(() => createCanvas(50, 50));
    const [column, row] = [bands.x?.[3].at ?? 30, bands.y?.[1].at ?? 20];
    source.pixels[row * 50 + column] = RED;
    drawBands(shown.context, source, between, bands, 0);
    const lit = [...shown.pixels].filter((pixel) => pixel === RED).length;
    assert.equal(lit, (sides.x ? 9 : 1) * (sides.y ? 9 : 1));
    assert.equal(shown.pixels[row * 50 + column], RED);
  }
});

test("the number under a pixel, where its cell is and what its band covers", () => {
  const s = span(-0.5, 9.5, 2n ** 60n, true);
  const { fraction, bounds } = bandAt(s, 0.38, 1 / 16);
  assert.ok(Math.abs(fraction - (3.5 + 1 / 32) / 10) < 1e-12);
  assert.deepEqual(bounds, [2.5, 3.5]);
});
