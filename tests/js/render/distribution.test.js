// The distribution against sorting, normalisation against its formulas, and the inverse against both.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Distribution } from "../../../bigviz/static/render/distribution.js";
import { Norm } from "../../../bigviz/static/render/norm.js";
import { random } from "../random.js";

/** @param {number[]} values @param {boolean} counts */
const visible = (values, counts) =>
  values.filter((value) => Number.isFinite(value) && !(counts && value === 0)).sort((a, b) => a - b);

/**
 * Fraction of the lowest of up to 65,535 counts: datashader's rescale_discrete_levels, as it writes it.
 * @param {number[]} sorted
 */
function liftOf(sorted) {
  const levels = new Set(sorted).size;
  const least = sorted.filter((value) => value === sorted[0]).length / sorted.length;
  const multiple = (-0.5 / 98) * levels + 1.5 + 1 / 98;
  const span = multiple > 1 ? Math.max(1 - multiple * (1 - least), 0) : least;
  return (least - span) / (1 - span || 1);
}

/** Share of eq_hist by sorting: values above the lowest up to v.  @param {number[]} sorted @param {number} v */
function shareOf(sorted, v) {
  const upTo = (/** @type {number} */ x) => sorted.findLastIndex((value) => value <= x) + 1;
  const lowest = upTo(sorted[0]);
  return lowest === sorted.length ? 1 : (upTo(v) - lowest) / (sorted.length - lowest);
}

/** Random values of several kinds: [name, values, counts, tolerance of the share].
 * @returns {[string, any, boolean, number][]} */
function samples() {
  const rand = random(30);
  const make = (/** @type {any} */ type, /** @type {() => number} */ draw, n = 20_000) =>
    type.from({ length: n }, draw);
  const normal = () => Math.sqrt(-2 * Math.log(1 - rand())) * Math.cos(2 * Math.PI * rand());
  return [
    ["few counts", make(Uint8Array, () => Math.floor(rand() * 5)), true, 0],
    ["counts", make(Uint16Array, () => (rand() < 0.6 ? 0 : Math.floor(1 / (rand() + 1e-4)))), true, 0],
    ["counts up to 65,535", make(Uint32Array, () => Math.floor(rand() ** 3 * 65536)), true, 0],
    ["large counts", make(Uint32Array, () => Math.floor(2 ** (rand() * 32))), true, 0.002],
    ["counts of 64 bits", make(Float64Array, () => Math.floor(2 ** (rand() * 60))), true, 0.002],
    ["means", make(Float32Array, () => (rand() < 0.3 ? Number.NaN : 12 + 3 * normal())), false, 0.002],
    ["means round 0", make(Float32Array, () => (rand() < 0.3 ? Number.NaN : normal())), false, 0.002],
    ["lognormal", make(Float64Array, () => Math.exp(5 * normal())), false, 0.002],
    ["negative", make(Float64Array, () => -Math.exp(normal())), false, 0.002],
    ["times that differ little", make(Float64Array, () => 1.7e18 + Math.floor(rand() * 1e12)), false, 0.002],
    ["huge", make(Float64Array, () => 1e300 * rand()), false, 0.002],
    ["tiny", make(Float64Array, () => 1e-290 * normal()), false, 0.002],
    [
      "infinite ones among them",
      make(Float64Array, () =>
        rand() < 0.1 ? Number.POSITIVE_INFINITY : rand() < 0.1 ? Number.NEGATIVE_INFINITY : normal() ** 2,
      ),
      false,
      0.002,
    ],
  ];
}

