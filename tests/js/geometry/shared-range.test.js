// Ranges that several axes share.

import assert from "node:assert/strict";
import { test } from "node:test";
import { asKind, SharedRange } from "../../../bigviz/static/geometry/shared-range.js";
import { equalSpans, span } from "../../../bigviz/static/geometry/span.js";

test("a shared range starts at all data, and late data does not move what a hand has moved", () => {
  const range = new SharedRange({ start: null, end: null });
  const [a, b] = [{}, {}];
  let changes = 0;
  range.addEventListener("change", () => changes++);
  range.tell(a, [0, 100], false);
  assert.ok(range.now && equalSpans(range.now, span(-2, 102), 1e-9));
  range.tell(b, [100, 200], false);
  assert.ok(
    range.atHome &&
      equalSpans(
        /** @type {import("../../../bigviz/static/geometry/span.js").Span} */ (range.now),
        span(-4, 204),
        1e-9,
      ),
  );
  range.set(span(10, 20), a, 1);
  range.tell(b, [0, 1e6], false);
  assert.ok(
    equalSpans(/** @type {import("../../../bigviz/static/geometry/span.js").Span} */ (range.now), span(10, 20)),
  );
  assert.equal(range.atHome, false);
  assert.equal(changes, 3);
});

test("a declared range is home", () => {
  const range = new SharedRange({ start: "1600000000000000000", end: "1600000000000000500" });
  range.tell({}, ["0", "1700000000000000000"], true);
  assert.equal(range.home.exact, true);
  assert.equal(range.home.hi - range.home.lo, 500);
});

test("without data nobody knows where it is, unless it is said or moved", () => {
  const [range, layer] = [new SharedRange({ start: null, end: null }, { window: 60 }), {}];
  assert.ok(range.isUnknown, "of no layers");
  range.tell(layer, null, true);
  assert.ok(range.isUnknown);
  range.set(span(10, 20), layer, 1);
  assert.ok(!range.isUnknown);
  range.release();
  assert.ok(range.isUnknown);
  range.tell({}, ["1700000000000000000", "1700000000000000500"], true);
  assert.ok(!range.isUnknown, "one of two layers has data");
  assert.ok(!new SharedRange({ start: "10", end: "20" }).isUnknown);
});

test("spans change kind without moving", () => {
  const exact = span(-5, 5, 1_000n, true);
  const float = asKind(exact, false);
  assert.deepEqual([float.lo, float.hi, float.exact], [995, 1005, false]);
  assert.ok(equalSpans(asKind(float, true), exact));
});

test("a dense part is home, and all data is a click away; a declared range stays", () => {
  const range = new SharedRange({ start: null, end: null });
  const layer = {};
  range.tell(layer, [0, 100], false, [90, 100]);
  assert.ok(range.atHome && range.isPart);
  assert.ok(equalSpans(range.home, span(89.8, 100.2), 1e-9) && equalSpans(range.all, span(-2, 102), 1e-9));
  range.tell({}, [50, 100], false);
  assert.ok(equalSpans(range.home, span(49, 101), 1e-9), "with a layer that has none: all of that one");
  range.tell(layer, [0, 100], false);
  assert.ok(!range.isPart && equalSpans(range.home, span(-2, 102), 1e-9));
  const declared = new SharedRange({ start: 10, end: 20 });
  declared.tell(layer, [0, 100], false, [90, 100]);
  assert.ok(!declared.isPart && equalSpans(declared.home, span(10, 20), 1e-9));
});

/** A range that follows the newest data in a window of 10.  @param {boolean} [isCalm] */
function following(isCalm = false) {
  const range = new SharedRange({ start: null, end: null }, { window: 10, isCalm: () => isCalm });
  const layer = {};
  const grow = (/** @type {number} */ end) => range.tell(layer, [0, end], false);
  return { range, grow, ends: () => [range.now?.lo, range.now?.hi].map((end) => Math.round((end ?? 0) * 1e6) / 1e6) };
}

test("a window shows the newest data, with a margin, and glides on with them", () => {
  const { range, grow, ends } = following();
  /** @type {unknown[]} */ const told = [];
  range.addEventListener("grow", () => told.push("grow"));
  range.addEventListener("change", (event) => told.push(/** @type {CustomEvent} */ (event).detail.isGlide));
  grow(100);
  assert.deepEqual(ends(), [90.2, 100.2]);
  grow(101);
  assert.deepEqual(ends(), [90.2, 100.2], "it moves with the frames");
  assert.deepEqual(told, [false, "grow"]);
  const now = performance.now();
  assert.ok(range.advance(now + 50, 0));
  assert.ok(range.advance(now + 51, 5), "a step that is too small to be seen is left out");
  assert.ok(ends()[1] > 100.2 && ends()[1] < 101.2);
  assert.ok(!range.advance(now + 10_000, 0));
  assert.deepEqual(ends(), [91.2, 101.2]);
  assert.ok(range.isFollowing && range.atHome && !range.isPart);
  grow(500);
  assert.deepEqual(ends(), [490.2, 500.2], "what shares no part with it is gone to at once");
});

test("a window that is moved stays, and follows again as long as it was made", () => {
  const { range, grow, ends } = following();
  grow(100);
  grow(101);
  range.set(span(40, 60), null, 1);
  assert.ok(!range.isFollowing && !range.atHome);
  assert.ok(!range.advance(performance.now() + 10_000, 0), "it glides no further");
  grow(102);
  assert.deepEqual(ends(), [40, 60]);
  range.follow(20, null, 1);
  assert.deepEqual(ends(), [82.4, 102.4]);
  range.set(span(92.2, 102.2), null, 1);
  assert.ok(range.isOnHome && !range.atHome, "it was moved there, and does not go on");
  range.release();
  assert.ok(range.atHome);
  assert.deepEqual([range.window, range.home.lo], [10, 92.2]);
  range.renew(false);
  assert.equal(range.window, null, "of other columns the window means nothing");
  assert.equal(range.home.lo, -2.04);
});

test("a range without a window grows at home, follows on demand, and forgets that when it is moved", () => {
  const range = new SharedRange({ start: null, end: null });
  range.tell(range, [0, 100], false);
  range.follow(10, null, 1);
  assert.ok(range.isFollowing);
  range.set(span(0, 1), null, 1);
  assert.deepEqual([range.window, range.isFollowing], [null, false]);
});

test("without gliding it moves on in large steps, once the newest data have left it", () => {
  const { grow, ends } = following(true);
  grow(100);
  grow(100.1);
  assert.deepEqual(ends(), [90.2, 100.2]);
  grow(100.3);
  assert.deepEqual(ends(), [91.75, 101.75]);
  grow(101.7);
  assert.deepEqual(ends(), [91.75, 101.75]);
  grow(50);
  assert.deepEqual(ends(), [40.2, 50.2], "rows were taken away");
});
