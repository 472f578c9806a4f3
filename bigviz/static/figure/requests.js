// A figure's requests to the server: at once when the view changes, once a frame at most, and only for what is neither
// here nor on its way.

import { toList } from "../geometry/grid.js";

/** @typedef {import("../wire/connection.js").ViewLayer} ViewLayer */
/** @typedef {import("../geometry/view.js").View} View */
/** @typedef {import("../layers/layer.js").Layer} Layer */
/** What requests see of their figure.
 * @typedef {{readonly index: number, readonly page: import("./page.js").Page, readonly layers: readonly Layer[],
 *   readonly view: View|null, readonly asking: View|null, readonly isRenewing: boolean,
 *   readonly exact: boolean, readonly loading: {busy: (share: number|null) => void}, arrived: () => void}} Asking */
/**
 * Neighbours are fetched when a view that was moved to has rested this long: earlier, they would delay the next step of
 * a gesture.
 */
const PREFETCH_MS = 300;
/** @typedef {{x0: number|string, x1: number|string, width: number}} ColumnsAsked */

/**
 * Late answers to so many requests before the newest are still drawn, so that a line follows a drag over a slow
 * network.
 */
const REMEMBERED = 8;
/** Requests repeated because an answer left something out (a tile that the cache dropped) end after so many tries. */
const RETRIES = 3;

export class Requests {
  /** @param {Asking} figure */
  constructor(figure) {
    this.figure = figure;
    /** @type {Set<string>} what the newest request asked for and has not got */ this.pending = new Set();
    this.id = 0;
    this.asked = 0;
    this.inFrame = false;
    this.again = false;
    this.tries = 0;
    /** Did a gesture move the view since it was last exact? */
    this.moved = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.prefetching = undefined;
    /**
     * @type {Map<number, Map<number, ColumnsAsked>>} the columns that recent requests asked for, by request id and
     *   layer
     */
    this.columns = new Map();
    /**
     * @type {Map<number, Map<number, import("../wire/open-requests.js").WindowAsked>>} the windows whose rows recent
     *   requests have asked for and not received
     */
    this.windows = new Map();
  }

  /**
   * A gesture moved the view: its neighbours are worth fetching. A change of style, or a page just opened, needs
   * nothing more.
   */
  follow() {
    this.moved = true;
  }

  /** Nothing is fetched ahead now. */
  hush() {
    clearTimeout(this.prefetching);
    this.moved = false;
  }

  /** The view is exact. */
  settled() {
    this.tries = 0;
    clearTimeout(this.prefetching);
    if (this.moved) this.prefetching = setTimeout(() => this.#prefetch(), PREFETCH_MS);
    this.moved = false;
  }

  #prefetch() {
    const { view, page, index, layers, exact, isRenewing } = this.figure;
    if (!view || !exact || isRenewing || !page.connection.isUp || document.hidden) return;
    /** @type {ViewLayer[]} */
    const parts = [];
    for (const { definition, raster, index: layer, info } of layers) {
      if (info?.index !== "ready") continue; // of a layer without an index the server makes neighbours in the same pass
      const { prefetch } = raster?.missing(view) ?? { prefetch: [] };
      if (definition && prefetch.length > 0) parts.push({ layer, definition, tiles: [], prefetch });
    }
    if (parts.length > 0) page.connection.view(index, parts);
  }

  /** Earlier requests no longer count (a new connection, other columns). */
  forget() {
    this.pending.clear();
    this.columns.clear();
    this.windows.clear();
    this.inFrame = false;
    this.tries = 0;
  }

  /** The view changed: request now, or with the next frame if this frame has sent a request already. */
  update() {
    clearTimeout(this.prefetching);
    this.tries = 0;
    this.#ask();
  }

  /**
   * The facts of a layer are final, or its index is ready: what could not be asked for before is asked for now, unless
   * a request is under way, whose end does that. All its answers may have come before these facts.
   */
  learned() {
    if (this.pending.size > 0) return;
    this.tries = 0;
    this.#ask();
  }

