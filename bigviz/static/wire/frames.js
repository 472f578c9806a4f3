// The wire protocol of docs/protocol.md, without sockets: bytes in, messages out. Every count, offset and length is
// checked against the frame before it is used; a frame that fails a check throws ProtocolError.

/** What a layer is, as the server wants it.
 * @typedef {{dataset: string, glyph: string, x: string, y: string, agg: string, xaxis: string, yaxis: string, root:
 *   string, bins?: string, sort?: string, filter?: string,
 *   values?: Record<string, import("../types.js").ControlValue>}} Definition
 */
/** @typedef {{column: string, kind: string, zone: string|null, categories: string[]|null}} ColumnFacts */
/**
 * What a value of a plane is: the kind of column and Arrow's name of the type. Times are nanoseconds; `unit` is what
 * their column keeps them in: D, s, ms, us or ns.  @typedef {{kind: string, type: string, unit: string|null, zone:
 * string|null}} ValueKind
 */
/**
 * What a plane's cells mean. `plane`: the reduction of one plane, as text; `by`: the column of the categories;
 * `counts`: planes come as numbers of rows, 0 where a cell is empty; `additive`: a cell that stands in for smaller ones
 * is divided by their number; `pixel`: how the cells of a pixel are drawn; `total`: how the values of a cell's
 * categories combine into that of all its rows, null where they do not tell.  @typedef {Readonly<{plane: string, by:
 * string|null, counts: boolean, additive: boolean, pixel: "sum"|"any"|"mean"|"min"|"max"|"first"|"last", total:
 * "sum"|"any"|"min"|"max"|null, value: ValueKind}>} Traits
 */
/**
 * How much of a layer an exported page holds: the deepest level of its tiles, and by how much the levels of x and y may
 * differ (null: by any number); or the width of a line's columns in axis space (null: all of its rows); or, of points,
 * all.
 * @typedef {Readonly<{deepest?: number, apart?: number|null, step?: number|null, bin?: number}>} Inside
 */
/** The answer to a `layer` request; `inside` comes from an exported page alone.
 * @typedef {{extent: (number|string)[], range: (number|string)[]|null, dense: {box: (number|string)[], rows:
 *   number}|null, root: {x: [string, number], y: [string, number]}, rows: number, rows_outside: number, rows_far:
 *   number, rows_kept: number, version: number, index: string, provisional: boolean, reduction: string, planes:
 *   string[]|null, traits: Traits, x: ColumnFacts, y: ColumnFacts, sorted: boolean, inside?: Inside}} LayerInfo */
/**
 * Levels and place of a tile; j counts from the top.
 * @typedef {Readonly<{zx: number, zy: number, i: number, j: number}>} TileKey
 */
/** What an answer cost the server: microseconds, rows and bytes.
 * @typedef {{queue: number, kernel: number, encode: number, rows: number, bytes: number}} Cost */
/**
 * What an estimate is of: the share of the rows that were read; the standard error of a cell's value, in the plane's
 * unit, null where it is not known; whether those rows are the table's first ones.  @typedef {Readonly<{share: number,
 * error: number|null, start: boolean}>} Estimate
 */
/** The fixed header and the two parts after it, both views of the frame.
 * @typedef {{type: string, estimate: boolean, layer: number, id: number, figure: number, planes: number, epoch: number,
 *   part: number, parts: number,
 *   sequence: number, json: Uint8Array<ArrayBuffer>, body: Uint8Array<ArrayBuffer>}} Frame */

export const VERSION = 1;
/** Close codes. 1012 is the websocket protocol's own: reconnect, what was shown has changed. */
export const RESTART = 1012;
/** The document cannot be shown yet, as an error before it has said: reconnect later. */
export const LATER = 1013;
export const GONE = 4001;
export const MALFORMED = 4002;
/** The server says why in its reason. */
export const DENIED = 4003;
/** An error before it has said why. */
export const UNUSABLE = 4004;
export const OTHER_VERSION = 4009;
export const MAX_FRAME = 1 << 20;
export const MAX_LEVEL = 24;
/** Cells of a tile. */
export const CELLS = 65536;

/** Bytes of a frame's header, and where it has the lengths of its JSON and its body. */
export const HEADER = 40;
export const JSON_BYTES = 32;
export const BODY_BYTES = 36;
/** By the number of a frame's type. */
export const TYPES = [
  "",
  "hello",
  "layer",
  "progress",
  "tile",
  "columns",
  "done",
  "error",
  "changed",
  "rows",
  "image",
  "update",
  "session",
];

