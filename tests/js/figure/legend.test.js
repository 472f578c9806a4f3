// Keys of the colour bar.

import assert from "node:assert/strict";
import { test } from "node:test";
import { drawBar, drawLegend, labelsOf } from "../../../bigviz/static/figure/legend.js";
import { Distribution } from "../../../bigviz/static/render/distribution.js";
import { Norm } from "../../../bigviz/static/render/norm.js";

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
  for (const name of ["fillRect", "strokeRect", "beginPath", "moveTo", "lineTo", "stroke", "fill"]) Object.assign(context, { [name]() {} });
  return { drawn, context: /** @type {any} */ (context) };
}

const LOOK = /** @type {any} */ ({ palette: {}, font: "sans", dpr: 2 });

test("on a narrow screen the key keeps its title, clear of the colours and of the window's edge", () => {
  const rect = { x: 155, y: 12, width: 220, height: 10 };
  for (const title of ["count", "mean of a column with a rather long name"]) {
    const { drawn, context } = paper();
    drawBar(context, { rect, horizontal: true, norm: null, lut: new Uint8Array(768), title, whole: true, mark: null }, LOOK);
    const [told] = drawn;
    assert.ok(told.words.startsWith(title.slice(0, 5)), told.words);
    assert.ok(told.left >= 0 && told.left + told.width < rect.x);
  }
  const { drawn, context } = paper();
  const labels = ["ash", "elm", "fir"];
  drawLegend(context, { rect: { ...rect, x: 60, width: 315 }, horizontal: true, labels, colors: new Uint8Array(9), title: "kind of tree" }, LOOK);
  assert.deepEqual(drawn.map(({ words }) => words), ["kind of tree", ...labels]);
  for (const [k, { left }] of drawn.entries()) assert.ok(k === 0 || left >= drawn[k - 1].left + drawn[k - 1].width);
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
