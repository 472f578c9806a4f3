// What is asked for while a view moves on with the data.

import assert from "node:assert/strict";
import { test } from "node:test";
import { aheadOf, isAhead } from "../../../../bigviz/static/figure/growth/ahead.js";
import { length, panSpan, span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";

const T = 1_700_000_000_000_000_000n;
const view = new View({ x: span(0, 60e9, T, true), y: span(0, 1), width: 900, height: 300 });

test("pixels are as wide, and lie on the view's", () => {
  const ahead = aheadOf(view);
  assert.ok(ahead.width > view.width && Number.isInteger(ahead.width));
  assert.ok(Math.abs(length(ahead.x) / ahead.width / (60e9 / 900) - 1) < 1e-12);
  assert.equal(Number(ahead.x.origin - T) + ahead.x.lo, 0);
});

test("it serves views on the way, and no others", () => {
  const ahead = aheadOf(view);
  for (const by of [0, 1e9, 7e9]) assert.ok(isAhead(ahead, view.with({ x: panSpan(view.x, by) }), false));
  for (const by of [-1e9, 8e9]) assert.ok(!isAhead(ahead, view.with({ x: panSpan(view.x, by) }), false));
  assert.ok(!isAhead(ahead, view.with({ x: span(1e9, 31e9, T, true) }), false), "another scale");
  assert.ok(!isAhead(ahead, view.with({ height: 200 }), false));
  const higher = view.with({ y: span(0, 2) });
  assert.ok(!isAhead(ahead, higher, false) && isAhead(ahead, higher, true));
});
