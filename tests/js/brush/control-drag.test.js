// A dragged control: figures that the server brushes show its steps, and ask for the filtered layer when it is let go.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlDrag } from "../../../bigviz/static/brush/control-drag.js";
import { ControlValues } from "../../../bigviz/static/figure/values/control-values.js";
import { followValues } from "../../../bigviz/static/figure/values/value-steps.js";

/** Elements as far as the drag listens to them: one control, and the layout around it. */
class FakeElement extends EventTarget {
  /** @param {string} id */
  constructor(id) {
    super();
    this.dataset = { control: id };
  }

  closest() {
    return this;
  }
}
Object.assign(globalThis, { Element: FakeElement, HTMLElement: FakeElement });

/** @param {number} index @param {ControlValues} values @param {string} filter */
function figure(index, values, filter) {
  const define = () => ({ dataset: "d", glyph: "histogram", filter, values: values.namedIn(filter) });
  const layer = {
    index: 0,
    spec: { filter },
    choice: { filter },
    define,
    definition: define(),
    info: { rows: 1e8 },
    /** @type {any} */ asked: null,
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
      taken: 0,
      hasTaken: true,
      takeValues() {
        this.taken += 1;
        if (JSON.stringify(define()) !== JSON.stringify(layer.definition)) layer.asked = define();
      },
      stepped() {
        this.redraw();
      },
      redraw() {
        this.dispatchEvent(new Event("frame"));
      },
    })
  );
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

function dragged() {
  /** @type {any[]} */ const sent = [];
  const connection = Object.assign(new EventTarget(), {
    isUp: true,
    hasRoom: () => true,
    brush: (/** @type {any} */ step) => sent.push(step),
  });
  const values = new ControlValues({
    least: { type: "slider", start: 0, end: 100, value: 5 },
    kinds: { type: "checkbox", value: false },
  });
  const figures = ["a > $least and ok = $kinds", "a + 1 > $least", "b > 3"].map((f, k) => figure(k, values, f));
  const ending = new AbortController();
  /** @type {string[]} */ const linked = [];
  const links = [
    {
      figures: /** @type {any[]} */ (figures),
      mode: /** @type {"filter"|"highlight"} */ ("filter"),
      /** @type {Map<any, any>} */ shapes: new Map(),
      seq: 40,
      isPaused: false,
      resting() {
        return [...this.shapes].map(([each, box]) => ({ figure: each.index, definition: each.main.define(), box }));
      },
      numbersOver: () => [{ control: "n", values: {} }],
      tellNumbers: (/** @type {any} */ end) => linked.push(JSON.stringify(end.numbers)),
      follow: () => linked.push("follow"),
    },
  ];
  const page = /** @type {any} */ ({ connection });
  const drag = new ControlDrag({ figures, values, page, links }, ending.signal);
  const element = new FakeElement("least");
  drag.listen(/** @type {any} */ (element));
  followValues(figures, values, ending.signal, (each, id) => drag.shows(each, id));
  /** @param {string} name */
  const fire = (name) => element.dispatchEvent(new Event(name));
  const move = async (/** @type {number} */ value) => {
    fire("input");
    values.set("least", value);
    await soon();
  };
  const answer = (/** @type {number} */ id, /** @type {any} */ change = {}) => {
    const { prepare, seq } = sent[id - 1];
    const parts = prepare ? [] : [{ type: "columns", figure: 0, layer: 0 }];
    const end = { brush: seq, exact: true, taking: [[0, 0]] };
    connection.dispatchEvent(
      new CustomEvent("brushed", { detail: { id, parts, end, error: null, isReplaced: false, ...change } }),
    );
  };
  return { sent, figures, values, links, linked, connection, fire, move, answer, end: () => ending.abort() };
}

const layers = (/** @type {any} */ step) => step.targets.map((/** @type {any} */ each) => each.figure);

test("a drag is prepared, shown step by step, and asked for when it is let go", async () => {
  const { sent, figures, fire, move, answer, end } = dragged();
  fire("pointerover");
  fire("pointerover");
  assert.equal(sent.length, 1);
  assert.deepEqual([sent[0].control, sent[0].prepare, layers(sent[0])], ["least", true, [0, 1]]);
  answer(1);
  fire("pointerdown");
  for (const value of [6, 7, 8, 9]) await move(value);
  assert.deepEqual(
    sent.slice(1).map((step) => step.targets[0].definition.values.least),
    [6, 7],
  ); // two are on their way
  assert.deepEqual(layers(sent[1]), [0]);
  answer(2);
  assert.equal(sent[3].targets[0].definition.values.least, 9);
  assert.equal(figures[0].section.dataset.brush, String(sent[1].seq));
  assert.deepEqual([figures[0].taken, figures[2].layers[0].brushed], [0, null]);
  assert.ok(figures[1].taken > 0); // its filter is none that a range moves
  fire("change");
  await soon();
  assert.equal(figures[0].taken, 1);
  assert.equal(figures[0].layers[0].asked.values.least, 9);
  assert.ok(figures[0].layers[0].brushed); // stays until the layer is there
  const { seq } = figures[0].layers[0].brushed;
  answer(4);
  assert.equal(figures[0].layers[0].brushed.seq, seq); // too late
  end();
});

