// The y range that follows what x shows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FollowY } from "../../../../bigviz/static/figure/view/follow-y.js";
import { SharedRange } from "../../../../bigviz/static/geometry/shared-range.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";

/**
 * A figure of lines over x 0..10 whose rows at hand span the given y.
 * @param {[number, number][]} extents
 * @param {{glyph?: string, declared?: boolean, dense?: [number, number]|null, origin?: bigint}} [o]
 */
function world(extents, { glyph = "line", declared = false, dense = null, origin = 0n } = {}) {
  const layers = extents.map(([low, high]) => ({
    definition: { glyph },
    line: { extent: () => ({ origin, low, high }) },
  }));
  const ranges = {
    x: new SharedRange({ start: null, end: null }),
    y: new SharedRange(declared ? { start: 0, end: 1 } : { start: null, end: null }),
  };
  for (const layer of layers) {
    ranges.x.tell(layer, [0, 10], false);
    ranges.y.tell(layer, [-100, 100], origin !== 0n, dense);
  }
  const follow = new FollowY(/** @type {any} */ ({ layers, ranges }));
  const view = new View({ x: span(2, 3), y: span(-104, 104), width: 100, height: 100 });
  ranges.x.set(view.x, null, 0);
  return { follow, ranges, layers, view };
}

const ends = (/** @type {View} */ { y }) => [Number(y.origin) + y.lo, Number(y.origin) + y.hi];

test("y is what all lines span in the view, and 2 % on each side", () => {
  const { follow, view } = world([
    [-10, 10],
    [0, 40],
  ]);
  assert.deepEqual(ends(follow.fit(view)), [-11, 41]);
  assert.equal(follow.fit(view).x, view.x);
  const fitted = follow.fit(view);
  assert.equal(follow.fit(fitted), fitted, "the same view when nothing changes");
});

test("where x is at home y is too; where home leaves far values out, y goes no farther", () => {
  const { follow, ranges, view } = world([[-90, 7]], { dense: [-5, 5] });
  const [low, high] = ends(follow.fit(view));
  assert.ok(low < -5 && low > -6 && high > 5 && high < 6);
  ranges.x.set(ranges.x.home, null, 0);
  assert.deepEqual(ends(follow.fit(view.with({ x: ranges.x.home }))), [ranges.y.home.lo, ranges.y.home.hi]);
});

test("whole numbers beyond 2^53 are followed exactly", () => {
  const origin = 2n ** 60n;
  const { follow, view } = world([[0, 100]], { origin });
  const { y } = follow.fit(view.with({ y: span(0, 1, origin, true) }));
  assert.equal(Number(y.origin - origin) + y.lo, -2);
  assert.equal(Number(y.origin - origin) + y.hi, 102);
});

test("y stays where it was moved to, where the document says where it is, and where figures share it", () => {
  const moved = world([[0, 1]]);
  moved.follow.isWanted = false;
  assert.equal(moved.follow.fit(moved.view), moved.view);
  for (const { follow, view } of [world([[0, 1]], { glyph: "points" }), world([[0, 1]], { declared: true })]) {
    assert.ok(!follow.isPossible);
    assert.equal(follow.fit(view), view);
  }
  const shared = world([[0, 1]]);
  shared.ranges.y.tell({}, [0, 5], false);
  assert.ok(!shared.follow.isPossible);
  const empty = world([[0, 1]]);
  for (const layer of empty.layers) layer.line.extent = () => /** @type {any} */ (null);
  assert.equal(empty.follow.fit(empty.view), empty.view, "nor where the view holds no rows");
});

test("while x moves on by itself y stays as long as the rows are in it and fill most of it", () => {
  const { follow, ranges, layers, view } = world([[-10, 10]]);
  ranges.x.follow(1, null, 0);
  const fitted = follow.fit(view);
  assert.deepEqual(ends(fitted), [-12, 12]);
  const rows = (/** @type {number} */ low, /** @type {number} */ high) => {
    layers[0].line.extent = () => ({ origin: 0n, low, high });
    return follow.fit(fitted);
  };
  assert.equal(rows(-8, 9), fitted, "most of it");
  assert.equal(rows(-12, 12), fitted);
  assert.deepEqual(ends(rows(-12.5, 7.5)), [-14.5, 9.5]);
  assert.deepEqual(ends(rows(0, 10)), [-1, 11]);
});
