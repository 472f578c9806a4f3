// Frames of an update of data that grow: they are held until the last of them has come, and put in together.

/** @typedef {import("./reassembler.js").Message} Message */
/** @typedef {import("./tiles.js").TileMessage|import("./columns.js").ColumnsMessage|import("./rows.js").RowsMessage|
 *   import("./images.js").ImageMessage} UpdatePart */
/** The detail of `update`: what the server tells, under the id of the request that asked, and what came before it.
 * @typedef {{id: number, json: import("./reassembler.js").Update, parts: UpdatePart[]}} WholeUpdate */

/** An update may answer a request that was replaced while it was on its way. */
const REMEMBERED = 8;

export class UpdateGroup {
  constructor() {
    /** Requests that may be answered.  @type {Set<number>} */ this.ids = new Set();
    /** @type {UpdatePart[]} */ this.parts = [];
  }

  /** A request was sent.  @param {number} id */
  expect(id) {
    this.ids.add(id);
    for (const old of this.ids) if (this.ids.size > REMEMBERED) this.ids.delete(old);
  }

  /** Is the message part of an update, or its end?  @param {Message} message @returns {boolean} */
  holds(message) {
    return this.ids.has(message.id);
  }

  /**
   * @param {Message} message that is part of an update, or its end
   * @returns {WholeUpdate|null} all of it once it has ended
   */
  take(message) {
    const { type } = message;
    if (type === "tile" || type === "columns" || type === "rows" || type === "image") this.parts.push(message);
    if (type !== "update") return null;
    const { parts } = this;
    this.parts = [];
    this.ids.delete(message.id);
    return { id: message.id, json: message.json, parts };
  }
}
