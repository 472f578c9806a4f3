// The frames of lines: rows by pixel column. Section 4 of docs/protocol.md; no sockets.

import { check, costOf, count, origin, parseJson } from "./frames.js";
import { readPositions } from "./positions.js";

/** @typedef {import("./frames.js").Cost} Cost */
/** @typedef {import("./frames.js").Frame} Frame */
/**
 * A line's rows in x order; x and y are offsets from the origins; rows that follow each other with the same run are
 * joined. `kept`: they come after so many rows that the page has of the same window.
 * @typedef {{n: number, kept: number, width: number, xorigin: bigint, yorigin: bigint, flagged: number[], column:
 *   Int32Array, run: Int32Array, row: Float64Array, x: Float64Array, y: Float64Array, xwhole: BigInt64Array|null,
 *   ywhole: BigInt64Array|null}} Columns  xwhole, ywhole: the offsets where doubles round them
 */
/**
 * @typedef {{type: "columns", id: number, figure: number, layer: number, estimate: import("./frames.js").Estimate|null,
 *   columns: Columns, cost: Cost}} ColumnsMessage
 */

/**
 * One part of a columns message.
 * @param {Frame} frame
 * @returns {{columns: Columns, cost: Cost}}
 */
export function parseColumns(frame) {
  const json = parseJson(frame.json, "columns");
  const n = count(json.n, "n");
  const { body } = frame;
  const ints = Math.ceil((4 * n) / 8) * 8;
  check(body.length === 2 * ints + 24 * n, `columns body of ${body.length} bytes for ${n} rows`);
  const source = body.byteOffset % 8 === 0 ? body : body.slice();
  const [buffer, from] = [source.buffer, source.byteOffset];
  const flagged = json.flagged;
  check(
    Array.isArray(flagged) && flagged.every((value) => Number.isSafeInteger(value)),
    "columns: flagged is no list of columns",
  );
  const at = from + 2 * ints + 8 * n;
  const [x, y] = [readPositions(buffer, at, n, json.xwide), readPositions(buffer, at + 8 * n, n, json.ywide)];
  const columns = {
    n,
    kept: json.kept === undefined ? 0 : count(json.kept, "kept"),
    width: count(json.width, "width"),
    xorigin: origin(json.xorigin, "xorigin"),
    yorigin: origin(json.yorigin, "yorigin"),
    flagged,
    column: new Int32Array(buffer, from, n),
    run: new Int32Array(buffer, from + ints, n),
    row: new Float64Array(buffer, from + 2 * ints, n),
    x: x.offsets,
    y: y.offsets,
    xwhole: x.whole,
    ywhole: y.whole,
  };
  return { columns, cost: costOf(json) };
}

/**
 * Columns that come after the first rows of those at hand.
 * @param {Columns|null} before of the same window @param {Columns} after
 * @returns {Columns}
 */
export function joinKept(before, after) {
  const { kept } = after;
  if (kept === 0) return after;
  check(
    before !== null &&
      kept <= before.n &&
      before.xorigin === after.xorigin &&
      before.yorigin === after.yorigin &&
      !before.xwhole === !after.xwhole &&
      !before.ywhole === !after.ywhole,
    `columns come after ${kept} rows that are not here`,
  );
  /** @template {Int32Array|Float64Array|BigInt64Array} T @param {T} a @param {T} b @returns {T} */
  const join = (a, b) => {
    const out = /** @type {T} */ (new /** @type {any} */ (a.constructor)(kept + b.length));
    out.set(/** @type {any} */ (a.subarray(0, kept)));
    out.set(/** @type {any} */ (b), kept);
    return out;
  };
  return {
    ...after,
    n: kept + after.n,
    kept: 0,
    column: join(before.column, after.column),
    run: join(before.run, after.run),
    row: join(before.row, after.row),
    x: join(before.x, after.x),
    y: join(before.y, after.y),
    xwhole: before.xwhole && after.xwhole && join(before.xwhole, after.xwhole),
    ywhole: before.ywhole && after.ywhole && join(before.ywhole, after.ywhole),
  };
}
