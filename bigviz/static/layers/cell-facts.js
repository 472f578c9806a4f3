// What a layer's definition and the server's answer to it say of the layer's cells: how they combine, which are empty, and on which
// axes they lie at whole numbers.

import { isExact } from "../axes/axis.js";

/** @typedef {import("../wire/frames.js").Definition} Definition */
/** @typedef {import("../wire/frames.js").LayerInfo} LayerInfo */
/** @typedef {import("../render/resample.js").Rule} Rule */
/** @typedef {Readonly<{x: boolean, y: boolean}>} Sides */
/**
 * `planes`: the categories under `by`; `rule`: how cells combine; `counts`: 0 is empty, else NaN; `counted`: planes come as counts, of
 * categories only where these are counted; `any`: the reduction is `any`; `exact`: axes of whole numbers; `times`: of those, axes of times.
 * @typedef {Readonly<{planes: readonly string[]|null, rule: Rule, counts: boolean, counted: boolean, any: boolean, exact: Sides, times: Sides}>} CellFacts
 */

const TIMES = new Set(["timestamp", "date", "time", "duration"]);

/** @param {Definition} definition @param {LayerInfo} info @returns {CellFacts} */
export function cellFacts(definition, { planes, reduction, x, y }) {
  const rule = planes ? "count" : ruleOf(reduction);
  const counts = rule === "count";
  return Object.freeze({
    planes,
    rule,
    counts,
    counted: planes ? /^\s*by\((`(?:[^`]|``)*`|[^,`]*)(,\s*count\b.*)?\)\s*$/.test(reduction) : counts,
    any: definition.agg === "any",
    exact: { x: isExact(x.kind, definition.xaxis), y: isExact(y.kind, definition.yaxis) },
    times: { x: TIMES.has(x.kind), y: TIMES.has(y.kind) },
  });
}

/** @param {string} reduction "mean(fare)" @returns {Rule} */
function ruleOf(reduction) {
  const name = reduction.match(/^\s*(\w+)/)?.[1];
  switch (name) {
    case "sum":
    case "mean":
    case "min":
    case "max":
    case "any":
    case "first":
    case "last":
      return name === "any" ? "max" : name;
    default:
      return "count";
  }
}
