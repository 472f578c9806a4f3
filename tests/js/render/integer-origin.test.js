// Whole numbers beyond 2^53 as offsets from an origin.

import assert from "node:assert/strict";
import { test } from "node:test";
import { offsetsFrom, originFor, originOf, planeNear } from "../../../bigviz/static/render/integer-origin.js";
import { Distribution } from "../../../bigviz/static/render/distribution.js";
import { Norm } from "../../../bigviz/static/render/norm.js";

/** @param {bigint[]|null} exact @param {number[]} data NaN where empty @returns {any} a plane of these cells */
function planeOf(exact, data) {
  const held = data.filter((value) => !Number.isNaN(value));
  return {
    counts: false,
    filled: held.length,
    low: Math.min(...held),
    high: Math.max(...held),
    constant: Number.NaN,
    data: Float64Array.from(data),
    exact: exact && BigInt64Array.from(exact),
  };
}

test("doubles that hold the values, or lie far apart, need no origin", () => {
  assert.equal(originFor(0, 2 ** 53 - 1), 0n);
  assert.equal(originFor(-(2 ** 60), 2 ** 60), 0n, "of both signs");
  assert.equal(originFor(2 ** 50, 2 ** 60), 0n, "more than an octave");
  assert.equal(originFor(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), 0n, "no values");
  assert.equal(originFor(2 ** 62, 2 ** 62), 2n ** 62n);
  assert.equal(originFor(-(2 ** 62) - 4096, -(2 ** 62)), -(2n ** 62n) - 4096n);
});

test("an origin stays while a view moves, as long as offsets are exact", () => {
  assert.equal(originFor(2 ** 62 + 4096, 2 ** 62 + 8192, 2n ** 62n), 2n ** 62n);
  assert.equal(originFor(2 ** 61, 2 ** 61 + 4096, 2n ** 62n), 2n ** 61n);
});

test("planes are moved cell by cell, empty ones too, once for an origin", () => {
  const big = 2n ** 62n;
  const plane = planeOf([big + 1n, 0n, big], [2 ** 62, Number.NaN, 2 ** 62]);
  /** @type {number[]} */ const weighed = [];
  const tile = { planes: [plane], set: { weigh: (/** @type {any} */ _, /** @type {number} */ n) => weighed.push(n) } };
  assert.equal(planeNear(tile, 0n), plane);
  const near = planeNear(tile, originOf([plane]));
  assert.deepEqual([...(near.data ?? [])], [1, Number.NaN, 0]);
  assert.equal(planeNear(tile, big), near);
  assert.deepEqual([...(planeNear(tile, big - 5n).data ?? [])], [6, Number.NaN, 5]);
  assert.deepEqual(weighed, [24, 0], "the second took the place of the first");
  const small = { planes: [planeOf(null, [2 ** 52, Number.NaN])], set: null };
  assert.deepEqual([...(planeNear(small, 2n ** 52n - 1n).data ?? [])], [1, Number.NaN]);
  const constant = {
    planes: [{ ...plane, data: null, constant: 2 ** 62, exact: BigInt64Array.of(big + 1n) }],
    set: null,
  };
  assert.equal(planeNear(/** @type {any} */ (constant), big).constant, 1);
});

test("values are placed and told as they are, beyond the ends too", () => {
  const values = BigUint64Array.of(2n ** 63n + 1n, 2n ** 63n + 3n, 2n ** 63n + 2n);
  const distribution = new Distribution(offsetsFrom(values, 2n ** 63n), false, undefined, 2n ** 63n);
  for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
    const norm = new Norm(distribution, how);
    assert.deepEqual(norm.ends, [values[0], values[1]]);
    assert.deepEqual(
      [...values].map((value) => norm.place(value) < 1),
      [true, false, true],
      how,
    );
    assert.ok(norm.place(values[2]) > 0);
    assert.deepEqual([norm.place(0n), norm.place(1.5), norm.place(2n ** 64n)], [0, 0, 1]);
  }
  const locked = new Norm(distribution, "linear", 2n ** 63n, 2n ** 63n + 4n);
  assert.deepEqual(locked.ends, [2n ** 63n, 2n ** 63n + 4n]);
  assert.equal(locked.place(2n ** 63n + 3n), 0.75);
});
