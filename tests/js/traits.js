// What the server says of a reduction's cells, out of the golden file that the Python tests write.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const KNOWN = JSON.parse(readFileSync(new URL("../golden/traits.json", import.meta.url), "utf8"));

/** @param {string} agg one of the golden ones @returns {import("../../bigviz/static/wire/frames.js").Traits} */
export function traitsOf(agg) {
  assert.ok(agg in KNOWN, `${agg} is not among the golden traits`);
  return KNOWN[agg];
}
