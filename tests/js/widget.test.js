// The notebook's side of a cell: what the frame says goes to Python, and back, over a model made for tests.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

const globals = /** @type {any} */ (globalThis);
/** @type {(() => void)[]} */ const undo = [];
/** @type {any} */ let widget;
/** @type {EventTarget} */ let page;
/** @type {string} */ let ground;

class Frame {
  constructor() {
    /** @type {any} */ this.style = {};
    this.parentElement = null;
    this.removed = false;
    /** @type {any[]} */ this.told = [];
    this.contentWindow = { postMessage: (/** @type {any[]} */ ...sent) => this.told.push(sent) };
  }

  remove() {
    this.removed = true;
  }
}

class Model {
  constructor() {
    /** @type {any[]} */ this.sent = [];
    /** @type {Map<string, Function>} */ this.heard = new Map();
    /** @type {any} */ this.values = { height: 300, _hash: "#x0=1" };
    this.saved = 0;
  }

  /** @param {any} content */
  send(content) {
    this.sent.push(content);
  }

  /** @param {string} name @param {Function} heard */
  on(name, heard) {
    this.heard.set(name, heard);
  }

  /** @param {string} name @param {Function} heard */
  off(name, heard) {
    if (this.heard.get(name) === heard) this.heard.delete(name);
  }

  /** @param {string} name */
  get(name) {
    return this.values[name];
  }

  /** @param {string} name @param {any} value */
  set(name, value) {
    this.values[name] = value;
  }

  save_changes() {
    this.saved += 1;
  }
}

before(async () => {
  const stubs = {
    document: { createElement: () => new Frame(), documentElement: {}, body: {} },
    MutationObserver: class {
      observe() {}
      disconnect() {}
    },
    getComputedStyle: () => ({ backgroundColor: ground }),
    addEventListener: (/** @type {any[]} */ ...o) => page.addEventListener(o[0], o[1], o[2]),
  };
  for (const [name, stub] of Object.entries(stubs)) {
    const was = Object.getOwnPropertyDescriptor(globals, name);
    Object.defineProperty(globals, name, { value: stub, configurable: true, writable: true });
    undo.push(() => (was ? Object.defineProperty(globals, name, was) : delete globals[name]));
  }
  widget = (await import("../../bigviz/static/widget.js")).default;
});

after(() => {
  for (const each of undo) each();
});

beforeEach(() => {
  page = new EventTarget();
  ground = "rgb(20, 20, 20)";
});

/** A cell whose frame has said that it is ready. */
function started() {
  const model = new Model();
  /** @type {Frame[]} */ const appended = [];
  const end = widget.render({ model, el: { append: (/** @type {Frame} */ each) => appended.push(each) } });
  const [frame] = appended;
  const ready = Object.assign(new Event("message"), { source: frame.contentWindow, data: "bigviz:ready" });
  page.dispatchEvent(ready);
  /** @type {[any, string, MessagePort[]]} */ const [told, , [port]] = frame.told.at(-1);
  const view = model.sent[0].view;
  const take = (/** @type {any} */ content, /** @type {DataView[]} */ ...buffers) =>
    model.heard.get("msg:custom")?.({ view, ...content }, buffers);
  /** @type {any[]} */ const got = [];
  /** @type {(() => void)[]} */ const waiting = [];
  port.onmessage = ({ data }) => {
    got.push(data);
    waiting.shift()?.();
  };
  const next = () => /** @type {Promise<void>} */ (new Promise((resolve) => waiting.push(resolve)));
  /** Says something, and waits until the model has it. @param {any} content */
  async function say(content) {
    const before = model.sent.length + model.saved;
    port.postMessage(content);
    while (model.sent.length + model.saved === before) await new Promise((resolve) => setImmediate(resolve));
  }
  return { model, frame, told, port, view, take, got, next, say, end, ready };
}

