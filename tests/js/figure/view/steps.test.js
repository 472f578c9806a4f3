// Undo and redo of views and of what the layers show.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Steps } from "../../../../bigviz/static/figure/view/steps.js";
import { span } from "../../../../bigviz/static/geometry/span.js";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

const drawn = (/** @type {string} */ x) => ({ x, y: "b", xaxis: "linear", yaxis: "linear", root: "default" });

/** A figure of one layer whose server answers when `answer` is called. */
function world() {
  const layer = {
    choice: /** @type {Record<string, string>} */ ({ x: "a", cmap: "fire" }),
    definition: drawn("a"),
    asked: /** @type {any} */ (null),
  };
  const figure = /** @type {any} */ (
    Object.assign(new EventTarget(), {
      layers: [layer],
      view: null,
      followY: { isOn: false, isWanted: true },
      ranges: { x: { isFollowing: false, window: null } },
      moves: { restore: () => {} },
    })
  );
  const steps = new Steps(figure);
  const ask = () => {
    layer.asked = layer.choice.x === layer.definition.x ? null : drawn(layer.choice.x);
  };
  const look = (/** @type {number} */ k) => {
    figure.view = { x: span(k, k + 1), y: span(0, 1) };
  };
  figure.moves.restore = (/** @type {any} */ { x, y, choices }) => {
    layer.choice = choices[0];
    ask();
    if (!layer.asked) figure.view = { x, y };
    else figure.due = { x, y };
  };
  look(0);
  steps.built();
  return {
    steps,
    layer,
    shows: () => [layer.choice.x, layer.choice.cmap, figure.view.x.lo],
    move: (/** @type {number} */ k) => {
      steps.before("view");
      look(k);
      steps.after();
    },
    choose: (/** @type {Record<string, string>} */ change) => {
      steps.before(Object.keys(change).join());
      layer.choice = { ...layer.choice, ...change };
      ask();
      steps.after();
    },
    /** The columns come, at home unless a step waits for them.  @param {number} home */
    answer: (home) => {
      layer.definition = layer.asked;
      layer.asked = null;
      look(home);
      figure.view = { ...figure.view, ...(figure.due?.x ? figure.due : {}) };
      figure.due = null;
      steps.built();
    },
    refuse: () => {
      layer.asked = null;
      layer.choice = { ...layer.choice, x: layer.definition.x };
      steps.refused();
    },
  };
}

test("each kind of change is a step of its own, also where they follow at once", () => {
  const { steps, move, choose, layer } = world();
  move(1);
  move(2);
  choose({ cmap: "bmy" });
  choose({ cmap: "kbc" });
  choose({ how: "log" });
  const seen = [];
  while (steps.canUndo) {
    steps.travel("undo", 0);
    seen.push([layer.choice.cmap, layer.choice.how, steps.figure.view?.x.lo]);
  }
  assert.deepEqual(
    seen.map(([cmap, how]) => [cmap, how]),
    [
      ["kbc", undefined],
      ["fire", undefined],
      ["fire", undefined],
    ],
  );
  assert.equal(seen.length, 3, "a drag and keys of one list are one step each");
});

test("a step rests, and is then one", () => {
  const { steps, move } = world();
  move(1);
  assert.ok(!steps.canUndo);
  mock.timers.tick(400);
  assert.ok(steps.canUndo);
});

test("columns come back with the range that was shown of them", () => {
  const { steps, move, choose, answer, shows } = world();
  move(5);
  choose({ x: "c" });
  assert.ok(steps.canUndo, "at once, before the server answers");
  answer(100);
  move(120);
  const back = [];
  for (let k = 0; k < 3; k++) {
    steps.travel("undo", 0);
    if (k === 1) answer(0);
    back.push(shows().map(String).join(" "));
  }
  assert.deepEqual(back, ["c fire 100", "a fire 5", "a fire 0"]);
  for (let k = 0; k < 2; k++) {
    steps.travel("redo", 0);
    if (k === 1) answer(0);
  }
  assert.equal(shows().join(" "), "c fire 100");
  assert.ok(steps.canRedo, "nothing that was undone is lost on the way");
});

test("two columns chosen before the server answers are two steps", () => {
  const { steps, choose, answer, layer } = world();
  choose({ x: "c" });
  choose({ x: "d" });
  answer(7);
  steps.travel("undo", 0);
  assert.equal(layer.choice.x, "c");
  answer(6);
  steps.travel("undo", 0);
  assert.equal(layer.choice.x, "a");
});

test("a choice that the server refuses is no step", () => {
  const { steps, choose, refuse } = world();
  choose({ x: "nope" });
  assert.ok(steps.canUndo);
  refuse();
  assert.ok(!steps.canUndo && !steps.canRedo);
});
