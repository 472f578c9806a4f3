// Which of many names a typed text means.

import assert from "node:assert/strict";
import { test } from "node:test";
import { named, suggest } from "../../../../bigviz/static/ui/settings/suggest.js";

const options = (/** @type {string[]} */ ...names) => names.map((value) => ({ value }));
/** @param {import("../../../../bigviz/static/ui/settings/suggest.js").Option[]} among @param {string} text */
const found = (among, text) => suggest(among, text, 100).shown.map((option) => option.value);

test("the better match stands first, whatever its case", () => {
  const all = options("has_fare_a", "airfare", "Fare", "fares", "total fare", "tip");
  assert.deepEqual(found(all, "fare"), ["Fare", "fares", "has_fare_a", "total fare", "airfare"]);
  assert.deepEqual(found(options("FARE", "fare"), "fare"), ["fare", "FARE"], "its own case before another");
  assert.deepEqual(found(options("a.b", "axb"), "a.b"), ["a.b"], "no pattern");
  assert.deepEqual(found(all, "nothing like it"), []);
});

test("a space is a space; words in any order match as well", () => {
  const all = options("pump temperature 3", "temperature of pump 3", "temperature 3");
  assert.deepEqual(found(all, "pump t"), ["pump temperature 3", "temperature of pump 3"]);
  assert.deepEqual(found(all, "3 pump"), ["pump temperature 3", "temperature of pump 3"]);
});

test("of ten thousand a hundred are shown and the rest counted, the chosen one among those shown", () => {
  const all = Array.from({ length: 10_000 }, (_, k) => ({ value: `c${k}` }));
  const open = suggest(all, "", 100, "c9000");
  assert.equal(open.shown.length, 100);
  assert.equal(open.shown[0].value, "c9000");
  assert.equal(open.shown[1].value, "c0");
  assert.equal(open.more, 9900);
  assert.equal(suggest(all, "", 100, "c7").shown[7].value, "c7", "in its place where it is shown anyway");
  const some = suggest(all, "c12", 100);
  assert.equal(some.shown[0].value, "c12");
  assert.equal(some.shown.length + some.more, 1 + 10 + 100, "all of them match");
});

test("an option that is off is found, last, and never named", () => {
  const all = [{ value: "shape", off: "nested" }, { value: "shape length" }];
  assert.deepEqual(found(all, ""), ["shape length"]);
  assert.deepEqual(found(all, "shape"), ["shape length", "shape"]);
  assert.equal(named(all, "shape"), null);
});

test("a text names an option by itself, or by case and spaces where only one differs so", () => {
  const all = options("Fare", "fare", "Tip ");
  assert.equal(named(all, "Fare"), "Fare");
  assert.equal(named(all, "FARE"), null);
  assert.equal(named(all, "tip"), "Tip ");
  assert.equal(named(all, "fares"), null);
});
