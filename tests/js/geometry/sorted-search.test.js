import assert from "node:assert/strict";
import { test } from "node:test";
import { firstAbove, firstFrom } from "../../../bigviz/static/geometry/sorted-search.js";

test("places are those that a walk from the start finds", () => {
  for (const sorted of [[], [2], [1, 1, 1], [-3, -1, -1, 0, 4, 4, 7, 9]])
    for (let value = -4; value <= 10; value += 0.5) {
      const places = Float64Array.from(sorted);
      assert.equal(firstFrom(places, value), sorted.filter((each) => each < value).length);
      assert.equal(firstAbove(places, value), sorted.filter((each) => each <= value).length);
    }
});
