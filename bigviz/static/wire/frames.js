// The wire protocol of docs/protocol.md, without sockets: bytes in, messages out. Every count, offset and length is checked
// against the frame before it is used; a frame that fails a check throws ProtocolError.

/** What a layer is, as the server wants it.
 * @typedef {{dataset: string, glyph: string, x: string, y: string, agg: string, xaxis: string, yaxis: string, root: string}} Definition */
/** @typedef {{column: string, kind: string, zone: string|null, categories: string[]|null}} ColumnFacts */
/** The answer to a `layer` request.
 * @typedef {{extent: (number|string)[], range: (number|string)[]|null, root: {x: [string, number], y: [string, number]}, rows: number,
 *   rows_outside: number, rows_far: number, version: number, index: string, provisional: boolean, reduction: string, planes: string[]|null, x: ColumnFacts, y: ColumnFacts,
 *   sorted: boolean}} LayerInfo */
/** Levels and place of a tile; j counts from the top.  @typedef {Readonly<{zx: number, zy: number, i: number, j: number}>} TileKey */
/** What an answer cost the server: microseconds, rows and bytes.
 * @typedef {{queue: number, kernel: number, encode: number, rows: number, bytes: number}} Cost */
/** What an estimate is of: the share of the rows that were read; the standard error of a cell's value, in the plane's unit, null where
 * it is not known; whether those rows are the table's first ones.  @typedef {Readonly<{share: number, error: number|null, start: boolean}>} Estimate */
/** One encoded plane. `low` and `high` are NaN when nothing is filled; `payload` is a view of the frame.
 * @typedef {{codec: number, dtype: number, plane: number, filled: number, low: number, high: number, constant: Uint8Array, payload: Uint8Array}} EncodedPlane */
/** @typedef {{protocol: number, server: string, document: any, datasets: Record<string, {rows: number, version: number, columns: {name: string, kind: string,
 *   type: string, zone: string|null, plottable: boolean}[]}>, cmaps: string[]}} Hello */
/** luts: 768 bytes of RGB for each colour map, in the server's order.
 * @typedef {{type: "hello", id: number, epoch: number, json: Hello, luts: Map<string, Uint8Array>}} HelloMessage */
/** @typedef {{type: "layer", id: number, figure: number, layer: number, json: LayerInfo}} LayerMessage */
/** @typedef {{type: "progress", id: number, figure: number, layer: number, json: {stage: string, done: number, rows: number, seconds: number}}} ProgressMessage */
/** @typedef {{type: "tile", id: number, figure: number, layer: number, estimate: Estimate|null, key: TileKey, planes: EncodedPlane[], total: number, cost: Cost}} TileMessage */
/** A line's rows in x order; x and y are offsets from the origins; rows that follow each other with the same run are joined.
 * @typedef {{n: number, width: number, xorigin: bigint, yorigin: bigint, flagged: number[], column: Int32Array, run: Int32Array, row: Float64Array,
 *   x: Float64Array, y: Float64Array}} Columns */
/** @typedef {{type: "columns", id: number, figure: number, layer: number, estimate: Estimate|null, columns: Columns, cost: Cost}} ColumnsMessage */
/** @typedef {{type: "rows", id: number, figure: number, layer: number, rows: import("./rows.js").Rows, cost: Cost}} RowsMessage */
/** @typedef {{type: "image", id: number, figure: number, layer: number, image: import("./images.js").Image, cost: Cost}} ImageMessage */
/** @typedef {{type: "done", id: number, figure: number, layer: number, json: {tiles: number, queue_us: number, kernel_us: number, encode_us: number, rows: number,
 *   bytes: number}}} DoneMessage */
/** Where and why the document's script failed, under `bigviz serve --dev`.  @typedef {Readonly<{file: string, line: number|null, message: string, trace: string}>} AppFailure */
/** @typedef {{type: "error", id: number, figure: number, layer: number, json: {error: string, field: string|null, got: unknown, app?: AppFailure}}} ErrorMessage */
/** @typedef {{type: "changed", id: number, json: {dataset: string, version: number}}} ChangedMessage */
/** @typedef {HelloMessage|LayerMessage|ProgressMessage|TileMessage|ColumnsMessage|RowsMessage|ImageMessage|DoneMessage|ErrorMessage|ChangedMessage} Message */
/** The fixed header with the two parts behind it, both views of the frame.
 * @typedef {{type: string, estimate: boolean, layer: number, id: number, figure: number, planes: number, epoch: number, part: number, parts: number,
 *   sequence: number, json: Uint8Array<ArrayBuffer>, body: Uint8Array<ArrayBuffer>}} Frame */

export const VERSION = 1;
export const MAX_FRAME = 1 << 20;
export const MAX_LEVEL = 24;
/** Cells of a tile. */
export const CELLS = 65536;

const HEADER = 40;
/** Bytes of a plane's header. */
export const PLANE_HEADER = 40;
const TYPES = ["", "hello", "layer", "progress", "tile", "columns", "done", "error", "changed", "rows", "image"];

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
  const [jsonBytes, bodyBytes] = [view.getUint32(32, true), view.getUint32(36, true)];
  check(HEADER + jsonBytes + bodyBytes === size, `frame of ${size} bytes announces ${jsonBytes} of JSON and ${bodyBytes} of body`);
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
    throw new ProtocolError(`${type} frame: its JSON does not parse (${error instanceof Error ? error.message : error})`);
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

/** @param {DataView} view @param {Uint8Array} body @param {number} at of the header @param {number} first byte that may belong to a payload
 * @param {number} total @returns {EncodedPlane} */
export function parsePlane(view, body, at, first, total) {
  const [codec, dtype, plane] = [view.getUint8(at), view.getUint8(at + 1), view.getUint16(at + 2, true)];
  const [filled, offset, size] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
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

/** @param {unknown} value @param {string} what @returns {number} */
export function count(value, what) {
  check(typeof value === "number" && Number.isSafeInteger(value) && value >= 0, `${what} is ${JSON.stringify(value)}`);
  return value;
}

/** @param {unknown} value @param {string} what @returns {bigint} */
export function int64(value, what) {
  check(typeof value === "string" && /^-?\d{1,20}$/.test(value), `${what} is ${JSON.stringify(value)}`);
  const big = BigInt(value);
  check(BigInt.asIntN(64, big) === big, `${what} ${value} is no int64`);
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
