// The value of a cell's categories together: that of all their rows, or none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { valuesAt } from "../../../bigviz/static/layers/cell-hit.js";
import { decodePlane } from "../../../bigviz/static/wire/codec.js";
import { rlev, runs } from "../frames.js";
import { traitsOf } from "../traits.js";

/** A plane whose cell 7 holds a value.  @param {number|null} value @param {boolean} counts */
function planeOf(value, counts) {
  const empty = {
    codec: 0,
    dtype: 1,
    plane: 0,
    filled: 0,
    low: Number.NaN,
    high: Number.NaN,
    constant: new Uint8Array(8),
    payload: new Uint8Array(0),
  };
  if (value === null) return decodePlane(empty, counts);
  const cells = Array.from({ length: 65536 }, (_, k) => (k === 7 ? value : null));
  const payload = counts ? rlev(Uint32Array.from(cells, (each) => each ?? 0)) : runs(cells, Float64Array);
  return decodePlane(
    { ...empty, codec: counts ? 3 : 4, dtype: counts ? 1 : 10, filled: 1, low: value, high: value, payload },
    counts,
  );
}

/** @param {string} agg @param {(number|null)[]} values of the categories a, b, c */
function hit(agg, values) {
  const traits = traitsOf(agg);
  return valuesAt(
    values.map((value) => planeOf(value, traits.counts)),
    7,
    { planes: ["a", "b", "c"], traits },
  );
}

test("all: the reduction over all rows of a cell's categories, where their values tell it", () => {
  /** @type {[string, number|null][]} */
  const cases = [
    ["by(k)", 7],
    ["by(k, any)", 4],
    ["by(k, sum(n))", 7],
    ["by(k, min(v))", 3],
    ["by(k, max(t))", 4],
    ["by(k, mean(v))", null],
    ["by(k, first(v))", null],
  ];
  for (const [agg, all] of cases) {
    const { value, planes } = hit(agg, [3, null, 4]);
    assert.equal(value, all, agg);
    assert.deepEqual(
      planes,
      [
        { label: "a", value: 3 },
        { label: "c", value: 4 },
      ],
      agg,
    );
    assert.deepEqual(hit(agg, [null, null, null]), { value: null, planes: [] }, agg);
  }
});

test("integers beyond 2^53 stay what they are", () => {
  const wide = (/** @type {bigint} */ value) => {
    const constant = new Uint8Array(BigInt64Array.of(value).buffer);
    const [low, high] = [Number(value), Number(value)];
    return decodePlane(
      { codec: 1, dtype: 8, plane: 0, filled: 65536, low, high, constant, payload: new Uint8Array(0) },
      false,
    );
  };
  const planes = [wide(2n ** 60n + 1n), wide(2n ** 60n)];
  assert.equal(valuesAt(planes, 0, { planes: ["a", "b"], traits: traitsOf("by(k, sum(n))") }).value, 2n ** 61n + 1n);
  assert.equal(valuesAt(planes, 0, { planes: ["a", "b"], traits: traitsOf("by(k, min(v))") }).value, 2n ** 60n);
  assert.equal(valuesAt(planes, 0, { planes: ["a", "b"], traits: traitsOf("by(k, max(t))") }).value, 2n ** 60n + 1n);
});
