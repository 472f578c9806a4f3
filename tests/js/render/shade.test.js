// Pixels against the formulas of datashader's shade, and category mixing against a plain reading of its _colorize.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Distribution } from "../../../bigviz/static/render/distribution.js";
import { Norm } from "../../../bigviz/static/render/norm.js";
import { blend, mix } from "../../../bigviz/static/render/category-mix.js";
import { GLASBEY } from "../../../bigviz/static/render/palette.js";
import { packLut, paintMixed, Shader } from "../../../bigviz/static/render/shade.js";
import { random } from "../random.js";

const RAMP = Uint8Array.from({ length: 768 }, (_, k) => [Math.floor(k / 3), 255 - Math.floor(k / 3), 7][k % 3]);

/** The place of a pixel along the ramp; null when transparent.  @param {number} pixel */
const placeOf = (pixel) => (pixel >>> 24 === 0 ? null : pixel & 255);

test("a pixel is R, G, B, A in memory", () => {
  const pixels = packLut(Uint8Array.of(1, 2, 3, 250, 251, 252));
  assert.deepEqual([...new Uint8Array(pixels.buffer)], [1, 2, 3, 255, 250, 251, 252, 255]);
});

/** @type {[string, any, boolean][]} */
const PLANES = (() => {
  const rand = random(40);
  const make = (/** @type {any} */ type, /** @type {() => number} */ draw) => type.from({ length: 5000 }, draw);
  return [
    ["uint8 counts", make(Uint8Array, () => Math.floor(rand() * 4) * 20), true],
    ["uint32 counts, some large", make(Uint32Array, () => Math.floor(rand() ** 8 * 4e6)), true],
    ["counts of 64 bits", make(Float64Array, () => Math.floor(rand() ** 8 * 1e12)), true],
    ["means", make(Float32Array, () => (rand() < 0.2 ? Number.NaN : rand() * 40 - 20)), false],
    ["sums", make(Float64Array, () => (rand() < 0.2 ? Number.NaN : Math.exp(rand() * 30))), false],
  ];
})();

/**
 * A value below the lowest visible one, if that is positive, has its colour, a quarter of it and more.
 * @param {number} low
 * @param {number} value
 * @returns {[number, number]}
 */
const divided = (low, value) => (value >= 0 && value < low ? [low, 0.25 + (0.75 * value) / low] : [value, 1]);

for (const [name, values, counts] of PLANES) {
  for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
    test(`${how} of ${name} is within half a step of the formula`, () => {
      const distribution = new Distribution(values, counts);
      const norm = new Norm(distribution, how);
      const out = new Uint32Array(values.length);
      for (const scale of [1, 0.25]) {
        new Shader(norm, RAMP).paint(values, counts, distribution.high, out, scale);
        for (let k = 0; k < values.length; k++) {
          const empty = counts ? values[k] === 0 : Number.isNaN(values[k]);
          const place = placeOf(out[k]);
          assert.equal(place === null, empty, `${values[k]}`);
          if (place === null) continue;
          const [value, alpha] = divided(distribution.low, values[k] * scale);
          assert.ok(Math.abs(place - norm.fraction(value) * 255) <= 0.5001, `${values[k]}: ${place}`);
          assert.ok(Math.abs((out[k] >>> 24) - alpha * 255) <= 0.5001, `${values[k]}: ${out[k] >>> 24}`);
        }
        if (scale !== 1) continue;
        const own = new Uint32Array(values.length);
        new Shader(norm, RAMP).paintOwn(values, counts, own);
        assert.deepEqual(own, out, "bins looked up or found again: the same");
      }
    });
  }
}

test("large numbers that differ little get different colours", () => {
  for (const first of [1.7e9, 1.7e18, 2 ** 60, 1e40]) {
    const step = 2 ** (Math.floor(Math.log2(first)) - 50);
    const values = Float64Array.from({ length: 3 }, (_, k) => first + k * step);
    for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
      const out = new Uint32Array(3);
      new Shader(new Norm(new Distribution(values, false), how), RAMP).paint(values, false, first, out);
      assert.deepEqual([placeOf(out[0]), placeOf(out[2])], [0, 255], `${how} from ${first}`);
      if (how === "linear") assert.equal(placeOf(out[1]), 128, `${first}`);
    }
  }
});

test("values beyond the clip get the end colours", () => {
  const norm = new Norm(new Distribution(Float32Array.of(0, 10), false), "linear", 2, 8);
  const out = new Uint32Array(5);
  new Shader(norm, RAMP).paint(Float32Array.of(-5, 2, 5, 8, Number.POSITIVE_INFINITY), false, 10, out);
  assert.deepEqual([...out].map(placeOf), [0, 0, 128, 255, 255]);
});

test("one value only is painted with the last colour", () => {
  for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
    const out = new Uint32Array(2);
    new Shader(new Norm(new Distribution(Float32Array.of(4, Number.NaN), false), how), RAMP).paint(
      Float32Array.of(4, Number.NaN),
      false,
      4,
      out,
    );
    assert.deepEqual([...out].map(placeOf), [255, null]);
  }
});

