// Frames of a step of a brush: they are held until its end has come, and put in together.

/** @typedef {import("./reassembler.js").Message} Message */
/** @typedef {import("./columns.js").ColumnsMessage|import("./images.js").ImageMessage} BrushPart */
/** How many rows are in the brush, of how many; `exact`: all that came is; `share`: of the rows that an estimate is
 * made from; `taking`: what a dragged control moves, `[figure, layer]`; `numbers`: of live figures, by control; and
 * how long the server took.
 * @typedef {{brush: number, exact: boolean, selected: number, of: number, share?: number, taking?: number[][],
 *   numbers?: Record<string, number|string|null>, kernel_us?: number, encode_us?: number}} BrushEnd */
/** A step that was answered: `error` in the place of an end where it was not; `isReplaced`: a newer one came first.
 * @typedef {{id: number, parts: BrushPart[], end: BrushEnd|null, error: string|null, isReplaced: boolean}} Brushed */

/** A step that is an estimate is answered once more. */
const REMEMBERED = 64;
/** The field of the error of a step that a newer one has replaced. */
const REPLACED = "seq";

export class BrushGroup {
  constructor() {
    /** What has come of each step.  @type {Map<number, BrushPart[]>} */ this.parts = new Map();
  }

  /** A step was sent.  @param {number} id */
  expect(id) {
    this.parts.set(id, []);
    for (const old of this.parts.keys()) if (this.parts.size > REMEMBERED) this.parts.delete(old);
  }

  /** Is the message part of a step, or its end?  @param {Message} message @returns {boolean} */
  holds(message) {
    return this.parts.has(message.id);
  }

  /**
   * @param {Message} message that is part of a step, or its end
   * @returns {Brushed|null} all of it once it has ended
   */
  take(message) {
    const parts = this.parts.get(message.id) ?? [];
    if (message.type === "columns" || message.type === "image") parts.push(message);
    if (message.type !== "done" && message.type !== "error") return null;
    this.parts.set(message.id, []);
    const { id } = message;
    if (message.type === "error") {
      const { error, field } = message.json;
      return { id, parts, end: null, error, isReplaced: field === REPLACED };
    }
    const end = /** @type {BrushEnd} */ (/** @type {unknown} */ (message.json));
    return { id, parts, end, error: null, isReplaced: false };
  }
}
