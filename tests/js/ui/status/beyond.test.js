// New data beyond the ends of a view.

import assert from "node:assert/strict";
import { test } from "node:test";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { Seen } from "../../../../bigviz/static/ui/status/beyond.js";

test("data that were there are not new, and what has come beyond the view is until it is seen", () => {
  const seen = new Seen();
  const part = span(40, 60);
  assert.deepEqual(seen.look(span(0, 100), part), { low: false, high: false });
  assert.deepEqual(seen.look(span(0, 101), part), { low: false, high: true });
  assert.deepEqual(seen.look(span(0, 101), span(45, 65)), { low: false, high: true }, "it is still not seen");
  assert.deepEqual(seen.look(span(-5, 101), part), { low: true, high: true });
  assert.deepEqual(seen.look(span(-5, 101), span(90, 110)), { low: true, high: false });
  assert.deepEqual(seen.look(span(-5, 101), part), { low: true, high: false }, "it was seen");
});

test("data that come within the view are seen", () => {
  const seen = new Seen();
  seen.look(span(0, 100), span(50, 150));
  assert.deepEqual(seen.look(span(0, 120), span(50, 150)), { low: false, high: false });
  assert.deepEqual(seen.look(span(0, 170), span(50, 150)), { low: false, high: true });
});

test("nanoseconds over decades are told apart", () => {
  const [first, now] = [0n, 1_700_000_000_000_000_000n];
  const all = (/** @type {bigint} */ end) => span(0, Number(end - first), first, true);
  const seen = new Seen();
  const view = span(-60e9, 0, now, true);
  assert.deepEqual(seen.look(all(now), view), { low: false, high: false });
  assert.equal(seen.look(all(now + 5_000_000_000n), view).high, true);
});
