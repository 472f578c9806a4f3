// Pages that change the same values end with the same ones, whatever the order in which messages come.

import assert from "node:assert/strict";
import test from "node:test";

import { Settling } from "../../../../bigviz/static/figure/values/settling.js";
import { random } from "../../random.js";

test("100 pages, 1,000 changes of 5 values, delays of any length", () => {
  const next = random(11);
  const pages = Array.from({ length: 100 }, () => ({
    settling: new Settling(),
    values: new Map(),
    up: /** @type {[string, number, number][]} */ ([]),
    down: /** @type {[string, number, number|undefined][]} */ ([]),
    lastId: 0,
  }));
  const server = new Map();
  const send = (page) => {
    for (const [name, value] of page.settling.unsent) {
      page.lastId += 1;
      page.settling.sent(name, page.lastId);
      page.up.push([name, value, page.lastId]);
    }
  };
  const serve = (page) => {
    const [name, value, id] = page.up.shift() ?? ["", 0, 0];
    if (name === "") return;
    server.set(name, value);
    for (const other of pages) other.down.push([name, value, other === page ? id : undefined]);
  };
  const receive = (page) => {
    const [name, value, id] = page.down.shift() ?? ["", 0, 0];
    if (name !== "" && page.settling.take(name, id)) page.values.set(name, value);
  };
  let edits = 0;
  while (edits < 1000) {
    const page = pages[Math.floor(next() * 100)];
    const what = next();
    if (what < 0.1) {
      const name = `v${Math.floor(next() * 5)}`;
      edits += 1;
      page.values.set(name, edits);
      page.settling.change(name, edits);
    } else if (what < 0.3) send(page);
    else if (what < 0.5) serve(page);
    else for (let k = 0; k < 20; k++) receive(page);
  }
  for (const page of pages) send(page);
  for (const page of pages) while (page.up.length > 0) serve(page);
  for (const page of pages) while (page.down.length > 0) receive(page);
  for (const page of pages) {
    assert.deepEqual([...page.values].sort(), [...server].sort());
    assert.equal(page.settling.pending.size, 0);
  }
});

test("what was not told back is sent again after the connection was lost, and forgotten when it is refused", () => {
  const settling = new Settling();
  settling.change("a", 1);
  settling.sent("a", 7);
  assert.deepEqual(settling.unsent, []);
  settling.lost();
  assert.deepEqual(settling.unsent, [["a", 1]]);
  settling.sent("a", 8);
  assert.equal(settling.take("a", undefined), false);
  settling.refused(8);
  assert.equal(settling.take("a", undefined), true);
});
