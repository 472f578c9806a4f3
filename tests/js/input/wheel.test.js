// Steps of the wheel as factors of zoom.

import assert from "node:assert/strict";
import { test } from "node:test";
import { wheelZoom } from "../../../bigviz/static/input/wheel.js";

/** @param {Partial<WheelEvent>} [o] */
const step = (o = {}) => ({
  deltaX: 0,
  deltaY: 100,
  deltaMode: 0,
  ctrlKey: false,
  shiftKey: false,
  altKey: false,
  ...o,
});

test("a notch away from the user zooms in, one towards the user out, and both cancel", () => {
  const [out] = wheelZoom(step(), "plot") ?? [];
  const [inwards] = wheelZoom(step({ deltaY: -100 }), "plot") ?? [];
  assert.ok(out > 1 && inwards < 1 && Math.abs(out * inwards - 1) < 1e-12);
  assert.equal(wheelZoom(step({ deltaY: 0 }), "plot"), null);
});

test("axes, Shift and Alt keep the other axis", () => {
  const f = 2 ** 0.22;
  for (const [event, region, want] of /** @type {const} */ ([
    [step(), "plot", [f, f]],
    [step(), "x", [f, 1]],
    [step(), "y", [1, f]],
    [step({ shiftKey: true }), "plot", [f, 1]],
    [step({ shiftKey: true, deltaX: 100, deltaY: 0 }), "plot", [f, 1]],
    [step({ altKey: true }), "plot", [1, f]],
    [step({ shiftKey: true }), "y", [1, f]],
  ]))
    assert.deepEqual(wheelZoom(event, region), want);
});

test("lines, pages and pinches are steps too, and none is longer than the longest", () => {
  const factor = (/** @type {Partial<WheelEvent>} */ o) => (wheelZoom(step(o), "plot") ?? [0])[0];
  assert.equal(factor({ deltaMode: 1, deltaY: 3 }), factor({ deltaY: 48 }));
  assert.equal(factor({ deltaMode: 2, deltaY: 1 }), factor({ deltaY: 1e9 }));
  assert.equal(factor({ ctrlKey: true, deltaY: 10 }), 2 ** 0.11);
});
