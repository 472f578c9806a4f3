// A page follows data that grow: it says what it shows and of which versions, and is sent what is new. All of that is
// put in at once, so no picture is of two versions.

import { RasterLayer } from "../../layers/raster-layer.js";
import { toList } from "../../geometry/grid.js";
import { ProtocolError } from "../../wire/frames.js";

/** @typedef {import("../figure.js").Figure} Figure */
/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../../layers/layer.js").Layer} Layer */
/** @typedef {import("../../layers/layer.js").LayerHeld} LayerHeld */
/** @typedef {import("../../layers/tiles/tile-cache.js").Tile} Tile */
/** @typedef {import("../../wire/update-group.js").WholeUpdate} WholeUpdate */
/** @typedef {Map<Layer, LayerHeld>} Held */

/** What the page shows is told so long after it was told last, in ms: a gesture changes it all the time. */
const PAUSE_MS = 50;
/** After a request that was refused, or while the rate limit is used up. */
const AGAIN_MS = 500;
/** Requests that may still be answered. */
const REMEMBERED = 8;

export class Follower {
  /**
   * @param {Page} page
   * @param {readonly Figure[]} figures in the order of the document
   * @param {readonly string[]} datasets those that grow
   * @param {Map<string, number>} versions of each dataset that is drawn; updated here
   * @param {AbortSignal} signal ends it
   */
  constructor(page, figures, datasets, versions, signal) {
    this.page = page;
    this.figures = figures;
    this.datasets = datasets;
    this.versions = versions;
    /** What was told by each request.  @type {Map<number, Held>} */ this.told = new Map();
    /** The last request that may still be answered; 0: none. */ this.id = 0;
    /** What the server was told last, as text; empty where it knows nothing. */ this.text = "";
    this.last = Number.NEGATIVE_INFINITY;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.timer = undefined;
    if (datasets.length === 0) return;
    const { connection } = page;
    const on = (/** @type {string} */ name, /** @type {(event: CustomEvent) => void} */ handler) =>
      connection.addEventListener(name, (event) => handler(/** @type {CustomEvent} */ (event)), { signal });
    on("update", ({ detail }) => this.#take(detail));
    on("unfollowed", () => {
      this.id = 0;
      this.text = "";
      this.#later(AGAIN_MS);
    });
    on("done", () => this.#later(0));
    on("down", () => {
      this.id = 0;
      this.text = "";
      this.told.clear();
    });
    for (const figure of figures) figure.addEventListener("exact", () => this.#later(0), { signal });
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  /**
   * The connection is up again, and the data may have grown: what the page has is brought up to date.
   * @returns {boolean} false where it has not drawn all yet, so that it has to ask anew
   */
  resume() {
    this.id = 0;
    return this.datasets.length > 0 && this.#tell(true);
  }

  /** @param {number} ms */
  #later(ms) {
    clearTimeout(this.timer);
    const due = Math.max(ms, this.id === 0 ? 0 : this.last + PAUSE_MS - performance.now());
    if (due > 0) this.timer = setTimeout(() => this.#tell(), due);
    else this.#tell();
  }

  /**
   * Tells the server what is shown, once that is drawn, unless it knows: nothing was asked for since.
   * @param {boolean} [first] the page comes back, and need not be drawn again
   * @returns {boolean} it was told
   */
  #tell(first = false) {
    const { connection } = this.page;
    if (!connection.isUp || (this.id !== 0 && connection.lastId === this.id)) return false;
    if (!first && this.figures.some((figure) => !figure.exact && !figure.layers.every((l) => l.failed))) return false;
    if (!first && !connection.hasRoom()) {
      this.#later(AGAIN_MS);
      return false;
    }
    const held = this.#held();
    if (!held) return false;
    const figures = this.figures.map((figure) => ({
      figure: figure.index,
      layers: figure.layers.flatMap((layer) => {
        const has = held.get(layer);
        return has ? [{ layer: layer.index, ...asText(has) }] : [];
      }),
    }));
    this.last = performance.now();
    const text = JSON.stringify(figures);
    const versions = Object.fromEntries(this.datasets.map((name) => [name, this.versions.get(name) ?? 0]));
    this.id = connection.follow(versions, text === this.text ? null : figures, first);
    this.text = text;
    this.told.set(this.id, held);
    for (const old of this.told.keys()) if (this.told.size > REMEMBERED) this.told.delete(old);
    return true;
  }

  /** What the page has of its layers; null while some of that is missing.  @returns {Held|null} */
  #held() {
    /** @type {Held} */ const found = new Map();
    for (const { layers, asking } of this.figures) {
      for (const layer of layers) {
        if (layer.failed || !this.datasets.includes(layer.spec.dataset)) continue;
        const held = asking && layer.held(asking);
        if (!held) return null;
        found.set(layer, held);
      }
    }
    return found;
  }

  /** Puts an update in.  @param {WholeUpdate} update */
  #take({ id, json, parts }) {
    const told = this.told.get(id) ?? new Map();
    this.told.clear();
    this.id = 0;
    for (const [name, { version }] of Object.entries(json.datasets)) this.versions.set(name, version);
    const anew = new Set(json.anew.map((index) => this.figures[index]));
    /** @type {Map<Layer, (typeof json.layers)[number]>} */ const news = new Map();
    for (const each of json.layers) {
      const layer = this.figures[each.figure]?.layers[each.layer];
      if (layer) news.set(layer, each);
    }
    for (const figure of this.figures) {
      const over = figure.layers.filter((layer) => layer.spec.dataset in json.datasets && !layer.failed);
      if (!over.every((layer) => news.has(layer) && isStill(layer, told.get(layer)))) anew.add(figure);
    }
    this.#drop(json.datasets, told, news, anew);
    try {
      this.#advance(told, news, anew, parts);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.page.connection.broken(error);
    }
    for (const [name, version] of Object.entries(json.datasets)) this.page.streams.take(name, version);
    for (const figure of this.figures) {
      if (anew.has(figure)) figure.renew();
      else if (figure.layers.some((layer) => news.has(layer))) figure.advanced();
    }
  }

  /**
   * Tiles that may have changed are gone; all others are those of the new versions.
   * @param {WholeUpdate["json"]["datasets"]} datasets @param {Held} told
   * @param {Map<Layer, {changed: number[][]}>} news @param {Set<Figure>} anew
   */
  #drop(datasets, told, news, anew) {
    /** @type {Set<Tile>} */ const good = new Set();
    for (const figure of this.figures) {
      if (anew.has(figure)) continue;
      for (const layer of figure.layers) {
        const { raster } = told.get(layer) ?? {};
        const { changed } = news.get(layer) ?? {};
        if (raster && changed) for (const tile of RasterLayer.good(raster, changed)) good.add(tile);
      }
    }
    for (const [name, { version }] of Object.entries(datasets)) this.page.cache.advance(name, version, good);
  }

