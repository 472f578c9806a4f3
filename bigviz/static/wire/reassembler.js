// Frames to whole messages: parts of one message are put together again.

import { parseColumns } from "./columns.js";
import { check, parseEstimate, parseJson } from "./frames.js";
import { joinImage, parseImage } from "./images.js";
import { joinRows, parseRows } from "./rows.js";
import { parseTile } from "./tiles.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./columns.js").Columns} Columns */
/**
 * @typedef {{key: import("./frames.js").TileKey, total: number, cost: import("./frames.js").Cost, planes:
 *   import("./codec.js").EncodedPlane[]}} TilePart
 */
/** @typedef {{columns: Columns, cost: import("./frames.js").Cost}} ColumnsPart */
/** @typedef {ReturnType<typeof parseRows>} RowsPart */
/** @typedef {ReturnType<typeof parseImage>} ImagePart */
/**
 * @typedef {{protocol: number, server: string, document: any, datasets: Record<string, {rows: number, version: number,
 *   columns: {name: string, kind: string, type: string, zone: string|null, plottable: boolean, reason: string|null,
 *   by_reason?: string|null}[], notes: string[]}>, cmaps: string[], cmap_aliases?: Record<string, string>, limits:
 *   Limits, offline?: boolean, follow?: string[], options?: Record<string, {options: (string|number|boolean)[], more:
 *   boolean}>, session?: SessionJson}} Hello
 */
/** What the server allows a page.
 * @typedef {Readonly<{messages_per_second: number, messages_burst: number, layers_per_view: number, tiles_per_view:
 *   number, columns_width: number,
 *   image_side: number, rows: number}>} Limits */
/** luts: 768 bytes of RGB for each colour map, in the server's order.
 * @typedef {{type: "hello", id: number, epoch: number, json: Hello, luts: Map<string, Uint8Array>}} HelloMessage */
/**
 * @typedef {{type: "layer", id: number, figure: number, layer: number, json: import("./frames.js").LayerInfo}}
 *   LayerMessage
 */
/**
 * @typedef {{type: "progress", id: number, figure: number, layer: number, json: {stage: string, done: number, rows:
 *   number, seconds: number}}} ProgressMessage
 */
/**
 * @typedef {{type: "done", id: number, figure: number, layer: number, json: {tiles: number, queue_us: number,
 * kernel_us: number, encode_us: number, rows: number,
 *   bytes: number}}} DoneMessage */
/**
 * Where and why the document's script failed, under `bigviz serve --dev`.
 * @typedef {Readonly<{file: string, line: number|null, message: string, trace: string}>} AppFailure
 */
/**
 * @typedef {{type: "error", id: number, figure: number, layer: number, json: {error: string, field: string|null, got:
 *   unknown, app?: AppFailure}}} ErrorMessage
 */
/**
 * A dataset has other rows, or the document a newer version than the one that is shown.
 * @typedef {{type: "changed", id: number, json: {dataset: string, document?: undefined, notes?: undefined, version:
 *   number, rows?: number, time?: number|null, age?: number|null}|{dataset: string, document?: undefined, notes:
 *   string[]}|{document: string, dataset?: undefined, version: number}}} ChangedMessage
 */
/**
 * New versions of datasets that grow: what they change of what the page has, and the figures that it has to ask for
 * anew. `facts` are the keys of a `layer` answer that may be others; `changed` are tiles; `rows` is false where tiles
 * are the answer to a window now.
 * @typedef {Readonly<{datasets: Record<string, {version: number, rows: number, time: number|null, age: number|null}>,
 *   layers: {figure: number, layer: number, facts: Partial<import("./frames.js").LayerInfo>, changed: number[][], rows:
 *   boolean}[], anew: number[]}>} Update
 */
