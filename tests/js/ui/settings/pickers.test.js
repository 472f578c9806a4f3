// The ends of a clip.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readClip } from "../../../../bigviz/static/ui/settings/pickers.js";

test("ends of a clip are values, percentiles, or nothing", () => {
  assert.equal(readClip(""), null);
  assert.equal(readClip("  "), null);
  assert.equal(readClip("-2.5e3"), -2500);
  assert.equal(readClip("1,250"), 1250);
  assert.equal(readClip("4,611,686,018,427,387,905"), 2n ** 62n + 1n);
  assert.deepEqual(readClip("1 %"), { percentile: 1 });
  assert.deepEqual(readClip("99.5%"), { percentile: 99.5 });
  for (const bad of ["x", "1 2 3 x", "101 %", "-1 %", "Infinity"]) assert.equal(readClip(bad), undefined);
});
