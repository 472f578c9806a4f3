// Resampling against a pixel-by-pixel reading of its rule.

import assert from "node:assert/strict";
import { test } from "node:test";
import { levelSums, mapAxis, MixtureResampler, Resampler } from "../../../bigviz/static/render/resample.js";
import { random, whole } from "../random.js";

/** Cells of each pixel, by the rule: those whose centres lie in it, else the one that holds its centre.
 * @param {number} edge @param {number} size @param {number} tiles @param {number} pixels @returns {number[][]} */
function slowMap(edge, size, tiles, pixels) {
  const cell = size / 256;
  const out = Array.from({ length: pixels }, () => /** @type {number[]} */ ([]));
  for (let c = 0; c < 256 * tiles; c++) out[Math.floor(edge + (c + 0.5) * cell)]?.push(c);
  out.forEach((cells, pixel) => {
    const nearest = Math.floor((pixel + 0.5 - edge) / cell);
    if (cells.length === 0 && nearest >= 0 && nearest < 256 * tiles) cells.push(nearest);
  });
  return out;
}

/** @param {() => number} rand @returns {[number, number, number, number]} edge, size of a tile, tiles, pixels */
function randomAxis(rand) {
  const tiles = whole(rand, 1, 4);
  const size = 256 * 2 ** (rand() * 5 - 2.5);
  const pixels = whole(rand, 1, 300);
  return [
    -rand() * Math.max(0, tiles * size - pixels * rand()) + (rand() < 0.3 ? rand() * 40 : 0),
    size,
    tiles,
    pixels,
  ];
}

test("the pairs of an axis are its rule", () => {
  const rand = random(50);
  for (let round = 0; round < 500; round++) {
    const axis = randomAxis(rand);
    const map = mapAxis(...axis);
    const seen = Array.from({ length: axis[3] }, () => /** @type {number[]} */ ([]));
    for (let tile = 0; tile < axis[2]; tile++) {
      for (let p = map.starts[tile]; p < map.starts[tile + 1]; p++) seen[map.pixels[p]].push(256 * tile + map.cells[p]);
    }
    const want = slowMap(...axis);
    assert.deepEqual(seen, want);
    assert.deepEqual(
      [...map.counts],
      want.map((cells) => cells.length),
    );
  }
});

test("a view deep inside one cell shows that cell everywhere", () => {
  const map = mapAxis(-1e14 - 0.5e12, 256e12, 1, 800);
  assert.equal(map.cells.length, 800);
  assert.ok(map.cells.every((cell) => cell === 100));
});

test("at one cell a pixel every cell has its pixel", () => {
  const map = mapAxis(-37, 256, 3, 500);
  assert.deepEqual([...map.counts], new Array(500).fill(1));
  assert.deepEqual([...map.cells.subarray(0, 3)], [37, 38, 39]);
});

const RULES = /** @type {const} */ (["count", "sum", "mean", "min", "max", "first", "last"]);

/** @param {typeof RULES[number]} rule @param {number[]} values non-empty, in row order */
function combine(rule, values) {
  if (values.length === 0) return rule === "count" ? 0 : Number.NaN;
  const sum = values.reduce((a, b) => a + b);
  return {
    count: sum,
    sum,
    mean: sum / values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    first: values[0],
    last: values[values.length - 1],
  }[rule];
}

for (const rule of RULES) {
  test(`${rule}: each pixel combines its cells`, () => {
    const rand = random(51);
    for (let round = 0; round < 6; round++) {
      const [ax, ay] = [randomAxis(rand), randomAxis(rand)];
      const counts = rule === "count";
      const planes = Array.from({ length: ax[2] * ay[2] }, (_, k) => {
        if (k % 5 === 3)
          return {
            counts,
            filled: 0,
            low: Number.NaN,
            high: Number.NaN,
            constant: Number.NaN,
            data: null,
            exact: null,
          };
        if (k % 5 === 4) return { counts, filled: 65536, low: 3, high: 3, constant: 3, data: null, exact: null };
        const data = counts
          ? new [Uint8Array, Uint16Array, Uint32Array][k % 3](65536)
          : new Float64Array(65536).fill(Number.NaN);
        for (let n = 0; n < 30_000; n++)
          data[whole(rand, 0, 65535)] = counts ? whole(rand, 1, 200) : Math.round(rand() * 1000) / 8 - 50;
        return { counts, filled: 1, low: 1, high: 200, constant: Number.NaN, data, exact: null };
      });
      const size = ax[3] * ay[3];
      const out = counts ? new Uint32Array(size) : new Float64Array(size).fill(Number.NaN);
      const resampler = new Resampler(mapAxis(...ax), mapAxis(...ay), rule, out);
      for (let j = 0; j < ay[2]; j++) for (let i = 0; i < ax[2]; i++) resampler.add(planes[j * ax[2] + i], i, j);
      resampler.finish();
      const [columns, rows] = [slowMap(...ax), slowMap(...ay)];
      const at = (/** @type {number} */ c, /** @type {number} */ r) => {
        const { data, filled, constant } = planes[Math.floor(r / 256) * ax[2] + Math.floor(c / 256)];
        return data ? data[(r % 256) * 256 + (c % 256)] : filled ? constant : counts ? 0 : Number.NaN;
      };
      for (let py = 0; py < ay[3]; py++) {
        for (let px = 0; px < ax[3]; px++) {
          const values = rows[py]
            .flatMap((r) => columns[px].map((c) => at(c, r)))
            .filter((value) => !(counts ? value === 0 : Number.isNaN(value)));
          const [got, want] = [out[py * ax[3] + px], combine(rule, values)];
          if (!Object.is(got, want) && !(Math.abs(got - want) < 1e-9)) assert.equal(got, want, `pixel ${px},${py}`);
        }
      }
    }
  });
}

