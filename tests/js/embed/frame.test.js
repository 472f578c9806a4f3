// The page in a frame: what it tells the page around it, and whose token it takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { embedMode, pageToken } from "../../../bigviz/static/embed/frame.js";

const ORIGIN = "https://www.example.org";
const token = (/** @type {unknown} */ said) => `${Buffer.from(JSON.stringify(said)).toString("base64url")}.signature`;

/** A window, the page around it, and what each was told. */
function frame() {
  /** @type {unknown[]} */ const told = [];
  /** @type {string[]} */ const warned = [];
  const parent = { postMessage: (/** @type {unknown} */ words) => told.push(words) };
  const own = new EventTarget();
  const say = (/** @type {object} */ message) => own.dispatchEvent(Object.assign(new Event("message"), message));
  const o = { parent: /** @type {any} */ (parent), own, warn: (/** @type {string} */ words) => warned.push(words) };
  return { o, parent, told, warned, say };
}

test("the mode is in the address", () => {
  assert.equal(embedMode(""), null);
  assert.equal(embedMode("?v=1"), null);
  assert.equal(embedMode("?embed=token"), "token");
  for (const other of ["?embed=1", "?embed", "?a=b&embed=x"]) assert.equal(embedMode(other), "1");
});

test("a public plot says that it is there, and waits for nothing", async () => {
  const { o, told } = frame();
  assert.equal(await pageToken("1", o), null);
  assert.deepEqual(told, [{ bigviz: "here" }]);
});

test("a token is taken of the page around it, and of no other", async () => {
  const { o, parent, told, warned, say } = frame();
  const mine = token({ origin: ORIGIN, document: "é" });
  const taken = pageToken("token", o);
  assert.deepEqual(told, [{ bigviz: "here" }]);
  say({ source: {}, origin: ORIGIN, data: { bigviz: "token", token: "other" } });
  say({ source: parent, origin: ORIGIN, data: { token: "other" } });
  say({ source: parent, origin: ORIGIN, data: { bigviz: "token", token: 7 } });
  say({ source: parent, origin: ORIGIN, data: null });
  say({ source: parent, origin: ORIGIN, data: { bigviz: "token", token: mine } });
  assert.equal(await taken, mine);
  assert.deepEqual(warned, []);
});

test("a token for pages of another origin is not used", async () => {
  for (const [each, whose] of [
    [token({ origin: ORIGIN }), ORIGIN],
    [token({}), "no origin"],
    ["noise", "no origin"],
  ]) {
    const { o, parent, warned, say } = frame();
    const taken = pageToken("token", o);
    say({ source: parent, origin: "https://evil.example", data: { bigviz: "token", token: each } });
    assert.equal(await taken, null);
    assert.match(warned[0], new RegExp(`pages of ${whose}, and this page is of https://evil.example`));
  }
});
