// Keys of the colour bar.

import assert from "node:assert/strict";
import { test } from "node:test";
import { drawBar, drawLegend, labelsOf, legendPlaces } from "../../../../bigviz/static/figure/legend/legend.js";
import { ValueWords } from "../../../../bigviz/static/axes/values.js";
import { Distribution } from "../../../../bigviz/static/render/distribution.js";
import { Norm } from "../../../../bigviz/static/render/norm.js";
import { random } from "../../random.js";

const COUNTS = new ValueWords({ kind: "integer", type: "uint32", unit: null, zone: null });

/** A context on which a letter is 6 pixels wide: the words drawn on it, with their left ends and widths. */
function paper() {
  /** @type {{words: string, left: number, width: number}[]} */ const drawn = [];
  const context = {
    textAlign: "left",
    measureText: (/** @type {string} */ words) => ({ width: 6 * words.length }),
    createLinearGradient: () => ({ addColorStop() {} }),
    fillText(/** @type {string} */ words, /** @type {number} */ x) {
      const width = 6 * words.length;
      drawn.push({ words, left: this.textAlign === "right" ? x - width : x, width });
    },
  };
  for (const name of ["fillRect", "strokeRect", "beginPath", "moveTo", "lineTo", "stroke", "fill"])
    Object.assign(context, { [name]() {} });
  return { drawn, context: /** @type {any} */ (context) };
}

const LOOK = /** @type {any} */ ({ palette: {}, font: "sans", dpr: 2 });

test("on a narrow screen the key keeps its title, clear of the colours and of the window's edge", () => {
  const rect = { x: 155, y: 12, width: 220, height: 10 };
  for (const title of ["count", "mean of a column with a rather long name"]) {
    const { drawn, context } = paper();
    drawBar(
      context,
      { rect, horizontal: true, norm: null, lut: new Uint8Array(768), title, words: COUNTS, mark: null, room: 54 },
      LOOK,
    );
    const [told] = drawn;
    assert.ok(told.words.startsWith(title.slice(0, 5)), told.words);
    assert.ok(told.left >= 0 && told.left + told.width < rect.x);
  }
  const { drawn, context } = paper();
  const labels = ["ash", "elm", "fir"];
  drawLegend(
    context,
    {
      rect: { ...rect, x: 60, width: 315 },
      horizontal: true,
      labels,
      colors: new Uint8Array(9),
      title: "kind of tree",
    },
    LOOK,
  );
  assert.deepEqual(
    drawn.map(({ words }) => words),
    ["kind of tree", ...labels],
  );
  for (const [k, { left }] of drawn.entries()) assert.ok(k === 0 || left >= drawn[k - 1].left + drawn[k - 1].width);
});

test("a finger hits one category of a legend, across a phone and beside a plot", () => {
  const labels = ["a", "elm", "a tree of many words", "fir", "oak"];
  const look = { ...LOOK, isTouch: true };
  for (const horizontal of [true, false]) {
    const rect = horizontal ? { x: 40, y: 12, width: 320, height: 10 } : { x: 600, y: 50, width: 100, height: 190 };
    const { entries, more } = legendPlaces(paper().context, { rect, horizontal, labels, title: "" }, look);
    assert.ok(more && entries.length + more.count === labels.length && entries.length >= 2);
    for (const [k, place] of [...entries, more].entries()) {
      assert.ok(place.width >= 44 && place.height >= 44 && place.y >= 0);
      assert.ok(place.middle > place.y + 10 && place.middle < place.y + place.height - 10);
      const before = entries[k - 1];
      if (before) assert.ok(horizontal ? place.x >= before.x + before.width : place.y >= before.y + before.height);
    }
    assert.ok(!horizontal || more.x + more.width <= 360);
  }
});

test("the colour bar names both ends, in order, without repeating itself", () => {
  const values = Uint32Array.from({ length: 5000 }, (_, k) => 1 + ((k * k) % 997));
  for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
    const norm = new Norm(new Distribution(values, true), how);
    const labels = labelsOf(norm, { words: COUNTS, wanted: 8, length: 300 });
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
  assert.deepEqual(
    labelsOf(few, { words: COUNTS, wanted: 8, length: 300 })[0],
    { fraction: 0, label: "1" },
    "the bar begins with the colour of its cells",
  );
  const one = new Norm(new Distribution(new Uint32Array([7, 7]), true), "eq_hist");
  assert.deepEqual(
    labelsOf(one, { words: COUNTS, wanted: 8, length: 300 }).map((l) => l.label),
    ["7"],
  );
});

