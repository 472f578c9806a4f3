// Whether the page's policy allows the maps of its document.

import assert from "node:assert/strict";
import { test } from "node:test";
import { areAllowed, mapAddresses, planForMaps, withoutMaps } from "../../../../bigviz/static/ui/page/map-origins.js";

/** @param {string|null} url */
const figure = (url) =>
  /** @type {any} */ ({ id: "f", type: "figure", basemap: url && { url, attribution: "©", max_zoom: 19 } });
/** @param {any[]} children */
const row = (...children) => /** @type {any} */ ({ id: "r", type: "row", children });

test("the maps of a layout", () => {
  const layout = row(figure("https://a/{z}/{x}/{y}"), row(figure(null), figure("http://b:81/{z}/{x}/{y}")));
  assert.deepEqual(mapAddresses(layout), ["https://a/{z}/{x}/{y}", "http://b:81/{z}/{x}/{y}"]);
  assert.equal(areAllowed(layout, "https://a http://b:81"), true);
  assert.equal(areAllowed(layout, "https://a"), false);
  assert.equal(areAllowed(layout, ""), false);
  assert.equal(areAllowed(figure(null), ""), true);
});

test("origins are compared as browsers write them", () => {
  assert.equal(areAllowed(figure("https://Tile.Example:443/{z}/{x}/{y}"), "https://tile.example"), true);
  assert.equal(areAllowed(figure("https://{s}.t/{z}/{x}/{y}"), "https://a.t https://b.t https://c.t"), true);
  assert.equal(areAllowed(figure("http://tile.example/{z}/{x}/{y}"), "https://tile.example"), false);
});

test("a page that does not know of its maps is loaded again, once, and then goes without", () => {
  const kept = new Map();
  let content = "";
  const globals = {
    location: { protocol: "http:", search: "" },
    document: { querySelector: () => ({ getAttribute: () => content }) },
    sessionStorage: {
      getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
      setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
      removeItem: (/** @type {string} */ key) => kept.delete(key),
    },
  };
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  const layout = row(figure("https://a/{z}/{x}/{y}"), figure(null));
  assert.equal(planForMaps({ layout: row(figure(null)) }), "draw");
  assert.deepEqual([planForMaps({ layout }), planForMaps({ layout })], ["reload", "omit"]);
  content = "https://a";
  assert.equal(planForMaps({ layout }), "draw");
  assert.equal(kept.size, 0);
  content = "none";
  assert.deepEqual([planForMaps({ layout }), kept.size], ["omit", 0]);
  content = "";
  globals.location.search = "?embed=token";
  assert.equal(planForMaps({ layout }), "omit");
  globals.location.protocol = "about:";
  assert.equal(planForMaps({ layout }), "draw");
  assert.deepEqual(mapAddresses(withoutMaps(layout)), []);
});
