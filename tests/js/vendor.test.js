// The vendored bundle is what the packages are, and the page's import map leads to it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../../bigviz/static/", import.meta.url);

test("the bundle exports what the modules import, and computes as the packages do", async () => {
  const bundle = await import(new URL("vendor/d3.js", STATIC).href);
  const [scale, format, time] = await Promise.all([import("d3-scale"), import("d3-format"), import("d3-time-format")]);
  assert.deepEqual(bundle.scaleLinear().domain([0.1, 7.3]).ticks(9), scale.scaleLinear().domain([0.1, 7.3]).ticks(9));
  assert.deepEqual(bundle.scaleLog().domain([1, 1e5]).ticks(), scale.scaleLog().domain([1, 1e5]).ticks());
  assert.equal(bundle.format(".3~s")(123456), format.format(".3~s")(123456));
  assert.equal(bundle.utcFormat("%b %-d, %Y")(0), time.utcFormat("%b %-d, %Y")(0));
});

test("every bare import of the page's modules is in its import map", () => {
  const html = readFileSync(new URL("index.html", STATIC), "utf8");
  const map = JSON.parse(html.match(/<script type="importmap">([\s\S]*?)<\/script>/)?.[1] ?? "{}").imports;
  for (const name of ["d3-scale", "d3-format", "d3-time-format"])
    assert.match(map[name] ?? "", /vendor\/d3\.js$/, name);
});

test("each bundled package has its licence", () => {
  const text = readFileSync(new URL("vendor/LICENSES.txt", STATIC), "utf8");
  for (const name of ["d3-array", "d3-color", "d3-format", "d3-interpolate", "d3-scale", "d3-time", "d3-time-format"])
    assert.match(text, new RegExp(`^${name} \\d`, "m"));
});
