// When a figure draws, and when what it drew is exact.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Drawing } from "../../../bigviz/static/figure/drawing.js";

/** What waits for the next animation frame, by id.  @type {Map<number, () => void>} */ const queue = new Map();
let last = 0;
const nextFrame = () => {
  const due = [...queue.values()];
  queue.clear();
  for (const work of due) work();
};

beforeEach(() => {
  queue.clear();
  mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, {
    requestAnimationFrame: (/** @type {() => void} */ work) => {
      queue.set(++last, work);
      return last;
    },
    cancelAnimationFrame: (/** @type {number} */ id) => queue.delete(id),
  });
});
afterEach(() => mock.timers.reset());

/** A figure of one layer that notes what is drawn. */
function world() {
  /** @type {string[]} */ const told = [];
  const layer = { covered: () => true, complete: () => true, asked: null, raster: null };
  const figure = Object.assign(new EventTarget(), {
    index: 0,
    section: { dataset: /** @type {Record<string, string>} */ ({}) },
    view: {},
    layers: [layer],
    page: { latency: { settled: () => told.push("settled") } },
    requests: { update: () => told.push("asked"), nextFrame() {}, settled() {} },
    moves: { fitY() {}, glide: () => false },
    painter: {
      prepare() {},
      refit: () => false,
      paint: (/** @type {unknown} */ _, /** @type {boolean} */ exact) => told.push(exact ? "exact" : "moving"),
    },
    resize: () => false,
  });
  const drawing = new Drawing(/** @type {any} */ (figure));
  return { drawing, layer, figure, take: () => told.splice(0) };
}

test("a new view is requested at once and drawn once, with the next frame", () => {
  const { drawing, figure, take } = world();
  drawing.renew();
  drawing.redraw();
  assert.equal(figure.section.dataset.exact, "0");
  assert.deepEqual(take(), ["asked"]);
  nextFrame();
  assert.deepEqual(take(), ["exact", "settled"]);
  assert.equal(figure.section.dataset.exact, "1");
  assert.equal(queue.size, 0, "nothing is left to draw");
});

test("the first picture waits for something everywhere; an estimate is drawn and is not exact", () => {
  const { drawing, layer, take } = world();
  layer.covered = () => false;
  drawing.renew();
  nextFrame();
  assert.deepEqual(take(), ["asked"]);
  layer.covered = () => true;
  layer.complete = () => false;
  drawing.arrived();
  nextFrame();
  assert.deepEqual(take(), ["exact"], "as well as it can be");
  assert.ok(!drawing.exact && !drawing.hold);
});

test("what arrives for a moving view is drawn together, a little later", () => {
  const { drawing, layer, take } = world();
  drawing.hold = false;
  layer.complete = () => false;
  for (let k = 0; k < 5; k++) drawing.arrived();
  assert.equal(queue.size, 0);
  mock.timers.tick(40);
  assert.equal(queue.size, 1);
  nextFrame();
  assert.deepEqual(take(), ["exact"]);
});

test("a view that moves soon after a frame is drawn as it moves, then exactly; one that moves late at once", () => {
  const { drawing, take } = world();
  drawing.hold = false;
  drawing.drawn = performance.now() + 1e6; // a frame was drawn just now
  drawing.moved = true;
  drawing.renew();
  nextFrame();
  assert.deepEqual(take(), ["asked", "moving"]);
  nextFrame();
  assert.deepEqual(take(), ["exact", "settled"]);
  drawing.drawn = performance.now() - 1e6;
  drawing.moved = true;
  drawing.renew();
  nextFrame();
  assert.deepEqual(take(), ["asked", "exact", "settled"]);
});

test("a layer that is requested again does not count as exact", () => {
  const { drawing, layer, figure } = world();
  layer.asked = /** @type {any} */ ({});
  drawing.renew();
  nextFrame();
  assert.ok(drawing.exact);
  assert.equal(figure.section.dataset.exact, "0");
});

test("a frame with other margins is drawn by the resize, or here where the surface has no other size after all", () => {
  const { drawing, figure, take } = world();
  figure.painter.refit = () => true;
  drawing.renew();
  nextFrame();
  assert.deepEqual(take(), ["asked", "exact", "settled"], "a canvas that was cleared before does not stay so");
  figure.resize = () => true;
  drawing.renew();
  nextFrame();
  assert.deepEqual(take(), ["asked"]);
});

test("nothing is drawn after the end", () => {
  const { drawing } = world();
  drawing.arrived();
  drawing.dispose();
  drawing.redraw();
  mock.timers.tick(100);
  assert.equal(queue.size, 0);
});