  /**
   * @param {Held} told @param {Map<Layer, WholeUpdate["json"]["layers"][number]>} news @param {Set<Figure>} anew
   * @param {WholeUpdate["parts"]} parts
   */
  #advance(told, news, anew, parts) {
    for (const [layer, { figure, facts, changed, rows }] of news) {
      const held = told.get(layer);
      if (!held || anew.has(this.figures[figure])) continue;
      const own = parts.filter((part) => part.figure === figure && part.layer === layer.index);
      layer.advance(facts, held, { changed, rows, parts: own });
    }
  }
}

/** A layer is still what the server was told of.  @param {Layer} layer @param {LayerHeld|undefined} held */
function isStill({ definition, line }, held) {
  if (!held || JSON.stringify(held.definition) !== JSON.stringify(definition)) return false;
  return !line || JSON.stringify(line.asked) === JSON.stringify(held.columns);
}

/** @param {LayerHeld} held as a `follow` message has it */
function asText({ definition, columns, raster }) {
  if (!raster) return { definition, columns };
  const { window, kept, asked } = raster;
  const tiles = window && [window.zx, window.zy, window.i0, window.i1, window.j0, window.j1];
  const text = { definition, tiles, kept: kept.map(({ key }) => toList(key)) };
  return asked ? { ...text, window: asked } : text;
}
