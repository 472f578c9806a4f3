// The frames that answer a window with its rows. Section 7 of docs/protocol.md; no sockets.

import { arrayOver } from "./codec.js";
import { check, costOf, count, origin, parseJson } from "./frames.js";
import { readPositions } from "./positions.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Cost} Cost */
/**
 * Half-open ends x0, x1, y0, y1 in axis space: decimal strings on axes of whole numbers.
 * @typedef {(number|string)[]} Ends
 */
/**
 * Rows, those of one coordinate (and category) joined. x and y are offsets from the origins; `row`: the first one's
 * number; `number`: how many; `code`: category or null; `value`: what the reduction makes of them, as doubles; `exact`:
 * the same where doubles round. `window`: where these are all rows; null: everywhere. `xwhole`, `ywhole`: the offsets
 * where doubles round them, else null.
 * @typedef {{n: number, matched: number, window: Ends|null, xorigin: bigint, yorigin: bigint, x: Float64Array, y:
 *   Float64Array, xwhole: BigInt64Array|null, ywhole: BigInt64Array|null, row: Float64Array, number: Uint32Array, code:
 *   Int32Array|null, value: Float64Array, exact: BigInt64Array|BigUint64Array|null}} Rows
 */
/** @typedef {{type: "rows", id: number, figure: number, layer: number, rows: Rows, cost: Cost}} RowsMessage */

/** @param {unknown} value @returns {Ends} */
export function ends(value) {
  check(Array.isArray(value) && value.length === 4, `a window of ${JSON.stringify(value)}`);
  for (const end of value)
    check(
      Number.isFinite(end) || (typeof end === "string" && /^-?\d{1,20}$/.test(end)),
      `a window ends at ${JSON.stringify(end)}`,
    );
  return value;
}

/** @param {number} bytes @returns {number} */
const padded = (bytes) => Math.ceil(bytes / 8) * 8;

/** One part of a message of rows.  @param {Frame} frame @returns {{rows: Rows, cost: Cost}} */
export function parseRows(frame) {
  const json = parseJson(frame.json, "rows");
  const n = count(json.n, "n");
  const { dtype, coded } = json;
  check(
    Number.isInteger(dtype) && dtype >= 1 && dtype <= 10 && typeof coded === "boolean",
    `rows: dtype ${dtype}, coded ${coded}`,
  );
  const source = frame.body.byteOffset % 8 === 0 ? frame.body : frame.body.slice();
  const width = arrayOver(dtype, source.subarray(0, 0)).BYTES_PER_ELEMENT;
  const sizes = [8 * n, 8 * n, 8 * n, padded(4 * n), ...(coded ? [padded(4 * n)] : []), padded(width * n)];
  check(
    source.length === sizes.reduce((sum, size) => sum + size, 0),
    `rows body of ${source.length} bytes for ${n} rows`,
  );
  const [buffer, from] = [source.buffer, source.byteOffset];
  const at = 24 * n;
  const last = source.length - padded(width * n);
  const values = arrayOver(dtype, source.subarray(last, last + width * n));
  const wide = values instanceof BigInt64Array || values instanceof BigUint64Array;
  const [x, y] = [readPositions(buffer, from, n, json.xwide), readPositions(buffer, from + 8 * n, n, json.ywide)];
  const rows = {
    n,
    matched: count(json.matched, "matched"),
    window: json.window === null ? null : ends(json.window),
    xorigin: origin(json.xorigin, "xorigin"),
    yorigin: origin(json.yorigin, "yorigin"),
    x: x.offsets,
    y: y.offsets,
    xwhole: x.whole,
    ywhole: y.whole,
    row: new Float64Array(buffer, from + 16 * n, n),
    number: new Uint32Array(buffer, from + at, n),
    code: coded ? new Int32Array(buffer, from + at + padded(4 * n), n) : null,
    value: wide ? Float64Array.from(values, Number) : Float64Array.from(values),
    exact: wide ? values : null,
  };
  return { rows, cost: costOf(json) };
}

/** @param {Rows[]} parts @returns {Rows} */
export function joinRows(parts) {
  const [first] = parts;
  if (parts.length === 1) return first;
  const like = (/** @type {Rows} */ { matched, window, xorigin, yorigin, xwhole, ywhole, code, exact }) =>
    [matched, window, xorigin, yorigin, xwhole === null, ywhole === null, code === null, exact?.constructor.name].join(
      " ",
    );
  check(
    parts.every((part) => like(part) === like(first)),
    "parts of rows differ in window, origin or arrays",
  );
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  /**
   * @template {Float64Array|Uint32Array|Int32Array|BigInt64Array|BigUint64Array} A
   * @param {(part: Rows) => A|null} of
   * @returns {any}
   */
  const join = (of) => {
    const array = of(first);
    if (array === null) return null;
    const out = new /** @type {any} */ (array.constructor)(n);
    let at = 0;
    for (const part of parts) {
      out.set(of(part), at);
      at += part.n;
    }
    return out;
  };
  return {
    ...first,
    n,
    x: join((p) => p.x),
    y: join((p) => p.y),
    xwhole: join((p) => p.xwhole),
    ywhole: join((p) => p.ywhole),
    row: join((p) => p.row),
    number: join((p) => p.number),
    code: join((p) => p.code),
    value: join((p) => p.value),
    exact: join((p) => p.exact),
  };
}