/** @typedef {{type: "update", id: number, figure: number, layer: number, json: Update}} UpdateMessage */
/**
 * What an app, or others who share the page, have changed: properties of layers, figures and controls by id, the ends
 * of ranges by name; `id`: of this page's message that it came from.
 * @typedef {{layers?: Record<string, Record<string, any>>, figures?: Record<string, Record<string, any>>, controls?:
 *   Record<string, Record<string, any>>, ranges?: Record<string, [number|string, number|string]>, sequence?: number,
 *   id?: number}} SessionSet
 */
/** @typedef {{state: "starting"|"running"|"stopped", reason: string|null}} AppState */
/**
 * The page's session, as it is when the connection is up. `ranged`: the server wants to hear of ranges.
 * @typedef {{id: string, sequence: number, values: Record<string, unknown>, ranges: Record<string, [number|string,
 *   number|string]>, set: SessionSet, shared: boolean, ranged: boolean, app?: AppState}} SessionJson
 */
/**
 * @typedef {{set?: SessionSet, notify?: {text: string}, app?: AppState, error?: {message: string, app?: AppFailure}}}
 *   SessionPush
 */
/** @typedef {{type: "session", id: number, figure: number, layer: number, json: SessionPush}} SessionMessage */
/**
 * @typedef {UpdateMessage|SessionMessage|HelloMessage|LayerMessage|ProgressMessage|import("./tiles.js").TileMessage|
 *   import("./columns.js").ColumnsMessage|import("./rows.js").RowsMessage|import("./images.js").ImageMessage|
 *   DoneMessage|ErrorMessage|ChangedMessage} Message
 */
/** What is there of a message whose last part is not.
 * @typedef {{parts: number, next: number, bytes: number, frames: Frame[], tiles: TilePart[], columns: ColumnsPart[],
 *   rows: RowsPart[], images: ImagePart[]}} Pending */

const LUT_BYTES = 768;
/** Messages in parts may not pile up beyond this: what one view of many categories needs stays far below. */
const MAX_PENDING_BYTES = 256 << 20;
const MAX_PENDING = 4096;

/** Collects the parts of messages; other messages may stand between them. One a connection. */
export class Reassembler {
  constructor() {
    /** @type {Map<string, Pending>} */ this.pending = new Map();
    this.bytes = 0;
  }

  /**
   * @param {Frame} frame
   * @returns {Message|null} the message that this frame completes, or null while parts are missing
   * @throws {import("./frames.js").ProtocolError} when the frame fails a check or its part is out of order
   */
  push(frame) {
    const tile = frame.type === "tile" ? parseTile(frame) : null;
    const columns = frame.type === "columns" ? parseColumns(frame) : null;
    const rows = frame.type === "rows" ? parseRows(frame) : null;
    const image = frame.type === "image" ? parseImage(frame) : null;
    const place = tile ? `${tile.key.zx},${tile.key.zy},${tile.key.i},${tile.key.j}` : "";
    const name = `${frame.type}/${frame.id}/${frame.figure}/${frame.layer}/${place}`;
    const entry = this.pending.get(name) ?? {
      parts: frame.parts,
      next: 0,
      bytes: 0,
      frames: [],
      tiles: [],
      columns: [],
      rows: [],
      images: [],
    };
    check(
      frame.part === entry.next && frame.parts === entry.parts,
      `${name}: part ${frame.part} of ${frame.parts}, expected ${entry.next} of ${entry.parts}`,
    );
    entry.next += 1;
    entry.frames.push(frame);
    if (tile) entry.tiles.push(tile);
    if (columns) entry.columns.push(columns);
    if (rows) entry.rows.push(rows);
    if (image) entry.images.push(image);
    const whole = entry.next === entry.parts;
    this.account(name, entry, whole ? -entry.bytes : frame.json.length + frame.body.length, whole);
    return whole ? assemble(entry) : null;
  }

  /** @param {string} name @param {Pending} entry @param {number} bytes @param {boolean} whole */
  account(name, entry, bytes, whole) {
    this.bytes += bytes;
    entry.bytes += bytes;
    if (whole) this.pending.delete(name);
    else this.pending.set(name, entry);
    check(
      this.bytes <= MAX_PENDING_BYTES && this.pending.size <= MAX_PENDING,
      `${this.pending.size} unfinished messages hold ${this.bytes} bytes`,
    );
  }
}

