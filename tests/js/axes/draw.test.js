// Where the plot lies on its surface.

import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "../../../bigviz/static/axes/draw.js";

test("the plot stays inside its surface, on whole device pixels", () => {
  for (const dpr of [1, 1.5, 2, 3]) {
    for (const [width, height] of [[200, 160], [390, 600], [1280, 700], [3840, 2000]]) {
      for (const side of /** @type {const} */ (["bar", "legend", "none"])) {
        const { plot, bar } = frameOf(width, height, { left: 57, side, legend: 80, context: true, dpr });
        assert.ok(plot.x + plot.width <= width && plot.y + plot.height <= height);
        assert.ok(bar.x + bar.width <= width && bar.y + bar.height <= height + 1);
        for (const edge of Object.values(plot)) assert.ok(Math.abs(edge * dpr - Math.round(edge * dpr)) < 1e-6);
      }
    }
  }
});
