// A window that follows data which come in steps.

import assert from "node:assert/strict";
import { test } from "node:test";
import { distance, Glide, isStep } from "../../../bigviz/static/geometry/glide.js";
import { length, span } from "../../../bigviz/static/geometry/span.js";

const T = 1_700_000_000_000_000_000n;
/** 60 s of times, some seconds after T.  @param {number} seconds */
const at = (seconds) => span((seconds - 60) * 1e9, seconds * 1e9, T, true);

test("it moves evenly, arrives, and keeps its length to the nanosecond", () => {
  const glide = new Glide(200);
  glide.aim(at(0), at(1), 1000);
  assert.ok(Math.abs(distance(at(0), /** @type {any} */ (glide.at(1000)))) < 1);
  const half = /** @type {import("../../../bigviz/static/geometry/span.js").Span} */ (glide.at(1100));
  assert.equal(Math.round(distance(at(0), half) / 1e6), 500);
  assert.ok(Math.abs(length(half) - 60e9) < 1);
  assert.ok(glide.to);
  assert.deepEqual(glide.at(1200), at(1), "the very place");
  assert.equal(glide.to, null);
  assert.equal(glide.at(1300), null);
});

test("a step takes as long as steps have been apart, whatever their rhythm", () => {
  const glide = new Glide();
  for (let k = 0; k < 40; k++) glide.aim(at(k), at(k + 1), k * 100);
  assert.ok(Math.abs(glide.pace - 100) < 2);
  glide.aim(at(50), at(51), 100_000);
  assert.ok(glide.pace < 600, "one long pause is not the rhythm");
  for (let k = 0; k < 40; k++) glide.aim(at(k), at(k + 1), 100_000 + k);
  assert.ok(glide.pace >= 30, "nor are steps at once");
});

test("a step goes on to a part that is shown already, by a window of that length", () => {
  assert.ok(isStep(at(0), at(59)));
  for (const other of [at(0), at(-1), at(61), span(-30e9, 1e9, T, true), span(-60, 1)])
    assert.ok(!isStep(at(0), other));
});