for (const [name, values, counts, tolerance] of samples()) {
  test(`eq_hist of ${name} is the sorted rank`, () => {
    const sorted = visible([...values], counts);
    const distribution = new Distribution(values, counts);
    assert.equal(distribution.cells, sorted.length);
    assert.deepEqual([distribution.low, distribution.high], [sorted[0], sorted[sorted.length - 1]]);
    assert.equal(
      distribution.bins.reduce((a, b) => a + b),
      sorted.length,
    );
    const norm = new Norm(distribution, "eq_hist");
    const lift = tolerance === 0 ? liftOf(sorted) : 0;
    let last = 0;
    for (let k = 0; k < sorted.length; k += 97) {
      const got = norm.fraction(sorted[k]);
      const share = lift + (1 - lift) * shareOf(sorted, sorted[k]);
      assert.ok(Math.abs(got - share) <= tolerance + 1e-6, `${sorted[k]}: ${got}, by sorting ${share}`);
      assert.ok(got >= last, "grows with the value");
      last = got;
    }
    assert.ok(Math.abs(norm.fraction(sorted[0]) - lift) <= 1e-6);
    assert.equal(norm.fraction(sorted[sorted.length - 1]), 1);
  });

  test(`percentiles of ${name} are nearest ranks`, () => {
    const sorted = visible([...values], counts);
    const distribution = new Distribution(values, counts);
    assert.deepEqual(
      [distribution.percentile(0), distribution.percentile(100)],
      [sorted[0], sorted[sorted.length - 1]],
    );
    for (const percent of [1, 10, 50, 90, 99]) {
      const got = distribution.percentile(percent);
      const share = (/** @type {(value: number) => boolean} */ test) => sorted.filter(test).length / sorted.length;
      if (tolerance === 0) assert.equal(got, sorted[Math.ceil((percent / 100) * sorted.length) - 1]);
      assert.ok(
        share((value) => value < got) <= percent / 100 + tolerance &&
          share((value) => value <= got) >= percent / 100 - tolerance,
        `${percent} %: ${got}`,
      );
    }
  });

  test(`the colour bar of ${name} inverts to its values`, () => {
    const distribution = new Distribution(values, counts);
    for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
      const norm = new Norm(distribution, how);
      for (let t = 0; t <= 1; t += 1 / 16) {
        const value = norm.value(t);
        assert.ok(value >= norm.low && value <= norm.high);
        const back = norm.fraction(value);
        const ulp = Math.abs(value) * 2 ** -52;
        const blur = norm.fraction(value + ulp) - norm.fraction(value - ulp);
        if (how !== "eq_hist") assert.ok(Math.abs(back - t) <= 1e-6 + blur, `${how} ${t} -> ${value} -> ${back}`);
        else assert.ok(back >= t - 0.003, `${t} -> ${value} -> ${back}`);
      }
    }
  });
}

test("the formulas are datashader's", () => {
  const norm = (/** @type {any} */ how) => new Norm(new Distribution(Uint8Array.of(0, 2, 10, 66), true), how);
  assert.equal(norm("linear").fraction(34), 0.5);
  assert.equal(norm("log").fraction(10), Math.log1p(8) / Math.log1p(64));
  assert.ok(Math.abs(norm("cbrt").fraction(10) - 0.5) < 1e-12);
  const third = 1 - 1 / (1.5 - 0.5 / 98); // three levels: the lowest holds a third of the cells
  assert.ok(Math.abs(norm("eq_hist").fraction(10) - (third + (1 - third) / 2)) < 1e-6);
  assert.ok(Math.abs(norm("eq_hist").fraction(2) - third) < 1e-6);
});

test("clipping: by value, by percentile, and cut beyond", () => {
  const distribution = new Distribution(
    Uint16Array.from({ length: 1001 }, (_, k) => k),
    true,
  );
  const norm = new Norm(distribution, "linear", 100, { percentile: 90 });
  assert.deepEqual([norm.low, norm.high], [100, 900]);
  assert.deepEqual([norm.fraction(50), norm.fraction(500), norm.fraction(950)], [0, 0.5, 1]);
  const equal = new Norm(distribution, "eq_hist", 100, 900);
  assert.ok(Math.abs(equal.fraction(500) - 0.5) < 1e-6);
  assert.deepEqual([equal.fraction(50), equal.fraction(950)], [0, 1]);
  const crossed = new Norm(distribution, "linear", 900, 100);
  assert.deepEqual([crossed.low, crossed.high], [100, 900], "ends the wrong way round are turned");
  const beyond = new Norm(distribution, "eq_hist", 2000, 3000);
  assert.deepEqual([beyond.fraction(10), beyond.fraction(2500)], [0, 1]);
});

test("one value only gets the last colour", () => {
  for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
    for (const values of [Uint8Array.of(0, 7, 7), Float32Array.of(Number.NaN, -3.5)]) {
      const distribution = new Distribution(values, values instanceof Uint8Array);
      assert.equal(new Norm(distribution, how).fraction(distribution.low), 1);
    }
  }
});

test("nothing visible: no cells, ends are NaN", () => {
  for (const [values, counts] of /** @type {[any, boolean][]} */ ([
    [new Uint32Array(9), true],
    [new Float32Array(9).fill(Number.NaN), false],
    [Float64Array.of(Number.POSITIVE_INFINITY), false],
    [new Uint8Array(0), true],
  ])) {
    const distribution = new Distribution(values, counts);
    assert.equal(distribution.cells, 0);
    assert.ok(Number.isNaN(distribution.low) && Number.isNaN(distribution.percentile(50)));
  }
});
