// On which ground a colour map shows: high values must never fade into it.

/** @typedef {import("./theme.js").Palette} Palette */

/**
 * Is the plot's ground dark? High values must never fade into it: in the dark scheme it is dark unless the map ends in
 * the dark, in the light scheme it is light unless the map rises from dark to light.
 * @param {Uint8Array} map 256 x RGB @param {Palette} palette @returns {boolean}
 */
export function wantsDark(map, palette) {
  const [low, high] = [luminance(map[0], map[1], map[2]), luminance(map[765], map[766], map[767])];
  return palette.dark ? high > 0.03 : high - low > 0.25;
}

/**
 * Relative luminance of sRGB bytes (WCAG 2).
 * @param {number} r
 * @param {number} g
 * @param {number} b
 * @returns {number} 0..1
 */
export function luminance(r, g, b) {
  const linear = (/** @type {number} */ byte) => {
    const c = byte / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}
