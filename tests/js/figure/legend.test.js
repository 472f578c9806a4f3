// Keys of the colour bar.

import assert from "node:assert/strict";
import { test } from "node:test";
import { labelsOf } from "../../../bigviz/static/figure/legend.js";
import { Distribution } from "../../../bigviz/static/render/distribution.js";
import { Norm } from "../../../bigviz/static/render/norm.js";

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
