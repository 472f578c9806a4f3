// What follows for a layer's cells from its definition and the server's answer: how they combine, which are empty,
// and on which axes they lie at whole numbers.

import { isExact } from "../axes/axis.js";
import { TIMES } from "../wire/column-kinds.js";

/** @typedef {import("../wire/frames.js").Definition} Definition */
/** @typedef {import("../wire/frames.js").LayerInfo} LayerInfo */
/** @typedef {import("../wire/frames.js").Traits} Traits */
/** @typedef {import("../render/resample.js").Rule} Rule */
/** @typedef {Readonly<{x: boolean, y: boolean}>} Sides */
/**
 * `planes`: the categories under `by`; `traits`: what a plane's cells mean; `rule`: how the cells of a pixel combine;
 * `movable`: values may count from any origin, as they are neither added up nor mixed; `exact`: axes of whole numbers;
 * `times`: of those, axes of times.
 * @typedef {Readonly<{planes: readonly string[]|null, traits: Traits, rule: Rule, movable: boolean, exact: Sides,
 *   times: Sides}>} CellFacts
 */

/** @param {Definition} definition @param {LayerInfo} info @returns {CellFacts} */
export function cellFacts(definition, { planes, traits, x, y }) {
  return Object.freeze({
    planes,
    traits,
    rule: traits.counts ? "count" : traits.pixel === "any" ? "max" : traits.pixel,
    movable: planes === null && !traits.counts && !traits.additive,
    exact: { x: isExact(x.kind, definition.xaxis), y: isExact(y.kind, definition.yaxis) },
    times: { x: TIMES.has(x.kind), y: TIMES.has(y.kind) },
  });
}
