// What is drawn in the place of tiles that are not there: the last picture, and tiles of levels above and below.

import assert from "node:assert/strict";
import { test } from "node:test";
import { partOf } from "../../../../bigviz/static/layers/tiles/stand-ins.js";
import { World, cellView, countAt } from "./world.js";

test("while moving, a shift of the exact picture fits to the bit and the rest comes from tiles", () => {
  const world = new World();
  const view = cellView(2, 100, 300);
  world.load(view);
  const before = world.draw(view);
  const moved = view.pan(30, -20);
  world.load(moved);
  const during = world.draw(moved, "compose");
  for (let py = 0; py < 180; py++)
    for (let px = 30; px < 300; px++) assert.equal(during[py * 300 + px], before[(py + 20) * 300 + px - 30]);
  const norm = world.layer.norm;
  const after = world.draw(moved);
  const strip = Array.from({ length: 30 }, (_, px) => px).filter(
    (px) => during[50 * 300 + px] >>> 24 !== after[50 * 300 + px] >>> 24,
  );
  assert.deepEqual(strip, [], "the exposed strip was drawn from its tiles");
  assert.notEqual(world.layer.norm, norm, "and normalised again at rest");
});

test("the picture never blanks: parents stand in when zooming in, children when zooming out", () => {
  const world = new World({ rows: 200_000 });
  const wide = cellView(1, 0, 0, 400, 400);
  world.load(wide);
  world.draw(wide);
  const close = wide.zoom(0.25, 0.25, 100, 300);
  assert.ok(world.layer.missing(close).tiles.length > 0);
  const blank = (/** @type {Uint32Array} */ pixels) =>
    pixels.filter((pixel) => pixel >>> 24 === 0).length / pixels.length;
  const standIn = world.draw(close, "compose");
  assert.ok(blank(standIn) < blank(world.draw(wide)) + 0.3, `${blank(standIn)}`);
  world.load(close);
  world.draw(close);
  const far = new World({ rows: 200_000 });
  far.load(close);
  far.draw(close);
  const out = close.zoom(2, 2, 200, 200);
  assert.ok(far.layer.missing(out).tiles.length > 0);
  const small = far.draw(out, "compose");
  far.load(out);
  const inked = 1 - blank(far.draw(out));
  assert.ok(
    1 - blank(small) > 0.05 * inked && 1 - blank(small) < inked,
    `the children are shown small: ${1 - blank(small)} of ${inked}`,
  );
});

test("stand-ins are shaded with their share, so the brightness holds", () => {
  const world = new World({ rows: 400_000 });
  const wide = cellView(0, 0, 0, 256, 256);
  world.load(wide);
  world.draw(wide);
  const close = wide.zoom(0.5, 0.5, 0, 256);
  world.load(close);
  world.draw(close);
  const mean = (/** @type {Uint32Array} */ pixels) =>
    pixels.reduce((sum, pixel) => sum + (pixel & 255), 0) / pixels.length;
  const exact = mean(world.draw(close, "compose"));
  const bare = new World({ rows: 400_000 });
  bare.load(wide);
  bare.layer.shader = world.layer.shader;
  bare.layer.exactOnce = true;
  const standIn = mean(bare.draw(close, "compose"));
  assert.ok(Math.abs(standIn / exact - 1) < 0.1, `${standIn} instead of ${exact}`);
});

test("a stand-in tells its cells apart though each is divided to less than a row", () => {
  const world = new World({ rows: 400_000 });
  const wide = cellView(0, 0, 0, 256, 256);
  world.load(wide);
  world.draw(wide);
  const close = wide.zoom(1 / 4, 1 / 4, 128, 100);
  const counts = new Set();
  for (let px = 2; px < 256; px += 4)
    for (let py = 2; py < 256; py += 4)
      counts.add(countAt(world, 0, Math.floor(close.xAt(px) * 256), Math.floor(close.yAt(py) * 256)));
  assert.ok(counts.size > 4 && Math.max(...counts) < 16);
  assert.equal(new Set(world.draw(close, "compose")).size, counts.size);
});

test("the part of an ancestor that a tile covers", () => {
  assert.deepEqual(partOf({ zx: 3, zy: 2, i: 5, j: 3 }, { zx: 1, zy: 2, i: 1, j: 3 }), {
    x: 64,
    y: 0,
    width: 64,
    height: 256,
  });
  assert.deepEqual(partOf({ zx: 10, zy: 0, i: 1023, j: 0 }, { zx: 0, zy: 0, i: 0, j: 0 }), {
    x: 255,
    y: 0,
    width: 1,
    height: 256,
  });
});
