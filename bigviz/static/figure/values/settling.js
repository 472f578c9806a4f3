// Values that several hands change at a time: those of a page, and those of the server, which puts all changes in one
// order. A page keeps its own newest value until the server has told it back, and takes all others as they come: so all
// pages end with the value that came to the server last.

/** @template V */
export class Settling {
  constructor() {
    /** What the server has not told back, by name; `id` of the message that carried it, null: not sent yet.
     * @type {Map<string, {value: V, id: number|null}>} */
    this.pending = new Map();
  }

  /** The page has another value.  @param {string} name @param {V} value */
  change(name, value) {
    this.pending.set(name, { value, id: null });
  }

  /** What is to be sent.  @returns {[string, V][]} */
  get unsent() {
    return [...this.pending].filter(([, { id }]) => id === null).map(([name, { value }]) => [name, value]);
  }

  /** A value has been sent.  @param {string} name @param {number} id of its message */
  sent(name, id) {
    const entry = this.pending.get(name);
    if (entry) entry.id = id;
  }

  /**
   * The server tells a value.
   * @param {string} name @param {number|undefined} id of this page's message that it came from, if it did
   * @returns {boolean} the page takes it; else it has a newer one
   */
  take(name, id) {
    const entry = this.pending.get(name);
    if (!entry) return true;
    if (id === undefined || entry.id !== id) return false;
    this.pending.delete(name);
    return true;
  }

  /** The server refuses what a message carried.  @param {number} id */
  refused(id) {
    for (const [name, entry] of this.pending) if (entry.id === id) this.pending.delete(name);
  }

  /** The connection was lost: what the server has not told back is sent again. */
  lost() {
    for (const entry of this.pending.values()) entry.id = null;
  }
}