test("labels have as many digits as tell them apart", () => {
  const rand = random(9);
  const kinds = {
    price: { kind: "float", values: () => 100_000 + rand() },
    hPa: { kind: "float", values: () => 1013.25 + rand() * 0.01 },
    id: { kind: "integer", values: () => 2 ** 62 + Math.floor(rand() * 100) * 1024 },
    tiny: { kind: "float", values: () => 1e-310 * rand() },
    huge: { kind: "float", values: () => 1.5e308 + rand() * 1e300 },
    year: { kind: "integer", values: () => 1990 + Math.floor(rand() * 40) },
  };
  for (const [name, { kind, values }] of Object.entries(kinds)) {
    const words = new ValueWords({ kind, type: "", unit: null, zone: null });
    for (const how of /** @type {const} */ (["linear", "eq_hist"])) {
      const norm = new Norm(new Distribution(Float64Array.from({ length: 4000 }, values), false), how);
      const labels = labelsOf(norm, { words, wanted: 8, length: 300 }).map(({ label }) => label);
      assert.equal(new Set(labels).size, labels.length, `${name} ${how}: ${labels}`);
      assert.ok(labels.length > 2, `${name} ${how}: ${labels}`);
    }
  }
});

test("times are labelled as times, at round ones where the scale is linear", () => {
  const start = 1_700_000_000e9;
  const stamps = Float64Array.from({ length: 1000 }, (_, k) => start + k * 60e9);
  const told = (
    /** @type {string} */ kind,
    /** @type {string} */ unit,
    /** @type {Float64Array} */ values,
    zone = /** @type {string|null} */ (null),
    how = /** @type {"linear"|"eq_hist"} */ ("linear"),
  ) =>
    labelsOf(new Norm(new Distribution(values, false), how), {
      words: new ValueWords({ kind, type: "", unit, zone }),
      wanted: 8,
      length: 300,
    }).map(({ label }) => label);
  const zoned = told("timestamp", "ns", stamps, "Europe/Berlin");
  assert.equal(zoned[0], "2023-11-14 23:13");
  assert.ok(
    zoned.slice(1, -1).every((label) => /^2023-11-15 \d\d:00$/.test(label)),
    String(zoned),
  );
  for (const label of told("timestamp", "ns", stamps, null, "eq_hist"))
    assert.match(label, /^2023-11-1[45] \d\d:\d\d$/);
  for (const label of told(
    "date",
    "D",
    Float64Array.from({ length: 100 }, (_, k) => k * 864e11),
  ))
    assert.match(label, /^1970-\d\d-\d\d$/);
  for (const label of told(
    "duration",
    "ns",
    Float64Array.from({ length: 100 }, (_, k) => k * 3600e9),
  ))
    assert.match(label, /^(\d d )?\d\d:\d\d$/);
  for (const label of told(
    "time",
    "us",
    Float64Array.from({ length: 24 }, (_, k) => k * 3600e9),
  ))
    assert.match(label, /^\d\d:\d\d$/);
});

test("whole numbers beyond 2^53 are labelled exactly, whatever the scale", () => {
  const words = new ValueWords({ kind: "integer", type: "int64", unit: null, zone: null });
  for (const [origin, span] of /** @type {[bigint, number][]} */ ([
    [2n ** 62n, 1],
    [2n ** 62n + 1n, 100],
    [-(2n ** 63n), 12],
    [2n ** 64n - 3n, 2],
  ])) {
    const values = Float64Array.from({ length: 500 }, (_, k) => k % (span + 1));
    for (const how of /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"])) {
      const norm = new Norm(new Distribution(values, false, undefined, origin), how);
      const labels = labelsOf(norm, { words, wanted: 8, length: 300 }).map(({ label }) =>
        BigInt(label.replaceAll(",", "").replace("−", "-")),
      );
      assert.deepEqual([labels[0], labels.at(-1)], [origin, origin + BigInt(span)]);
      for (const [k, label] of labels.entries()) assert.ok(k === 0 || label > labels[k - 1], `${how}: ${labels}`);
    }
  }
});
