// The connection over sockets made for tests: ids, rate limit, reconnecting, damaged frames.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { cap, Connection } from "../../../bigviz/static/wire/connection.js";
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
const HELLO = { protocol: 1, server: "bigviz test", document: {}, datasets: {}, cmaps: [], limits: LIMITS };

class Socket {
  constructor() {
    /** @type {any[]} */ this.sent = [];
    /** @type {number|null} */ this.closed = null;
    this.sequence = 0;
    this.readyState = 1;
    this.binaryType = "blob";
    /** @type {any} */ this.onopen = null;
    /** @type {any} */ this.onmessage = null;
    /** @type {any} */ this.onclose = null;
    /** @type {any} */ this.onerror = null;
  }

  /** @param {any} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  /** @param {number} code */
  close(code) {
    this.closed = code;
  }

  /** @param {any} o the frame's fields */
  push(o) {
    this.sequence += 1;
    this.onmessage?.({ data: frame({ sequence: this.sequence, ...o }) });
  }

  hello(epoch = 7, json = HELLO) {
    this.push({ type: TYPE.hello, json, epoch });
  }
}

/** Makes a connection, with its sockets and events so far. */
function setup() {
  /** @type {Socket[]} */ const sockets = [];
  /** @type {[string, any][]} */ const told = [];
  let clock = 0;
  const connection = new Connection("ws://test/ws", {
    socket: () => {
      sockets.push(new Socket());
      return /** @type {any} */ (sockets[sockets.length - 1]);
    },
    random: () => 0.5,
    now: () => clock,
  });
  const answers = ["hello", "layer", "progress", "tile", "columns", "done", "error", "changed", "update", "unfollowed"];
  for (const type of [...answers, "down", "up"]) {
    connection.addEventListener(type, (event) => told.push([type, /** @type {CustomEvent} */ (event).detail]));
  }
  const pass = (/** @type {number} */ ms) => {
    clock += ms;
    mock.timers.tick(ms);
  };
  connection.open();
  return { connection, sockets, told, pass, types: () => told.map(([type]) => type) };
}

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("hello comes first, then up; nothing is sent before", () => {
  const { connection, sockets, types, told } = setup();
  connection.view(0, []);
  assert.deepEqual(sockets[0].sent, []);
  assert.equal(sockets[0].binaryType, "arraybuffer");
  sockets[0].hello();
  assert.deepEqual(types(), ["hello", "up"]);
  assert.deepEqual(told[1][1], { again: false, restarted: false });
  assert.ok(connection.isUp);
  connection.open();
  assert.equal(sockets.length, 1, "open while connected changes nothing");
});

test("requests carry ids; answers carry the definition that they answer", () => {
  const { connection, sockets, told } = setup();
  sockets[0].hello();
  const asked = connection.layer(1, 2, DEFINITION);
  const viewed = connection.view(1, [{ layer: 2, definition: DEFINITION, tiles: [[0, 0, 0, 0]] }]);
  assert.deepEqual(sockets[0].sent, [
    { op: "layer", id: asked, figure: 1, layer: 2, definition: DEFINITION },
    {
      op: "view",
      id: viewed,
      figure: 1,
      layers: [{ layer: 2, definition: DEFINITION, tiles: [[0, 0, 0, 0]], prefetch: [] }],
    },
  ]);
  assert.equal(connection.sent, 2);
  sockets[0].push({
    type: TYPE.progress,
    json: { stage: "order", done: 0.5, rows: 1, seconds: 2 },
    id: asked,
    figure: 1,
    layer: 2,
  });
  sockets[0].push({ type: TYPE.done, json: { tiles: 1 }, id: viewed, figure: 1, layer: 2 });
  sockets[0].push({ type: TYPE.error, json: { error: "no", field: null, got: null }, id: 0 });
  const [progress, done, error] = told.slice(2).map(([, detail]) => detail);
  assert.deepEqual([progress.json.done, progress.definition, progress.current], [0.5, DEFINITION, true]);
  assert.deepEqual([done.definition, done.current, done.asked.tiles], [DEFINITION, true, [[0, 0, 0, 0]]]);
  assert.deepEqual([error.json.error, error.definition], ["no", null]);
});

