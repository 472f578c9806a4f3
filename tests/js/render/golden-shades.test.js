// Normalisation, colours and mixing of categories: the same numbers and pixels as Python's, which wrote the golden
// file.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mix } from "../../../bigviz/static/render/category-mix.js";
import { Distribution } from "../../../bigviz/static/render/distribution.js";
import { originOf, planeNear } from "../../../bigviz/static/render/integer-origin.js";
import { Norm } from "../../../bigviz/static/render/norm.js";
import { GLASBEY } from "../../../bigviz/static/render/palette.js";
import { paintMixed, Shader } from "../../../bigviz/static/render/shade.js";

const { luts, cases } = JSON.parse(readFileSync(new URL("../../golden/shades.json", import.meta.url), "utf8"));
const bytes = (/** @type {string} */ hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const FIRE = bytes(luts.fire);

test("the palette of categories is Python's", () => assert.deepEqual(GLASBEY, bytes(luts.glasbey_category10)));

/**
 * A plane as it is decoded.
 * @param {(number|string|null)[]} values
 * @param {boolean} counts
 * @returns {import("../../../bigviz/static/wire/codec.js").Plane}
 */
function planeOf(values, counts) {
  const numbers = values.map((value) => (value === null ? (counts ? 0 : Number.NaN) : Number(value)));
  const isWhole = values.some((value) => typeof value === "string" && /\d$/.test(value));
  const whole = isWhole ? values.map((value) => BigInt(value ?? 0)) : [];
  const filled = values.filter((value) => value !== null).map(Number);
  const data = counts ? new Uint32Array(65536) : new Float64Array(65536).fill(Number.NaN);
  data.set(numbers);
  const ends = {
    low: filled.length ? Math.min(...filled) : Number.NaN,
    high: filled.length ? Math.max(...filled) : Number.NaN,
  };
  return {
    counts,
    filled: filled.length,
    ...ends,
    constant: Number.NaN,
    data: filled.length ? data : null,
    exact: isWhole ? BigInt64Array.from({ length: 65536 }, (_, k) => whole[k] ?? 0n) : null,
  };
}

for (const { name, how, low, high, cells, planes, fractions, pixels } of cases) {
  test(`${how} of ${name}${low === null ? "" : ` from ${low} to ${high}`}`, () => {
    const counts = cells.empty === "counts";
    const decoded = planes.map((/** @type {any} */ values) => planeOf(values, counts));
    const mixture = cells.by ? mix(decoded, GLASBEY) : null;
    const empty = new Float64Array(65536).fill(counts ? 0 : Number.NaN);
    const origin = mixture ? 0n : originOf(decoded);
    const near = planeNear({ planes: decoded, set: null }, origin);
    const values = (mixture?.totals ?? near.data ?? empty).subarray(0, pixels.length);
    const filled = [...values].filter((value) => (counts ? value !== 0 : !Number.isNaN(value)));
    const distribution = new Distribution(values, counts, undefined, origin);
    const norm = new Norm(distribution, how, low, high);
    assert.equal(filled.length, fractions.length);
    for (const [k, value] of filled.entries()) {
      const got = norm.fraction(value);
      assert.ok(Math.abs(got - fractions[k]) <= 1e-12, `${value}: ${got}, in Python ${fractions[k]}`);
    }
    const out = new Uint32Array(pixels.length);
    if (mixture) paintMixed(mixture.mixed.subarray(0, pixels.length), values, counts, norm, out);
    else new Shader(norm, FIRE).paint(values, counts, distribution.cells ? distribution.high : 0, out);
    assert.deepEqual([...out], pixels);
    if (mixture || !distribution.cells) return;
    new Shader(norm, FIRE).paintOwn(values, counts, out);
    assert.deepEqual([...out], pixels, "bins looked up");
  });
}
