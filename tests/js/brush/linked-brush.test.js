// Linked brushes: the newest step alone is sent, figures show all brushes but their own, and what is gone is forgotten.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkedBrush } from "../../../bigviz/static/brush/linked-brush.js";
import { span } from "../../../bigviz/static/geometry/span.js";

/** @param {number} index @param {string} [dataset] */
function figure(index, dataset = "d") {
  const layer = {
    index: 0,
    spec: {},
    filter: "",
    /** @type {any} */ values: null,
    define() {
      const rows = { ...(this.filter ? { filter: this.filter } : {}), ...(this.values ? { values: this.values } : {}) };
      const { filter, values, ...rest } = /** @type {any} */ (this.definition);
      return { ...rest, ...rows };
    },
    definition: { dataset, glyph: "histogram" },
    info: { traits: { by: "kind" } },
    asked: null,
    isHidden: false,
    planes: ["a", "b", "c"],
    hidden: [],
    columns: [{ name: "kind", kind: "category" }],
    line: { asked: { x0: 0, x1: 1, width: 10 } },
    raster: null,
    /** @type {any} */ brushed: null,
    takeBrush(/** @type {any} */ part, /** @type {any} */ step) {
      this.brushed = { ...step, part, stands: !step.isOver };
    },
  };
  return /** @type {any} */ (
    Object.assign(new EventTarget(), {
      index,
      layers: [layer],
      main: layer,
      view: {},
      section: { dataset: {} },
      drawn: 0,
      taken: 0,
      takeValues() {
        this.taken += 1;
        layer.definition = layer.define();
        this.dispatchEvent(new Event("choice"));
      },
      stepped() {
        this.redraw();
      },
      redraw() {
        this.drawn += 1;
        this.dispatchEvent(new Event("frame"));
      },
    })
  );
}

/** @param {"filter"|"highlight"} [mode] */
function linked(count = 3, mode = "filter", named = /** @type {string[]} */ ([])) {
  /** @type {any[]} */ const sent = [];
  const connection = Object.assign(new EventTarget(), {
    isUp: true,
    hasRoom: () => true,
    brush: (/** @type {any} */ step) => sent.push(step),
  });
  /** @type {string[]} */ const notes = [];
  /** @type {(() => void)[]} */ const listeners = [];
  let least = 0;
  const values = {
    controls: { n: { dataset: "d", filter: "a > $least" }, other: { dataset: "e" } },
    namedIn: (/** @type {string} */ filter) => (filter === "" ? null : { least }),
    onChange: (/** @type {() => void} */ listener) => listeners.push(listener),
  };
  const change = async (/** @type {number} */ value) => {
    least = value;
    for (const listener of listeners) listener();
    await Promise.resolve();
  };
  const page = {
    connection,
    values,
    notices: { note: (/** @type {string} */ words) => notes.push(words), say: () => {} },
  };
  const figures = Array.from({ length: count }, (_, k) => figure(k));
  const ending = new AbortController();
  /** @type {any[]} */ const live = [];
  const numbers = new Map(
    ["n", "other"].map((id) => [
      id,
      { take: (...told) => live.push([id, ...told]), release: () => live.push([id, "released"]) },
    ]),
  );
  const o = { figures, mode, page: /** @type {any} */ (page), named, numbers: /** @type {any} */ (numbers) };
  const link = new LinkedBrush(o, ending.signal);
  const answer = (/** @type {number} */ id, /** @type {any} */ change = {}) => {
    const parts = sent[id - 1].targets.map((/** @type {any} */ t) => ({ type: "columns", figure: t.figure, layer: 0 }));
    const end = { brush: sent[id - 1].seq, exact: true, selected: 1, of: 9 };
    connection.dispatchEvent(
      new CustomEvent("brushed", { detail: { id, parts, end, error: null, isReplaced: false, ...change } }),
    );
  };
  return { sent, figures, link, answer, change, connection, notes, live, end: () => ending.abort() };
}

const range = (/** @type {number} */ low) => /** @type {const} */ ({ kind: "range", x: span(low, low + 1) });

test("while two steps are on their way only the newest of those that follow is sent", () => {
  const { sent, figures, link, answer, end } = linked();
  for (let low = 0; low < 10; low++) link.set(figures[0], range(low));
  assert.deepEqual(
    sent.map((step) => step.range),
    [
      [0, 1],
      [1, 2],
    ],
  );
  answer(1);
  assert.deepEqual(sent[2].range, [9, 10]);
  assert.deepEqual(
    figures.map((/** @type {any} */ each) => each.section.dataset.brush),
    [undefined, "1", "1"],
  );
  answer(2);
  answer(3);
  assert.equal(sent.length, 3);
  assert.equal(figures[1].section.dataset.brush, String(sent[2].seq));
  end();
});

test("a brush that rests is named, and what it leaves is shown when the other is gone", () => {
  const { sent, figures, link, answer, end } = linked();
  link.set(figures[0], range(0));
  answer(1);
  link.set(figures[1], range(5));
  assert.deepEqual(
    sent[1].targets.map((/** @type {any} */ each) => each.figure),
    [0, 2],
  );
  assert.deepEqual(
    sent[1].others.map((/** @type {any} */ each) => [each.figure, each.range]),
    [[0, [0, 1]]],
  );
  answer(2);
  assert.ok(figures[0].main.brushed && figures[1].main.brushed);
  link.set(figures[1], null);
  assert.equal(figures[0].main.brushed, null); // nothing filters it any more
  assert.deepEqual([sent[2].figure, sent[2].range, sent[2].others], [0, [0, 1], undefined]);
  answer(3);
  link.set(figures[0], null);
  assert.ok(figures.every((/** @type {any} */ each) => each.main.brushed === null));
  assert.ok(figures.every((/** @type {any} */ each) => each.section.dataset.brush === undefined));
  end();
});

