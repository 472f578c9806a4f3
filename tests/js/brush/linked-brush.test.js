// Linked brushes: the newest step alone is sent, figures show all brushes but their own, and what is gone is forgotten.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkedBrush } from "../../../bigviz/static/brush/linked-brush.js";
import { span } from "../../../bigviz/static/geometry/span.js";

/** @param {number} index @param {string} [dataset] */
function figure(index, dataset = "d") {
  const layer = {
    index: 0,
    definition: { dataset, glyph: "histogram" },
    info: {},
    asked: null,
    isHidden: false,
    line: { asked: { x0: 0, x1: 1, width: 10 } },
    raster: null,
    /** @type {any} */ brushed: null,
    takeBrush(/** @type {any} */ part, /** @type {any} */ step) {
      this.brushed = { ...step, part };
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
      redraw() {
        this.drawn += 1;
        this.dispatchEvent(new Event("frame"));
      },
    })
  );
}

function linked(count = 3) {
  /** @type {any[]} */ const sent = [];
  const connection = Object.assign(new EventTarget(), {
    isUp: true,
    hasRoom: () => true,
    brush: (/** @type {any} */ step) => sent.push(step),
  });
  /** @type {string[]} */ const notes = [];
  const page = { connection, notices: { note: (/** @type {string} */ words) => notes.push(words), say: () => {} } };
  const figures = Array.from({ length: count }, (_, k) => figure(k));
  const ending = new AbortController();
  const link = new LinkedBrush({ figures, mode: "filter", page: /** @type {any} */ (page) }, ending.signal);
  const answer = (/** @type {number} */ id, /** @type {any} */ change = {}) => {
    const parts = sent[id - 1].targets.map((/** @type {any} */ t) => ({ type: "columns", figure: t.figure, layer: 0 }));
    const end = { brush: sent[id - 1].seq, exact: true, selected: 1, of: 9 };
    connection.dispatchEvent(
      new CustomEvent("brushed", { detail: { id, parts, end, error: null, isReplaced: false, ...change } }),
    );
  };
  return { sent, figures, link, answer, connection, notes, end: () => ending.abort() };
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
