// On which ground a colour map shows: high values must never fade into it.

/** @typedef {import("./theme.js").Palette} Palette */

const RISES = 0.25;
const DARKEST = 0.03;

/**
 * Is the plot's ground dark? High values must never fade into it: in the dark scheme it is dark unless the map ends in
 * the dark, in the light scheme it is light unless the map rises from dark to light.
 * @param {Uint8Array} map 256 x RGB @param {Palette} palette @returns {boolean}
 */
export function wantsDark(map, palette) {
  const [low, high] = [luminance(map[0], map[1], map[2]), luminance(map[765], map[766], map[767])];
  return palette.dark ? high > DARKEST : high - low > RISES;
}

/** Luminance of the grounds, about: those of both schemes are this dark and this light. */
const [DARK, LIGHT] = [0.004, 0.98];
/** From this contrast with the ground on (WCAG 2, 1 to 21) a single pixel is seen. */
const SEEN = 1.4;
/** At most so many of a map's 256 colours are left out. */
const MOST = 64;
/** What `seenOn` made of a map, on light and on dark.  @type {WeakMap<Uint8Array, (Uint8Array|undefined)[]>} */
const seen = new WeakMap();

/**
 * A map without its first colours, where they fade into the ground: single rows among many have the first one, and
 * are to be seen. Those that are left are stretched over all 256 places.
 * @param {Uint8Array} map 256 x RGB @param {boolean} dark the ground is
 * @returns {Uint8Array} the same one for the same map; the map itself where its first colour is seen
 */
export function seenOn(map, dark) {
  const known = seen.get(map) ?? [];
  const found = known[Number(dark)] ?? stretched(map, firstSeen(map, dark));
  known[Number(dark)] = found;
  seen.set(map, known);
  return found;
}

/** @param {Uint8Array} map @param {boolean} dark @returns {number} index of the first colour that the ground shows */
function firstSeen(map, dark) {
  for (let k = 0; k < MOST; k++) {
    const own = luminance(map[3 * k], map[3 * k + 1], map[3 * k + 2]);
    const ground = dark ? DARK : LIGHT;
    if ((Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05) >= SEEN) return k;
  }
  return MOST;
}

/** @param {Uint8Array} map @param {number} first index of its new first colour @returns {Uint8Array} */
function stretched(map, first) {
  if (first === 0) return map;
  const out = new Uint8Array(map.length);
  for (let k = 0; k < 256; k++) {
    const from = 3 * (first + Math.floor((k * (255 - first) + 127) / 255));
    out.set(map.subarray(from, from + 3), 3 * k);
  }
  return out;
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
