// The ground of the plot under a colour map.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { luminance, seenOn, wantsDark } from "../../../bigviz/static/render/contrast.js";

test("the ground never swallows the high end", () => {
  const dark = /** @type {import("../../../bigviz/static/render/theme.js").Palette} */ ({ dark: true });
  const light = /** @type {import("../../../bigviz/static/render/theme.js").Palette} */ ({ dark: false });
  const map = (/** @type {number} */ from, /** @type {number} */ to) =>
    Uint8Array.from({ length: 768 }, (_, k) => from + ((to - from) * Math.floor(k / 3)) / 255);
  assert.equal(wantsDark(map(0, 255), light), true);
  assert.equal(wantsDark(map(255, 90), light), false);
  assert.equal(wantsDark(map(255, 0), dark), false);
  assert.equal(wantsDark(map(0, 255), dark), true);
  assert.ok(luminance(255, 255, 255) > 0.999 && luminance(0, 0, 0) === 0);
});

/** @type {{map: string, low: number[], high: number[], luminance: number[], dark: boolean}[]} */
const golden = JSON.parse(readFileSync(new URL("../../golden/contrast.json", import.meta.url), "utf8"));
/** @type {any} */ const LIGHT = { dark: false };

test("luminance and ground are Python's", () => {
  for (const { map, low, high, luminance: want, dark } of golden) {
    const table = new Uint8Array(768);
    table.set(low);
    table.set(high, 765);
    const [first, last] = [low, high].map(([red, green, blue]) => luminance(red, green, blue));
    assert.ok(Math.abs(first - want[0]) < 1e-9 && Math.abs(last - want[1]) < 1e-9, map);
    assert.equal(wantsDark(table, LIGHT), dark, map);
  }
});

/** The grey of places 0, 1, 128 and 255; tests/render/test_contrast.py has the same. */
const SEEN = { dark: [45, 46, 150, 255], light: [215, 214, 107, 0] };

test("the first colour of a map is seen on its ground, as Python has it; the last one stays", () => {
  const grey = (/** @type {number} */ from, /** @type {number} */ to) =>
    Uint8Array.from({ length: 768 }, (_, k) => from + ((to - from) * Math.floor(k / 3)) / 255);
  const [rising, falling] = [grey(0, 255), grey(255, 0)];
  const [onDark, onLight] = [seenOn(rising, true), seenOn(falling, false)];
  const columns = [0, 1, 128, 255].map((k) => 3 * k);
  assert.deepEqual([...columns.map((k) => onDark[k])], SEEN.dark);
  assert.deepEqual([...columns.map((k) => onLight[k])], SEEN.light);
  assert.equal(seenOn(rising, true), onDark, "found once");
  assert.equal(seenOn(falling, true), falling, "white on dark is seen");
});
