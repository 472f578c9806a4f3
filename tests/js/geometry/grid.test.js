// Tiles, cells and their edges against exact rational arithmetic in BigInt.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AxisRoot, dyadic } from "../../../bigviz/static/geometry/root.js";
import { ancestor, Grid } from "../../../bigviz/static/geometry/grid.js";
import { span } from "../../../bigviz/static/geometry/span.js";
import { View } from "../../../bigviz/static/geometry/view.js";
import { pick, random, whole } from "../random.js";

/** Numbers as multiples of 2^-1200: exact for every double. */
const UNIT = 1200;

/** @param {number} value @returns {bigint} value * 2^UNIT */
function scaled(value) {
  let power = 0;
  let rest = value;
  while (!Number.isInteger(rest)) {
    rest *= 2;
    power++;
  }
  return BigInt(rest) << BigInt(UNIT - power);
}

/** @param {bigint} a @param {bigint} b @returns {bigint} floor(a / b) */
const floorDiv = (a, b) => a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);

/**
 * A random root: of floats near and far, small and large; or of int64 numbers.
 * @param {() => number} rand
 * @param {boolean} exact
 */
function randomRoot(rand, exact) {
  if (exact) {
    const exponent = whole(rand, 1, 62);
    return { exponent, multiple: BigInt(whole(rand, -1000, 1000)) * (rand() < 0.3 ? 123_456_789n : 1n) };
  }
  return {
    exponent: pick(rand, [-200, -30, -3, 0, 1, 3, 10, 40, 300]),
    multiple: BigInt(whole(rand, -(2 ** 20), 2 ** 20)),
  };
}

test("dyadic gives back every double", () => {
  const rand = random(10);
  const numbers = [
    0,
    1,
    -1,
    0.1,
    -(2 ** -1074),
    2 ** -1022,
    Number.MAX_VALUE,
    2 ** 53 + 2,
    1e22,
    -1e-300,
    ...Array.from({ length: 2000 }, () => (rand() - 0.5) * 2 ** whole(rand, -1070, 1000)),
  ];
  for (const value of numbers) {
    const [mantissa, power] = dyadic(value);
    assert.equal(mantissa << BigInt(power + UNIT), scaled(value));
  }
});

test("a root reads its start from text", () => {
  assert.deepEqual([AxisRoot.parse(["-4.0", 3]).multiple, AxisRoot.parse(["-4.0", 3]).exponent], [-1n, 3]);
  assert.equal(AxisRoot.parse(["1700000000000000000", 18]).multiple, 1700000000000000000n >> 17n);
  assert.equal(AxisRoot.parse(["0", 0]).multiple, 0n);
  assert.equal(AxisRoot.parse(["7", 0]).multiple, 14n);
  assert.equal(AxisRoot.parse(["1e+22", 20]).edge(0, 0, 0n), 1e22);
  assert.throws(() => AxisRoot.parse(["3", 4]), RangeError);
});

test("edges are exact, rounded once", () => {
  const rand = random(11);
  for (let round = 0; round < 3000; round++) {
    const exact = rand() < 0.6;
    const { multiple, exponent } = randomRoot(rand, exact);
    const level = whole(rand, 0, 32);
    const index = whole(rand, 0, 2 ** level);
    const origin = exact ? ((multiple << BigInt(exponent)) >> 1n) + BigInt(whole(rand, -(2 ** 40), 2 ** 40)) : 0n;
    const want =
      (multiple << BigInt(exponent - 1 + UNIT)) +
      (BigInt(index) << BigInt(exponent - level + UNIT)) -
      (origin << BigInt(UNIT));
    const got = scaled(new AxisRoot(multiple, exponent).edge(level, index, origin));
    const off = got > want ? got - want : want - got;
    assert.ok(
      off << 53n <= (want < 0n ? -want : want),
      `${multiple} 2^${exponent - 1}, level ${level}, index ${index}`,
    );
  }
});