/** One whole message in one frame; a shorthand for tests and tools.  @param {Frame} frame @returns {Message|null} */
export function messageOf(frame) {
  return new Reassembler().push(frame);
}

/** @param {Pending} pending @returns {Message} */
function assemble({ frames, tiles, columns, rows, images }) {
  const { type, id, figure, layer, epoch } = frames[0];
  const estimate = parseEstimate(frames[0]);
  if (type === "tile") return { type, id, figure, layer, estimate, ...joinTiles(tiles) };
  if (type === "columns")
    return {
      type,
      id,
      figure,
      layer,
      estimate,
      columns: joinColumns(columns.map((part) => part.columns)),
      cost: columns[0].cost,
    };
  if (type === "rows")
    return { type, id, figure, layer, rows: joinRows(rows.map((part) => part.rows)), cost: rows[0].cost };
  if (type === "image")
    return { type, id, figure, layer, image: joinImage(images.map((part) => part.image)), cost: images[0].cost };
  const json = parseJson(concat(frames.map((frame) => frame.json)), type);
  const body = concat(frames.map((frame) => frame.body));
  if (type === "hello") return { type, id, epoch, json, luts: readLuts(json, body) };
  check(body.length === 0, `${type} frame with a body of ${body.length} bytes`);
  return /** @type {Message} */ ({ type, id, figure, layer, json });
}

/** @param {TilePart[]} parts @returns {TilePart} */
function joinTiles(parts) {
  const planes = parts.flatMap((part) => part.planes);
  const { key, total, cost } = parts[0];
  check(
    parts.every((part) => part.total === total),
    "parts of a tile differ in their number of planes",
  );
  check(planes.length === total, `tile of ${total} planes came with ${planes.length}`);
  check(new Set(planes.map((plane) => plane.plane)).size === total, "a plane of a tile came twice");
  return { key, total, cost, planes };
}

/** @param {Columns[]} parts @returns {Columns} */
function joinColumns(parts) {
  if (parts.length === 1) return parts[0];
  const [first] = parts;
  const like = (/** @type {Columns} */ { width, xorigin, yorigin, xwhole, ywhole }) =>
    `${width} ${xorigin} ${yorigin} ${xwhole === null} ${ywhole === null}`;
  check(
    parts.every((part) => like(part) === like(first)),
    "parts of columns differ in width, origin or arrays",
  );
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const joined = {
    ...first,
    n,
    column: new Int32Array(n),
    run: new Int32Array(n),
    row: new Float64Array(n),
    x: new Float64Array(n),
    y: new Float64Array(n),
  };
  if (first.xwhole) joined.xwhole = new BigInt64Array(n);
  if (first.ywhole) joined.ywhole = new BigInt64Array(n);
  let at = 0;
  for (const part of parts) {
    joined.column.set(part.column, at);
    joined.run.set(part.run, at);
    joined.row.set(part.row, at);
    joined.x.set(part.x, at);
    joined.y.set(part.y, at);
    if (part.xwhole) joined.xwhole?.set(part.xwhole, at);
    if (part.ywhole) joined.ywhole?.set(part.ywhole, at);
    at += part.n;
  }
  return joined;
}

/** @param {{cmaps?: unknown}} json @param {Uint8Array} body @returns {Map<string, Uint8Array>} */
function readLuts(json, body) {
  const names = json.cmaps;
  check(Array.isArray(names) && names.every((name) => typeof name === "string"), "hello: cmaps is no list of names");
  check(
    body.length === LUT_BYTES * names.length,
    `hello: ${body.length} bytes of colour maps for ${names.length} names`,
  );
  return new Map(names.map((name, k) => [name, body.slice(k * LUT_BYTES, (k + 1) * LUT_BYTES)]));
}

/** @param {Uint8Array[]} pieces @returns {Uint8Array} */
function concat(pieces) {
  if (pieces.length === 1) return pieces[0];
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
