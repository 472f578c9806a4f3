// Colour maps as CSS.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gradient } from "../../../bigviz/static/render/palette.js";

test("a gradient keeps the ends of its map", () => {
  const lut = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));
  assert.match(gradient(lut), /^linear-gradient\(90deg, rgb\(0 0 0\).*rgb\(255 255 255\)\)$/);
});