test("what stands in for cells that are mostly empty is the lowest one's colour, fainter", () => {
  const one = new Norm(new Distribution(Uint8Array.of(0, 1, 1), true), "eq_hist");
  const out = new Uint32Array(3);
  for (const [scale, alpha] of [
    [1, 255],
    [1 / 4, 112],
    [1 / 16, 76],
  ]) {
    new Shader(one, RAMP).paint(Uint8Array.of(0, 1, 1), true, 1, out, scale);
    assert.deepEqual([...out].map(placeOf), [null, 255, 255], "as the exact cells of one row, not the first colour");
    assert.equal(out[1] >>> 24, alpha);
  }
  const below = Float64Array.of(-8, -4, -2, 4, Number.NaN);
  const negative = new Norm(new Distribution(Float64Array.of(-4, -8), false), "linear");
  const pixels = new Uint32Array(5);
  new Shader(negative, RAMP).paint(below, false, 4, pixels, 0.5);
  assert.deepEqual([...pixels].map(placeOf), [255, 255, 255, 255, null]);
  assert.deepEqual(
    [...pixels].map((pixel) => pixel >>> 24),
    [255, 159, 112, 255, 0],
    "nearer to 0 from either side; a value of the other sign is not",
  );
});

/** Planes of a tile from short lists of counts; the cells after them are empty.  @param {any[]} lists */
function planesOf(lists) {
  return lists.map((list) => {
    const data = new list.constructor(65536);
    data.set(list);
    return {
      counts: true,
      filled: list.filter((/** @type {number} */ count) => count > 0).length,
      low: 1,
      high: Math.max(0, ...list),
      constant: Number.NaN,
      data,
      exact: null,
    };
  });
}

test("categories mix to the mean colour by count, alpha by total from 40", () => {
  const colors = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255);
  const { totals, mixed, high } = mix(
    planesOf([Uint8Array.of(0, 1, 3, 0), Uint16Array.of(0, 0, 1, 0), Float64Array.of(0, 0, 0, 9)]),
    colors,
  );
  assert.deepEqual([...totals.subarray(0, 5), high], [0, 1, 4, 9, 0, 9]);
  const out = new Uint32Array(65536);
  paintMixed(mixed, totals, true, new Norm(new Distribution(totals, true), "linear"), out);
  assert.deepEqual(
    [...new Uint8Array(out.buffer, 0, 16)],
    [0, 0, 0, 0, 255, 0, 0, 40, 191, 63, 0, Math.floor(40 + (3 / 8) * 215), 0, 0, 255, 255],
  );
});

test("mixing agrees with a plain reading on random counts", () => {
  const rand = random(41);
  const planes = Array.from({ length: 12 }, () =>
    Uint32Array.from({ length: 2000 }, () => (rand() < 0.8 ? 0 : Math.floor(rand() ** 6 * 1e6))),
  );
  const { totals, mixed } = mix(planesOf(planes), GLASBEY);
  for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
    const norm = new Norm(new Distribution(totals, true), how);
    const out = new Uint32Array(65536);
    paintMixed(mixed, totals, true, norm, out);
    const bytes = new Uint8Array(out.buffer);
    for (let k = 0; k < 2000; k++) {
      const total = planes.reduce((sum, plane) => sum + plane[k], 0);
      if (total === 0) {
        assert.equal(out[k], 0);
        continue;
      }
      for (let channel = 0; channel < 3; channel++) {
        const mean =
          planes.reduce((sum, plane, category) => sum + plane[k] * GLASBEY[3 * category + channel], 0) / total;
        assert.ok(mean - bytes[4 * k + channel] < 1.001 && bytes[4 * k + channel] - mean < 0.001);
      }
      assert.equal(bytes[4 * k + 3], Math.floor(40 + norm.fraction(total) * 215));
    }
  }
});

test("a mixture that stands in for smaller cells fades with its share of a row", () => {
  const { totals, mixed } = mix(planesOf([Uint8Array.of(0, 1, 2, 8)]), Uint8Array.of(255, 0, 0));
  const out = new Uint32Array(65536);
  paintMixed(mixed, totals, true, new Norm(new Distribution(totals, true), "linear"), out, 0.25);
  assert.deepEqual(
    [...out.subarray(0, 4)].map((pixel) => pixel >>> 24),
    [0, Math.floor(40 * (0.25 + 0.75 / 4)), Math.floor(40 * (0.25 + 0.75 / 2)), Math.floor(40 + 215 / 7)],
  );
});

test("blending weighs by counts, to the nearest", () => {
  assert.equal(blend(0x0000ff, 1, 0x00ff00, 1), 0x008080);
  assert.equal(blend(0x646464, 3, 0x646464, 9), 0x646464);
  assert.equal(blend(0xff0000, 1, 0x000000, 3), 0x400000);
});

test("more categories than colours start again with the first colour", () => {
  const { mixed } = mix(
    planesOf([new Uint8Array(1), new Uint8Array(1), Uint8Array.of(5)]),
    Uint8Array.of(9, 8, 7, 1, 2, 3),
  );
  assert.equal(mixed[0], (7 << 16) | (8 << 8) | 9);
});

test("the palette: 256 colours, the first ten far apart", () => {
  assert.equal(GLASBEY.length, 768);
  const color = (/** @type {number} */ k) => [...GLASBEY.subarray(3 * k, 3 * k + 3)];
  for (let a = 0; a < 10; a++)
    for (let b = 0; b < a; b++) assert.ok(Math.hypot(...color(a).map((v, k) => v - color(b)[k])) > 40);
});
