// Where the plot lies on its surface.

import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf, marginsOf } from "../../../bigviz/static/axes/draw.js";

test("the plot stays inside its surface, on whole device pixels", () => {
  for (const dpr of [1, 1.5, 2, 3]) {
    for (const [width, height] of [
      [200, 160],
      [390, 600],
      [1280, 700],
      [3840, 2000],
    ]) {
      for (const side of /** @type {const} */ (["bar", "legend", "none"])) {
        const { plot, bar } = frameOf(width, height, { left: 57, side, legend: 80, context: true, dpr });
        assert.ok(plot.x + plot.width <= width && plot.y + plot.height <= height);
        assert.ok(bar.x + bar.width <= width && bar.y + bar.height <= height + 1);
        for (const edge of Object.values(plot)) assert.ok(Math.abs(edge * dpr - Math.round(edge * dpr)) < 1e-6);
      }
    }
  }
});

test("plots next to each other have the same edges, whatever stands round each", () => {
  for (const width of [390, 640]) {
    const kinds = /** @type {const} */ ([
      { side: "bar", context: false },
      { side: "none", context: true },
      { side: "legend", context: false },
    ]);
    const margins = kinds.map((kind) => marginsOf(width, kind));
    const edges = kinds.map((kind, k) => {
      const { plot } = frameOf(width, 400, {
        left: 57,
        legend: 80,
        dpr: 2,
        ...kind,
        beside: margins.filter((_, n) => n !== k),
      });
      return [plot.y, plot.y + plot.height];
    });
    assert.deepEqual(edges[1], edges[0]);
    assert.deepEqual(edges[2], edges[0]);
    const alone = frameOf(width, 400, { left: 57, legend: 80, dpr: 2, ...kinds[0] }).plot;
    assert.ok(alone.y + alone.height > edges[0][1], "alone it uses the height it has");
  }
});
