// Encoded planes to arrays. A plane is 256 x 256 cells, row 0 the highest y, row-major.

import { CELLS, check } from "./frames.js";

/** One encoded plane. `low` and `high` are NaN when nothing is filled; `payload` is a view of the frame.
 * @typedef {{codec: number, dtype: number, plane: number, filled: number, low: number, high: number, constant:
 *   Uint8Array, payload: Uint8Array}} EncodedPlane
 */
/** @typedef {Uint8Array|Uint16Array|Uint32Array|Float32Array|Float64Array} Cells */
/**
 * A decoded plane. Counts (`counts`): 0 is empty, in the narrowest unsigned array, Float64Array for uint64. Other
 * reductions: NaN is empty, Float32Array where it holds every value of the dtype, else Float64Array. `data` is null
 * where all cells are alike: empty (`filled` 0) or `constant`. `exact` holds 64-bit integers beyond 2^53 for the reader
 * of a single cell; null where doubles suffice.
 * @typedef {{counts: boolean, filled: number, low: number, high: number, constant: number, data: Cells|null, exact:
 *   BigInt64Array|BigUint64Array|null}} Plane
 */

/** Bytes of a plane's header. */
export const PLANE_HEADER = 40;

export const EMPTY = 0;
export const CONSTANT = 1;
export const NARROW = 2;
export const RLEV = 3;
export const RUNS = 4;

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
/** dtype -> array of the wire. 1..4 unsigned, 5..8 signed, 9, 10 floats. */
const ARRAYS = [
  null,
  Uint8Array,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
];
/** dtypes whose values a float32 holds exactly. */
const SMALL = new Set([1, 2, 5, 6, 9]);

/**
 * @param {DataView} view @param {Uint8Array} body @param {number} at of the header @param {number} first byte that may
 * belong to a payload
 * @param {number} total @returns {EncodedPlane} */
export function parsePlane(view, body, at, first, total) {
  const [codec, dtype, plane] = [view.getUint8(at), view.getUint8(at + 1), view.getUint16(at + 2, true)];
  const [filled, offset, size] = [
    view.getUint32(at + 4, true),
    view.getUint32(at + 8, true),
    view.getUint32(at + 12, true),
  ];
  check(codec <= 4, `unknown codec ${codec}`);
  check(dtype >= 1 && dtype <= 10, `unknown dtype ${dtype}`);
  check(plane < total, `plane ${plane} of a tile with ${total}`);
  check(filled <= CELLS, `${filled} filled cells in a plane of ${CELLS}`);
  if (codec <= 1) {
    check(offset === 0 && size === 0, `codec ${codec} has no payload, got ${size} bytes at ${offset}`);
    check(filled === (codec === 0 ? 0 : CELLS), `codec ${codec} with ${filled} filled cells`);
  } else {
    check(offset >= first && offset % 8 === 0, `payload at ${offset}, expected a multiple of 8 from ${first} on`);
    check(offset + size <= body.length, `payload of ${size} bytes at ${offset} in a body of ${body.length}`);
  }
  return {
    codec,
    dtype,
    plane,
    filled,
    low: view.getFloat64(at + 16, true),
    high: view.getFloat64(at + 24, true),
    constant: body.slice(at + 32, at + 40),
    payload: body.subarray(offset, offset + size),
  };
}

/**
 * @param {EncodedPlane} encoded
 * @param {boolean} counts whether 0 means empty (count and `by`); only empty and constant planes do not tell by
 *   themselves
 * @returns {Plane}
 * @throws {import("./frames.js").ProtocolError} when the payload does not hold what its header says
 */
export function decodePlane(encoded, counts) {
  const { codec, dtype, filled, low, high, payload } = encoded;
  const plane = {
    counts,
    filled,
    low,
    high,
    constant: Number.NaN,
    data: /** @type {Cells|null} */ (null),
    exact: /** @type {Plane["exact"]} */ (null),
  };
  if (codec === EMPTY) return plane;
  if (codec === CONSTANT) return decodeConstant(plane, dtype, encoded.constant);
  check(counts === (codec !== RUNS), `codec ${codec} for ${counts ? "counts" : "values"}`);
  if (codec === NARROW) return decodeNarrow(plane, dtype, payload);
  if (codec === RLEV) return dtype === 4 ? decodeWideRlev(plane, payload) : decodeRlev(plane, dtype, payload);
  return decodeRuns(plane, dtype, payload);
}

