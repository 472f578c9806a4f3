// A figure takes the newest value once it shows the one before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ValueSteps } from "../../../../bigviz/static/figure/values/value-steps.js";

class Taking extends EventTarget {
  taken = 0;
  hasTaken = false;

  takeValues() {
    this.taken += 1;
  }
}

test("values that change together are one step, those that come meanwhile the next", async () => {
  const figure = new Taking();
  const steps = new ValueSteps(figure);
  steps.soon();
  steps.soon();
  await Promise.resolve();
  assert.equal(figure.taken, 1);
  for (let k = 0; k < 5; k++) steps.soon();
  await Promise.resolve();
  assert.equal(figure.taken, 1);
  figure.dispatchEvent(new Event("frame"));
  assert.equal(figure.taken, 1, "the picture is still the one before");
  figure.hasTaken = true;
  figure.dispatchEvent(new Event("frame"));
  assert.equal(figure.taken, 2);
  figure.dispatchEvent(new Event("frame"));
  assert.equal(figure.taken, 2);
  clearTimeout(steps.waiting);
});
