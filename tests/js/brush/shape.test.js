// Brushes: from pixels to axis space and back, what of them is grasped, and how they travel.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dragged, gripAt, kindOf, rectOf, shapeAt, shapeOf, wordsOf } from "../../../bigviz/static/brush/shape.js";
import { span } from "../../../bigviz/static/geometry/span.js";
import { View } from "../../../bigviz/static/geometry/view.js";

const view = new View({ x: span(0, 10), y: span(-5, 5), width: 100, height: 200, limits: null, locked: false });

test("a rectangle of pixels is a box of axis space, and the same rectangle again", () => {
  const rect = { left: 80, right: 20, top: 50, bottom: 150 };
  const shape = shapeAt(rect, "box", view);
  assert.deepEqual(wordsOf(shape), { box: [2, -2.5, 8, 2.5] });
  assert.deepEqual(rectOf(shape, view), { left: 20, right: 80, top: 50, bottom: 150 });
  assert.deepEqual(wordsOf(shapeAt(rect, "range", view)), { range: [2, 8] });
});

test("ends on axes of whole numbers are whole, and hold what they touch", () => {
  const times = new View({
    x: span(0, 100, 10n ** 18n, true),
    y: span(0, 1),
    width: 100,
    height: 100,
    limits: null,
    locked: false,
  });
  const shape = shapeAt({ left: 10.2, right: 10.9, top: 0, bottom: 0 }, "range", times);
  assert.deepEqual(wordsOf(shape), { range: ["1000000000000000010", "1000000000000000012"] });
});

test("words of an address give the brush again, and others none", () => {
  const exact = { x: false, y: true };
  const box = shapeOf({ box: [1, "2", 3, "4"] }, "box", exact);
  assert.deepEqual(box && wordsOf(box), { box: [1, "2", 3, "4"] });
  assert.deepEqual(shapeOf({ labels: ["a"] }, "labels", exact), { kind: "labels", labels: ["a"] });
  for (const words of [null, 3, {}, { box: [1, 2] }, { box: [3, 0, 1, 9] }, { labels: [1] }, { range: ["x", 1] }])
    for (const kind of /** @type {const} */ (["box", "range", "labels"]))
      assert.equal(shapeOf(words, kind, exact), null, JSON.stringify([words, kind]));
});

test("edges, corners and the inside are grasped, and dragged", () => {
  const rect = { left: 20, right: 80, top: 50, bottom: 150 };
  const at = (/** @type {number} */ x, /** @type {number} */ y) => gripAt(rect, "box", x, y, 6);
  assert.deepEqual(at(50, 100), { x: 0, y: 0 });
  assert.deepEqual(at(81, 100), { x: 1, y: 0 });
  assert.deepEqual(at(19, 151), { x: -1, y: -1 });
  assert.deepEqual(at(50, 49), { x: 0, y: 1 });
  assert.equal(at(90, 100), null);
  assert.deepEqual(gripAt({ ...rect, top: 0, bottom: 200 }, "range", 21, 199, 6), { x: -1, y: 0 });
  assert.deepEqual(dragged(rect, { x: 0, y: 0 }, 5, -5), { left: 25, right: 85, top: 45, bottom: 145 });
  assert.deepEqual(dragged(rect, { x: 1, y: -1 }, 5, -5), { left: 20, right: 85, top: 50, bottom: 145 });
});

test("each glyph has its kind of brush", () => {
  assert.deepEqual(["points", "line", "histogram", "bar"].map(kindOf), ["box", "range", "range", "labels"]);
});