test("an older view's answer is distinguished from the newest's", () => {
  const { connection, sockets, told } = setup();
  sockets[0].hello();
  const old = connection.view(0, [{ layer: 0, definition: DEFINITION, tiles: [] }]);
  const other = connection.view(1, [{ layer: 0, definition: DEFINITION, tiles: [] }]);
  const next = connection.view(0, [{ layer: 0, definition: { ...DEFINITION, agg: "mean(v)" }, tiles: [] }]);
  for (const id of [old, other, next]) sockets[0].push({ type: TYPE.done, json: {}, id });
  assert.deepEqual(
    told.slice(2).map(([, detail]) => [detail.current, detail.definition.agg]),
    [
      [false, "count"],
      [true, "count"],
      [true, "mean(v)"],
    ],
  );
});

test("beyond the rate limit only the newest view of a figure waits", () => {
  const { connection, sockets, pass } = setup();
  sockets[0].hello();
  for (let k = 0; k < 300; k++)
    connection.view(k % 2, [{ layer: 0, definition: DEFINITION, tiles: [[1, 1, k % 2, 0]] }]);
  assert.equal(sockets[0].sent.length, 204, "four fifths of the burst");
  const last = connection.view(0, []);
  pass(2000);
  const late = sockets[0].sent.slice(204);
  assert.deepEqual(late.map(({ figure }) => figure).sort(), [0, 1], "one view a figure came after");
  assert.ok(late.some(({ id }) => id === last));
  let sent = sockets[0].sent.length;
  for (let second = 0; second < 10; second++) {
    for (let k = 0; k < 100; k++) {
      connection.view(0, []);
      pass(10);
    }
  }
  sent = sockets[0].sent.length - sent;
  assert.ok(sent > 500 && sent < 640 + 120, `${sent} in 10 s`);
});

test("cancel drops a waiting view or tells the server", () => {
  const { connection, sockets } = setup();
  sockets[0].hello();
  connection.cancel(3);
  assert.equal(sockets[0].sent.length, 0, "nothing to cancel");
  connection.view(3, []);
  connection.cancel(3);
  assert.deepEqual(
    sockets[0].sent.map(({ op }) => op),
    ["view", "cancel"],
  );
});

test("a loss is reported with a countdown, doubled each time, and up says whether the server is another", () => {
  const { connection, sockets, told, pass } = setup();
  sockets[0].hello(7);
  pass(60_000);
  const waits = [];
  sockets[0].onclose({ code: 1006, reason: "" });
  for (let k = 1; k < 9; k++) {
    const { inMs, final } = told[told.length - 1][1];
    waits.push(inMs);
    assert.ok(!final && !connection.isUp);
    pass(inMs - 1);
    assert.equal(sockets.length, k, "not before its time");
    pass(1);
    assert.equal(sockets.length, k + 1);
    if (k < 8) sockets[k].onclose({ code: 1006, reason: "" });
  }
  assert.deepEqual(waits, [375, 750, 1500, 3000, 6000, 12000, 22500, 22500]);
  sockets[8].hello(8);
  assert.deepEqual(told[told.length - 1], ["up", { again: true, restarted: true }]);
});

test("a server that stops, or a document that was changed, is connected to again", () => {
  for (const code of [1001, 1012]) {
    const { sockets, told, pass } = setup();
    sockets[0].hello(7);
    sockets[0].onclose({ code, reason: "the server stops: come again" });
    const [kind, { inMs, final }] = told[told.length - 1];
    assert.ok(kind === "down" && !final);
    assert.equal(inMs, code === 1012 ? 75 : 375);
    pass(inMs);
    assert.equal(sockets.length, 2);
    sockets[1].onclose({ code, reason: "again" });
    assert.ok(told[told.length - 1][1].inMs > 375, "one that asks for it at once, again and again, is waited for");
  }
});

