// The golden file that Python reads too is what these modules give.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FILE, text } from "./golden-cases.js";

test("golden axes and bars", () => {
  assert.equal(text(), readFileSync(FILE, "utf8"));
});
