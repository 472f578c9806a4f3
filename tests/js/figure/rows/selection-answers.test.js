// No answer to a selection is lost without a word: whatever goes wrong ends in words, and can be tried again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Selection } from "../../../../bigviz/static/figure/rows/selection.js";
import { span } from "../../../../bigviz/static/geometry/span.js";

const DEFINITION = { dataset: "d", x: "a", y: "b" };
const INFO = { x: { kind: "float" }, y: { kind: "float" } };

/** A figure of one layer, whose server is asked by `asked`, in order. */
function drawn() {
  /** @type {{resolve: (answer: Response) => void, reject: (error: Error) => void}[]} */ const asked = [];
  const connection = Object.assign(new EventTarget(), {
    url: "ws://host/plot/ws",
    get: (/** @type {unknown} */ _address, /** @type {RequestInit} */ { signal }) =>
      new Promise((resolve, reject) => {
        asked.push({ resolve, reject });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  });
  const layer = {
    index: 0,
    columns: [],
    isHidden: false,
    definition: DEFINITION,
    /** @type {object|null} */ info: INFO,
    /** @type {string|null} */ error: null,
    get ready() {
      return this.info !== null;
    },
  };
  const figure = Object.assign(new EventTarget(), {
    page: { connection },
    layers: [layer],
    main: layer,
    view: null,
    firstLayer: 0,
  });
  const selection = new Selection(/** @type {any} */ (figure));
  return { figure, connection, layer, asked, selection };
}

const BOX = /** @type {const} */ ({ kind: "box", x: span(0, 1), y: span(0, 1) });
const answered = (/** @type {string} */ id) => new Response(JSON.stringify({ id, rows: 1, stats: {}, by: null }));
const settled = () => new Promise((resolve) => setTimeout(resolve));

test("a layer that is not there yet is asked once it is", async () => {
  const { figure, layer, asked, selection } = drawn();
  selection.select(BOX);
  asked[0].resolve(answered("first"));
  await settled();
  layer.info = null;
  selection.select(BOX);
  assert.deepEqual([selection.isBusy, selection.answer, asked.length], [true, null, 1]);
  layer.info = INFO;
  figure.dispatchEvent(new Event("info"));
  asked[1].resolve(answered("second"));
  await settled();
  assert.deepEqual([selection.isBusy, selection.answer?.id], [false, "second"]);
});

test("a layer that cannot be drawn says why", () => {
  const { figure, layer, selection } = drawn();
  layer.info = null;
  selection.select(BOX);
  layer.error = "There is no column 'a'.";
  figure.dispatchEvent(new Event("info"));
  assert.deepEqual([selection.isBusy, selection.error], [false, "There is no column 'a'."]);
});

test("what was asked before a region is none of it", async () => {
  const { layer, asked, selection } = drawn();
  selection.select(BOX);
  layer.info = null;
  selection.select({ ...BOX, x: span(5, 6) });
  asked[0].resolve(answered("of another region"));
  await settled();
  assert.equal(selection.answer, null);
});

test("a connection that is lost is told of, and the rows are selected once it is back", async () => {
  const { connection, asked, selection } = drawn();
  selection.select(BOX);
  connection.dispatchEvent(new Event("down"));
  await settled();
  assert.match(selection.error ?? "", /connection to the server was lost/);
  assert.equal(selection.isBusy, false);
  connection.dispatchEvent(new Event("up"));
  asked[1].resolve(answered("again"));
  await settled();
  assert.deepEqual([selection.error, selection.answer?.id], [null, "again"]);
  connection.dispatchEvent(new Event("down"));
  connection.dispatchEvent(new Event("up"));
  assert.equal(selection.answer?.id, "again", "what is known stays until it is known of who is there now");
  asked[2].resolve(answered("of another process"));
  await settled();
  assert.equal(selection.answer?.id, "of another process");
  selection.clear();
  connection.dispatchEvent(new Event("up"));
  assert.equal(asked.length, 3, "nothing is selected");
  selection.dispose();
});

test("an answer that is none, and none at all, end in words and can be tried again", async () => {
  const { asked, selection } = drawn();
  selection.select(BOX);
  asked[0].resolve(new Response("<h1>Bad gateway</h1>", { status: 502 }));
  await settled();
  assert.deepEqual([selection.isBusy, selection.error], [false, "The server answered 502."]);
  selection.again();
  assert.deepEqual([selection.isBusy, selection.error], [true, null]);
  asked[1].reject(new TypeError("Failed to fetch"));
  await settled();
  assert.match(selection.error ?? "", /does not answer/);
  selection.again();
  selection.cancel();
  await settled();
  assert.deepEqual([selection.isBusy, selection.region], [false, null]);
});