/** The other side broke the protocol; the connection is closed with 4002. */
export class ProtocolError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "ProtocolError";
  }
}

/** @param {boolean} holds @param {string} message @returns {asserts holds} */
export function check(holds, message) {
  if (!holds) throw new ProtocolError(message);
}

/** @param {DataView} view @param {number} at @returns {number} a u64, which must be below 2^53 */
export function safeU64(view, at) {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  check(Number.isSafeInteger(value), `u64 at byte ${at} is beyond 2^53`);
  return value;
}

/**
 * Splits a frame. No copy: `json` and `body` are views of the buffer.
 * @param {ArrayBuffer} buffer one binary message
 * @returns {Frame}
 */
export function parseFrame(buffer) {
  const size = buffer.byteLength;
  check(size >= HEADER, `frame of ${size} bytes, the header has ${HEADER}`);
  check(size <= MAX_FRAME, `frame of ${size} bytes, at most ${MAX_FRAME} are allowed`);
  const view = new DataView(buffer);
  const magic = String.fromCharCode(view.getUint8(0), view.getUint8(1), view.getUint8(2), view.getUint8(3));
  check(magic === `BVZ${VERSION}`, `frame starts with ${JSON.stringify(magic)}, expected "BVZ${VERSION}"`);
  const type = TYPES[view.getUint8(4)];
  check(type !== undefined && type !== "", `unknown frame type ${view.getUint8(4)}`);
  const [part, parts] = [view.getUint16(20, true), view.getUint16(22, true)];
  check(part < parts, `part ${part} of ${parts}`);
  const [jsonBytes, bodyBytes] = [view.getUint32(JSON_BYTES, true), view.getUint32(BODY_BYTES, true)];
  check(
    HEADER + jsonBytes + bodyBytes === size,
    `frame of ${size} bytes announces ${jsonBytes} of JSON and ${bodyBytes} of body`,
  );
  return {
    type,
    estimate: (view.getUint8(5) & 1) === 1,
    layer: view.getUint16(6, true),
    id: view.getUint32(8, true),
    figure: view.getUint16(12, true),
    planes: view.getUint16(14, true),
    epoch: view.getUint32(16, true),
    part,
    parts,
    sequence: safeU64(view, 24),
    json: new Uint8Array(buffer, HEADER, jsonBytes),
    body: new Uint8Array(buffer, HEADER + jsonBytes, bodyBytes),
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** @param {Uint8Array} bytes @param {string} type @returns {any} the JSON object of a message */
export function parseJson(bytes, type) {
  let value;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new ProtocolError(
      `${type} frame: its JSON does not parse (${error instanceof Error ? error.message : error})`,
    );
  }
  check(typeof value === "object" && value !== null && !Array.isArray(value), `${type} frame: its JSON is no object`);
  return value;
}

/** What a flagged frame is an estimate of; null without the flag.  @param {Frame} frame @returns {Estimate|null} */
export function parseEstimate(frame) {
  if (!frame.estimate) return null;
  const { share, error, start } = parseJson(frame.json, frame.type);
  check(typeof share === "number" && share > 0 && share <= 1, `an estimate of share ${JSON.stringify(share)}`);
  check(error === null || (typeof error === "number" && error >= 0), `an estimate of error ${JSON.stringify(error)}`);
  check(typeof start === "boolean", `an estimate of start ${JSON.stringify(start)}`);
  return { share, error, start };
}

/** @param {unknown} value @param {string} what @returns {number} */
export function count(value, what) {
  check(typeof value === "number" && Number.isSafeInteger(value) && value >= 0, `${what} is ${JSON.stringify(value)}`);
  return value;
}

/**
 * The whole number near positions on axes of int64, uint64 and times.
 * @param {unknown} value
 * @param {string} what
 * @returns {bigint}
 */
export function origin(value, what) {
  check(typeof value === "string" && /^-?\d{1,20}$/.test(value), `${what} is ${JSON.stringify(value)}`);
  const big = BigInt(value);
  check(
    BigInt.asIntN(64, big) === big || BigInt.asUintN(64, big) === big,
    `${what} ${value} is neither int64 nor uint64`,
  );
  return big;
}

/** @param {Record<string, unknown>} json of a message that carries its costs there @returns {Cost} */
export function costOf(json) {
  return {
    queue: count(json.queue_us, "queue_us"),
    kernel: count(json.kernel_us, "kernel_us"),
    encode: count(json.encode_us, "encode_us"),
    rows: count(json.rows, "rows"),
    bytes: count(json.bytes, "bytes"),
  };
}