test("mixed values: a pixel averages the totals of its cells, or adds them up as sums", () => {
  const one = (/** @type {[number, number][]} */ ...cells) => {
    const totals = new Float64Array(65536).fill(Number.NaN);
    const mixed = new Uint32Array(65536);
    for (const [at, total] of cells) [totals[at], mixed[at]] = [total, 0x0000ff + at];
    return { counts: false, totals, mixed, high: 0, colors: new Uint8Array(3) };
  };
  const map = mapAxis(0, 128, 1, 128);
  const means = new MixtureResampler(map, map, false);
  means.add(one([0, -3], [1, 1], [2, 0], [600, 1e300]), 0, 0);
  means.finish({ x: 1, y: 1 });
  assert.deepEqual([...means.totals.subarray(0, 3)], [-1, 0, Number.NaN]);
  assert.equal(means.totals[128 + 44], 1e300);
  assert.deepEqual([...means.mixed.subarray(0, 3)], [0x000180, 0x000101, 0]);
  const sums = new MixtureResampler(map, map, true);
  sums.add(one([0, -3], [1, 1], [2, 0]), 0, 0);
  sums.finish({ x: 1, y: 1 });
  assert.deepEqual([...sums.totals.subarray(0, 3)], [-0.5, 0, Number.NaN], "to the scale of a cell");
});

test("sums of unlike numbers of cells come to one scale; a lone row stays 1", () => {
  const [x, y] = [mapAxis(0, 256 / 1.25, 2, 300), mapAxis(0, 256 * 1.2, 2, 200)];
  const uniform = new Uint32Array(300 * 200);
  for (let row = 0; row < 200; row++)
    for (let column = 0; column < 300; column++) uniform[row * 300 + column] = 7 * x.counts[column] * y.counts[row];
  levelSums(uniform, x, y, { x: 1, y: 1 }, true);
  assert.ok(
    uniform.every((value) => value === 7),
    "an even plane stays even",
  );
  const lone = new Uint32Array(300 * 200);
  lone[5] = 1;
  levelSums(lone, x, y, { x: 1, y: 1 }, true);
  assert.equal(lone[5], 1);
  const sums = Float64Array.from(
    uniform,
    (value, k) => -1.5 * x.counts[k % 300] * y.counts[Math.floor(k / 300)] * (value ? 1 : 0),
  );
  levelSums(sums, x, y, { x: 1, y: 1 }, false);
  assert.ok(sums.every((value) => Math.abs(value + 1.5) < 1e-12));
});

test("where level 0 is too fine, a pixel shows its nominal number of cells", () => {
  const x = mapAxis(0, 256 / 4, 1, 64);
  const y = mapAxis(0, 256 / 2, 1, 128);
  const out = new Uint32Array(64 * 128).fill(8);
  levelSums(out, x, y, { x: 4, y: 2 }, true);
  assert.ok(out.every((value) => value === 8));
});

test("a view much wider than the root counts no more rows than there are", () => {
  const x = mapAxis(0, 256, 1, 256);
  const y = mapAxis(99.3, 0.4, 1, 200);
  const out = new Uint32Array(256 * 200);
  out.fill(5, 99 * 256, 100 * 256);
  levelSums(out, x, y, { x: 1, y: 2 ** 50 }, true);
  assert.ok(out.every((value, k) => value === (k >> 8 === 99 ? 5 : 0)));
});

test("every pixel comes to one scale by the number of its cells", () => {
  const rand = random(51);
  for (let round = 0; round < 200; round++) {
    const [x, y] = [mapAxis(...randomAxis(rand)), mapAxis(...randomAxis(rand))];
    const nominal = { x: 2 ** whole(rand, 0, 5), y: 2 ** whole(rand, 0, 5) };
    const counts = rand() < 0.5;
    const size = x.counts.length * y.counts.length;
    const make = () => (rand() < 0.5 ? 0 : counts ? whole(rand, 1, 2 ** whole(rand, 1, 32) - 1) : rand() - 0.5);
    const sums = (counts && rand() < 0.5 ? Uint32Array : Float64Array).from({ length: size }, make);
    const wanted = sums.map((sum, at) => {
      const [across, up] = [x.counts[at % x.counts.length], y.counts[Math.floor(at / x.counts.length)]];
      const cells = (nominal.x < 16 ? across / nominal.x : 1) * (nominal.y < 16 ? up / nominal.y : 1);
      const isSeveral = x.counts.some((count) => count > 1) || y.counts.some((count) => count > 1);
      if (cells === 0 || !isSeveral) return sum;
      return counts ? Math.ceil(sum / cells) : sum / cells;
    });
    levelSums(sums, x, y, nominal, counts);
    assert.deepEqual(sums, wanted);
  }
});

test("counts add up to the last below 2^32", () => {
  const plane = (/** @type {number} */ constant) => ({
    counts: true,
    filled: 65536,
    low: constant,
    high: constant,
    constant,
    data: null,
    exact: null,
  });
  const [x, y] = [mapAxis(0, 128, 2, 256), mapAxis(0, 256, 1, 256)]; // two cells a pixel across
  const resampler = new Resampler(x, y, "count", new Uint32Array(65536));
  resampler.add(plane(2 ** 31 - 1), 0, 0);
  resampler.add(plane(1), 1, 0);
  const out = resampler.finish();
  assert.deepEqual([out[0], out[127], out[128], out[255]], [2 ** 32 - 2, 2 ** 32 - 2, 2, 2]);
});
