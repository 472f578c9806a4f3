// What the lock on a colour bar chooses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isLocked, toggled } from "../../../../bigviz/static/ui/settings/colour-lock.js";

test("the lock keeps the range that shows, and gives it back to the view", () => {
  /** @type {{ends: [number, number]}} */ const norm = { ends: [2, 9] };
  assert.deepEqual(toggled({ low: null, high: null }, norm), { low: 2, high: 9 });
  assert.deepEqual(toggled({ low: 3, high: null }, norm), { low: 2, high: 9 }, "one end is not yet a lock");
  assert.deepEqual(
    toggled({ low: { percentile: 1 }, high: { percentile: 99 } }, norm),
    { low: 2, high: 9 },
    "a view moves percentiles",
  );
  assert.deepEqual(toggled({ low: 2, high: 9 }, norm), { low: null, high: null });
  assert.equal(toggled({ low: null, high: null }, null), null);
  assert.ok(isLocked({ low: 2n ** 62n, high: 2n ** 62n + 1n }), "whole numbers beyond doubles");
  assert.ok(isLocked({ low: 0, high: 0 }) && !isLocked({ low: 0, high: null }));
});
