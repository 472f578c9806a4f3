// The cost of settled views, on a clock made for tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Latency } from "../../../bigviz/static/figure/latency.js";

function setup() {
  /** @type {[string, any][]} */ const measures = [];
  const clock = {
    time: 0,
    now: () => clock.time,
    measure: (/** @type {string} */ name, /** @type {any} */ o) => measures.push([name, o]),
  };
  const latency = new Latency(/** @type {any} */ (clock));
  /** @type {any[]} */ const views = [];
  latency.addEventListener("view", (event) => views.push(/** @type {CustomEvent} */ (event).detail));
  return { latency, clock, measures, views };
}

const cost = (
  /** @type {number} */ queue,
  /** @type {number} */ kernel,
  /** @type {number} */ encode,
  rows = 10,
  bytes = 100,
) => ({ queue, kernel, encode, rows, bytes });
const drawn = { zx: 3, zy: 4, tiles: 12, paint: 5 };

test("one measure a settled view, from its last input to the end of its frame", () => {
  const { latency, clock, measures, views } = setup();
  latency.input(0, 90);
  latency.input(0, 100);
  latency.sent(0);
  latency.arrived(0, { cost: cost(1000, 2000, 500), sent: 101, arrived: 110, decode: 0.5 });
  latency.arrived(0, { cost: cost(3000, 1000, 0), sent: 101, arrived: 112, decode: 0.25 });
  clock.time = 120;
  latency.settled(0, drawn);
  assert.deepEqual(measures, [
    ["bigviz:view", { start: 100, end: 120, detail: { figure: 0, zx: 3, zy: 4, tiles: 12, messages: 1 } }],
  ]);
  assert.deepEqual(views, [
    {
      figure: 0,
      zx: 3,
      zy: 4,
      tiles: 12,
      total: 20,
      paint: 5,
      messages: 1,
      queue: 3,
      kernel: 3,
      encode: 0.5,
      wire: 7,
      decode: 0.75,
      rows: 20,
      bytes: 200,
    },
  ]);
  assert.equal(latency.settled(0, drawn), null, "once a view");
  assert.equal(measures.length, 1);
});

test("superseded views give none; figures are apart; cached views send nothing", () => {
  const { latency, clock, measures } = setup();
  latency.input(0, 1);
  latency.sent(0);
  latency.input(0, 5);
  latency.input(1, 6);
  latency.arrived(2, { cost: cost(1, 1, 1), sent: 0, arrived: 1, decode: 1 });
  clock.time = 10;
  latency.settled(1, drawn);
  latency.settled(0, drawn);
  assert.deepEqual(
    measures.map(([, { start, detail }]) => [start, detail.figure, detail.messages]),
    [
      [6, 1, 0],
      [5, 0, 0],
    ],
  );
});

test("the newest 200 views are remembered", () => {
  const { latency } = setup();
  for (let k = 0; k < 250; k++) {
    latency.input(0, k);
    latency.settled(0, { ...drawn, tiles: k });
  }
  assert.deepEqual([latency.views.length, latency.views[0].tiles, latency.views[199].tiles], [200, 50, 249]);
});
