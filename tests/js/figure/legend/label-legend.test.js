// The legend of labelled layers: which entries, where, and that hidden ones stay in it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { boxOf, entriesOf, freeCorner, isHidden } from "../../../../bigviz/static/figure/legend/label-legend.js";

const look = /** @type {any} */ ({ font: "sans-serif", dpr: 1, palette: {} });
/** Words are 6 pixels a letter. */
const ctx = /** @type {any} */ ({
  font: "",
  measureText: (/** @type {string} */ text) => ({ width: 6 * text.length }),
});

/** @param {(string|null)[]} labels @returns {any[]} */
const layersOf = (...labels) => labels.map((legend_label) => ({ spec: { legend_label }, isHidden: false }));

test("layers of one label share an entry, those without have none", () => {
  const layers = layersOf("a", null, "b", "a", "");
  const entries = entriesOf(layers);
  assert.deepEqual(
    entries.map(({ label, layers: own }) => [label, own.length]),
    [
      ["a", 2],
      ["b", 1],
    ],
  );
  assert.ok(!isHidden(entries[0]));
  layers[0].isHidden = true;
  assert.ok(!isHidden(entries[0]), "the other one is drawn");
  layers[3].isHidden = true;
  assert.ok(isHidden(entries[0]));
});

test("the box lies in the top right corner, as wide as its longest words", () => {
  const box = boxOf(ctx, entriesOf(layersOf("first", "a longer label")), { width: 400, height: 300 }, look);
  assert.ok(box);
  const { rect, lines, more } = box;
  assert.equal(rect.x + rect.width, 390);
  assert.equal(rect.width, 7 + 26 + 8 + 14 * 6 + 7);
  assert.deepEqual([rect.y, rect.height, lines.length, more], [10, 54, 2, 0]);
  assert.ok(
    lines.every(({ x, y, width, height }) => x > rect.x && x + width < 390 && y + height <= rect.y + rect.height),
  );
});

test("a finger hits one line of the box", () => {
  const entries = entriesOf(layersOf("a", "b", "c"));
  const box = boxOf(ctx, entries, { width: 300, height: 200 }, { ...look, isTouch: true });
  assert.ok(box && box.lines.length === 3 && box.more === 0);
  for (const [k, { y, width, height }] of box.lines.entries())
    assert.ok(width >= 44 && height >= 44 && y === box.lines[0].y + k * height);
});

test("the box goes where it hides least, top right where that is the same", () => {
  const [width, height] = [100, 80];
  const box = { width: 30, height: 20 };
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  const ink = (/** @type {number} */ x, /** @type {number} */ y, grey = 0) =>
    data.fill(grey, 4 * (y * width + x), 4 * (y * width + x) + 3);
  const corner = () => freeCorner({ width, height, data }, box, [255, 255, 255]);
  assert.deepEqual(corner(), { x: 1, y: 0 });
  ink(70, 20, 230);
  assert.deepEqual(corner(), { x: 1, y: 0 }, "the grid does not count");
  for (const x of [60, 89]) ink(x, 29);
  assert.deepEqual(corner(), { x: 0, y: 0 });
  ink(10, 10);
  assert.deepEqual(corner(), { x: 1, y: 1 });
  for (const [x, y] of [
    [60, 50],
    [61, 50],
    [62, 50],
    [39, 69],
    [38, 69],
    [37, 69],
  ])
    ink(x, y);
  assert.deepEqual(corner(), { x: 0, y: 0 }, "least where all hide something");
  assert.deepEqual(boxOf(ctx, entriesOf(layersOf("a")), { width, height: 100 }, look, { x: 0, y: 1 }), null);
  const placed = boxOf(ctx, entriesOf(layersOf("a")), { width: 300, height: 100 }, look, { x: 0, y: 1 });
  assert.deepEqual([placed?.rect.x, (placed?.rect.y ?? 0) + (placed?.rect.height ?? 0)], [10, 90]);
});

test("long words are cut, lines that do not fit are counted, a small plot has none", () => {
  const entries = entriesOf(layersOf(...Array.from({ length: 20 }, (_, k) => `label ${k} of so many letters`)));
  const box = boxOf(ctx, entries, { width: 200, height: 120 }, look);
  assert.ok(box && box.rect.width === 100 && box.rect.y + box.rect.height <= 110);
  assert.equal(box.lines.length + box.more, 20);
  assert.equal(boxOf(ctx, entries, { width: 90, height: 300 }, look), null);
  assert.equal(boxOf(ctx, entries, { width: 400, height: 40 }, look), null);
  assert.equal(boxOf(ctx, [], { width: 400, height: 300 }, look), null);
});