/** Bytes that a decoded plane keeps in memory.  @param {Plane} plane @returns {number} */
export function planeBytes(plane) {
  return 128 + (plane.data?.byteLength ?? 0) + (plane.exact?.byteLength ?? 0);
}

/**
 * One cell: null when empty, exact (BigInt beyond 2^53).
 * @param {Plane} plane
 * @param {number} cell
 * @returns {number|bigint|null}
 */
export function cellOf(plane, cell) {
  const value = plane.data ? plane.data[cell] : plane.filled ? plane.constant : Number.NaN;
  if (Number.isNaN(value) || (plane.counts && value === 0)) return null;
  return plane.exact ? plane.exact[plane.data ? cell : 0] : value;
}

/** A typed array over bytes, without a copy where they are aligned.  @param {number} dtype @param {Uint8Array} bytes */
export function arrayOver(dtype, bytes) {
  const make = ARRAYS[dtype];
  check(make !== null && make !== undefined, `unknown dtype ${dtype}`);
  check(bytes.length % make.BYTES_PER_ELEMENT === 0, `${bytes.length} bytes of ${make.name}`);
  const source = bytes.byteOffset % make.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new make(/** @type {ArrayBuffer} */ (source.buffer), source.byteOffset, bytes.length / make.BYTES_PER_ELEMENT);
}

/** @param {{low: number, high: number}} plane @returns {boolean} doubles would round its integers */
function beyondSafe({ low, high }) {
  return Math.abs(low) > MAX_SAFE || Math.abs(high) > MAX_SAFE;
}

/** @param {Plane} plane @param {number} dtype @param {Uint8Array} bytes @returns {Plane} */
function decodeConstant(plane, dtype, bytes) {
  const size = ARRAYS[dtype]?.BYTES_PER_ELEMENT ?? 8;
  const values = arrayOver(dtype, bytes.subarray(0, size));
  plane.constant = Number(values[0]);
  check(!Number.isNaN(plane.constant) && !(plane.counts && plane.constant === 0), "a constant plane of empty cells");
  if (isWide(values) && beyondSafe(plane)) plane.exact = values;
  return plane;
}

/**
 * @param {ReturnType<typeof arrayOver>} values
 * @returns {values is BigInt64Array<ArrayBuffer>|BigUint64Array<ArrayBuffer>}
 */
function isWide(values) {
  return values instanceof BigInt64Array || values instanceof BigUint64Array;
}

/** @param {Plane} plane @param {number} dtype @param {Uint8Array} payload @returns {Plane} */
function decodeNarrow(plane, dtype, payload) {
  check(dtype <= 4, `narrow plane of dtype ${dtype}, expected unsigned`);
  const values = arrayOver(dtype, payload);
  check(values.length === CELLS, `narrow plane of ${values.length} cells`);
  if (!isWide(values)) {
    plane.data = /** @type {Cells} */ (values);
    return plane;
  }
  plane.data = Float64Array.from(values, Number);
  if (beyondSafe(plane)) plane.exact = values;
  return plane;
}

/**
 * Counts as LEB128 with runs of empty cells, up to 32 bits; 0.2 ms a tile.
 * @param {Plane} plane @param {number} dtype 1, 2 or 3 @param {Uint8Array} src @returns {Plane}
 */