test("a document that cannot be shown yet is asked for again, each time later", () => {
  const { sockets, told, pass } = setup();
  const waits = [];
  for (let k = 0; k < 8; k++) {
    sockets[k].onclose({ code: 1013, reason: "far.parquet cannot be read" });
    const [kind, { inMs, final }] = told[told.length - 1];
    assert.ok(kind === "down" && !final);
    waits.push(inMs);
    pass(inMs);
    assert.equal(sockets.length, k + 2);
  }
  assert.deepEqual(waits, [375, 750, 1500, 3000, 6000, 12000, 22500, 22500]);
  sockets[8].hello(7);
  assert.deepEqual(told[told.length - 1], ["up", { again: false, restarted: false }]);
});

test("retrying by hand does not wait; closing does not reconnect; opening again does", () => {
  const { connection, sockets, told, pass } = setup();
  sockets[0].hello();
  sockets[0].onclose({ code: 1006, reason: "" });
  connection.open();
  assert.equal(sockets.length, 2);
  pass(100_000);
  assert.equal(sockets[1].closed, 4000, "a server that says nothing for 20 s is given up");
  connection.open();
  const before = sockets.length;
  const events = told.length;
  connection.close();
  assert.equal(sockets[before - 1].closed, 1000);
  pass(100_000);
  assert.equal(sockets.length, before);
  assert.equal(told.length, events, "leaving the page is no loss");
  connection.open();
  sockets[before].hello();
  assert.ok(connection.isUp);
});

test("close codes that end it: the document is gone, another protocol", () => {
  for (const code of [4001, 4003, 4009]) {
    const { sockets, told, pass } = setup();
    sockets[0].hello();
    sockets[0].onclose({ code, reason: "gone" });
    assert.deepEqual(told[2][1], { inMs: 0, attempt: 1, code, reason: "gone", final: true });
    pass(1e6);
    assert.equal(sockets.length, 1);
  }
  const { sockets, told } = setup();
  sockets[0].hello(7, { ...HELLO, protocol: 2 });
  assert.equal(sockets[0].closed, 4009);
  assert.ok(told[0][1].final && told[0][1].reason.includes("reload"));
});

test("a frame that breaks the protocol closes with 4002 and connects anew", () => {
  const damage = /** @type {((socket: Socket) => void)[]} */ ([
    (socket) => socket.onmessage({ data: new ArrayBuffer(3) }),
    (socket) => socket.onmessage({ data: "text" }),
    (socket) => socket.push({ type: TYPE.done, json: {}, sequence: 77 }),
    (socket) => socket.push({ type: 9, json: {} }),
  ]);
  for (const harm of damage) {
    const { sockets, told, pass } = setup();
    sockets[0].hello();
    harm(sockets[0]);
    assert.equal(sockets[0].closed, 4002);
    assert.deepEqual([told[2][0], told[2][1].code], ["down", 4002]);
    pass(1000);
    assert.equal(sockets.length, 2);
  }
  const { sockets } = setup();
  sockets[0].push({ type: TYPE.done, json: {} });
  assert.equal(sockets[0].closed, 4002, "the first frame must be hello");
});

test("what a lost socket still says is not heard", () => {
  const { connection, sockets, types } = setup();
  sockets[0].hello();
  connection.view(0, []);
  sockets[0].onclose({ code: 1006, reason: "" });
  connection.open();
  sockets[1].hello();
  sockets[0].push({ type: TYPE.changed, json: { dataset: "d", version: 2 } });
  assert.ok(!types().includes("changed"));
  sockets[1].push({ type: TYPE.changed, json: { dataset: "d", version: 2 } });
  assert.ok(types().includes("changed"));
});

