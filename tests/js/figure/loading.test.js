import assert from "node:assert/strict";
import test from "node:test";
import { timeLeft } from "../../../bigviz/static/figure/loading.js";

test("the time left follows from the time so far, once enough is done to tell", () => {
  assert.equal(timeLeft({ done: 0.25, seconds: 10 }), "about 30 s left");
  assert.equal(timeLeft({ done: 0.99, seconds: 10 }), "about 1 s left");
  assert.equal(timeLeft({ done: 0.05, seconds: 10 }), "");
  assert.equal(timeLeft({ done: 0.5, seconds: 1 }), "");
  assert.equal(timeLeft({ done: 1, seconds: 10 }), "");
});
