// Decoders against planes encoded the slow way, the golden payloads, and damage.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cellOf, decodePlane, planeBytes } from "../../../bigviz/static/wire/codec.js";
import { ProtocolError } from "../../../bigviz/static/wire/frames.js";
import { rlev, runs } from "../frames.js";
import { pick, random, whole } from "../random.js";

const CELLS = 65536;
const GOLDEN = new URL("../../golden/", import.meta.url);
const ARRAYS = [
  null,
  Uint8Array,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
];
const NONE = new Uint8Array(8);

/** @param {Partial<import("../../../bigviz/static/wire/codec.js").EncodedPlane>} plane */
const encoded = (plane) => ({
  codec: 0,
  dtype: 1,
  plane: 0,
  filled: 0,
  low: Number.NaN,
  high: Number.NaN,
  constant: NONE,
  payload: new Uint8Array(0),
  ...plane,
});

/**
 * Random counts, sparse or dense, below `most`.
 * @param {() => number} rand
 * @param {number} most
 * @param {number} share
 */
function counts(rand, most, share) {
  return Array.from({ length: CELLS }, () => (rand() < share ? 1 + Math.floor(rand() ** 4 * most) : 0));
}

for (const entry of JSON.parse(readFileSync(new URL("codecs.json", GOLDEN)).toString())) {
  test(`golden codec ${entry.name}`, () => {
    const payload = entry.payload ? new Uint8Array(readFileSync(new URL(entry.payload, GOLDEN))) : new Uint8Array(0);
    const plane = decodePlane(
      encoded({
        ...entry,
        low: entry.low ?? Number.NaN,
        high: entry.high ?? Number.NaN,
        constant: new Uint8Array(Buffer.from(entry.constant, "hex")),
        payload,
      }),
      entry.codec < 4 && entry.dtype < 5,
    );
    const cells = new Map(
      (entry.cells ?? []).map((/** @type {any} */ [cell, value]) => [
        cell,
        typeof value === "string" ? BigInt(value) : value,
      ]),
    );
    let filled = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      let want = cells.get(cell) ?? null;
      if (entry.rule) want = ((cell * entry.rule[0]) % entry.rule[1]) + entry.rule[2];
      if (entry.rule && entry.dtype < 5 && want === 0) want = null;
      const got = cellOf(plane, cell);
      if (got !== want)
        assert.equal(typeof got === "bigint" ? got : BigInt(got ?? -1), BigInt(want ?? -1), `cell ${cell}`);
      filled += got === null ? 0 : 1;
    }
    assert.equal(filled, entry.filled);
  });
}

test("rlev gives back every count, in the array of its dtype", () => {
  const rand = random(2);
  for (const [dtype, make, most] of /** @type {const} */ ([
    [1, Uint8Array, 255],
    [2, Uint16Array, 65535],
    [3, Uint32Array, 2 ** 32 - 1],
  ])) {
    for (const share of [0.001, 0.3, 1]) {
      const want = counts(rand, most, share);
      const filled = want.filter((count) => count > 0).length;
      const plane = decodePlane(encoded({ codec: 3, dtype, filled, low: 1, high: most, payload: rlev(want) }), true);
      assert.ok(plane.data instanceof make);
      assert.deepEqual([...plane.data], want);
    }
  }
});

test("rlev of 64 bits keeps numbers that doubles do not hold", () => {
  const want = new Array(CELLS).fill(0n);
  want[3] = 2n ** 53n + 1n;
  want[70] = 2n ** 64n - 1n;
  const plane = decodePlane(
    encoded({ codec: 3, dtype: 4, filled: 2, low: 2 ** 53, high: 2 ** 64, payload: rlev(want) }),
    true,
  );
  assert.equal(cellOf(plane, 3), 2n ** 53n + 1n);
  assert.equal(cellOf(plane, 70), 2n ** 64n - 1n);
  assert.equal(cellOf(plane, 4), null);
  assert.ok(plane.data instanceof Float64Array);
});

test("narrow planes are views of the frame where they are aligned", () => {
  for (const [dtype, make] of /** @type {const} */ ([
    [1, Uint8Array],
    [2, Uint16Array],
    [3, Uint32Array],
  ])) {
    const values = new make(CELLS).map((_, k) => k % 200);
    const bytes = new Uint8Array(values.buffer);
    const filled = values.filter((count) => count > 0).length;
    const plane = decodePlane(encoded({ codec: 2, dtype, filled, low: 1, high: 199, payload: bytes }), true);
    assert.equal(plane.data?.buffer, values.buffer);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const copied = decodePlane(
      encoded({ codec: 2, dtype, filled, low: 1, high: 199, payload: shifted.subarray(1) }),
      true,
    );
    assert.deepEqual(copied.data, values);
  }
});

