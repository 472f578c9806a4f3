// Whether a layer stays where it is when it becomes another one.

/** @typedef {import("../wire/frames.js").Definition} Definition */

/**
 * @param {Definition} now @param {Definition} before
 * @returns {boolean} they differ in the rows that they show at most, so that cells and bars stand in the same places
 */
export function isInPlace(now, before) {
  if (JSON.stringify(now) === JSON.stringify(before)) return true;
  if (now.glyph === "bar" && (now.sort ?? "label") !== "label") return false; // rows decide the order of bars
  return bare(now) === bare(before);
}

/** @param {Definition} definition @returns {string} all of it but what decides its rows */
function bare({ filter, values, ...rest }) {
  return JSON.stringify(rest);
}
