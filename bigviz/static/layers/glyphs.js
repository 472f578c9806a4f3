// What distinguishes the glyphs of layers.

/** @typedef {import("../types.js").Glyph} Glyph */

/** @type {readonly Glyph[]} */
export const GLYPHS = Object.freeze(["points", "line", "histogram", "bar"]);

/** @param {string|undefined} glyph @returns {boolean} its y is what the reduction makes of a bar's rows, no column */
export const isBars = (glyph) => glyph === "histogram" || glyph === "bar";

/** @param {string} glyph @returns {string} the reduction that it has where none is named */
export const defaultAgg = (glyph) => (glyph === "line" ? "any" : "count");
