// An exported page's answers, through the real connection: what it holds, and nothing that is out of date.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { FileSocket } from "../../../bigviz/static/offline/file-socket.js";
import { zOrder } from "../../../bigviz/static/offline/stored-tiles.js";
import { cellOf, decodePlane } from "../../../bigviz/static/wire/codec.js";
import { Connection } from "../../../bigviz/static/wire/connection.js";
import { frame, tileBody, TYPE } from "../frames.js";

const DEFINITION = {
  dataset: "d",
  glyph: "points",
  x: "x",
  y: "y",
  agg: "count",
  xaxis: "linear",
  yaxis: "linear",
  root: "default",
};
const LIMITS = {
  messages_per_second: 64,
  messages_burst: 256,
  layers_per_view: 64,
  tiles_per_view: 1024,
  columns_width: 16_384,
  image_side: 16_384,
  rows: 50_000,
};
const HELLO = { protocol: 1, server: "t", document: {}, datasets: {}, cmaps: [], limits: LIMITS, offline: true };

/** @param {ArrayBuffer[]} frames @returns {string} */
const block = (frames) => deflateRawSync(Buffer.concat(frames.map((each) => Buffer.from(each)))).toString("base64");

/** @param {{zx: number, zy: number, i: number, j: number}} key @param {[number, number][]} filled cells and counts */
function tile(key, filled) {
  const payload = new Uint8Array(65_536);
  for (const [cell, count] of filled) payload[cell] = count;
  const counts = filled.map(([, count]) => count);
  const plane = {
    codec: 2,
    dtype: 1,
    plane: 0,
    filled: filled.length,
    low: Math.min(...counts),
    high: Math.max(...counts),
  };
  return frame({ type: TYPE.tile, planes: 1, body: tileBody(key, [{ ...plane, payload }]) });
}

/** A file of one layer with three levels; the lower left tile of level 1 is empty. */
function file() {
  const blocks = [
    block([frame({ type: TYPE.hello, json: HELLO })]),
    block([frame({ type: TYPE.layer, json: { index: "ready", inside: { deepest: 1, apart: null } } })]),
    block([tile({ zx: 0, zy: 0, i: 0, j: 0 }, [[0, 9]])]),
    block([
      tile({ zx: 1, zy: 1, i: 0, j: 0 }, [
        [0, 2],
        [1, 3],
        [257, 4],
      ]),
      tile({ zx: 1, zy: 1, i: 1, j: 0 }, [[510, 7]]),
    ]),
    block([tile({ zx: 1, zy: 1, i: 1, j: 1 }, [[65_535, 5]])]),
  ];
  const levels = [
    [0, 0, [[0, 2]]],
    [
      1,
      1,
      [
        [0, 3],
        [3, 4],
      ],
    ],
  ];
  const layer = { figure: 0, layer: 0, definition: DEFINITION, answer: 1, tiles: { planes: 1, counts: true, levels } };
  const index = { format: 1, blocks: blocks.map((text) => text.length), hello: 0, layers: [layer] };
  return { index: /** @type {any} */ (index), text: blocks.join("") };
}

/** @param {Connection} connection @param {string} type @returns {Promise<any>} the next message of that type */
const next = (connection, type) =>
  new Promise((resolve) =>
    connection.addEventListener(type, (event) => resolve(/** @type {any} */ (event).detail), { once: true }),
  );

/** @param {{index: any, text: string}} of @returns {Promise<Connection>} */
async function opened({ index, text }) {
  const connection = new Connection("", { socket: () => new FileSocket(index, text) });
  const up = next(connection, "up");
  connection.open();
  await up;
  return connection;
}

/** @param {Connection} connection @param {number[][]} tiles @returns {Promise<any[]>} tiles until done */
async function shown(connection, tiles) {
  /** @type {any[]} */ const got = [];
  const take = (/** @type {Event} */ event) => got.push(/** @type {any} */ (event).detail);
  connection.addEventListener("tile", take);
  const done = next(connection, "done");
  connection.view(0, [{ layer: 0, definition: DEFINITION, tiles }]);
  await done;
  connection.removeEventListener("tile", take);
  return got;
}

/** @param {any} message @returns {[number, number][]} filled cells and their counts */
function filledOf(message) {
  const plane = decodePlane(message.planes[0], true);
  const cells = Array.from({ length: 65_536 }, (_, cell) => [cell, Number(cellOf(plane, cell) ?? 0)]);
  return /** @type {[number, number][]} */ (cells.filter(([, count]) => count > 0));
}

test("a layer is told as it was exported, and no other one is", async () => {
  const connection = await opened(file());
  const told = next(connection, "layer");
  connection.layer(0, 0, DEFINITION);
  assert.deepEqual((await told).json.inside, { deepest: 1, apart: null });
  const refused = next(connection, "error");
  connection.layer(0, 0, { ...DEFINITION, x: "z" });
  assert.match((await refused).json.error, /no other columns/);
});

test("tiles are those of the file; one without rows is empty; deeper ones are not answered", async () => {
  const connection = await opened(file());
  const got = await shown(connection, [
    [1, 1, 0, 0],
    [1, 1, 1, 1],
    [1, 1, 0, 1],
    [2, 2, 0, 0],
  ]);
  assert.deepEqual(
    got.map(({ key }) => [key.i, key.j]),
    [
      [0, 0],
      [1, 1],
      [0, 1],
    ],
  );
  assert.deepEqual(got.map(filledOf), [
    [
      [0, 2],
      [1, 3],
      [257, 4],
    ],
    [[65_535, 5]],
    [],
  ]);
});

test("counts of other pairs of levels are the sums of the square tiles", async () => {
  const connection = await opened(file());
  const [wide, tall] = await shown(connection, [
    [0, 1, 0, 0],
    [1, 0, 1, 0],
  ]);
  assert.deepEqual(filledOf(wide), [
    [0, 5],
    [256, 4],
    [256 + 255, 7],
  ]);
  // Rows 1 and 255 of the upper and the lower tile of the right half.
  assert.deepEqual(filledOf(tall), [
    [254, 7],
    [65_535, 5],
  ]);
});

test("a newer view ends the one before", async () => {
  const connection = await opened(file());
  const first = connection.view(0, [{ layer: 0, definition: DEFINITION, tiles: [[1, 1, 0, 0]] }]);
  /** @type {number[]} */ const ids = [];
  connection.addEventListener("tile", (event) => ids.push(/** @type {any} */ (event).detail.id));
  await shown(connection, [[1, 1, 1, 0]]);
  assert.ok(ids.length === 1 && !ids.includes(first));
});

test("a damaged file says so, and is not asked again", async () => {
  const { index, text } = file();
  const connection = await opened({ index, text: `${text.slice(0, -8)}AAAAAAAA` });
  const down = next(connection, "down");
  connection.view(0, [{ layer: 0, definition: DEFINITION, tiles: [[1, 1, 1, 1]] }]);
  const { final, reason } = await down;
  assert.ok(final);
  assert.match(reason, /damaged/);
});

test("Z-order takes the bits by turns", () => {
  assert.deepEqual(
    [zOrder(0, 0), zOrder(1, 0), zOrder(0, 1), zOrder(1, 1), zOrder(2, 0), zOrder(5, 3)],
    [0, 1, 2, 3, 4, 27],
  );
});