function decodeRlev(plane, dtype, src) {
  check(dtype >= 1 && dtype <= 3, `rlev plane of dtype ${dtype}`);
  const out = dtype === 1 ? new Uint8Array(CELLS) : dtype === 2 ? new Uint16Array(CELLS) : new Uint32Array(CELLS);
  const most = 2 ** (8 * out.BYTES_PER_ELEMENT) - 1;
  const size = src.length;
  let [at, cell, values] = [0, 0, 0];
  while (at < size) {
    const first = src[at++];
    if (first !== 0 && first < 128) {
      // A typed array drops what is written past its end; the cell count is checked below, outside the hot path.
      out[cell++] = first;
      values++;
      continue;
    }
    let [value, scale, byte] = first === 0 ? [0, 1, 128] : [first & 127, 128, 128];
    while (byte > 127) {
      check(at < size && scale < 2 ** 35, "rlev payload with an unfinished or overlong number");
      byte = src[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    }
    if (first === 0) {
      check(value >= 1, "rlev payload with an empty run");
      cell += value;
    } else {
      check(value <= most && value > 0, `rlev count ${value} in a plane of at most ${most}`);
      out[cell++] = value;
      values++;
    }
  }
  check(cell <= CELLS, `rlev payload of ${cell} cells`);
  check(values === plane.filled, `rlev payload fills ${values} cells, its header says ${plane.filled}`);
  plane.data = out;
  return plane;
}

/**
 * Counts of 64 bits: as above in BigInt, for the rare tile that needs it.
 * @param {Plane} plane
 * @param {Uint8Array} src
 * @returns {Plane}
 */
function decodeWideRlev(plane, src) {
  const exact = new BigUint64Array(CELLS);
  let [at, cell, values] = [0, 0, 0];
  const number = () => {
    let [value, shift, byte] = [0n, 0n, 128];
    while (byte > 127) {
      check(at < src.length && shift < 70n, "rlev payload with an unfinished or overlong number");
      byte = src[at++];
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
    }
    check(value > 0n && value < 2n ** 64n, "rlev payload with a number of 0 or beyond 64 bits");
    return value;
  };
  while (at < src.length) {
    if (src[at] === 0) {
      at++;
      const run = number();
      check(run <= CELLS, `rlev payload with a run of ${run} cells`);
      cell += Number(run);
    } else {
      const value = number();
      check(cell < CELLS, "rlev payload with too many cells");
      exact[cell++] = value;
      values++;
    }
  }
  check(cell <= CELLS, `rlev payload of ${cell} cells`);
  check(values === plane.filled, `rlev payload fills ${values} cells, its header says ${plane.filled}`);
  plane.data = Float64Array.from(exact, Number);
  if (beyondSafe(plane)) plane.exact = exact;
  return plane;
}

/** Runs of filled cells.  @param {Plane} plane @param {number} dtype @param {Uint8Array} payload @returns {Plane} */
function decodeRuns(plane, dtype, payload) {
  check(payload.length >= 8, `runs payload of ${payload.length} bytes`);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const [runs, n] = [view.getUint32(0, true), view.getUint32(4, true)];
  check(runs <= CELLS && n <= CELLS, `runs payload with ${runs} runs and ${n} values`);
  check(n === plane.filled, `runs payload with ${n} values, its header says ${plane.filled}`);
  const start = 8 * (1 + runs);
  const size = ARRAYS[dtype]?.BYTES_PER_ELEMENT ?? 8;
  check(payload.length === start + n * size, `runs payload of ${payload.length} bytes, expected ${start + n * size}`);
  const values = arrayOver(dtype, payload.subarray(start));
  const out = SMALL.has(dtype) ? new Float32Array(CELLS) : new Float64Array(CELLS);
  out.fill(Number.NaN);
  const exact = isWide(values) && beyondSafe(plane) ? new (dtype === 4 ? BigUint64Array : BigInt64Array)(CELLS) : null;
  const numbers = isWide(values) ? Float64Array.from(values, Number) : values;
  let [cell, used] = [0, 0];
  for (let run = 0; run < runs; run++) {
    cell += view.getUint32(8 + 8 * run, true);
    const filled = view.getUint32(12 + 8 * run, true);
    check(cell + filled <= CELLS && used + filled <= n, `run ${run} ends outside the plane or its values`);
    out.set(numbers.subarray(used, used + filled), cell);
    if (exact && isWide(values)) exact.set(/** @type {any} */ (values.subarray(used, used + filled)), cell);
    cell += filled;
    used += filled;
  }
  check(used === n, `the runs hold ${used} of ${n} values`);
  plane.data = out;
  plane.exact = exact;
  return plane;
}
