// The rows of a line that draw a window, of those that a file holds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pick, StoredLine } from "../../../bigviz/static/offline/stored-line.js";
import { parseColumns } from "../../../bigviz/static/wire/columns.js";
import { parseFrame } from "../../../bigviz/static/wire/frames.js";
import { random } from "../random.js";

/** @param {number} n @param {number} seed @returns {any} */
function rows(n, seed) {
  const next = random(seed);
  const x = Float64Array.from({ length: n }, () => Math.floor(next() * 1000) / 10).sort();
  const run = Int32Array.from({ length: n }, (_, k) => Math.floor(k / 40));
  const y = Float64Array.from({ length: n }, () => next());
  const row = Float64Array.from({ length: n }, (_, k) => k);
  return {
    n,
    width: 1,
    xorigin: 0n,
    yorigin: 0n,
    flagged: [],
    column: run,
    run,
    row,
    x,
    y,
    xwhole: null,
    ywhole: null,
  };
}

test("of each column and run the first, lowest, highest and last row, and one on each side", () => {
  const all = rows(500, 3);
  const [x0, x1, width] = [20, 70, 25];
  const { picks, columns } = pick(all, { x0, x1, width });
  /** @type {Map<string, number[]>} */ const groups = new Map();
  for (let k = 0; k < all.n; k++) {
    if (all.x[k] < x0 || all.x[k] > x1) continue;
    const name = `${Math.min(width - 1, Math.floor(((all.x[k] - x0) * width) / (x1 - x0)))}/${all.run[k]}`;
    groups.set(name, [...(groups.get(name) ?? []), k]);
  }
  const wanted = new Set([all.x.findIndex((v) => v >= x0) - 1, all.x.findIndex((v) => v > x1)]);
  for (const group of groups.values()) {
    const by = [...group].sort((a, b) => all.y[a] - all.y[b]);
    for (const k of [group[0], group[group.length - 1], by[0], by[by.length - 1]]) wanted.add(k);
  }
  assert.deepEqual(
    picks,
    [...wanted].sort((a, b) => a - b),
  );
  assert.deepEqual([columns[0], columns[columns.length - 1]], [-1, width]);
});

test("a window without rows has its neighbours; one beyond the line the nearest row", () => {
  const all = { ...rows(4, 1), x: Float64Array.of(0, 1, 8, 9) };
  assert.deepEqual(pick(all, { x0: 2, x1: 7, width: 9 }).picks, [1, 2]);
  assert.deepEqual(pick(all, { x0: 20, x1: 30, width: 9 }).picks, [3]);
});

test("more rows than a frame holds come in parts, and nanoseconds stay whole", async () => {
  const n = 30_000;
  const all = rows(n, 9);
  all.xwhole = BigInt64Array.from({ length: n }, (_, k) => 2n ** 60n + BigInt(k));
  all.x = Float64Array.from({ length: n }, (_, k) => k);
  const line = new StoredLine(/** @type {any} */ (null), []);
  line.read = Promise.resolve(all);
  const frames = await line.get({ x0: 0, x1: n, width: n });
  const parts = frames.map((each) => parseFrame(each.slice().buffer));
  assert.deepEqual(
    parts.map(({ part, parts: count }) => [part, count]),
    [
      [0, 2],
      [1, 2],
    ],
  );
  const read = parts.map((each) => parseColumns(each).columns);
  assert.equal(
    read.reduce((sum, each) => sum + each.n, 0),
    n,
  );
  assert.equal(read[1].xwhole?.at(-1), 2n ** 60n + BigInt(n - 1));
});
