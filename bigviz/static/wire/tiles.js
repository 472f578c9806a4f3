// The frames of tiles. Section 3 of docs/protocol.md; no sockets.

import { parsePlane, PLANE_HEADER } from "./codec.js";
import { check, MAX_LEVEL, safeU64 } from "./frames.js";

/** @typedef {import("./frames.js").Cost} Cost */
/** @typedef {import("./codec.js").EncodedPlane} EncodedPlane */
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").TileKey} TileKey */
/**
 * @typedef {{type: "tile", id: number, figure: number, layer: number, estimate: import("./frames.js").Estimate|null,
 *   key: TileKey, planes: EncodedPlane[], total: number, cost: Cost}} TileMessage
 */

export const TILE_RECORD = 40;

/**
 * The tile record and plane headers of one part.
 * @param {Frame} frame
 * @returns {{key: TileKey, total: number, cost: Cost, planes: EncodedPlane[]}}
 */
export function parseTile(frame) {
  const { body } = frame;
  const payloads = TILE_RECORD + PLANE_HEADER * frame.planes;
  check(body.length >= payloads, `tile body of ${body.length} bytes cannot hold ${frame.planes} plane headers`);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const key = { zx: view.getUint8(0), zy: view.getUint8(1), i: view.getUint32(4, true), j: view.getUint32(8, true) };
  check(key.zx <= MAX_LEVEL && key.zy <= MAX_LEVEL, `tile level ${key.zx},${key.zy} is beyond ${MAX_LEVEL}`);
  check(key.i < 2 ** key.zx && key.j < 2 ** key.zy, `tile ${key.i},${key.j} lies outside level ${key.zx},${key.zy}`);
  const total = view.getUint16(2, true);
  check(frame.planes <= total, `tile with ${frame.planes} plane headers announces ${total} planes`);
  const cost = {
    queue: view.getUint32(12, true),
    kernel: view.getUint32(16, true),
    encode: view.getUint32(20, true),
    rows: safeU64(view, 24),
    bytes: safeU64(view, 32),
  };
  const planes = [];
  for (let p = 0; p < frame.planes; p++)
    planes.push(parsePlane(view, body, TILE_RECORD + PLANE_HEADER * p, payloads, total));
  return { key, total, cost, planes };
}