test("the index of a place is the exact floor", () => {
  const rand = random(12);
  for (let round = 0; round < 5000; round++) {
    const exact = rand() < 0.6;
    const { multiple, exponent } = randomRoot(rand, exact);
    const root = new AxisRoot(multiple, exponent);
    const level = whole(rand, 0, 32);
    const origin = exact
      ? (multiple << BigInt(exponent - 1)) + BigInt(Math.floor(rand() * 2 ** Math.min(exponent, 60)))
      : 0n;
    const edge = root.edge(level, whole(rand, 0, 2 ** level), origin);
    const offset = pick(rand, [
      edge,
      edge + Math.abs(edge) * 2 ** -52,
      edge - Math.abs(edge) * 2 ** -52,
      edge + (rand() - 0.5) * root.length,
      (rand() - 0.5) * root.length,
    ]);
    const value = (origin << BigInt(UNIT)) + scaled(offset);
    const want = floorDiv(value - (multiple << BigInt(exponent - 1 + UNIT)), 1n << BigInt(exponent - level + UNIT));
    const far = 2n ** 40n;
    assert.equal(BigInt(root.index(level, origin, offset)), want > far ? far : want < -far ? -far : want);
  }
});

test("far from the epoch each nanosecond still has its own cell", () => {
  const root = new AxisRoot(2_500_000_000_000_000_000n >> 31n, 32);
  for (let k = 0n; k < 20n; k++) {
    const at = 2_500_000_000_000_000_000n + k;
    const cell = root.index(32, at, 0);
    assert.equal(root.edge(32, cell, at), 0, "a cell of level 32 begins at the nanosecond");
    assert.equal(root.index(32, at - 5n, 5.25), cell);
    assert.equal(root.index(32, at - 5n, 4.999), cell - 1);
    assert.equal(root.edge(24, Math.floor(cell / 256), at), 0 - (cell % 256), "and its tile that many before it");
  }
});

/** @param {() => number} rand @param {Grid} grid */
function randomView(rand, grid) {
  const part = (/** @type {AxisRoot} */ root) => {
    const size = root.length * 2 ** (-24 * rand() + 1);
    const at = root.edge(0, 0, 0n) + (rand() * 1.2 - 0.1) * root.length;
    return span(at, at + size);
  };
  return new View({ x: part(grid.x), y: part(grid.y), width: whole(rand, 1, 1500), height: whole(rand, 1, 1000) });
}

test("levels make cells of 0.71 to 1.42 pixels, x and y by themselves", () => {
  const rand = random(13);
  const grid = new Grid(new AxisRoot(-1n, 3), new AxisRoot(5n, 10));
  for (let round = 0; round < 1000; round++) {
    const view = randomView(rand, grid);
    const { zx, zy } = grid.level(view);
    for (const [z, root, s, pixels] of /** @type {const} */ ([
      [zx, grid.x, view.x, view.width],
      [zy, grid.y, view.y, view.height],
    ])) {
      const cell = ((root.length / 2 ** (z + 8)) * pixels) / (s.hi - s.lo);
      assert.ok(
        z === 24 ? cell > 0.7 : z === 0 ? cell < 1.42 : cell >= Math.SQRT1_2 * 0.9999 && cell <= Math.SQRT2 * 1.0001,
        `${cell} pixels at level ${z}`,
      );
    }
  }
});

test("the window holds every tile that the view touches and no other", () => {
  const rand = random(14);
  const grid = new Grid(new AxisRoot(-1n, 3), new AxisRoot(5n, 10));
  for (let round = 0; round < 500; round++) {
    const view = randomView(rand, grid);
    const level = { zx: whole(rand, 0, 6), zy: whole(rand, 0, 6) };
    const window = grid.window(view, level);
    const seen = [];
    for (let i = 0; i < 2 ** level.zx; i++) {
      const [a, b] = [grid.x.edge(level.zx, i, 0n), grid.x.edge(level.zx, i + 1, 0n)];
      if (!(a < view.x.hi && b > view.x.lo)) continue;
      for (let j = 0; j < 2 ** level.zy; j++) {
        const row = 2 ** level.zy - 1 - j;
        if (grid.y.edge(level.zy, row, 0n) < view.y.hi && grid.y.edge(level.zy, row + 1, 0n) > view.y.lo)
          seen.push(`${i},${j}`);
      }
    }
    const keys = window ? grid.keys(window, view) : [];
    assert.deepEqual(keys.map(({ i, j }) => `${i},${j}`).sort(), seen.sort());
    const away = keys.map((key) => {
      const { left, right, top, bottom } = grid.rect(key, view);
      return Math.hypot((left + right - view.width) / 2, (top + bottom - view.height) / 2);
    });
    assert.deepEqual(
      away,
      [...away].sort((a, b) => a - b),
      "from the centre outwards",
    );
  }
});