test("what is refused is told once, and steps that were replaced are not", () => {
  const { figures, link, answer, notes, end } = linked();
  link.set(figures[0], range(0));
  link.set(figures[0], range(1));
  answer(1, { parts: [], end: null, error: "A newer step came first.", isReplaced: true });
  answer(2, { parts: [], end: null, error: "No." });
  assert.deepEqual(notes, ["No."]);
  end();
});

test("after a new connection the brush is sent again, and figures of other rows take no part", () => {
  const { sent, figures, link, connection, answer, end } = linked();
  figures[2].main.definition.dataset = "other";
  link.set(figures[0], range(0));
  assert.deepEqual(
    sent[0].targets.map((/** @type {any} */ each) => each.figure),
    [1],
  );
  connection.dispatchEvent(new Event("up"));
  assert.equal(sent.length, 2);
  answer(2);
  figures[1].main.line.asked = { x0: 0, x1: 2, width: 10 };
  figures[1].dispatchEvent(new Event("exact"));
  assert.deepEqual(sent[2].targets[0].columns.x1, 2); // it was zoomed
  end();
});

test("what layers are filtered by goes with them, and without the categories that a legend hides", () => {
  const { sent, figures, link, end } = linked();
  figures[0].main.filter = "fare > $least";
  figures[0].main.values = { least: 3 };
  figures[0].main.hidden = [1];
  figures[1].main.filter = figures[1].main.definition.filter = "ok";
  link.set(figures[0], range(0));
  assert.equal(sent[0].definition.filter, "(fare > $least) and (kind is null or kind not in ('b'))");
  assert.deepEqual(sent[0].definition.values, { least: 3 });
  assert.deepEqual(
    sent[0].targets.map((/** @type {any} */ each) => each.definition.filter),
    ["ok", undefined],
  );
  figures[1].main.asked = { dataset: "d", glyph: "points" }; // it will stand elsewhere
  figures[1].main.define = () => figures[1].main.asked;
  figures[1].dispatchEvent(new Event("choice"));
  assert.deepEqual(
    sent[1].targets.map((/** @type {any} */ each) => each.figure),
    [2],
  );
  end();
});

test("a control's value is a step of every brush that rests, and is taken once the control rests", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sent, figures, link, answer, change, end } = linked();
  for (const each of figures) Object.assign(each.main, { filter: "a > $least", values: { least: 1 } });
  for (const each of figures) each.main.definition = each.main.define();
  assert.equal(link.shows(figures[1], "least"), false); // nothing is brushed
  link.set(figures[0], range(0));
  answer(1);
  link.set(figures[1], range(5));
  answer(2);
  for (const least of [2, 3, 4]) {
    for (const each of figures) each.main.values = { least };
    assert.ok(figures.every((/** @type {any} */ each) => link.shows(each, "least")));
    await change(least);
  }
  const told = (/** @type {any} */ step) => [
    step.figure,
    step.definition.values.least,
    step.others[0].definition.values.least,
  ];
  assert.deepEqual(sent.slice(2).map(told), [
    [0, 2, 2],
    [1, 2, 2],
  ]); // both figures show what the other leaves
  answer(3);
  answer(4);
  assert.deepEqual(sent.slice(4).map(told), [
    [0, 4, 4],
    [1, 4, 4],
  ]);
  answer(5);
  answer(6);
  assert.deepEqual(
    figures.map((/** @type {any} */ each) => each.taken),
    [0, 0, 0],
  );
  t.mock.timers.tick(1000);
  assert.deepEqual(
    figures.map((/** @type {any} */ each) => each.taken),
    [1, 1, 1],
  );
  assert.equal(sent.length, 6);
  figures[2].main.spec = { agg: "$metric" };
  assert.equal(link.shows(figures[2], "metric"), false);
  end();
});

test("highlighted rows do not stand for a layer, and an estimate says that it is one", () => {
  const { figures, link, answer, end } = linked(2, "highlight");
  link.set(figures[0], range(0));
  answer(1, { end: { brush: 1, exact: false, selected: 1234, of: 9999, share: 0.25 } });
  assert.equal(figures[1].main.brushed.share, 0.25);
  assert.equal(link.count, "about 1,234 rows");
  assert.equal(link.shows(figures[1], "least"), false);
  answer(1, { end: { brush: 1, exact: true, selected: 1230, of: 9999 } }); // once more, exactly
  assert.equal(link.count, "1,230 rows");
  end();
});

test("live figures in a link are of the rows of the brushes until these are gone", async () => {
  const { sent, figures, link, answer, change, live, end } = linked(2, "filter", ["n", "other"]);
  link.set(figures[0], range(0));
  assert.deepEqual(sent[0].numbers, [{ control: "n", values: { least: 0 } }]); // the other is over another dataset
  answer(1, { end: { brush: 1, exact: false, selected: 1, of: 9, numbers: { n: 4 } } });
  answer(1, { end: { brush: 1, exact: true, selected: 1, of: 9, numbers: { n: 5 } } });
  await change(3);
  assert.deepEqual(sent[1].numbers, [{ control: "n", values: { least: 3 } }]);
  link.set(figures[0], null);
  assert.deepEqual(live, [
    ["n", 4, false],
    ["n", 5, true],
    ["n", "released"],
    ["other", "released"],
  ]);
  end();
});
