// Sockets through a port: what goes over it, and a connection that lives on one.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Connection } from "../../../bigviz/static/wire/connection.js";
import { HERE, PortSockets } from "../../../bigviz/static/wire/port-socket.js";
import { frame, TYPE } from "../frames.js";

/** @returns {{sockets: PortSockets, other: MessagePort, heard: any[], next: () => Promise<any>}} */
function pair() {
  const { port1, port2 } = new MessageChannel();
  /** @type {any[]} */ const heard = [];
  const news = new EventTarget();
  port2.onmessage = ({ data }) => {
    heard.push(data);
    news.dispatchEvent(new Event("heard"));
  };
  return { sockets: new PortSockets(port1), other: port2, heard, next: () => once(news, "heard") };
}

test("a socket opens, speaks, hears and is closed by the other side", async () => {
  const { sockets, other, heard, next } = pair();
  const socket = /** @type {any} */ (sockets.make());
  await next();
  socket.send("{}");
  await next();
  assert.deepEqual(heard, [
    { socket: 1, open: true },
    { socket: 1, text: "{}" },
  ]);
  const frames = new Promise((resolve) => {
    socket.onmessage = resolve;
  });
  const sent = new Uint8Array([1, 2, 3]).buffer;
  other.postMessage({ socket: 1, frame: sent }, [sent]);
  assert.deepEqual([...new Uint8Array(/** @type {any} */ (await frames).data)], [1, 2, 3]);
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  other.postMessage({ socket: 1, close: [4001, "gone"] });
  assert.deepEqual(await closed, { code: 4001, reason: "gone" });
  assert.equal(socket.readyState, 3);
  socket.send("late");
  socket.close();
  sockets.make();
  await next();
  assert.deepEqual(heard.slice(2), [{ socket: 2, open: true }], "nothing is said on a socket that is closed");
  other.close();
});

test("what would be fetched is asked and answered by number, unless it was given up", async () => {
  const { sockets, other, heard, next } = pair();
  const answer = sockets.get(new URL("layers/0/rows/7.json", HERE.replace("ws:", "http:")));
  await next();
  assert.deepEqual(heard, [{ get: 1, address: "layers/0/rows/7.json" }]);
  const body = new TextEncoder().encode('{"row": 7}').buffer;
  other.postMessage({ got: 1, status: 200, body }, [body]);
  const found = await answer;
  assert.deepEqual([found.ok, await found.json()], [true, { row: 7 }]);
  const abort = new AbortController();
  const given = sockets.get("http://cell.invalid/plot/layers/0/rows/8.json", { signal: abort.signal });
  abort.abort(new Error("given up"));
  await assert.rejects(given, /given up/);
  assert.equal(sockets.asked.size, 0);
  other.close();
});

test("what was fetched is lost with the socket: nobody waits for it any more", async () => {
  const { sockets, other, next } = pair();
  const socket = /** @type {any} */ (sockets.make());
  await next();
  const answer = sockets.get("http://cell.invalid/plot/layers/0/select", { body: "{}" });
  await next();
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  other.postMessage({ socket: 1, close: [4001, "the kernel has ended"] });
  await assert.rejects(answer, /closed/);
  await closed;
  assert.equal(sockets.asked.size, 0);
  other.close();
});

test("a connection says hello over a port, and closes its socket", async () => {
  const { sockets, other, heard, next } = pair();
  const connection = new Connection("", { socket: () => sockets.make() });
  connection.open();
  await next();
  const up = new Promise((resolve) => connection.addEventListener("up", resolve));
  const limits = { messages_per_second: 64, messages_burst: 256 };
  const json = { protocol: 1, server: "bigviz test", document: {}, datasets: {}, cmaps: [], limits };
  other.postMessage({ socket: 1, frame: frame({ type: TYPE.hello, json, sequence: 1, epoch: 7 }) });
  await up;
  connection.cancel(0);
  connection.close();
  await next();
  assert.deepEqual(heard.at(-1), { socket: 1, close: true });
  other.close();
});
