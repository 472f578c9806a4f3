// A page tells what it shows of data that grow, and puts all of an update in at once.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Follower } from "../../../../bigviz/static/figure/growth/follower.js";
import { TileCache } from "../../../../bigviz/static/layers/tiles/tile-cache.js";

const ROOT = { x: ["0", 10], y: ["0", 10] };
const DEFINITION = { dataset: "d", glyph: "points" };

/** A figure with one layer of tiles, and what it is told. @param {number} index @param {any} world */
function figureOf(index, { cache, told }) {
  const set = cache.set({ ...DEFINITION, x: `x${index}` }, 1, ROOT);
  const key = { zx: 1, zy: 1, i: 0, j: 0 };
  const layer = {
    index: 0,
    spec: { dataset: "d" },
    failed: false,
    definition: { ...DEFINITION, x: `x${index}` },
    line: null,
    held: () => ({
      definition: layer.definition,
      columns: null,
      raster: {
        window: { zx: 1, zy: 1, i0: 0, i1: 1, j0: 0, j1: 0 },
        tiles: [set.peek(key), set.peek({ ...key, i: 1 })].filter(Boolean),
        kept: [set.peek({ ...key, zx: 2 })].filter(Boolean),
        asked: null,
      },
    }),
    advance: (/** @type {any} */ facts, /** @type {any} */ _held, /** @type {any} */ update) => {
      told.push(["advance", index, facts, update.changed, update.parts.length, set.size]);
    },
  };
  for (const place of [key, { ...key, i: 1 }, { ...key, zx: 2 }, { ...key, zx: 3 }]) set.put(place, []);
  set.windows.set(layer, null);
  return Object.assign(new EventTarget(), {
    index,
    set,
    exact: true,
    asking: {},
    layers: [layer],
    renew: () => told.push(["renew", index]),
    advanced: () => told.push(["advanced", index]),
  });
}

/** A page of two figures over one dataset. */
function world() {
  /** @type {any[]} */ const told = [];
  const cache = new TileCache();
  const connection = Object.assign(new EventTarget(), {
    isUp: true,
    lastId: 0,
    hasRoom: () => true,
    broken: () => told.push(["broken"]),
    follow: (/** @type {any} */ versions, /** @type {any} */ figures) => {
      told.push(["follow", { ...versions }, figures]);
      connection.lastId += 1;
      return connection.lastId;
    },
  });
  const figures = [0, 1].map((index) => figureOf(index, { cache, told }));
  const streams = { take: (/** @type {string} */ name, /** @type {any} */ { version }) => told.push([name, version]) };
  const versions = new Map([["d", 1]]);
  const page = /** @type {any} */ ({ connection, cache, streams });
  const ending = new AbortController();
  const follower = new Follower(page, /** @type {any} */ (figures), ["d"], versions, ending.signal);
  const send = (/** @type {string} */ type, /** @type {any} */ detail) => {
    told.length = 0;
    connection.dispatchEvent(new CustomEvent(type, { detail }));
  };
  const exact = () => {
    told.length = 0;
    figures[0].dispatchEvent(new Event("exact"));
    mock.timers.tick(1000);
  };
  return { told, connection, figures, versions, follower, send, exact, ending };
}

/** @param {number} figure @param {number[][]} changed */
const layerOf = (figure, changed) => ({ figure, layer: 0, facts: { version: 2 }, changed, rows: true });

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("what is drawn is told once, and what has not changed is not told again", () => {
  const { told, figures, connection, exact, send } = world();
  figures[1].exact = false;
  exact();
  assert.deepEqual(told, [], "a figure is not drawn yet");
  figures[1].exact = true;
  exact();
  const [[name, versions, shown]] = told;
  assert.deepEqual([name, versions], ["follow", { d: 1 }]);
  assert.deepEqual(shown[0], {
    figure: 0,
    layers: [{ layer: 0, definition: { ...DEFINITION, x: "x0" }, tiles: [1, 1, 0, 1, 0, 0], kept: [[2, 1, 0, 0]] }],
  });
  exact();
  assert.deepEqual(told, [], "the server knows");
  connection.lastId += 1; // a view was asked for since, which ends the request
  send("done", {});
  mock.timers.tick(1000);
  assert.deepEqual(told, [["follow", { d: 1 }, null]]);
});

test("an update is put in at once: tiles that were not named are gone, others are the new version's", () => {
  const { told, figures, versions, exact, send } = world();
  exact();
  const parts = [{ type: "tile", figure: 0, layer: 0 }];
  send("update", {
    id: 1,
    json: { datasets: { d: { version: 2 } }, layers: [layerOf(0, [[1, 1, 0, 0]]), layerOf(1, [])], anew: [] },
    parts,
  });
  assert.deepEqual(told, [
    ["advance", 0, { version: 2 }, [[1, 1, 0, 0]], 1, 2],
    ["advance", 1, { version: 2 }, [], 0, 3],
    ["d", 2],
    ["advanced", 0],
    ["advanced", 1],
  ]);
  assert.equal(versions.get("d"), 2);
  const { cache } = figures[0].set;
  assert.equal(cache.set({ ...DEFINITION, x: "x0" }, 2, ROOT), figures[0].set);
  assert.equal(figures[0].set.peek({ zx: 3, zy: 1, i: 0, j: 0 }), undefined);
});

test("a figure that cannot be brought up to date, or shows something else by now, is asked for anew", () => {
  const { told, figures, exact, send } = world();
  exact();
  figures[1].layers[0].definition = { ...DEFINITION, x: "other" };
  const json = { datasets: { d: { version: 2 } }, layers: [layerOf(1, [])], anew: [0] };
  send("update", { id: 1, json, parts: [] });
  assert.deepEqual(told, [
    ["d", 2],
    ["renew", 0],
    ["renew", 1],
  ]);
  assert.equal(figures[0].set.size + figures[1].set.size, 0);
});

test("an update that does not fit breaks the connection", async () => {
  const { ProtocolError } = await import("../../../../bigviz/static/wire/frames.js");
  const { told, figures, exact, send } = world();
  figures[0].layers[0].advance = () => {
    throw new ProtocolError("no");
  };
  exact();
  const layers = [layerOf(0, []), layerOf(1, [])];
  send("update", { id: 1, json: { datasets: { d: { version: 2 } }, layers, anew: [] }, parts: [] });
  assert.deepEqual(told[0], ["broken"]);
});

test("a page that comes back says what it has, unless something is missing", () => {
  const { told, figures, follower, exact, send } = world();
  exact();
  send("down", {});
  figures[0].exact = false;
  assert.equal(follower.resume(), true);
  assert.deepEqual([told[0][0], told[0][2].length], ["follow", 2], "and all of it");
  send("down", {});
  figures[0].layers[0].held = () => /** @type {any} */ (null);
  assert.equal(follower.resume(), false);
  assert.deepEqual(told, []);
});

test("a refused request is sent again, whole, and nothing is after the end", () => {
  const { told, exact, send, ending } = world();
  exact();
  send("unfollowed", {});
  mock.timers.tick(1000);
  assert.equal(told[0][2].length, 2);
  ending.abort();
  exact();
  assert.deepEqual(told, []);
});
