// A line of which an exported page holds rows: the first, lowest, highest and last of each of many narrow columns. A
// view is answered with those of its own, wider columns.

import { firstAbove, firstFrom } from "../geometry/sorted-search.js";
import { check, parseFrame } from "../wire/frames.js";
import { Reassembler } from "../wire/reassembler.js";
import { frameOf } from "./frame-writer.js";

/** @typedef {import("../wire/columns.js").Columns} Columns */
/** @typedef {{x0: number|string, x1: number|string, width: number}} Asked */
/** @typedef {{first: number, stop: number, start: number, end: number, width: number}} Cut the rows, and the columns */

/** Rows in one frame: 32 bytes each, and 1 MiB at most. */
const PART = 24_000;
const FREE = Object.freeze({ queue_us: 0, kernel_us: 0, encode_us: 0, rows: 0, bytes: 0 });

export class StoredLine {
  /** @param {import("./blocks.js").Blocks} blocks @param {number[]} numbers of those that hold its rows */
  constructor(blocks, numbers) {
    this.blocks = blocks;
    this.numbers = numbers;
    /** @type {Promise<Columns>|null} */ this.read = null;
  }

  /** @param {Asked} asked @returns {Promise<Uint8Array<ArrayBuffer>[]>} the frames of its columns */
  async get(asked) {
    this.read ??= this.#read();
    const rows = await this.read;
    const { picks, columns } = pick(rows, asked);
    return framesOf(rows, picks, columns, asked.width);
  }

  /** @returns {Promise<Columns>} */
  async #read() {
    const reassembler = new Reassembler();
    for (const number of this.numbers) {
      for (const frame of await this.blocks.frames(number)) {
        const message = reassembler.push(parseFrame(frame.slice().buffer));
        if (message?.type === "columns") return message.columns;
      }
    }
    check(false, "the file holds a line without its rows");
    throw new Error();
  }
}

/**
 * The rows that draw a window: of each pixel column and run the first, lowest, highest and last, and one row on each
 * side.
 * @param {Columns} rows @param {Asked} asked
 * @returns {{picks: number[], columns: number[]}} places among the rows, and their pixel columns
 */
export function pick({ n, x, y, run, xorigin }, { x0, x1, width }) {
  const [start, end] = [offsetOf(x0, xorigin), offsetOf(x1, xorigin)];
  const [first, stop] = [firstFrom(x, start), firstAbove(x, end)];
  /** @type {number[]} */ const picks = [];
  /** @type {number[]} */ const columns = [];
  const take = (/** @type {number} */ k, /** @type {number} */ column) => {
    if (picks.at(-1) === k) return;
    picks.push(k);
    columns.push(column);
  };
  if (first > 0) take(first - 1, -1);
  const scale = width / (end - start);
  for (let k = first; k < stop; ) {
    const column = Math.min(width - 1, Math.max(0, Math.floor((x[k] - start) * scale)));
    let [low, high, last] = [k, k, k];
    for (; last + 1 < stop && run[last + 1] === run[k]; last++) {
      const next = last + 1;
      if (Math.min(width - 1, Math.floor((x[next] - start) * scale)) > column) break;
      if (y[next] < y[low]) low = next;
      if (y[next] > y[high]) high = next;
    }
    for (const each of [k, Math.min(low, high), Math.max(low, high), last]) take(each, column);
    k = last + 1;
  }
  if (stop < n) take(stop, width);
  return { picks, columns };
}

/** @param {Columns} rows @param {number[]} picks @param {number[]} columns @param {number} width */
function framesOf(rows, picks, columns, width) {
  const parts = [];
  for (let at = 0; at === 0 || at < picks.length; at += PART)
    parts.push(partOf(rows, picks.slice(at, at + PART), columns.slice(at, at + PART), width));
  parts.forEach((part, k) => {
    const view = new DataView(part.buffer);
    view.setUint16(20, k, true);
    view.setUint16(22, parts.length, true);
  });
  return parts;
}

/** @param {Columns} rows @param {number[]} picks @param {number[]} columns @param {number} width */
function partOf({ xorigin, yorigin, xwhole, ywhole, x, y, row, run }, picks, columns, width) {
  const n = picks.length;
  const json = {
    n,
    width,
    xorigin: String(xorigin),
    yorigin: String(yorigin),
    flagged: [],
    ...(xwhole ? { xwide: true } : {}),
    ...(ywhole ? { ywide: true } : {}),
    ...FREE,
  };
  const ints = Math.ceil(n / 2) * 8;
  const body = new Uint8Array(2 * ints + 24 * n);
  new Int32Array(body.buffer, 0, n).set(columns);
  const runs = new Int32Array(body.buffer, ints, n);
  picks.forEach((k, at) => {
    runs[at] = run[k];
  });
  const at = 2 * ints;
  copy(new Float64Array(body.buffer, at, n), row, picks);
  write(body.buffer, at + 8 * n, x, xwhole, picks);
  write(body.buffer, at + 16 * n, y, ywhole, picks);
  return frameOf("columns", { json, body });
}

/**
 * @param {ArrayBuffer} buffer @param {number} at @param {Float64Array} offsets @param {BigInt64Array|null} whole
 * @param {number[]} picks */
function write(buffer, at, offsets, whole, picks) {
  if (whole) copy(new BigInt64Array(buffer, at, picks.length), whole, picks);
  else copy(new Float64Array(buffer, at, picks.length), offsets, picks);
}

/**
 * @template {Float64Array|BigInt64Array} A
 * @param {A} out @param {A} from @param {number[]} picks */
function copy(out, from, picks) {
  picks.forEach((k, at) => {
    out[at] = from[k];
  });
}

/** @param {number|string} end @param {bigint} origin @returns {number} as an offset from it, rounded once */
function offsetOf(end, origin) {
  return typeof end === "string" ? Number(BigInt(end) - origin) : end - Number(origin);
}
