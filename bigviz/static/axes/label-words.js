// Labels of categories as they are written.

/**
 * One without a visible character would leave a gap that nobody can read or press.
 * @param {string} label @returns {string}
 */
export const labelWords = (label) => (label.trim() === "" ? "(blank)" : label);
