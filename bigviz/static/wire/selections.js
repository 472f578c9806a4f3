// Rows in a region of a layer: requested over HTTP, next to the document's socket.

/** @typedef {import("./frames.js").Definition} Definition */
/** Numbers, or decimal strings (times, whole numbers beyond 2^53); null where there is none.
 * @typedef {number|string|null} Value */
/** @typedef {{count: number, mean: Value, min: Value, max: Value, q25: Value, median: Value, q75: Value}} Summary */
/**
 * @typedef {{id: string, rows: number, stats: Record<string, Summary>, by: {column: string, groups: {label:
 *   string|null, rows: number, stats: Record<string, Summary>}[]}|null, expression: string|null, version: number}}
 *   Selected
 */
/**
 * Some rows of `total`; `all`: how many there are, where these are the first of them only.
 * @typedef {{columns: {name: string, type: string}[], rows: (string|null)[][], row: number[], total: number, offset:
 *   number, all?: number}} RowPage
 */
/**
 * In axis space; decimal strings on axes of whole numbers.
 * @typedef {{box: (number|string)[]}|{lasso: (number|string)[][]}|{range: (number|string)[]}} Shape
 */

// A name of this page, so that its selections are not dropped for those of others behind the same address.
const PAGE = crypto.getRandomValues(new Uint32Array(3)).join("-");

/** Rows that a layer's route gives as text at a time. */
const FIRST_ROWS = 200;

export class SelectionRequests {
  /** @param {Pick<import("./connection.js").Connection, "url"|"get">} connection with url "" nothing can be selected */
  constructor({ url, get }) {
    this.base = url.replace(/^ws/, "http");
    this.get = get;
  }

  /** A server is there to ask. */
  get isPossible() {
    return this.base !== "";
  }

  /**
   * @param {number} layer of the document, depth first
   * @param {Definition} definition what is drawn of it
   * @param {Shape & {stats: string[], by: string|null}} body
   * @param {AbortSignal} signal
   * @returns {Promise<Selected>}
   * @throws {Error} with the server's words
   */
  select(layer, definition, body, signal) {
    const query = queryOf(definition);
    const address = new URL(`layers/${layer}/select?${query}`, this.base);
    const headers = { "Content-Type": "application/json" };
    return this.#json(address, { method: "POST", body: JSON.stringify({ ...body, page: PAGE }), headers, signal });
  }

  /**
   * Some rows of a selection.
   * @param {string} id
   * @param {{offset: number, limit: number, sort: string|null, desc: boolean, columns?: readonly string[]|null}} page
   * @param {AbortSignal} signal
   * @returns {Promise<RowPage>}
   */
  rows(id, { offset, limit, sort, desc, columns = null }, signal) {
    const query = new URLSearchParams({ offset: String(offset), limit: String(limit) });
    if (sort !== null) query.set("sort", sort);
    if (desc) query.set("desc", "1");
    for (const name of columns ?? []) query.append("columns", name);
    return this.#json(new URL(`selections/${id}.json?${query}`, this.base), { signal });
  }

  /**
   * The first rows of a box by a column, or any of them: 200 at most, and how many there are.
   * @param {number} layer of the document, depth first
   * @param {Definition} definition what is drawn of it
   * @param {readonly (number|string)[]} box x0, y0, x1, y1, in axis space
   * @param {{sort: string|null, desc: boolean, columns: readonly string[]}} wanted
   * @param {AbortSignal} signal
   * @returns {Promise<Omit<RowPage, "offset">>}
   */
  firstRows(layer, definition, [x0, y0, x1, y1], { sort, desc, columns }, signal) {
    const query = queryOf(definition);
    for (const [key, value] of Object.entries({ x0, x1, y0, y1 })) query.set(key, String(value));
    query.set("limit", String(FIRST_ROWS));
    if (sort !== null) query.set("order_by", sort);
    if (desc) query.set("desc", "1");
    for (const name of columns) query.append("columns", name);
    return this.#json(new URL(`layers/${layer}/rows.json?${query}`, this.base), { signal });
  }

  /** Files have an address of their own: not in a notebook's cell. */
  get hasFiles() {
    return !this.base.includes("cell.invalid");
  }

  /** @param {string} id @param {"csv"|"parquet"|"arrow"} extension @returns {string} the address of a file */
  file(id, extension) {
    return new URL(`selections/${id}.${extension}`, this.base).href;
  }

  /** @param {URL} address @param {RequestInit} request @returns {Promise<any>} */
  async #json(address, request) {
    const answer = await this.get(address, request).catch((error) => {
      if (request.signal?.aborted) throw error;
      throw new Error("The server does not answer: it may have ended, or the network is down.");
    });
    const found = await answer.json().catch(() => null); // a proxy's page, or an answer that was cut off
    if (!answer.ok || found === null) throw new Error(found?.error ?? `The server answered ${answer.status}.`);
    return found;
  }
}

/** What a layer route is asked about what is drawn.  @param {Definition} definition @returns {URLSearchParams} */
export function queryOf(definition) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(definition)) {
    if (key === "dataset") continue;
    if (typeof value === "string") query.set(key, value);
    else if (key === "values")
      for (const [id, each] of Object.entries(value ?? {})) query.set(`p.${id}`, JSON.stringify(each));
  }
  return query;
}
