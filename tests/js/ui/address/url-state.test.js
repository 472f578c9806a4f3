// docs/url.md names exactly the keys that the page reads from its hash and writes to it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

/** @type {typeof import("../../../../bigviz/static/ui/address/url-state.js").UrlState} */ let UrlState;
const globals = /** @type {any} */ (globalThis);
const written = { hash: "" };
/** @type {(() => void)[]} */ const undo = [];

before(async () => {
  const stubs = {
    location: { hash: "", pathname: "/d/", search: "" },
    history: {
      state: null,
      replaceState: (/** @type {any} */ _s, /** @type {string} */ _t, /** @type {string} */ url) =>
        (written.hash = url.split("#")[1] ?? ""),
    },
    addEventListener: () => {},
    window: globals,
    parent: globals,
  };
  for (const [name, stub] of Object.entries(stubs)) {
    const was = Object.getOwnPropertyDescriptor(globals, name);
    Object.defineProperty(globals, name, { value: stub, configurable: true, writable: true });
    undo.push(() => (was ? Object.defineProperty(globals, name, was) : delete globals[name]));
  }
  ({ UrlState } = await import("../../../../bigviz/static/ui/address/url-state.js"));
});

after(() => {
  for (const each of undo) each();
});

/** The keys in the first column of the table under "The page's hash". @returns {string[]} */
function documented() {
  const page = readFileSync(new URL("../../../../docs/url.md", import.meta.url), "utf8");
  const section = page.split("\n## ").find((part) => part.startsWith("The page's hash")) ?? "";
  const table = section.split("\n\n").find((part) => part.startsWith("| key |")) ?? "";
  const cells = table
    .split("\n")
    .slice(2)
    .map((row) => row.split("|")[1]);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map((found) => found[1])).sort();
}

const PUBLISHED = {
  x: "a",
  y: "b",
  xaxis: null,
  yaxis: null,
  agg: "count",
  glyph: "points",
  cmap: "fire",
  how: "eq_hist",
  low: null,
  high: null,
  root: "default",
  filter: "",
  hide: "",
};
const OTHER = {
  x: "c",
  y: "d",
  xaxis: "log",
  yaxis: "log",
  agg: "mean(a)",
  glyph: "line",
  cmap: "bmy",
  how: "log",
  low: 1,
  high: 2,
  root: "full",
  filter: "a > 1",
  hide: '["a"]',
};

const PAGE = {
  luts: new Map(["fire", "bmy", "viridis"].map((name) => [name, new Uint8Array(768)])),
  cmapAliases: { fire: "fire", linear_kryw_0_100_c71: "fire", viridis256: "viridis", jet: "not offered" },
};

/** A figure of two layers that has been moved and whose layers are all changed. @param {number} index */
function figure(index) {
  const layer = (/** @type {number} */ at) => ({
    index: at,
    published: PUBLISHED,
    choice: OTHER,
    columns: [],
    ready: true,
    failed: false,
    axes: { x: "linear", y: "linear" },
    first: PUBLISHED,
  });
  const range = { now: {}, home: null, atHome: false, isFollowing: false, set: () => {} };
  const axis = { fromUrl: () => null, toUrl: () => ["0", "1"] };
  return Object.assign(new EventTarget(), {
    index,
    layers: [layer(0), layer(1)],
    page: PAGE,
    ranges: { x: range, y: range },
    axes: { x: axis, y: axis },
    view: { x: {}, y: {} },
    followY: { isOn: false, isWanted: true },
    brush: { text: '{"range":[0,1]}', read: () => {} },
  }); // prettier-ignore
}

/**
 * Names without their suffix, those with one told apart by it.
 * @param {Iterable<string>} names
 * @param {string} suffix
 */
const keysOf = (names, suffix) =>
  [...new Set(names)]
    .filter((name) => name.replace(/^\w+/, "") === suffix)
    .map((name) => name.split(".")[0])
    .sort();

test("what is read and what is written are the documented keys", () => {
  const read = new Set();
  const get = URLSearchParams.prototype.get;
  URLSearchParams.prototype.get = function (name) {
    read.add(name);
    return get.call(this, name);
  };
  const figures = /** @type {any} */ ([figure(0), figure(1)]);
  try {
    const tabs = [1, 2].map((chosen) => Object.assign(new EventTarget(), { chosen, choose: () => {} }));
    const state = new UrlState(figures, new AbortController().signal, undefined, { tabs: /** @type {any} */ (tabs) });
    for (const each of figures) {
      for (const layer of each.layers) layer.choice = OTHER;
      each.dispatchEvent(new Event("info"));
    }
    state.write();
  } finally {
    URLSearchParams.prototype.get = get;
  }
  const wrote = new Set(new URLSearchParams(written.hash).keys());
  const keys = documented();
  const view = ["x0", "x1", "y0", "y1", "follow", "brush", "tab"];
  assert.ok(keys.length > view.length);
  for (const names of [read, wrote]) {
    const all = names === read ? keys : keys.filter((key) => key !== "follow"); // in place of x0 and x1
    assert.deepEqual(keysOf(names, ""), all);
    assert.deepEqual(keysOf(names, ".1"), all);
    assert.deepEqual(
      keysOf(names, ".0.1"),
      keys.filter((key) => !view.includes(key)),
    );
  }
});

