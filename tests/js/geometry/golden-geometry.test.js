// Levels, tiles and cells of views: those that Python finds with exact fractions, which wrote the golden file.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Grid } from "../../../bigviz/static/geometry/grid.js";
import { AxisRoot } from "../../../bigviz/static/geometry/root.js";
import { place, span, spanOf } from "../../../bigviz/static/geometry/span.js";
import { View } from "../../../bigviz/static/geometry/view.js";

/**
 * @type {{root: [string, number], low: number|string, high: number|string, pixels: number, nominal: number, level:
 *   number, tiles: [number, number]|null, cells: [number|string, number, number][]}[]}
 */
const cases = JSON.parse(readFileSync(new URL("../../golden/geometry.json", import.meta.url), "utf8"));

for (const { root, low, high, pixels, nominal, level, tiles, cells } of cases) {
  test(`${root} seen from ${low} to ${high} on ${pixels} pixels`, () => {
    const axis = AxisRoot.parse(root);
    const exact = typeof low === "string";
    const shown = spanOf(low, high, exact);
    assert.ok(shown);
    assert.equal(axis.nominalLevel(shown, pixels) + 0, nominal);
    assert.equal(axis.level(shown, pixels), level);
    const flat = { other: new AxisRoot(0n, 0), shown: span(0, 1) };
    const across = new Grid(axis, flat.other).window(
      new View({ x: shown, y: flat.shown, width: pixels, height: 256 }),
      { zx: level, zy: 0 },
    );
    assert.deepEqual(across && [across.i0, across.i1], tiles);
    const up = new Grid(flat.other, axis).window(new View({ x: flat.shown, y: shown, width: 256, height: pixels }), {
      zx: 0,
      zy: level,
    });
    const fromTop = (/** @type {number} */ row) => 2 ** level - 1 - row;
    assert.deepEqual(up && [fromTop(up.j1), fromTop(up.j0)], tiles);
    for (const [number, cell, edge] of cells) {
      const at = place(number, exact);
      assert.ok(at);
      assert.equal(axis.index(level + 8, at.origin, at.offset), cell);
      assert.equal(axis.edge(level + 8, cell, 0n), edge);
    }
  });
}
