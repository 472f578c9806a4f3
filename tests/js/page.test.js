// The page's parts that need no document: quoting, clips, file names, keys of the colour bar, frames, linked ranges.

import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "../../bigviz/static/axes.js";
import { gradient, labelsOf } from "../../bigviz/static/colorbar.js";
import { Distribution } from "../../bigviz/static/histogram.js";
import { quoted, readClip } from "../../bigviz/static/pickers.js";
import { Norm } from "../../bigviz/static/norm.js";
import { asKind, SharedRange } from "../../bigviz/static/ranges.js";
import { fileName } from "../../bigviz/static/save.js";
import { equalSpans, span } from "../../bigviz/static/span.js";
import { luminance, wantsDark } from "../../bigviz/static/theme.js";

test("a column's name is quoted where a reduction's text needs it", () => {
  assert.equal(quoted("fare"), "fare");
  assert.equal(quoted("total fare"), "total fare");
  for (const name of ["odd, name", "f(x)", "it's", 'so "called"', " padded", ""]) assert.equal(quoted(name), `\`${name}\``);
  assert.equal(quoted("tick`s"), "`tick``s`");
});

test("ends of a clip are values, percentiles, or nothing", () => {
  assert.equal(readClip(""), null);
  assert.equal(readClip("  "), null);
  assert.equal(readClip("-2.5e3"), -2500);
  assert.equal(readClip("1,250"), 1250);
  assert.deepEqual(readClip("1 %"), { percentile: 1 });
  assert.deepEqual(readClip("99.5%"), { percentile: 99.5 });
  for (const bad of ["x", "1 2 3 x", "101 %", "-1 %", "Infinity"]) assert.equal(readClip(bad), undefined);
});

test("file names are what every system takes", () => {
  assert.equal(fileName("Trips: fare / km"), "Trips-fare-km");
  assert.equal(fileName("../../etc"), "etc");
  assert.equal(fileName("???"), "plot");
  assert.equal(fileName("a".repeat(300)).length, 80);
});

test("the colour bar names both ends, in order, without repeating itself", () => {
  const values = Uint32Array.from({ length: 5000 }, (_, k) => 1 + ((k * k) % 997));
  for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
    const norm = new Norm(new Distribution(values, true), how);
    const labels = labelsOf(norm, 8, true, 300);
    assert.equal(labels[0].fraction, 0);
    assert.equal(labels.at(-1)?.fraction, 1);
    assert.equal(labels.at(-1)?.label, "997");
    assert.ok(labels.length > 3, how);
    for (const [k, { fraction, label }] of labels.entries()) {
      if (k > 0) assert.ok(fraction - labels[k - 1].fraction >= 15 / 300 - 1e-9);
      if (k > 0) assert.notEqual(label, labels[k - 1].label);
    }
  }
  const few = new Norm(new Distribution(new Uint32Array([1, 1, 1, 2, 3]), true), "eq_hist");
  assert.ok(few.lift > 0.1);
  assert.deepEqual(labelsOf(few, 8, true, 300)[0], { fraction: few.lift, label: "1" }, "where its cells have their colour");
  const one = new Norm(new Distribution(new Uint32Array([7, 7]), true), "eq_hist");
  assert.deepEqual(labelsOf(one, 8, true, 300).map((l) => l.label), ["7"]);
});

test("the plot stays inside its surface, on whole device pixels", () => {
  for (const dpr of [1, 1.5, 2, 3]) {
    for (const [width, height] of [[200, 160], [390, 600], [1280, 700], [3840, 2000]]) {
      for (const side of /** @type {const} */ (["bar", "legend", "none"])) {
        const { plot, bar } = frameOf(width, height, { left: 57, side, legend: 80, context: true, dpr });
        assert.ok(plot.x + plot.width <= width && plot.y + plot.height <= height);
        assert.ok(bar.x + bar.width <= width && bar.y + bar.height <= height + 1);
        for (const edge of Object.values(plot)) assert.ok(Math.abs(edge * dpr - Math.round(edge * dpr)) < 1e-6);
      }
    }
  }
});

test("a shared range starts at all data, and late data does not move what a hand has moved", () => {
  const range = new SharedRange({ start: null, end: null });
  const [a, b] = [{}, {}];
  let changes = 0;
  range.addEventListener("change", () => changes++);
  range.tell(a, [0, 100], false);
  assert.ok(range.now && equalSpans(range.now, span(-2, 102), 1e-9));
  range.tell(b, [100, 200], false);
  assert.ok(range.atHome && equalSpans(/** @type {import("../../bigviz/static/span.js").Span} */ (range.now), span(-4, 204), 1e-9));
  range.set(span(10, 20), a, 1);
  range.tell(b, [0, 1e6], false);
  assert.ok(equalSpans(/** @type {import("../../bigviz/static/span.js").Span} */ (range.now), span(10, 20)));
  assert.equal(range.atHome, false);
  assert.equal(changes, 3);
});

test("a declared range is home", () => {
  const range = new SharedRange({ start: "1600000000000000000", end: "1600000000000000500" });
  range.tell({}, ["0", "1700000000000000000"], true);
  assert.equal(range.home.exact, true);
  assert.equal(range.home.hi - range.home.lo, 500);
});

test("spans change kind without moving", () => {
  const exact = span(-5, 5, 1_000n, true);
  const float = asKind(exact, false);
  assert.deepEqual([float.lo, float.hi, float.exact], [995, 1005, false]);
  assert.ok(equalSpans(asKind(float, true), exact));
});

test("the ground never swallows the high end", () => {
  const dark = /** @type {import("../../bigviz/static/theme.js").Palette} */ ({ dark: true });
  const light = /** @type {import("../../bigviz/static/theme.js").Palette} */ ({ dark: false });
  const map = (/** @type {number} */ from, /** @type {number} */ to) => Uint8Array.from({ length: 768 }, (_, k) => from + ((to - from) * Math.floor(k / 3)) / 255);
  assert.equal(wantsDark(map(0, 255), light), true);
  assert.equal(wantsDark(map(255, 90), light), false);
  assert.equal(wantsDark(map(255, 0), dark), false);
  assert.equal(wantsDark(map(0, 255), dark), true);
  assert.ok(luminance(255, 255, 255) > 0.999 && luminance(0, 0, 0) === 0);
});

test("a gradient keeps the ends of its map", () => {
  const lut = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));
  assert.match(gradient(lut), /^linear-gradient\(90deg, rgb\(0 0 0\).*rgb\(255 255 255\)\)$/);
});
