// Versions that a page takes, with how many rows come a second and how late they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Streams } from "../../../../bigviz/static/figure/growth/streams.js";

/** Streams with a clock, and what they told. */
function world() {
  let clock = 0;
  const streams = new Streams(() => clock);
  /** @type {any[]} */ const told = [];
  streams.addEventListener("version", (event) => told.push(/** @type {CustomEvent} */ (event).detail));
  return { streams, told, wait: (/** @type {number} */ ms) => (clock += ms) };
}

test("a version tells rows, those that came, their rate and their delay", () => {
  const { streams, told, wait } = world();
  streams.begin("ticks", 100);
  wait(1000);
  streams.take("ticks", { version: 2, rows: 150, time: 5, age: 0.25 });
  assert.deepEqual(told, [{ dataset: "ticks", version: 2, rows: 150, added: 50, rate: 50, time: 5000, delay: 250 }]);
  wait(1000);
  streams.take("ticks", { version: 3, rows: 300 });
  assert.deepEqual(told[1], {
    dataset: "ticks",
    version: 3,
    rows: 300,
    added: 150,
    rate: 100,
    time: null,
    delay: null,
  });
  assert.equal(streams.latest.get("ticks"), told[1]);
});

test("the rate is that of the last five seconds, across pauses too", () => {
  const { streams, told, wait } = world();
  streams.begin("ticks", 0);
  for (let version = 1; version <= 20; version++) {
    wait(1000);
    streams.take("ticks", { version, rows: version < 10 ? version * 100 : 1000 + version });
  }
  assert.equal(told.at(-1).rate, 1);
  wait(60_000);
  streams.take("ticks", { version: 21, rows: 1080 });
  assert.equal(told.at(-1).rate, 1);
});

test("a dataset whose rows are not told has had none added", () => {
  const { streams, told } = world();
  streams.take("ticks", { version: 2 });
  assert.deepEqual(told, [{ dataset: "ticks", version: 2, rows: 0, added: 0, rate: 0, time: null, delay: null }]);
});