test("the frame gets the page, the port, what is kept and the colours", () => {
  const { model, frame, told, view, take, end, port } = started();
  assert.deepEqual(model.sent, [{ view, page: true }]);
  take({ page: true }, new DataView(new TextEncoder().encode("<p>é</p>").buffer));
  assert.equal(/** @type {any} */ (frame).srcdoc, "<p>é</p>");
  assert.deepEqual(told, { bigviz: "port", hash: "#x0=1", theme: "dark" });
  assert.equal(frame.style.height, "300px");
  model.values.height = 500;
  model.heard.get("change:height")?.();
  assert.equal(frame.style.height, "500px");
  end();
  port.close();
});

test("texts and frames pass, and Python hears how much came", async () => {
  const { model, view, take, got, next, say, end, port } = started();
  await say({ socket: 1, open: true });
  await say({ socket: 1, text: "{}" });
  assert.deepEqual(model.sent.slice(1), [
    { view, socket: 1, open: true },
    { view, socket: 1, text: "{}" },
  ]);
  const whole = new Uint8Array([9, 1, 2, 3, 9]);
  take({ socket: 1 }, new DataView(whole.buffer, 1, 3));
  await next();
  assert.deepEqual([...new Uint8Array(got[0].frame)], [1, 2, 3], "a part of a larger buffer");
  take({ view: "another", socket: 1 }, new DataView(whole.buffer));
  take({ socket: 2 }, new DataView(whole.buffer));
  take({ socket: 1 }, new DataView(new ArrayBuffer(1 << 20)));
  await next();
  assert.equal(got.length, 2, "what is of other cells and of closed sockets does not");
  assert.deepEqual(model.sent.at(-1), { view, socket: 1, took: 3 + (1 << 20) });
  take({ socket: 1, close: [4001, "gone"] });
  await next();
  assert.deepEqual(got.at(-1), { socket: 1, close: [4001, "gone"] });
  end();
  port.close();
});

test("answers pass, and what is kept is the model's", async () => {
  const { model, view, take, got, next, say, end, port } = started();
  await say({ get: 4, address: "layers/0/rows/1.json" });
  assert.deepEqual(model.sent.at(-1), { view, get: 4, address: "layers/0/rows/1.json" });
  take({ got: 4, status: 200 }, new DataView(new TextEncoder().encode("{}").buffer));
  await next();
  assert.deepEqual([got[0].got, got[0].status, got[0].body.byteLength], [4, 200, 2]);
  await say({ hash: "#x0=2" });
  await say({ views: [{ x: 1 }] });
  assert.deepEqual([model.values._hash, model.values._views, model.saved], ["#x0=2", [{ x: 1 }], 2]);
  end();
  port.close();
});

test("a frame that loads again gets a new port, and its old sockets are closed", async () => {
  const { model, frame, view, say, ready, end, port } = started();
  await say({ socket: 1, open: true });
  page.dispatchEvent(Object.assign(new Event("message"), { source: ready.source, data: ready.data }));
  assert.deepEqual(model.sent.at(-1), { view, socket: 1, close: true });
  assert.equal(frame.told.length, 2);
  end();
  port.close();
  frame.told[1][2][0].close();
});

test("a kernel that has ended closes the sockets, and is told nothing more", async () => {
  const { model, take, got, next, say, end, port } = started();
  await say({ socket: 1, open: true });
  const sent = model.sent.length;
  model.heard.get("comm_live_update")?.();
  await next();
  assert.deepEqual(got[0].close, [4001, "The kernel no longer has this plot: run the cell again."]);
  end();
  assert.equal(model.sent.length, sent);
  take({ socket: 1, close: [1000, ""] });
  port.close();
});

test("a cell that is taken away says so, and listens to nothing", () => {
  const { model, frame, view, end, port, ready } = started();
  end();
  assert.deepEqual(model.sent.at(-1), { view, gone: true });
  assert.deepEqual([model.heard.size, frame.removed], [0, true]);
  page.dispatchEvent(Object.assign(new Event("message"), { source: ready.source, data: ready.data }));
  assert.equal(frame.told.length, 1);
  port.close();
});
