// The true values of single rows, requested by number over HTTP and kept.

/** @typedef {{row: number, columns: {name: string, type: string, value: string|null}[], more: number}} RowValues */

/** Rows remembered. */
const MOST = 64;

export class RowReader {
  /**
   * @param {Pick<import("./connection.js").Connection, "url"|"get">} connection the document's: its layers have routes
   *   next to it; with url "" nothing is known of rows
   */
  constructor({ url, get }) {
    this.base = url.replace(/^ws/, "http");
    this.get = get;
    /** @type {Map<string, RowValues>} */ this.rows = new Map();
    /**
     * @type {{key: string, answer: Promise<RowValues|null>, abort: AbortController}|null} the row that is on its way
     */
    this.asking = null;
  }

  /**
   * @param {number} layer of the document, depth first
   * @param {number} row
   * @returns {RowValues|null} if they are here
   */
  known(layer, row) {
    return this.rows.get(`${layer}/${row}`) ?? null;
  }

  /**
   * Requests a row; a request for another row cancels the older one.
   * @param {number} layer
   * @param {number} row
   * @returns {Promise<RowValues|null>} null: given up, or the server cannot tell
   */
  ask(layer, row) {
    const key = `${layer}/${row}`;
    const here = this.known(layer, row);
    if (here || this.base === "") return Promise.resolve(here);
    if (this.asking?.key === key) return this.asking.answer;
    this.asking?.abort.abort();
    const abort = new AbortController();
    const answer = this.#fetch(key, new URL(`layers/${layer}/rows/${row}.json`, this.base), abort.signal);
    this.asking = { key, answer, abort };
    return answer;
  }

  /** @param {string} key @param {URL} address @param {AbortSignal} signal @returns {Promise<RowValues|null>} */
  async #fetch(key, address, signal) {
    try {
      const answer = await this.get(address, { signal });
      if (!answer.ok) return null;
      const values = /** @type {RowValues} */ (await answer.json());
      this.rows.set(key, values);
      for (const old of this.rows.keys()) if (this.rows.size > MOST) this.rows.delete(old);
      return values;
    } catch {
      return null; // given up, or offline: the marks say what they can without it
    } finally {
      if (this.asking?.key === key) this.asking = null;
    }
  }

  /** Forgets rows of a dataset that has changed. */
  clear() {
    this.asking?.abort.abort();
    this.rows.clear();
  }
}
