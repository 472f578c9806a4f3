// Ends of ranges: as text, next to large origins, joined.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  equalSpans,
  fractionOf,
  place,
  span,
  spanOf,
  spanToText,
  toFloat,
  union,
} from "../../../bigviz/static/geometry/span.js";
import { random } from "../random.js";

test("ends of ranges travel as text and back", () => {
  for (const [a, b] of [
    ["1700000000000000000", "1700000000000000001"],
    ["9223372036854770000", "9223372036854775807"],
    ["-5", "12"],
  ]) {
    const s = spanOf(a, b, true);
    assert.ok(s);
    assert.deepEqual(spanToText(s), [a, b]);
  }
  const rand = random(23);
  for (let round = 0; round < 500; round++) {
    const a = (rand() - 0.5) * 10 ** (rand() * 40 - 20);
    const s = spanOf(String(a), String(Math.abs(a) * 1.5), false);
    assert.ok(s);
    assert.deepEqual(spanToText(s), [String(a), String(Math.abs(a) * 1.5)]);
  }
  for (const [a, b] of [
    ["1", "1"],
    ["2", "1"],
    ["nan", "1"],
    ["", "1"],
    ["0", "Infinity"],
    ["0x10", ""],
    ["1e400", "2"],
  ])
    assert.equal(spanOf(a, b, false), null, `${a}..${b}`);
  assert.equal(spanOf("abc", "5", true), null);
  assert.deepEqual(place("1.75", true), { origin: 1n, offset: 0.75 });
});

test("a view on an axis of whole numbers of any size comes back from its text to a thousandth of a pixel", () => {
  const rand = random(5);
  for (let round = 0; round < 500; round++) {
    const length = 10 ** (rand() * 22 - 3);
    const origin = BigInt(Math.round(2 ** (rand() * 63))) * (rand() < 0.5 ? -1n : 1n);
    const lo = (rand() - 0.5) * length;
    const s = span(lo, lo + length, origin, true);
    const text = spanToText(s);
    for (const end of text) assert.match(end, /^-?\d+(\.\d*[1-9])?$/);
    const back = spanOf(...text, true);
    assert.ok(back && equalSpans(s, back, 1e-7), `${origin} + ${lo}, ${length} long: ${text}`);
    if (length < 2 ** 52)
      assert.deepEqual(spanToText(back), text, "a page that is opened by its address does not change it");
  }
  assert.deepEqual(spanToText(span(-0.4, 63.6, 2n ** 62n, true)), ["4611686018427387903.6", "4611686018427387967.6"]);
  assert.deepEqual(spanToText(span(-0.4, 63.6, 0n, true)), ["-0.4", "63.6"]);
  assert.deepEqual(place("-4611686018427387904.5", true), { origin: -(2n ** 62n), offset: -0.5 });
});

test("a fraction of a nanosecond is kept next to a large origin", () => {
  const s = span(0.25, 8.25, 1_700_000_000_000_000_000n, true);
  assert.equal(fractionOf(s, 1_700_000_000_000_000_004n, 0.25), 0.5);
  assert.equal(fractionOf(s, 1_700_000_000_000_000_000n, 0.25), 0);
  assert.ok(equalSpans(s, span(-3.75, 4.25, 1_700_000_000_000_000_004n, true)));
});

test("ranges of linked axes join, exact with exact, else as doubles", () => {
  const a = span(0, 10, 1_000n, true);
  assert.deepEqual(spanToText(union(a, span(0, 5, 2_000n, true))), ["1000", "2005"]);
  assert.deepEqual(spanToText(union(a, span(-1.5, 3))), ["-1.5", "1010"]);
  assert.deepEqual(spanToText(toFloat(a)), ["1000", "1010"]);
});
