// Sparse pictures are hard to see: a pixel among many empty ones. Their pixels are spread over the empty ones around,
// which is painting only: values, hover and the colour bar stay as they are. How far follows from how alone they
// are, the idea of datashader's `dynspread`, and from how few.

/** @typedef {import("../wire/codec.js").Cells} Cells */

/** A picture of more filled pixels than this share is not sparse, whatever their places. */
const SPARSE = 1 / 8;
/** Filled pixels are spread while at most this share of them would have a filled one within reach. */
const CROWDED = 0.5;
/** Few pixels are spread however near they are: all of them are to cover this share of the picture at most. */
const ROOM = 1 / 20;
/** The largest reach in CSS pixels. */
const FARTHEST = 2;

/**
 * @param {Cells} values
 * @param {boolean} counts 0 is empty, else NaN
 * @param {number} enough null beyond so many
 * @returns {Int32Array|null} where values are filled
 */
function filled(values, counts, enough) {
  const found = new Int32Array(enough);
  let n = 0;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (counts ? value === 0 : Number.isNaN(value)) continue;
    if (n === enough) return null;
    found[n++] = k;
  }
  return found.subarray(0, n);
}

/** Offsets within a radius, nearest first.  @param {number} radius @returns {[number, number][]} */
function disc(radius) {
  /** @type {[number, number][]} */ const out = [];
  const reach = Math.floor(radius);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) if ((dx || dy) && Math.hypot(dx, dy) <= radius) out.push([dx, dy]);
  }
  return out.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
}

/**
 * How many pixels far a picture is to be spread; 0 where it is dense or empty.
 * @param {Cells} values one a pixel @param {boolean} counts @param {number} width @param {number} dpr
 * @returns {{radius: number, pixels: Int32Array}|null} with the places of the filled pixels
 */
export function spreadOf(values, counts, width, dpr) {
  const pixels = filled(values, counts, Math.floor(values.length * SPARSE));
  if (!pixels || pixels.length === 0) return null;
  let radius = 0;
  for (
    let next = Math.ceil(dpr / 2);
    next <= FARTHEST * dpr &&
    (pixels.length * (1 + disc(next + 0.25).length) <= ROOM * values.length ||
      crowded(values, counts, width, pixels, next) <= CROWDED);
    next += Math.ceil(dpr / 2)
  )
    radius = next;
  return radius === 0 ? null : { radius, pixels };
}

/**
 * The share of filled pixels that have another one within twice a radius.
 * @param {Cells} values
 * @param {boolean} counts
 * @param {number} width
 * @param {Int32Array} pixels
 * @param {number} radius
 */
function crowded(values, counts, width, pixels, radius) {
  const around = disc(2 * radius);
  const across = Int32Array.from(around, ([dx]) => dx);
  const offsets = Int32Array.from(around, ([dx, dy]) => dy * width + dx);
  const step = Math.max(1, Math.floor(pixels.length / 4096));
  let [near, looked] = [0, 0];
  for (let k = 0; k < pixels.length; k += step) {
    looked++;
    if (hasNear(values, counts, width, pixels[k], across, offsets)) near++;
  }
  return near / looked;
}

/**
 * @param {Cells} values @param {boolean} counts @param {number} width
 * @param {number} pixel @param {Int32Array} across @param {Int32Array} offsets of the places around it
 * @returns {boolean} one of these is filled
 */
function hasNear(values, counts, width, pixel, across, offsets) {
  const column = pixel % width;
  for (let k = 0; k < offsets.length; k++) {
    const x = column + across[k];
    const at = pixel + offsets[k];
    if (x < 0 || x >= width || at < 0 || at >= values.length) continue;
    const value = values[at];
    if (counts ? value !== 0 : !Number.isNaN(value)) return true;
  }
  return false;
}

/**
 * Copies the colours of filled pixels to the empty ones within a radius; where several reach, the highest value shows.
 * @param {Cells} values
 * @param {number} width
 * @param {{radius: number, pixels: Int32Array}} spread
 * @param {Uint32Array} out painted pixels, 0 where empty
 */
export function spreadPixels(values, width, { radius, pixels }, out) {
  const around = disc(radius + 0.25);
  /** @type {Map<number, number>} */ const from = new Map();
  for (const at of pixels) {
    const x = at % width;
    for (const [dx, dy] of around) {
      const to = at + dy * width + dx;
      if (x + dx < 0 || x + dx >= width || to < 0 || to >= out.length) continue;
      const before = from.get(to);
      if (before === undefined ? out[to] === 0 : values[at] > values[before]) {
        from.set(to, at);
        out[to] = out[at];
      }
    }
  }
}
