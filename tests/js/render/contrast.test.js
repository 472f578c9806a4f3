// The ground of the plot under a colour map.

import assert from "node:assert/strict";
import { test } from "node:test";
import { luminance, wantsDark } from "../../../bigviz/static/render/contrast.js";

test("the ground never swallows the high end", () => {
  const dark = /** @type {import("../../../bigviz/static/render/theme.js").Palette} */ ({ dark: true });
  const light = /** @type {import("../../../bigviz/static/render/theme.js").Palette} */ ({ dark: false });
  const map = (/** @type {number} */ from, /** @type {number} */ to) => Uint8Array.from({ length: 768 }, (_, k) => from + ((to - from) * Math.floor(k / 3)) / 255);
  assert.equal(wantsDark(map(0, 255), light), true);
  assert.equal(wantsDark(map(255, 90), light), false);
  assert.equal(wantsDark(map(255, 0), dark), false);
  assert.equal(wantsDark(map(0, 255), dark), true);
  assert.ok(luminance(255, 255, 255) > 0.999 && luminance(0, 0, 0) === 0);
});