  #ask() {
    if (this.inFrame) this.again = true;
    else this.#send();
  }

  nextFrame() {
    this.inFrame = false;
    if (!this.again) return;
    this.again = false;
    this.#send();
  }

  #send() {
    const { asking: view, page, index, layers, isRenewing } = this.figure;
    if (!view || isRenewing || !page.connection.isUp) return; // tiles of other rows may be those of other roots
    /** @type {ViewLayer[]} */
    const parts = [];
    const wanted = new Set();
    for (const layer of layers) {
      const { definition, raster, line } = layer;
      if (!definition) continue;
      const { tiles, window } = raster?.missing(view) ?? { tiles: [], window: null };
      for (const tile of tiles) wanted.add(`${layer.index}/${tile.join()}`);
      if (layer.info?.provisional) {
        if (tiles.length > 0) parts.push({ layer: layer.index, definition, tiles, roots: layer.info.root });
      } else if (window) {
        wanted.add(`${layer.index}/${JSON.stringify(window)}`);
        parts.push({ layer: layer.index, definition, tiles, window });
      } else if (tiles.length > 0) parts.push({ layer: layer.index, definition, tiles });
      const columns = line?.request(view) ?? null;
      if (columns) {
        wanted.add(`${layer.index}/${JSON.stringify(columns)}`);
        parts.push({ layer: layer.index, definition, columns });
      }
    }
    if (wanted.size === 0) this.asked = 0;
    if ([...wanted].every((key) => this.pending.has(key))) return;
    this.pending = wanted;
    this.asked = wanted.size;
    this.inFrame = true;
    this.#scanned();
    this.id = page.connection.view(index, parts);
    this.#remember(parts);
    page.latency.sent(index);
    this.#busy();
  }

  /**
   * An exact tile came. The server holds tiles back until it knows that a window's rows are too many, so none of them
   * will come.
   * @param {number} id @param {number} layer @param {import("../wire/frames.js").TileKey} key
   */
  gotTile(id, layer, key) {
    const window = this.windows.get(id)?.get(layer);
    if (window) {
      this.windows.get(id)?.delete(layer);
      this.figure.layers[layer].raster?.tiled(window);
    }
    this.pending.delete(`${layer}/${toList(key).join()}`);
    this.#busy();
  }

  /** @param {ViewLayer[]} parts */
  #remember(parts) {
    const windows = new Map(parts.flatMap(({ layer, window }) => (window ? [[layer, window]] : [])));
    if (windows.size > 0) this.windows.set(this.id, windows);
    for (const id of this.windows.keys()) if (this.windows.size > REMEMBERED) this.windows.delete(id);
    /** @type {Map<number, ColumnsAsked>} */
    const asked = new Map();
    for (const { layer, columns } of parts) if (columns) asked.set(layer, columns);
    if (asked.size === 0) return;
    this.columns.set(this.id, asked);
    for (const id of this.columns.keys()) if (this.columns.size > REMEMBERED) this.columns.delete(id);
  }

  /**
   * @param {number} id @param {number} layer @param {boolean} exact false: better ones are still to come
   * @returns {ColumnsAsked|null} what the columns that arrived answer; null when that is long past
   */
  gotColumns(id, layer, exact) {
    const asked = this.columns.get(id)?.get(layer) ?? null;
    if (asked && exact && id === this.id) this.pending.delete(`${layer}/${JSON.stringify(asked)}`);
    this.#busy();
    return asked;
  }

  /**
   * Rows or an image have come, in place of all tiles of the layer.
   * @param {number} id
   * @param {number} layer
   * @returns {boolean} they answer a recent request
   */
  gotWindow(id, layer) {
    const known = this.windows.get(id)?.delete(layer) ?? false;
    if (known && id === this.id)
      for (const key of this.pending) if (key.startsWith(`${layer}/`)) this.pending.delete(key);
    this.#busy();
    return known;
  }

  /**
   * The server reads all rows of a layer that has no index, and reports its progress.
   * @param {number} id @param {Layer} layer @param {import("../wire/reassembler.js").ProgressMessage["json"]} json
   */
  progress(id, layer, json) {
    if (id !== this.id || this.pending.size === 0) return;
    layer.progress = json;
    this.#busy();
  }

  /** No layer is being read, or indexed again, for this view any more. */
  #scanned() {
    for (const layer of this.figure.layers) if (layer.info && layer.info.index !== "building") layer.progress = null;
  }

  /**
   * The server has sent all of a request: windows that it did not answer are those of its tiles.
   * @param {number} id
   */
  done(id) {
    const windows = this.windows.get(id);
    this.windows.delete(id);
    for (const [layer, window] of windows ?? []) this.figure.layers[layer].raster?.tiled(window);
    if (windows?.size) this.figure.arrived();
    if (id !== this.id) return;
    this.pending.clear();
    this.#busy();
    const { view, asking, layers } = this.figure;
    if (!view || layers.every((layer) => layer.complete(view, asking ?? view)) || ++this.tries > RETRIES) return;
    this.#ask();
  }

  /** The request failed: nothing of it is on its way.  @param {number} id */
  failed(id) {
    if (id !== this.id) return;
    this.pending.clear();
    this.#busy();
  }

  #busy() {
    const { asked, pending } = this;
    if (pending.size === 0) this.#scanned();
    const read = this.figure.layers.map(({ info, progress }) =>
      info?.index === "none" && progress ? progress.done : 0,
    );
    this.figure.loading.busy(pending.size === 0 ? null : Math.max(1 - pending.size / Math.max(1, asked), ...read));
  }
}