test("a view holds at most as many tiles as the server allows, wanted ones first", () => {
  const list = (/** @type {number} */ n) => Array.from({ length: n }, (_, k) => [10, 10, k, 0]);
  const layers = cap(
    [
      { layer: 0, definition: DEFINITION, tiles: list(600), prefetch: list(50) },
      { layer: 1, definition: DEFINITION, tiles: list(400), prefetch: list(500) },
      { layer: 2, definition: DEFINITION, columns: { x0: 0, x1: 1, width: 9 } },
    ],
    1024,
  );
  assert.deepEqual(
    layers.map(({ tiles, prefetch }) => [tiles?.length, prefetch?.length]),
    [
      [600, 24],
      [400, 0],
      [undefined, undefined],
    ],
  );
});

test("the server may say how far it has read before hello, for as long as it takes", () => {
  const { sockets, told, pass, types, connection } = setup();
  connection.addEventListener("reading", (event) => told.push(["reading", /** @type {CustomEvent} */ (event).detail]));
  const json = { stage: "reading sensor.csv", done: 0.45, rows: 450, seconds: 2 };
  sockets[0].push({ type: TYPE.progress, json });
  pass(60_000);
  assert.deepEqual(told, [["reading", json]]);
  assert.equal(connection.isUp, false);
  sockets[0].hello();
  assert.deepEqual(types(), ["reading", "hello", "up"]);
  connection.close();
});

test("what belongs to an update waits for its end; other answers do not", () => {
  const { connection, sockets, told, types } = setup();
  sockets[0].hello();
  const id = connection.follow({ d: 1 }, []);
  assert.deepEqual(sockets[0].sent, [{ op: "follow", id, versions: { d: 1 }, figures: [] }]);
  const view = connection.view(0, []);
  const tile = { type: TYPE.tile, body: tileBody({ zx: 0, zy: 0, i: 0, j: 0 }, []) };
  sockets[0].push({ ...tile, id });
  assert.ok(!types().includes("tile"));
  sockets[0].push({ ...tile, id: view });
  assert.ok(types().includes("tile"));
  const json = { datasets: { d: { version: 2 } }, layers: [], anew: [] };
  sockets[0].push({ type: TYPE.update, id, json });
  const [type, whole] = told[told.length - 1];
  assert.equal(type, "update");
  assert.deepEqual([whole.id, whole.json, whole.parts.length], [id, json, 1]);
  const next = connection.follow({ d: 2 }, []);
  sockets[0].push({ type: TYPE.error, id: next, json: { error: "no", field: null, got: null } });
  assert.deepEqual(types().slice(-1), ["unfollowed"]);
});

test("a page that comes back with an older version asks for nothing else before it has caught up", () => {
  const { connection, sockets } = setup();
  sockets[0].hello();
  const id = connection.follow({ d: 1 }, [], true);
  connection.view(0, []);
  connection.layer(0, 0, DEFINITION);
  assert.deepEqual(
    sockets[0].sent.map(({ op }) => op),
    ["follow"],
  );
  sockets[0].push({ type: TYPE.update, id, json: { datasets: { d: { version: 2 } }, layers: [], anew: [] } });
  assert.deepEqual(
    sockets[0].sent.map(({ op }) => op),
    ["follow", "view", "layer"],
  );
});

test("nor does it wait for what is not answered any more, since the data are others", () => {
  const { connection, sockets, types } = setup();
  connection.addEventListener("changed", () => connection.layer(0, 0, DEFINITION), { once: true });
  sockets[0].hello();
  connection.follow({ d: 1 }, [], true);
  connection.view(0, []);
  sockets[0].push({ type: TYPE.changed, json: { dataset: "d", notes: [] } });
  sockets[0].push({ type: TYPE.changed, json: { document: "a", version: 2 } });
  assert.deepEqual(
    sockets[0].sent.map(({ op }) => op),
    ["follow"],
  );
  sockets[0].push({ type: TYPE.changed, json: { dataset: "d", version: 2, rows: 4, time: null, age: null } });
  assert.deepEqual(
    sockets[0].sent.map(({ op }) => op),
    ["follow", "view", "layer"],
  );
  assert.deepEqual(types().slice(-1), ["changed"]);
});
