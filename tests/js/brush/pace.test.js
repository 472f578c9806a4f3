// When steps of a brush leave: none waits long in the server, and the server waits for none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../../bigviz/static/brush/pace.js";

test("a step leaves at once, and the next one before the server is expected to be done", () => {
  let now = 0;
  const pace = new Pace(() => now);
  assert.equal(pace.wait, 0);
  pace.sent(1);
  assert.equal(pace.wait, 0); // how long one takes is not known yet
  pace.sent(2);
  assert.equal(pace.wait, null);
  now = 60;
  assert.equal(pace.came(1, { kernel_us: 30_000, encode_us: 10_000 }), true);
  assert.equal(pace.wait, 30); // the server is at the second one since then, for 40 ms
  now = 75;
  assert.equal(pace.wait, 15);
  now = 90;
  assert.equal(pace.wait, 0);
  pace.sent(3);
  now = 100;
  pace.came(2, { kernel_us: 50_000, encode_us: 0 });
  assert.ok(Math.abs(/** @type {number} */ (pace.wait) - 33) < 1e-9); // 40 ms and a share of the 10 more
  now = 110;
  pace.came(3, { kernel_us: 0, encode_us: 0 });
  assert.equal(pace.wait, 10); // nothing is on its way, but one left 20 ms ago
  now = 120;
  assert.equal(pace.wait, 0);
});

test("half of the time is left to others, up to 30 ms from step to step", () => {
  let now = 0;
  const pace = new Pace(() => now);
  pace.sent(1);
  now = 5;
  pace.came(1, { kernel_us: 4_000, encode_us: 0 });
  assert.equal(pace.wait, 3);
  now = 8;
  assert.equal(pace.wait, 0);
  pace.sent(2);
  now = 18;
  pace.came(2, { kernel_us: 500_000, encode_us: 0 });
  assert.equal(pace.wait, 20);
  pace.clear();
  assert.equal(pace.wait, 0);
});

test("what was replaced, or is of no interest any more, says nothing of the time that a step takes", () => {
  let now = 0;
  const pace = new Pace(() => now);
  pace.sent(1);
  now = 10;
  pace.came(1, { kernel_us: 20_000, encode_us: 0 });
  pace.sent(2);
  pace.sent(3);
  assert.equal(pace.came(2, null), true);
  assert.equal(pace.wait, 30);
  assert.equal(pace.came(2, { kernel_us: 9e6 }), false);
  pace.clear();
  assert.equal(pace.came(3, { kernel_us: 9e6 }), false);
  assert.deepEqual([pace.wait, pace.took], [0, 20]);
});