test("runs give back every value of every dtype", () => {
  const rand = random(3);
  for (let dtype = 1; dtype <= 10; dtype++) {
    const make = /** @type {any} */ (ARRAYS[dtype]);
    const probe = new make(1);
    for (const share of [0.01, 0.6, 0.99]) {
      let on = false;
      const cells = Array.from({ length: CELLS }, () => {
        if (rand() < 0.05) on = rand() < share;
        if (!on) return null;
        probe[0] =
          typeof probe[0] === "bigint" ? BigInt(whole(rand, -(2 ** 40), 2 ** 40)) << 20n : (rand() - 0.4) * 1000;
        return probe[0];
      });
      const filled = cells.filter((cell) => cell !== null);
      const numbers = filled.map(Number);
      const [low, high] = [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))];
      const plane = decodePlane(
        encoded({ codec: 4, dtype, filled: filled.length, low, high, payload: runs(cells, make) }),
        false,
      );
      for (let cell = 0; cell < CELLS; cell++) {
        const [got, want] = [cellOf(plane, cell), cells[cell]];
        if (got !== want && !(got !== null && want !== null && BigInt(got) === BigInt(want)))
          assert.equal(got, want, `dtype ${dtype}, cell ${cell}`);
      }
    }
  }
});

test("a sum of 0 is a value, a count of 0 is empty", () => {
  const cells = new Array(CELLS).fill(null);
  cells[9] = 0;
  const plane = decodePlane(
    encoded({ codec: 4, dtype: 10, filled: 1, low: 0, high: 0, payload: runs(cells, Float64Array) }),
    false,
  );
  assert.equal(cellOf(plane, 9), 0);
  assert.equal(cellOf(plane, 8), null);
});

test("constant planes keep one value, exact in 64 bits", () => {
  const plane = decodePlane(
    encoded({
      codec: 1,
      dtype: 8,
      filled: CELLS,
      low: -(2 ** 60),
      high: -(2 ** 60),
      constant: new Uint8Array(BigInt64Array.of(-(2n ** 60n) - 1n).buffer),
    }),
    false,
  );
  assert.equal(cellOf(plane, 77), -(2n ** 60n) - 1n);
  assert.equal(plane.data, null);
  assert.ok(planeBytes(plane) < 200);
  assert.throws(
    () =>
      decodePlane(
        encoded({ codec: 1, dtype: 9, filled: CELLS, constant: new Uint8Array(Float32Array.of(Number.NaN, 0).buffer) }),
        false,
      ),
    ProtocolError,
  );
});

test("payloads that do not say what their header says are refused", () => {
  const of =
    (/** @type {number[]} */ bytes, filled = 1, dtype = 1) =>
    () =>
      decodePlane(encoded({ codec: 3, dtype, filled, low: 1, high: 1, payload: Uint8Array.from(bytes) }), true);
  assert.throws(of([0]), /unfinished/);
  assert.throws(of([0, 0x80]), /unfinished/);
  assert.throws(of([0, 0, 5]), /empty run/);
  assert.throws(of([0xff, 0x02]), /count 383 in a plane of at most 255/);
  assert.throws(of([0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 1, 3), /overlong|at most/);
  assert.throws(of([5, 5]), /fills 2 cells, its header says 1/);
  assert.throws(of([0, 0x80, 0x80, 0x04, 5]), /65537 cells/);
  assert.throws(of([...new Array(CELLS + 1).fill(1)], CELLS + 1), /65537 cells/);
  const run =
    (/** @type {number[]} */ words, filled = 1) =>
    () =>
      decodePlane(
        encoded({
          codec: 4,
          dtype: 3,
          filled,
          low: 1,
          high: 1,
          payload: new Uint8Array(Uint32Array.from(words).buffer),
        }),
        false,
      );
  assert.throws(run([1]), /4 bytes/);
  assert.throws(run([1, 1, 0, 2, 7]), /ends outside/);
  assert.throws(run([1, 1, CELLS, 1, 7]), /ends outside/);
  assert.throws(run([1, 2, 0, 2, 7, 7]), /header says 1/);
  assert.throws(run([1, 1, 0, 0, 7]), /hold 0 of 1/);
  assert.throws(run([1, 1, 0, 1, 7, 7]), /expected/);
});

test("random payloads are refused or decoded, never anything else", () => {
  const rand = random(4);
  for (let round = 0; round < 3000; round++) {
    const payload = Uint8Array.from({ length: whole(rand, 0, 64) }, () => (rand() < 0.4 ? 0 : whole(rand, 0, 255)));
    const plane = encoded({
      codec: pick(rand, [2, 3, 4]),
      dtype: whole(rand, 1, 10),
      filled: whole(rand, 0, 40),
      low: 1,
      high: 9,
      payload,
    });
    try {
      decodePlane(plane, plane.codec !== 4);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }
});
