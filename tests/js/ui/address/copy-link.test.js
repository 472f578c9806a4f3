// A link to what is shown: short where the server keeps the view, whole where it does not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { copyLink } from "../../../../bigviz/static/ui/address/copy-link.js";

const SOCKET = "ws://host:1/plots/a%20b/ws";
const HERE = "http://host:1/plots/a%20b/#x0=1&x1=2";

/** @param {{status?: number, clipboard?: boolean, here?: string, fails?: boolean}} o */
async function copied({ status = 201, clipboard = true, here = HERE, fails = false }) {
  /** @type {string[]} */ const texts = [];
  /** @type {string[]} */ const said = [];
  /** @type {unknown[]} */ const asked = [];
  /** @type {typeof fetch} */ const post = async (url, init) => {
    asked.push(String(url), init?.method, init?.body);
    if (fails) throw new TypeError("offline");
    return new Response(JSON.stringify({ url: "http://host:1/plots/a%20b/?v=id" }), { status });
  };
  const board = { writeText: async (/** @type {string} */ text) => void texts.push(text) };
  const notices = { note: (/** @type {string} */ words) => void said.push(words), error: () => assert.fail() };
  await copyLink(SOCKET, notices, { post, clipboard: clipboard ? board : null, here });
  return { texts, said, asked };
}

test("a view that the server keeps has a short link", async () => {
  const { texts, said, asked } = await copied({});
  assert.deepEqual(texts, ["http://host:1/plots/a%20b/?v=id"]);
  assert.deepEqual(asked, ["http://host:1/plots/a%20b/views", "POST", '{"hash":"x0=1&x1=2"}']);
  assert.match(said[0], /short link/);
});

test("one that it does not keep has its whole address", async () => {
  for (const o of [{ status: 401 }, { status: 409 }, { fails: true }]) {
    const { texts, said } = await copied(o);
    assert.deepEqual(texts, [HERE]);
    assert.match(said[0], /^The link/);
  }
});

test("the first view needs no keeping", async () => {
  const { texts, asked } = await copied({ here: "http://host:1/plots/a%20b/" });
  assert.deepEqual(texts, ["http://host:1/plots/a%20b/"]);
  assert.deepEqual(asked, []);
});

test("without a clipboard the link is told", async () => {
  const { said } = await copied({ clipboard: false });
  assert.match(said[0], /http:\/\/host:1\/plots\/a%20b\/\?v=id$/);
});
