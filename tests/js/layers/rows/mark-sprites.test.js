// Marks as copies of one picture: the same pixels as ink's, each with the opacity of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MarkSprites } from "../../../../bigviz/static/layers/rows/mark-sprites.js";
import { Ink } from "../../../../bigviz/static/render/marks.js";
import { createCanvas } from "../../canvas.js";
import { random } from "../../random.js";

const SIZE = { width: 120, height: 90 };

/** @param {number[]} px @param {number[]} py */
const marksAt = (px, py) => ({
  n: px.length,
  px: Float64Array.from(px),
  py: Float64Array.from(py),
  values: px.map(() => 1),
  colors: null,
});

test("a mark has the pixels that ink gives it, wherever it lies in its pixel", () => {
  const rand = random(5);
  for (const radius of [1, 2.5, 6, 30])
    for (const shape of /** @type {const} */ (["circle", "square", "diamond", "triangle", "cross", "x"])) {
      const marks = marksAt([20 + 80 * rand()], [90 * rand()]);
      const canvas = createCanvas(SIZE.width, SIZE.height);
      new MarkSprites(createCanvas).draw(canvas.context, marks, { radius, shape, color: 0x8811dd, opacity: 1 }, SIZE);
      const ink = new Ink(SIZE.width, SIZE.height);
      ink.draw(marks, radius, "count", false, shape);
      const out = new Uint32Array(SIZE.width * SIZE.height);
      ink.paintPlain(out, 0x8811dd, 1);
      assert.deepEqual(canvas.pixels, out, `${shape} of radius ${radius}`);
    }
});

test("what is beyond the screen is left out, and other marks have other pictures", () => {
  const canvas = createCanvas(SIZE.width, SIZE.height);
  const sprites = new MarkSprites(createCanvas);
  const marks = marksAt([-50, 0, 60, 1e300, Number.NaN], [45, 0, 45, 1, 1]);
  const red = /** @type {const} */ ({ radius: 4, shape: "circle", color: 0x0000ff, opacity: 0.5 });
  sprites.draw(canvas.context, marks, red, SIZE);
  assert.equal(canvas.context.drawn, 2);
  assert.equal(canvas.context.globalAlpha, 0.5);
  assert.equal(canvas.pixels[45 * SIZE.width + 60], 0xff0000ff);
  sprites.draw(canvas.context, marks, { ...red, color: 0x00ff00 }, SIZE);
  assert.equal(canvas.pixels[45 * SIZE.width + 60], 0xff00ff00);
});
