// Rows by number: asked for once, given up for newer ones, forgotten when there are many.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RowReader } from "../../../bigviz/static/wire/row-values.js";

/** A server of rows, whose answers wait until they are let go. */
function server() {
  /** @type {string[]} */ const asked = [];
  /** @type {(() => void)[]} */ const waiting = [];
  const get = (/** @type {any} */ url, /** @type {any} */ { signal }) =>
    new Promise((resolve, reject) => {
      asked.push(String(url));
      signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      const row = Number(/rows\/(\d+)\.json/.exec(String(url))?.[1]);
      waiting.push(() => resolve({ ok: row < 1000, json: async () => ({ row, columns: [], more: 0 }) }));
    });
  return {
    asked,
    go: () => waiting.splice(0).forEach((each) => void each()),
    reader: new RowReader({ url: "ws://host/prefix/d/ws", get: /** @type {any} */ (get) }),
  };
}

test("a row is asked for beside the websocket, once", async () => {
  const { asked, go, reader } = server();
  const answer = reader.ask(3, 7);
  go();
  assert.equal((await answer)?.row, 7);
  assert.deepEqual(asked, ["http://host/prefix/d/layers/3/rows/7.json"]);
  assert.equal((await reader.ask(3, 7))?.row, 7);
  assert.equal(reader.known(3, 7)?.row, 7);
  assert.equal(reader.known(2, 7), null);
  assert.equal(asked.length, 1);
});

test("a newer question gives the older one up, and a refusal is no row", async () => {
  const { go, reader } = server();
  const [first, second] = [reader.ask(0, 1), reader.ask(0, 2)];
  go();
  assert.equal(await first, null);
  assert.equal((await second)?.row, 2);
  const refused = reader.ask(0, 5000);
  go();
  assert.equal(await refused, null);
});

test("a row that is on its way is not asked for twice", async () => {
  const { asked, go, reader } = server();
  const both = [reader.ask(0, 1), reader.ask(0, 1)];
  go();
  assert.deepEqual(
    (await Promise.all(both)).map((each) => each?.row),
    [1, 1],
  );
  assert.equal(asked.length, 1);
});

test("64 rows are remembered", async () => {
  const { go, reader } = server();
  for (let row = 0; row < 70; row++) {
    const answer = reader.ask(0, row);
    go();
    await answer;
  }
  assert.equal(reader.known(0, 5), null);
  assert.equal(reader.known(0, 6)?.row, 6);
});
