// What a status line says first, which button it shows, and what screen readers announce.

import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, hasDetails, news, ordered } from "../../../../bigviz/static/ui/status/status.js";

const run = () => {};
const EXACT = { text: "exact" };
const ROWS = { text: "100 rows" };
const FAR = {
  text: "1 row lies far",
  detail: "a fill value, perhaps",
  spoken: "1 row lies far",
  action: { label: "Show them", run },
};
const OUTSIDE = { text: "2 rows lie outside", spoken: "2 rows lie outside", action: { label: "Show all", run } };
/** @param {Record<string, import("../../../../bigviz/static/ui/status/status.js").Part>} o */
const parts = (o) =>
  /** @type {import("../../../../bigviz/static/ui/status/status.js").Parts} */ (new Map(Object.entries(o)));

test("the state comes first and the number of rows last, in whatever order they became known", () => {
  const said = ordered(parts({ rows: ROWS, far: FAR, state: EXACT, outside: OUTSIDE }));
  assert.deepEqual(
    said.map(([name]) => name),
    ["state", "outside", "far", "rows"],
  );
  assert.deepEqual(ordered(parts({})), []);
});

test("the line has the button of what matters most", () => {
  assert.equal(actionOf(parts({ far: FAR, outside: OUTSIDE }))?.label, "Show all");
  assert.equal(actionOf(parts({ state: EXACT, far: FAR }))?.label, "Show them");
  assert.equal(actionOf(parts({ state: EXACT })), undefined);
});

test("details are there for what the line leaves out", () => {
  assert.equal(hasDetails(parts({ state: EXACT, rows: ROWS })), false);
  assert.equal(hasDetails(parts({ state: EXACT, outside: OUTSIDE, rows: ROWS })), false);
  assert.equal(hasDetails(parts({ state: EXACT, far: FAR })), true, "a detail");
  assert.equal(
    hasDetails(parts({ state: EXACT, outside: OUTSIDE, far: { ...FAR, detail: undefined } })),
    true,
    "a second button",
  );
  assert.equal(
    hasDetails(parts({ state: EXACT, index: { text: "tiles 3 %" }, crowd: { text: "many" } })),
    true,
    "three messages",
  );
});

test("screen readers announce what is new, once", () => {
  assert.deepEqual(news(parts({}), parts({ state: EXACT, far: FAR, outside: OUTSIDE })), [
    "2 rows lie outside",
    "1 row lies far",
  ]);
  assert.deepEqual(news(parts({ far: FAR }), parts({ far: FAR, outside: OUTSIDE })), ["2 rows lie outside"]);
  assert.deepEqual(news(parts({ far: FAR }), parts({ far: { ...FAR, text: "other words" } })), []);
  assert.deepEqual(news(parts({ far: FAR }), parts({})), []);
});