test("a change that is an entry of its own leaves the one before as it was, with the view that moved last", () => {
  /** @type {[string, boolean][]} */ const wrote = [];
  const address = {
    hash: "",
    write: (/** @type {string} */ hash, isEntry = false) => void wrote.push([hash, isEntry]),
    listen: () => {},
  };
  const one = /** @type {any} */ (figure(0));
  for (const layer of one.layers) layer.choice = layer.published;
  one.brush = null;
  const tab = Object.assign(new EventTarget(), { chosen: 0, choose: () => {} });
  const steps = { isNew: () => true, end: () => {} };
  const o = /** @type {any} */ ({ tabs: [tab], steps });
  const state = new UrlState([one], new AbortController().signal, address, o);
  one.dispatchEvent(new Event("info"));
  state.write();
  one.brush = { text: "{}", read: () => {} };
  one.dispatchEvent(new Event("brush"));
  tab.chosen = 1;
  tab.dispatchEvent(new Event("press"));
  assert.deepEqual(
    wrote.map(([hash, isEntry]) => [[...new URLSearchParams(hash.slice(1)).keys()].join(), isEntry]),
    [
      ["x0,x1,y0,y1", false],
      ["brush,x0,x1,y0,y1", false],
      ["tab,brush,x0,x1,y0,y1", true],
    ],
  );
  state.dispose();
});

test("a range that follows the newest data is written by its length, unless that is the published one", () => {
  const one = /** @type {any} */ (figure(0));
  const state = new UrlState([], new AbortController().signal);
  state.figures = [one];
  one.ranges = {
    x: { ...one.ranges.x, atHome: true, isFollowing: true, window: 5, usual: null },
    y: { ...one.ranges.y, atHome: true },
  };
  const keys = () => {
    state.write();
    return Object.fromEntries([...new URLSearchParams(written.hash)].filter(([key]) => /^follow|^[xy][01]/.test(key)));
  };
  assert.deepEqual(keys(), { follow: "5" });
  one.ranges.y.atHome = false;
  assert.deepEqual(keys(), { follow: "5", y0: "0", y1: "1" });
  one.ranges.x.usual = 5;
  assert.deepEqual(keys(), { y0: "0", y1: "1" });

  globals.location.hash = "#follow=7&y0=1&y1=2";
  const opened = /** @type {any} */ (figure(0));
  /** @type {unknown[]} */ const told = [];
  opened.ranges.x = { ...opened.ranges.x, follow: (/** @type {number} */ window) => told.push(window) };
  new UrlState([opened], new AbortController().signal);
  opened.dispatchEvent(new Event("info"));
  assert.deepEqual(told, [7]);
  globals.location.hash = "";
});

test("ends of the colours come back as they were chosen, beyond doubles too", () => {
  const sent = /** @type {any} */ (figure(0));
  sent.layers[0].choice = { ...PUBLISHED, low: 2n ** 62n + 1n, high: 2n ** 64n - 1n };
  const state = new UrlState([], new AbortController().signal);
  state.figures = [sent];
  state.write();
  globals.location.hash = `#${written.hash}`;
  const opened = /** @type {any} */ (figure(0));
  new UrlState([opened], new AbortController().signal);
  const { low, high } = opened.layers[0].choice;
  assert.deepEqual([low, high], [2n ** 62n + 1n, 2n ** 64n - 1n]);
  globals.location.hash = "";
});

test("a colour map is understood by any of its names, and an unknown one is left as published", () => {
  const cmaps = [
    ["bmy", "bmy"],
    ["Viridis256", "viridis"],
    ["linear_kryw_0_100_c71", "fire"],
    ["jet", "fire"],
    ["constructor", "fire"],
    ["", "fire"],
  ];
  for (const [name, want] of cmaps) {
    globals.location.hash = `#cmap=${name}`;
    const one = /** @type {any} */ (figure(0));
    new UrlState([one], new AbortController().signal);
    assert.equal(one.layers[0].choice.cmap, want, name);
  }
  globals.location.hash = "";
});
