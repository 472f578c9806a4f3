// The cache of tiles, by a layer that uses it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { World, cellView } from "./world.js";

test("the cache keeps its budget, drops what was used longest ago, and never what is on the screen", () => {
  const world = new World({ budget: 600_000 });
  const view = cellView(3, 0, 0, 512, 512);
  world.load(view);
  assert.ok(world.layer.complete(view));
  for (let k = 1; k < 6; k++)
    world.answer([
      [3, 3, k, 0],
      [3, 3, k, 1],
    ]);
  assert.ok(world.layer.complete(view), "the window stays");
  assert.ok(world.cache.bytes <= 600_000 || world.layer.tiles.size === 4);
  world.layer.dispose();
  world.answer([[3, 3, 7, 7]]);
  assert.ok(world.cache.bytes <= 600_000);
  world.cache.forget("d");
  assert.deepEqual([world.cache.bytes, world.cache.order.size], [0, 0]);
});
