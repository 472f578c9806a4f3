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
