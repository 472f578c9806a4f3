// Back and forward show what each entry of the browser's history was left with, however soon after a change, and
// however late the browser tells.

import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { random as seeded } from "../../random.js";

/** @typedef {{hash: string, state: any}} Entry */
/** @typedef {{control: number, view: number}} Shown what a page shows */

const globals = /** @type {any} */ (globalThis);
/** @type {typeof import("../../../../bigviz/static/ui/address/url-state.js")} */ let url;
/** @type {typeof import("../../../../bigviz/static/figure/values/control-values.js").ControlValues} */ let Values;
/** @type {Browser} */ let browser;
/** @type {(() => void)[]} */ const undo = [];

/** A tab of a browser: its history, and what it tells the page that is shown. */
class Browser {
  constructor() {
    /** @type {Entry[]} */ this.entries = [{ hash: "", state: null }];
    this.at = 0;
    this.told = new EventTarget();
    /** ms until the page is told of another entry */ this.late = 0;
  }

  get now() {
    return this.entries[this.at];
  }

  /** @param {any} state @param {string} address @param {boolean} isNew */
  write(state, address, isNew) {
    const entry = { hash: address.includes("#") ? address.slice(address.indexOf("#")) : "", state };
    if (isNew) this.entries.length = ++this.at;
    this.entries[this.at] = entry;
  }

  /** @param {number} way */
  go(way) {
    const before = this.now.hash;
    this.at += way;
    const tell = () => {
      this.told.dispatchEvent(new Event("popstate"));
      if (before !== this.now.hash) setTimeout(() => this.told.dispatchEvent(new Event("hashchange")), 5);
    };
    if (this.late === 0) tell();
    else setTimeout(tell, this.late);
  }
}

before(async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const location = { pathname: "/d/", search: "" };
  Object.defineProperty(location, "hash", { get: () => browser.now.hash });
  const history = {
    pushState: (/** @type {any} */ state, /** @type {string} */ _, /** @type {string} */ to) =>
      browser.write(state, to, true),
    replaceState: (/** @type {any} */ state, /** @type {string} */ _, /** @type {string} */ to) =>
      browser.write(state, to, false),
  };
  Object.defineProperty(history, "state", { get: () => browser.now.state });
  const stubs = {
    location,
    history,
    window: globals,
    parent: globals,
    performance: { now: () => Date.now() },
    addEventListener: (/** @type {string} */ name, /** @type {any} */ call, /** @type {any} */ options) =>
      browser.told.addEventListener(name, call, options),
  };
  for (const [name, value] of Object.entries(stubs)) {
    const was = Object.getOwnPropertyDescriptor(globals, name);
    Object.defineProperty(globals, name, { value, configurable: true, writable: true });
    undo.push(() => (was ? Object.defineProperty(globals, name, was) : delete globals[name]));
  }
  url = await import("../../../../bigviz/static/ui/address/url-state.js");
  ({ ControlValues: Values } = await import("../../../../bigviz/static/figure/values/control-values.js"));
});

after(() => {
  for (const each of undo) each();
  mock.timers.reset();
});

/** A figure of one layer, whose x is all that its viewer moves; its columns may be on their way. */
function figure() {
  const published = { glyph: "points", agg: "count", cmap: "fire", hide: "", filter: "" };
  const axes = { x: "linear", y: "linear" };
  const layer = {
    index: 0,
    published,
    choice: published,
    axes,
    first: published,
    columns: [],
    ready: true,
    failed: false,
  };
  const home = 0;
  const range = (/** @type {boolean} */ moves) => ({
    now: home,
    home,
    isFollowing: false,
    release: () => {},
    get atHome() {
      return this.now === home;
    },
    set(/** @type {number} */ to) {
      if (!moves || to === this.now) return;
      this.now = to;
      made.view = { x: to, y: 0 };
      made.dispatchEvent(new Event("frame"));
    },
  });
  const axis = {
    fromUrl: (/** @type {string|null} */ from) => (from === null ? null : Number(from)),
    toUrl: (/** @type {number} */ now) => [String(now), "0"],
  };
  const made = Object.assign(new EventTarget(), {
    index: 0,
    layers: [Object.assign(layer, { takeValues: () => {} })],
    page: { luts: new Map([["fire", new Uint8Array(768)]]), cmapAliases: {} },
    ranges: { x: range(true), y: range(false) },
    axes: { x: axis, y: axis },
    view: { x: home, y: 0 },
    followY: { isOn: false, isWanted: true },
    steps: { settle: () => {}, after: () => {} },
    brush: null,
    isAsleep: false,
    ask: () => {},
    restyle: () => {},
  });
  return made;
}

for (const late of [0, 40])
  test(`each entry shows what it was left with, where the page is told ${late} ms late`, () => {
    for (let seed = 1; seed <= 40; seed++) walk(seed, late);
  });

/** @param {number} seed @param {number} late */
function walk(seed, late) {
  const random = seeded(seed);
  browser = new Browser();
  browser.late = late;
  const plot = figure();
  const values = new Values({ a: { type: "slider", start: 0, end: 99, value: 0 } });
  const ending = new AbortController();
  const steps = /** @type {any} */ ({ isNew: () => isViewers, end: () => {} });
  let isViewers = false;
  const state = new url.UrlState(/** @type {any} */ ([plot]), ending.signal, undefined, { values, steps });
  const [layer] = plot.layers;
  plot.dispatchEvent(new Event("info"));
  /** @type {Shown[]} */ const left = [];
  const shown = () => ({ control: Number(values.get("a")), view: plot.ranges.x.now });
  /** The columns of the last entry have come. */
  const arrive = () => {
    layer.ready = true;
    plot.dispatchEvent(new Event("info"));
  };
  for (let turn = 0; turn < 40; turn++) {
    const what = Math.floor(random() * 6);
    if (what === 0) {
      left[browser.at] = shown();
      isViewers = true;
      values.set("a", ((Number(values.get("a")) + 1 + Math.floor(random() * 90)) % 99) + 1);
      isViewers = false;
      left.length = browser.at;
    } else if (what === 1) plot.ranges.x.set(1 + Math.floor(random() * 1e6));
    else if (what === 2)
      values.set("a", Math.floor(random() * 99) + 1); // an app's doing
    else if (what === 3) mock.timers.tick(Math.floor(random() * 1_500));
    else {
      const way = what === 4 ? -1 : 1;
      if (browser.entries[browser.at + way] === undefined) continue;
      left[browser.at] = shown();
      const isSlow = random() < 0.3;
      browser.go(way);
      if (isSlow) layer.ready = false;
      mock.timers.tick(late + 10);
      if (isSlow) arrive();
      assert.deepEqual(shown(), left[browser.at], `walk ${seed}, turn ${turn}`);
    }
  }
  ending.abort();
  state.dispose();
  mock.timers.tick(5_000);
}