test("a drag back to where it was shows the layer that is there", async () => {
  const { figures, fire, move, answer, end } = dragged();
  fire("focusin");
  answer(1);
  fire("pointerdown");
  await move(6);
  answer(2);
  assert.ok(figures[0].layers[0].brushed);
  await move(5);
  fire("change");
  await soon();
  assert.deepEqual([figures[0].layers[0].brushed, figures[0].layers[0].asked], [null, null]);
  end();
});

test("before the server has said what it can, and where it cannot, layers are filtered", async () => {
  const { sent, figures, fire, move, answer, end } = dragged();
  await move(6); // nothing was prepared
  assert.deepEqual([sent.length, sent[0].prepare, figures[0].taken], [1, true, 1]);
  answer(1, { end: null, error: "No." });
  await move(7);
  fire("pointerover");
  assert.equal(sent.length, 1);
  end();
});

test("what another brush has replaced is prepared again", () => {
  const { sent, fire, answer, end } = dragged();
  fire("pointerover");
  answer(1, { end: null, error: "A newer step came first.", isReplaced: true });
  fire("pointerover");
  assert.equal(sent.length, 2);
  end();
});

test("an error on the way, a lost connection and linked brushes end it", async () => {
  for (const stop of ["error", "down", "links", "taking"]) {
    const { sent, figures, fire, move, answer, connection, links, end } = dragged();
    fire("pointerover");
    answer(1);
    fire("pointerdown");
    await move(6);
    if (stop === "error") answer(2, { end: null, error: "Something." });
    if (stop === "taking") answer(2, { end: { brush: 2, exact: true, taking: [[1, 0]] } });
    if (stop === "down") connection.dispatchEvent(new Event("down"));
    if (stop === "links") {
      links[0].mode = "highlight";
      links[0].shapes.set(figures[0], [0, 0, 1, 1]);
    }
    await move(7);
    assert.equal(figures[0].layers[0].asked.values.least, 7, stop);
    assert.equal(sent.filter((step) => !step.prepare).length, 1, stop);
    end();
  }
});

test("steps that were replaced say nothing, and another control's value is not held back", async () => {
  const { figures, values, fire, move, answer, end } = dragged();
  fire("pointerover");
  answer(1);
  fire("pointerdown");
  await move(6);
  answer(2, { end: null, error: "A newer step came first.", isReplaced: true });
  await move(7);
  assert.equal(figures[0].taken, 0);
  values.set("kinds", true);
  await soon();
  assert.deepEqual(figures[0].layers[0].asked.values, { kinds: true, least: 7 });
  end();
});

test("brushes that rest go with a drag, and go on when it is let go", async () => {
  const { sent, figures, links, linked, fire, move, answer, end } = dragged();
  const [link] = links;
  link.figures = [figures[0], figures[2]];
  link.shapes.set(figures[2], [0, 0, 1, 1]);
  figures[1].layers[0].info.rows = 10; // it does not count, as a layer of few rows
  figures[1].layers[0].spec.filter = figures[1].layers[0].choice.filter = "";
  fire("pointerover");
  const [step] = sent;
  assert.deepEqual(
    [step.others[0].figure, step.others[0].figures, step.numbers],
    [2, [0, 2], [{ control: "n", values: {} }]],
  );
  assert.deepEqual([step.seq, link.seq, layers(step)], [41, 41, [0]]);
  answer(1);
  fire("pointerdown");
  await move(6);
  assert.ok(link.isPaused);
  answer(2, { end: { brush: 42, exact: true, taking: [[0, 0]], numbers: { n: 3 } } });
  assert.deepEqual(linked, ['{"n":3}']);
  assert.ok(figures[0].layers[0].brushed.stays);
  fire("change");
  await soon();
  assert.ok(!link.isPaused && figures[0].layers[0].brushed);
  assert.equal(linked.at(-1), "follow");
  link.shapes.set(figures[0], [0, 0, 1, 1]); // another brush: it is prepared again, and moves the one below which it is
  fire("pointerover");
  const last = sent.at(-1);
  assert.deepEqual([last.prepare, last.others.length, layers(last)], [true, 2, [2]]);
  end();
});
