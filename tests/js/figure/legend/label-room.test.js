import assert from "node:assert/strict";
import test from "node:test";
import { LabelRoom } from "../../../../bigviz/static/figure/legend/label-room.js";

/** A canvas on which every letter is 7 pixels wide. */
const context = /** @type {any} */ ({ measureText: (/** @type {string} */ text) => ({ width: 7 * text.length }) });

/** Labels of y, each so many letters long, without a colour bar. @param {number} letters */
const labels = (letters) =>
  /** @type {any} */ ({ ys: [{ label: "8".repeat(letters) }], look: { font: "f" }, bar: null });

test("room for labels grows at once, and shrinks when it is much too wide", () => {
  const room = new LabelRoom();
  room.fit(context, labels(9));
  const wide = room.left;
  assert.ok(wide >= 9 * 7 && room.suits(context, labels(9)));

  room.fit(context, labels(8));
  assert.equal(room.left, wide); // a pan from 100,000 to 99,999 does not move the plot

  assert.ok(!room.suits(context, labels(11)));
  room.fit(context, labels(11));
  assert.ok(room.left > wide);

  assert.ok(!room.suits(context, labels(2)));
  room.fit(context, labels(2));
  assert.ok(room.left < wide);
});

test("without a bar the room next to it stays", () => {
  const room = new LabelRoom();
  const before = room.bar;
  room.fit(context, labels(9));
  assert.equal(room.bar, before);
});
