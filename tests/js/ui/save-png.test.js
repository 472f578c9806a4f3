// Names of saved files.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileName } from "../../../bigviz/static/ui/save-png.js";

test("file names are what every system takes", () => {
  assert.equal(fileName("Trips: fare / km"), "Trips-fare-km");
  assert.equal(fileName("../../etc"), "etc");
  assert.equal(fileName("???"), "plot");
  assert.equal(fileName("a".repeat(300)).length, 80);
});
