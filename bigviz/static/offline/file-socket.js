// An exported page's own answers: what a server's socket would send, from the frames that the file holds.

import { check, GONE, ProtocolError } from "../wire/frames.js";
import { Blocks } from "./blocks.js";
import { addressed, frameOf } from "./frame-writer.js";
import { StoredLine } from "./stored-line.js";
import { StoredTiles } from "./stored-tiles.js";

/** @typedef {import("../wire/frames.js").Definition} Definition */
/** @typedef {import("../wire/connection.js").Socket} Socket */
/** @typedef {import("../wire/connection.js").ViewLayer} ViewLayer */
/**
 * What a file holds: the lengths of its blocks in base64; the block of its greeting; and of each layer its place, what
 * it is, the block of the answer about it, and one of: all of its rows, tiles, or rows of a line.
 * @typedef {{format: number, blocks: number[], hello: number, layers: StoredLayer[]}} Index
 */
/**
 * @typedef {{figure: number, layer: number, definition: Definition, answer: number, rows?: number[], line?: number[],
 *   bars?: number[], tiles?: StoredTileLevels}} StoredLayer
 */
/** @typedef {{planes: number, counts: boolean, levels: import("./stored-tiles.js").StoredLevel[]}} StoredTileLevels */
/** @typedef {{rows: number[]|null, line: StoredLine|null, tiles: StoredTiles|null, about: StoredLayer}} Held */

const FORMAT = 1;
const CLOSED = 3;
const KEYS = /** @type {const} */ ([
  "dataset",
  "glyph",
  "x",
  "y",
  "agg",
  "xaxis",
  "yaxis",
  "root",
  "filter",
  "bins",
  "sort",
]);
const NOT_INSIDE = "This file holds the plot as it was exported, with no other columns.";

/** The part of WebSocket that a Connection uses.  @implements {Socket} */
export class FileSocket {
  /** @param {Index} index @param {string} text base64 of the blocks */
  constructor(index, text) {
    /** @type {Socket["onopen"]} */ this.onopen = null;
    /** @type {Socket["onmessage"]} */ this.onmessage = null;
    /** @type {Socket["onclose"]} */ this.onclose = null;
    /** @type {Socket["onerror"]} */ this.onerror = null;
    /** @type {Socket["binaryType"]} */ this.binaryType = "arraybuffer";
    /** @type {Socket["readyState"]} */ this.readyState = 1;
    this.sequence = 0;
    check(index.format === FORMAT, `a file of format ${index.format}, this page reads ${FORMAT}`);
    this.index = index;
    this.blocks = new Blocks(text, index.blocks);
    /** @type {Map<string, Held>} */
    this.layers = new Map(
      index.layers.map((about) => {
        const { rows = null, line, tiles } = about;
        const held = {
          about,
          rows,
          line: line ? new StoredLine(this.blocks, line) : null,
          tiles: tiles ? new StoredTiles(this.blocks, tiles) : null,
        };
        return [`${about.figure}/${about.layer}`, held];
      }),
    );
    /** The newest view of each figure: others are not answered any more.  @type {Map<number, number>} */
    this.views = new Map();
    void this.#guarded(() => this.#sendBlock(index.hello, { id: 0, figure: 0, layer: 0 }));
  }

  /** @param {unknown} text a request */
  send(text) {
    const request = JSON.parse(String(text));
    if (request.op === "cancel") this.views.delete(request.figure);
    if (request.op === "layer") void this.#guarded(() => this.#tell(request));
    if (request.op !== "view") return;
    this.views.set(request.figure, request.id);
    void this.#guarded(() => this.#show(request));
  }

  close() {
    this.readyState = CLOSED;
  }

  /** A file whose content does not decode is damaged: nothing more is answered.  @param {() => Promise<void>} work */
  async #guarded(work) {
    try {
      await work();
    } catch (error) {
      if (this.readyState === CLOSED) return;
      this.readyState = CLOSED;
      const words = error instanceof ProtocolError || error instanceof TypeError ? ` (${error.message})` : "";
      const reason = `This file is damaged: its data cannot be read${words}.`;
      this.onclose?.call(
        /** @type {any} */ (this),
        /** @type {CloseEvent} */ ({ code: GONE, reason, wasClean: true, type: "close" }),
      );
    }
  }

  /** @param {{id: number, figure: number, layer: number, definition: Definition}} request */
  async #tell({ id, figure, layer, definition }) {
    const held = this.layers.get(`${figure}/${layer}`);
    if (held && KEYS.every((key) => held.about.definition[key] === definition[key]))
      await this.#sendBlock(held.about.answer, { id, figure, layer });
    else this.#refuse({ id, figure, layer });
  }

  /** @param {{id: number, figure: number, layers: ViewLayer[]}} view */
  async #show({ id, figure, layers }) {
    let sent = 0;
    for (const part of layers) {
      const to = { id, figure, layer: part.layer };
      const held = this.layers.get(`${figure}/${part.layer}`);
      const whole = held?.rows ?? held?.about.bars;
      if (whole) {
        for (const block of whole) if (this.#isWanted(to)) await this.#sendBlock(block, to);
      } else if (held?.line && part.columns) {
        const frames = await held.line.get(part.columns);
        if (this.#isWanted(to)) this.#put(frames, to);
      } else if (held?.tiles) sent += await this.#sendTiles(held.tiles, part, to);
    }
    if (!this.#isWanted({ id, figure })) return;
    const json = { tiles: sent, queue_us: 0, kernel_us: 0, encode_us: 0, rows: 0, bytes: 0 };
    this.#put([frameOf("done", { json })], { id, figure, layer: 0 });
  }

  /** @param {StoredTiles} tiles @param {ViewLayer} part @param {import("./frame-writer.js").To} to */
  async #sendTiles(tiles, { tiles: wanted = [], prefetch = [] }, to) {
    let sent = 0;
    for (const [zx, zy, i, j] of [...wanted, ...prefetch]) {
      if (!this.#isWanted(to)) return sent;
      const frames = await tiles.get({ zx, zy, i, j });
      if (!frames || !this.#isWanted(to)) continue;
      this.#put(frames, to);
      sent++;
    }
    return sent;
  }

  /** @param {{id: number, figure: number}} to @returns {boolean} no newer view of its figure has come */
  #isWanted({ id, figure }) {
    return this.readyState !== CLOSED && this.views.get(figure) === id;
  }

  /** @param {import("./frame-writer.js").To} to */
  #refuse(to) {
    this.#put([frameOf("error", { json: { error: NOT_INSIDE, field: "definition", got: null } })], to);
  }

  /** @param {number} number @param {import("./frame-writer.js").To} to */
  async #sendBlock(number, to) {
    this.#put(await this.blocks.frames(number), to);
  }

  /** @param {Uint8Array<ArrayBuffer>[]} frames @param {import("./frame-writer.js").To} to */
  #put(frames, to) {
    for (const frame of frames) {
      if (this.readyState === CLOSED) return;
      this.sequence += 1;
      const data = addressed(frame, to, this.sequence);
      this.onmessage?.call(/** @type {any} */ (this), /** @type {MessageEvent} */ ({ data }));
    }
  }
}

/**
 * What an exported page holds.
 * @param {Document} page
 * @returns {{index: Index, text: string}}
 */
export function fileIn(page) {
  const [index, blocks] = ["bigviz-index", "bigviz-blocks"].map((id) => page.getElementById(id)?.textContent ?? "");
  return { index: JSON.parse(index), text: blocks };
}