test("row 0 is on top, and neighbours share their edges to the bit", () => {
  const grid = new Grid(new AxisRoot(-1n, 3), new AxisRoot(0n, 2));
  const view = new View({ x: span(-4, 4), y: span(0, 4), width: 800, height: 600 });
  assert.deepEqual(grid.rect({ zx: 0, zy: 0, i: 0, j: 0 }, view), { left: 0, right: 800, top: 0, bottom: 600 });
  assert.deepEqual(grid.rect({ zx: 1, zy: 1, i: 1, j: 0 }, view), { left: 400, right: 800, top: 0, bottom: 300 });
  const rand = random(15);
  for (let round = 0; round < 300; round++) {
    const other = randomView(rand, grid);
    const [zx, zy] = [whole(rand, 1, 24), whole(rand, 1, 24)];
    const [i, j] = [whole(rand, 0, 2 ** zx - 2), whole(rand, 0, 2 ** zy - 2)];
    const here = grid.rect({ zx, zy, i, j }, other);
    assert.equal(here.right, grid.rect({ zx, zy, i: i + 1, j }, other).left);
    assert.equal(here.bottom, grid.rect({ zx, zy, i, j: j + 1 }, other).top);
  }
});

test("the cell under a pixel holds it, and its tile holds the cell", () => {
  const rand = random(16);
  const grid = new Grid(new AxisRoot(-1n, 3), new AxisRoot(5n, 10));
  for (let round = 0; round < 2000; round++) {
    const view = randomView(rand, grid);
    const level = grid.level(view);
    const [px, py] = [rand() * view.width, rand() * view.height];
    const hit = grid.cellAt(view, level, px, py);
    const [x, y] = [view.xAt(px), view.yAt(py)];
    const inside = x >= -4 && x < 4 && y >= 5 * 512 && y < 5 * 512 + 1024;
    assert.equal(hit !== null, inside);
    if (!hit) continue;
    assert.ok(hit.x[0] <= x && x < hit.x[1] && hit.y[0] <= y && y < hit.y[1]);
    const rect = grid.rect(hit.key, view);
    const size = { x: (rect.right - rect.left) / 256, y: (rect.bottom - rect.top) / 256 };
    assert.ok(Math.abs((px - rect.left) / size.x - hit.column - 0.5) <= 0.500001);
    assert.ok(Math.abs((py - rect.top) / size.y - hit.row - 0.5) <= 0.500001);
  }
});

test("an ancestor covers its descendant", () => {
  const rand = random(17);
  const grid = new Grid(new AxisRoot(-1n, 3), new AxisRoot(0n, 2));
  const view = new View({ x: span(-4, 4), y: span(0, 4), width: 1024, height: 1024 });
  for (let round = 0; round < 300; round++) {
    const [zx, zy] = [whole(rand, 0, 24), whole(rand, 0, 24)];
    const key = { zx, zy, i: whole(rand, 0, 2 ** zx - 1), j: whole(rand, 0, 2 ** zy - 1) };
    const above = ancestor(key, whole(rand, 0, zx), whole(rand, 0, zy));
    const [a, b] = [grid.rect(key, view), grid.rect(above, view)];
    assert.ok(b.left <= a.left && a.right <= b.right && b.top <= a.top && a.bottom <= b.bottom);
  }
});
