// The ends of windows that are requested.

import assert from "node:assert/strict";
import { test } from "node:test";
import { spanOf } from "../../../bigviz/static/geometry/span.js";
import { View } from "../../../bigviz/static/geometry/view.js";
import { layerOf } from "./rasters.js";

test("windows of times are whole nanoseconds, as text, within int64", () => {
  const layer = layerOf({ kind: "timestamp", root: ["0", 62] });
  const x = spanOf("1700000000000000003", "1700000000000000903", true);
  const far = spanOf("-9223372036854775808", "9223372036854775807", true);
  assert.ok(x && far);
  const view = new View({ x, y: far, width: 10, height: 10 });
  const asked = layer.windows.asked(view);
  assert.deepEqual([asked.x0, asked.x1], ["1700000000000000003", "1700000000000000903"]);
  assert.deepEqual([asked.y0, asked.y1], ["-9223372036854775807", "9223372036854775807"]);
});
