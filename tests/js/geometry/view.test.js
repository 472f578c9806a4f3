// Views: what a gesture must keep, over random gestures on float and nanosecond axes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { equalSpans, length, span, spanOf } from "../../../bigviz/static/geometry/span.js";
import { equalRanges, View } from "../../../bigviz/static/geometry/view.js";
import { random } from "../random.js";

const YEARS = 50n * 31_556_952n * 1_000_000_000n;
const START = 946_684_800_000_000_000n;

/** @param {() => number} rand @param {boolean} exact */
function randomView(rand, exact) {
  const x = exact
    ? span(0, Number(YEARS) * 10 ** (-12 * rand()), START + BigInt(Math.floor(rand() * 1e18)), true)
    : span((rand() - 0.5) * 1e3, 1e3 + rand());
  return new View({ x, y: span(-rand(), rand() + 1e-3), width: 1024, height: 768 });
}

test("the point under the pointer stays there when zooming", () => {
  const rand = random(20);
  for (let round = 0; round < 2000; round++) {
    const view = randomView(rand, rand() < 0.5);
    const [px, py] = [rand() * 1024, rand() * 768];
    const next = view.zoom(2 ** (rand() * 4 - 2), 2 ** (rand() * 4 - 2), px, py);
    const [x, y] = [next.px(view.x.origin, view.xAt(px)), next.py(view.y.origin, view.yAt(py))];
    assert.ok(Math.abs(x - px) < 1e-3 && Math.abs(y - py) < 1e-6, `${px},${py} moved to ${x},${y}`);
  }
});

test("a pan moves the picture by its pixels, and back is back", () => {
  const rand = random(21);
  for (let round = 0; round < 2000; round++) {
    const view = randomView(rand, rand() < 0.5);
    const [dx, dy] = [(rand() - 0.5) * 3000, (rand() - 0.5) * 3000];
    const next = view.pan(dx, dy);
    assert.ok(Math.abs(next.px(view.x.origin, view.x.lo) - dx) < 1e-6);
    assert.ok(Math.abs(next.py(view.y.origin, view.y.hi) - dy) < 1e-6);
    assert.ok(Math.abs(length(next.x) / length(view.x) - 1) < 1e-9);
    assert.ok(equalRanges(view, next.pan(-dx, -dy), 1e-9));
  }
});

test("zooming into a nanosecond of 50 years and out again keeps every nanosecond", () => {
  const target = START + 1_234_567_890_123_456_789n;
  const whole = spanOf(String(START), String(START + YEARS), true);
  assert.ok(whole);
  let view = new View({
    x: whole,
    y: span(0, 1),
    width: 1000,
    height: 10,
    limits: { x: { min: 2, max: 1e19 }, y: { min: 0, max: 10 } },
  });
  for (let step = 0; step < 200; step++) view = view.zoom(0.7, 1, view.px(target, 0), 5);
  assert.ok(length(view.x) <= 2.5 && length(view.x) > 1.999, `${length(view.x)} ns wide`);
  const at = view.px(target, 0);
  assert.ok(at >= 0 && at <= 1000, "the target is still on the screen");
  assert.ok(
    Math.abs(view.px(target + 1n, 0) - at - 1000 / length(view.x)) < 1e-9,
    "its neighbour is one nanosecond away",
  );
  assert.ok(Math.abs(view.x.lo) < 16 && Math.abs(view.x.hi) < 16, "offsets stay small");
  for (let step = 0; step < 300; step++) view = view.zoom(1.4, 1, 500, 5);
  assert.equal(length(view.x), 1e19);
});

test("zoom stops at the limits and where doubles end, and never turns round", () => {
  const limits = { x: { min: 0.5, max: 4 }, y: { min: 0, max: 100 } };
  const view = new View({ x: span(1e6, 1e6 + 1), y: span(1, 2), width: 100, height: 100, limits });
  assert.equal(length(view.zoom(0.01, 1, 50, 50).x), 0.5);
  assert.equal(length(view.zoom(100, 1, 50, 50).x), 4);
  const tight = view.with({ x: span(0, 0.25) });
  assert.equal(tight.zoom(0.5, 1, 50, 50).x, tight.x, "already below the limit: no change");
  assert.ok(length(tight.zoom(1.1, 1, 50, 50).x) > 0.25, "and out again is possible");
  let deep = view.with({ limits: null });
  for (let step = 0; step < 200; step++) deep = deep.zoom(0.5, 0.5, 10, 10);
  assert.ok(Math.abs(length(deep.x) / (1e6 * 2 ** -44) - 1) < 0.01);
  assert.equal(new Set(Array.from({ length: 100 }, (_, k) => deep.xAt(k))).size, 100, "each pixel has its own number");
});

test("zooming one axis leaves the other to the bit", () => {
  const view = new View({ x: span(0, 1), y: span(3, 4), width: 100, height: 100 });
  assert.equal(view.zoom(0.5, 1, 20, 80).y, view.y);
  assert.equal(view.zoom(1, 0.5, 20, 80).x, view.x);
});

test("a locked view keeps one scale through zoom, box and resize", () => {
  const rand = random(22);
  let view = new View({
    x: span(0, 1),
    y: span(0, 1),
    width: 800,
    height: 600,
    locked: true,
    limits: { x: { min: 1e-6, max: 8 }, y: { min: 1e-6, max: 8 } },
  }).lock();
  assert.ok(Math.abs(length(view.x) - 4 / 3) < 1e-12, "all of y, and more of x");
  for (let round = 0; round < 500; round++) {
    const before = view;
    const gesture = round % 3;
    if (gesture === 0) view = view.zoom(2 ** (rand() - 0.5), 1, rand() * 800, rand() * 600);
    else if (gesture === 1) view = view.box(rand() * 400, rand() * 300, 400 + rand() * 400, 300 + rand() * 300);
    else view = view.resize(400 + Math.floor(rand() * 800), 300 + Math.floor(rand() * 800));
    assert.ok(Math.abs(length(view.x) / view.width / (length(view.y) / view.height) - 1) < 1e-9);
    if (length(view.x) < 1e-5) view = before;
  }
});

test("a box becomes the view", () => {
  const view = new View({ x: span(0, 10), y: span(0, 10), width: 100, height: 100 });
  const next = view.box(80, 20, 30, 70);
  assert.ok(equalSpans(next.x, span(3, 8), 1e-12) && equalSpans(next.y, span(3, 8), 1e-12));
});
