// Answers reach the figure that they are for, and only the layer that they still describe.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deliverAnswers } from "../../../bigviz/static/figure/answers.js";
import { ProtocolError } from "../../../bigviz/static/wire/frames.js";

const definition = { dataset: "d", x: "x" };

/** A page of two figures that note what they are told. */
function world() {
  /** @type {unknown[]} */ const told = [];
  const note =
    (/** @type {string} */ name) =>
    (/** @type {any[]} */ ...details) =>
      void told.push([name, ...details]);
  const connection = Object.assign(new EventTarget(), { broken: note("broken") });
  const raster = { add: () => 1, addRows: () => 2, addImage: () => 3 };
  const layer = { definition, raster, line: null };
  const figure = (/** @type {number} */ k) => ({
    layers: [layer],
    requests: {
      gotTile: note(`${k} gotTile`),
      gotWindow: (/** @type {number} */ id) => id === 7,
      gotColumns: () => null,
      done: note(`${k} done`),
      failed: note(`${k} failed`),
    },
    arrived: () => told.push([`${k} arrived`]),
    onLayerError: () => told.push([`${k} onLayerError`]),
  });
  const latency = {
    arrived: (/** @type {number} */ k, /** @type {any} */ { decode }) => told.push([`${k} decoded`, decode]),
  };
  const ending = new AbortController();
  deliverAnswers(
    /** @type {any} */ ({ connection, latency }),
    /** @type {any} */ ([figure(0), figure(1)]),
    ending.signal,
  );
  const send = (/** @type {string} */ type, /** @type {object} */ detail) => {
    told.length = 0;
    connection.dispatchEvent(
      new CustomEvent(type, { detail: { layer: 0, definition, current: true, json: {}, ...detail } }),
    );
    return [...told];
  };
  return { send, raster, ending };
}

test("a tile goes to its figure; an estimate leaves the request open", () => {
  const { send } = world();
  assert.deepEqual(send("tile", { figure: 1, id: 3, key: "k", estimate: null }), [
    ["1 gotTile", 3, 0, "k"],
    ["1 decoded", 1],
    ["1 arrived"],
  ]);
  assert.deepEqual(send("tile", { figure: 0, id: 3, key: "k", estimate: {} }), [["0 decoded", 1], ["0 arrived"]]);
});

test("what is about another definition, figure or request is dropped", () => {
  const { send } = world();
  assert.deepEqual(send("tile", { figure: 0, definition: { ...definition, x: "z" } }), []);
  assert.deepEqual(send("tile", { figure: 2 }), []);
  assert.deepEqual(send("rows", { figure: 0, id: 8 }), []);
  assert.deepEqual(send("rows", { figure: 0, id: 7 }), [["0 decoded", 2], ["0 arrived"]]);
  assert.deepEqual(send("image", { figure: 0, id: 7 }), [["0 decoded", 3], ["0 arrived"]]);
});

test("an error frees its request, unless it is an old one or the app's", () => {
  const { send } = world();
  assert.deepEqual(send("error", { figure: 0, id: 4 }), [["0 failed", 4], ["0 onLayerError"]]);
  assert.deepEqual(send("error", { figure: 0, id: 4, definition: null }), [["0 failed", 4]]);
  assert.deepEqual(send("error", { figure: 0, id: 4, current: false }), []);
  assert.deepEqual(send("error", { figure: 0, id: 4, json: { app: {} } }), []);
});

test("a plane that does not decode breaks the connection; other errors are the page's own", () => {
  const { send, raster } = world();
  const error = new ProtocolError("a plane of nonsense");
  raster.add = () => {
    throw error;
  };
  assert.deepEqual(send("tile", { figure: 0, id: 3, estimate: null }), [["broken", error]]);
});

test("nothing is delivered once it has ended", () => {
  const { send, ending } = world();
  ending.abort();
  assert.deepEqual(send("done", { figure: 0, id: 3 }), []);
});
