// Sparse pixels are spread.

import assert from "node:assert/strict";
import { test } from "node:test";
import { spreadOf, spreadPixels } from "../../../bigviz/static/render/spread.js";

test("sparse pictures are spread to empty pixels, dense ones are not", () => {
  const values = new Uint32Array(100 * 100);
  for (const [at, value] of [
    [5050, 1],
    [5070, 9],
    [2020, 2],
    [0, 1],
  ])
    values[at] = value;
  const how = spreadOf(values, true, 100, 1);
  assert.ok(how && how.radius === 2);
  const out = Uint32Array.from(values, (v) => v && 0xff000000 + v);
  spreadPixels(values, 100, how, out);
  assert.ok(out[5051] === 0xff000001 && out[5150] === 0xff000001 && out[5049] === 0xff000001);
  assert.equal(out[99], 0, "not around the edge");
  assert.ok(values[5051] === 0, "the values are what they were");
  const dense = new Uint32Array(100 * 100).fill(1, 0, 5000);
  assert.equal(spreadOf(dense, true, 100, 1), null);
  assert.equal(spreadOf(new Uint32Array(100), true, 10, 1), null);
  const near = new Uint32Array(100 * 100);
  for (let k = 0; k < 1000; k++) near[4000 + k] = 1;
  assert.equal(spreadOf(near, true, 100, 1), null, "a filled band is not sparse");
});

test("few pixels are spread even where they lie side by side", () => {
  for (const [n, radius] of [
    [23, 2],
    [24, 1],
    [100, 1],
    [101, 0],
  ]) {
    const values = new Uint32Array(100 * 100).fill(1, 5000, 5000 + n);
    assert.equal(spreadOf(values, true, 100, 1)?.radius ?? 0, radius, `${n} pixels`);
  }
});
