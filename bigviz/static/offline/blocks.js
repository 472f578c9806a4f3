// The wire's frames that an exported page holds: blocks of them one after the other, deflated, in base64. A block is
// inflated when something in it is needed.

import { BODY_BYTES, check, HEADER, JSON_BYTES } from "../wire/frames.js";

/** Where a block's text begins, and its length.  @typedef {[start: number, length: number]} Place */

/** Bytes of inflated blocks that are kept: those of one view, and of what it moves to. */
const KEPT = 48 * 2 ** 20;

export class Blocks {
  /** @param {string} text base64 of all blocks @param {readonly number[]} lengths of each, in characters */
  constructor(text, lengths) {
    this.text = text;
    let at = 0;
    /** @type {Place[]} */ this.places = lengths.map((length) => {
      const start = at;
      at += length;
      return [start, length];
    });
    check(at === text.length, `blocks of ${at} characters in a text of ${text.length}`);
    /** Inflated ones and those on their way, least recently used first.  @type {Map<number, Promise<Uint8Array>>} */
    this.open = new Map();
    /** Bytes of inflated blocks.  @type {Map<number, number>} */ this.sizes = new Map();
  }

  /** @param {number} number of a block @returns {Promise<Uint8Array<ArrayBuffer>[]>} its frames, views of the block */
  async frames(number) {
    const bytes = await this.bytes(number);
    return framesIn(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
  }

  /** @param {number} number @returns {Promise<Uint8Array>} */
  bytes(number) {
    const known = this.open.get(number);
    this.open.delete(number);
    const bytes = known ?? this.#inflate(number);
    this.open.set(number, bytes);
    return bytes;
  }

  /** @param {number} number @returns {Promise<Uint8Array>} */
  async #inflate(number) {
    check(number in this.places, `block ${number} of ${this.places.length}`);
    const [start, length] = this.places[number];
    const packed = Uint8Array.from(atob(this.text.slice(start, start + length)), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    this.sizes.set(number, bytes.length);
    this.#trim();
    return bytes;
  }

  #trim() {
    let sum = [...this.sizes.values()].reduce((all, size) => all + size, 0);
    for (const number of this.open.keys()) {
      if (sum <= KEPT) return;
      sum -= this.sizes.get(number) ?? 0;
      if (this.sizes.delete(number)) this.open.delete(number);
    }
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Uint8Array<ArrayBuffer>[]} the frames that follow each other there
 */
function framesIn(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    check(at + HEADER <= bytes.length, "a block ends within a frame");
    const size = HEADER + view.getUint32(at + JSON_BYTES, true) + view.getUint32(at + BODY_BYTES, true);
    check(at + size <= bytes.length, "a block ends within a frame");
    found.push(bytes.subarray(at, at + size));
    at += size;
  }
  return found;
}
