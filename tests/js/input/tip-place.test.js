// Tooltips next to the pointer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { boxesIn, tipPlace } from "../../../bigviz/static/input/tip-place.js";

const TIP = { width: 100, height: 60 };
const SURFACE = { width: 500, height: 300 };

test("a tooltip stands right of the pointer and below it, else where the surface has room", () => {
  assert.deepEqual(tipPlace(100, 100, TIP, SURFACE), { left: 114, top: 114 });
  assert.deepEqual(tipPlace(450, 100, TIP, SURFACE), { left: 336, top: 114 });
  assert.deepEqual(tipPlace(450, 290, TIP, SURFACE), { left: 336, top: 216 });
  assert.deepEqual(tipPlace(50, 30, TIP, { width: 90, height: 60 }), { left: 4, top: 4 });
});

test("it is never over words where one of its sides is free of them", () => {
  const words = { left: 190, top: 137, width: 120, height: 26 };
  for (let px = 0; px <= SURFACE.width; px += 5) {
    for (let py = 0; py <= SURFACE.height; py += 5) {
      const { left, top } = tipPlace(px, py, TIP, SURFACE, [words]);
      const apart =
        left >= words.left + words.width ||
        left + TIP.width <= words.left ||
        top >= words.top + words.height ||
        top + TIP.height <= words.top;
      assert.ok(apart, `at ${px}, ${py}: ${left}, ${top}`);
    }
  }
});

test("where words are everywhere it stands over them", () => {
  const words = { left: 0, top: 0, width: 500, height: 300 };
  assert.deepEqual(tipPlace(200, 100, TIP, SURFACE, [words]), { left: 214, top: 114 });
});

test("words that are hidden take no room, others that of the surface", () => {
  const at = (/** @type {number} */ left, /** @type {number} */ top, hidden = false) =>
    /** @type {HTMLElement} */ (
      /** @type {unknown} */ ({ hidden, getBoundingClientRect: () => ({ left, top, width: 9, height: 5 }) })
    );
  assert.deepEqual(boxesIn(at(100, 50), [at(120, 60), at(0, 0, true)]), [{ left: 20, top: 10, width: 9, height: 5 }]);
});
