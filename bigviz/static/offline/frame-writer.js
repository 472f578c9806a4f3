// Frames of the wire, written: what a server would send, from what an exported page holds.

import { BODY_BYTES, CELLS, HEADER, JSON_BYTES, TYPES, VERSION } from "../wire/frames.js";
import { CONSTANT, EMPTY, NARROW, PLANE_HEADER } from "../wire/codec.js";
import { TILE_RECORD } from "../wire/tiles.js";

/** @typedef {import("../wire/frames.js").TileKey} TileKey */
/** @typedef {Uint8Array|Uint16Array|Uint32Array|Float64Array} Counts */
/** What a frame answers.  @typedef {{id: number, figure: number, layer: number}} To */

const encoder = new TextEncoder();

/**
 * A frame that the file holds, as the answer to a request: a copy, since its receiver keeps views of it.
 * @param {Uint8Array<ArrayBuffer>} frame @param {To} to @param {number} sequence @returns {ArrayBuffer}
 */
export function addressed(frame, { id, figure, layer }, sequence) {
  const buffer = frame.slice().buffer;
  const view = new DataView(buffer);
  view.setUint16(6, layer, true);
  view.setUint32(8, id, true);
  view.setUint16(12, figure, true);
  view.setBigUint64(24, BigInt(sequence), true);
  return buffer;
}

/**
 * @param {"tile"|"columns"|"done"|"error"} type @param {{json?: object|null, body?: Uint8Array, planes?: number}} [o]
 * @returns {Uint8Array<ArrayBuffer>} a frame of one part, not addressed yet
 */
export function frameOf(type, { json = null, body = new Uint8Array(0), planes = 0 } = {}) {
  const text = json === null ? new Uint8Array(0) : encoder.encode(JSON.stringify(json));
  const padded = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(HEADER + padded + body.length);
  const view = new DataView(out.buffer);
  out.set(encoder.encode(`BVZ${VERSION}`));
  view.setUint8(4, TYPES.indexOf(type));
  view.setUint16(14, planes, true);
  view.setUint16(22, 1, true); // parts
  view.setUint32(JSON_BYTES, padded, true);
  view.setUint32(BODY_BYTES, body.length, true);
  out.fill(32, HEADER, HEADER + padded);
  out.set(text, HEADER);
  out.set(body, HEADER + padded);
  return out;
}

/**
 * A tile's frames, one a plane.
 * @param {TileKey} key
 * @param {readonly (Counts|null)[]} planes counts, which fit into 32 bits; null for a plane without any
 * @returns {Uint8Array<ArrayBuffer>[]}
 */
export function countsTile(key, planes) {
  const parts = planes.map((counts, plane) => tilePart(key, planes.length, plane, counts));
  parts.forEach((part, k) => {
    const view = new DataView(part.buffer);
    view.setUint16(20, k, true);
    view.setUint16(22, parts.length, true);
  });
  return parts;
}

/** A tile without anything in it.  @param {TileKey} key @param {number} planes @returns {Uint8Array<ArrayBuffer>} */
export function emptyTile(key, planes) {
  const body = new Uint8Array(TILE_RECORD + planes * PLANE_HEADER);
  writeRecord(body, key, planes);
  for (let plane = 0; plane < planes; plane++) writeHeader(body, plane, { plane, codec: EMPTY, dtype: 1 });
  return frameOf("tile", { body, planes });
}

/**
 * @param {TileKey} key @param {number} total @param {number} plane
 * @param {Counts|null} counts @returns {Uint8Array<ArrayBuffer>}
 */
function tilePart(key, total, plane, counts) {
  const facts = counts ? factsOf(counts) : { filled: 0, low: Number.NaN, high: Number.NaN };
  const { filled, low, high } = facts;
  const dtype = high > 0xffff ? 3 : high > 0xff ? 2 : 1;
  const isConstant = filled === CELLS && low === high;
  const codec = filled === 0 ? EMPTY : isConstant ? CONSTANT : NARROW;
  const size = codec === NARROW ? CELLS * [1, 2, 4][dtype - 1] : 0;
  const offset = TILE_RECORD + PLANE_HEADER;
  const body = new Uint8Array(offset + size);
  writeRecord(body, key, total);
  writeHeader(body, 0, { plane, codec, dtype, filled, low, high, offset: size ? offset : 0, size });
  if (isConstant) new DataView(body.buffer).setUint32(TILE_RECORD + 32, high, true);
  if (size) {
    const Cells = dtype === 3 ? Uint32Array : dtype === 2 ? Uint16Array : Uint8Array;
    new Cells(body.buffer, offset, CELLS).set(/** @type {Float64Array} */ (counts));
  }
  return frameOf("tile", { body, planes: 1 });
}

/** @param {Counts} counts @returns {{filled: number, low: number, high: number}} */
function factsOf(counts) {
  let [filled, low, high] = [0, Number.POSITIVE_INFINITY, 0];
  for (let cell = 0; cell < counts.length; cell++) {
    const count = counts[cell];
    if (count === 0) continue;
    filled++;
    if (count < low) low = count;
    if (count > high) high = count;
  }
  return filled ? { filled, low, high } : { filled, low: Number.NaN, high: Number.NaN };
}

/** @param {Uint8Array<ArrayBuffer>} body @param {TileKey} key @param {number} planes */
function writeRecord(body, { zx, zy, i, j }, planes) {
  const view = new DataView(body.buffer);
  view.setUint8(0, zx);
  view.setUint8(1, zy);
  view.setUint16(2, planes, true);
  view.setUint32(4, i, true);
  view.setUint32(8, j, true);
}

/**
 * @param {Uint8Array<ArrayBuffer>} body @param {number} number of the header
 * @param {{plane: number, codec: number, dtype: number, filled?: number, low?: number, high?: number, offset?: number,
 *   size?: number}} o */
function writeHeader(
  body,
  number,
  { plane, codec, dtype, filled = 0, low = Number.NaN, high = Number.NaN, offset = 0, size = 0 },
) {
  const view = new DataView(body.buffer, TILE_RECORD + number * PLANE_HEADER);
  view.setUint8(0, codec);
  view.setUint8(1, dtype);
  view.setUint16(2, plane, true);
  view.setUint32(4, filled, true);
  view.setUint32(8, offset, true);
  view.setUint32(12, size, true);
  view.setFloat64(16, low, true);
  view.setFloat64(24, high, true);
}
