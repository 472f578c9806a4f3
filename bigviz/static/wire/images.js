// The frames that answer a window with an image of any size. Section 8 of docs/protocol.md; no sockets.

import { parsePlane, PLANE_HEADER } from "./codec.js";
import { check, costOf, count, parseJson } from "./frames.js";
import { ends } from "./rows.js";

/** @typedef {import("./frames.js").Cost} Cost */
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./rows.js").Ends} Ends */
/** An image of width x height cells over a window; `planes` of each block of 256 x 256, blocks from the top left.
 * `read` rows were looked at for it.
 * @typedef {{window: Ends, width: number, height: number, total: number, read: number, planes:
 *   import("./codec.js").EncodedPlane[], view: number[]|null}} Image
 */
/** @typedef {{type: "image", id: number, figure: number, layer: number, image: Image, cost: Cost}} ImageMessage */

export const BLOCK = 256;
const MAX_SIDE = 1 << 16;

/** One part of an image.  @param {Frame} frame @returns {{image: Image & {first: number}, cost: Cost}} */
export function parseImage(frame) {
  const json = parseJson(frame.json, "image");
  const [width, height, total, first] = ["width", "height", "planes", "first"].map((name) => count(json[name], name));
  check(
    width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE && total > 0,
    `an image of ${width} x ${height} with ${total} planes`,
  );
  const { body } = frame;
  const payloads = PLANE_HEADER * frame.planes;
  check(body.length >= payloads, `image body of ${body.length} bytes cannot hold ${frame.planes} plane headers`);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const planes = [];
  for (let k = 0; k < frame.planes; k++) {
    const plane = parsePlane(view, body, PLANE_HEADER * k, payloads, total);
    check(
      plane.plane === (first + k) % total,
      `plane ${plane.plane} of an image where ${(first + k) % total} was expected`,
    );
    planes.push(plane);
  }
  const cost = costOf(json);
  const place = { window: ends(json.window), view: viewOf(json.view) };
  return { image: { ...place, width, height, total, read: cost.rows, planes, first }, cost };
}

/**
 * Of a target of a brush: levels, first column and row, and size in cells.
 * @param {unknown} value @returns {number[]|null}
 */
function viewOf(value) {
  if (value === undefined) return null;
  check(
    Array.isArray(value) && value.length === 6 && value.every(Number.isSafeInteger),
    `an image of the cells ${JSON.stringify(value)}`,
  );
  return /** @type {number[]} */ (value);
}

/** @param {(Image & {first: number})[]} parts @returns {Image} */
export function joinImage(parts) {
  const { window, view, width, height, total, read } = parts[0];
  const planes = [];
  for (const part of parts) {
    check(
      part.first === planes.length && part.width === width && part.height === height && part.total === total,
      "parts of an image differ or are out of order",
    );
    planes.push(...part.planes);
  }
  const wanted = Math.ceil(width / BLOCK) * Math.ceil(height / BLOCK) * total;
  check(planes.length === wanted, `an image of ${wanted} planes came with ${planes.length}`);
  return { window, view, width, height, total, read, planes };
}
