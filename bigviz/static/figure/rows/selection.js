// What is selected in a figure: a region in axis space, and what the server says of the rows in it.

import { equalSpans, span } from "../../geometry/span.js";
import { SelectionRequests } from "../../wire/selections.js";
import { NUMBERS, TIMES } from "../../wire/column-kinds.js";

/** @typedef {import("../../layers/layer.js").Layer} Layer */
/** What a selection sees of its figure.
 * @typedef {EventTarget & {readonly page: import("../page.js").Page, readonly layers: readonly Layer[], readonly main:
 *   Layer, readonly view: View|null, readonly firstLayer: number}} Drawn */
/** @typedef {import("../../geometry/span.js").Span} Span */
/** @typedef {import("../../geometry/span.js").Place} Place */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../wire/selections.js").Selected} Selected */
/**
 * `part`: what a box is of, a cell that is drawn, or the view while it moves.
 * @typedef {{kind: "box", x: Span, y: Span, part?: "cell"|"view"}|
 *   {kind: "lasso", points: {x: Place, y: Place}[], part?: undefined}} Region
 */

/** Kinds that have statistics. */
const DESCRIBED = new Set([...NUMBERS, "bool", ...TIMES]);
/** Columns whose statistics are asked for at first. */
const FIRST_STATS = 3;

/** Fires `change` when the region, the answer or what is asked for is another. */
export class Selection extends EventTarget {
  /** @param {Drawn} figure @param {{described?: boolean}} [o] `described`: statistics are asked for */
  constructor(figure, { described = true } = {}) {
    super();
    this.figure = figure;
    this.described = described;
    /** The layer whose rows are wanted; null: the topmost one.  @type {Layer|null} */ this.of = null;
    this.requests = new SelectionRequests(figure.page.connection);
    /** @type {Region|null} */ this.region = null;
    /** @type {Selected|null} of the region, once it is known */ this.answer = null;
    /** @type {string|null} */ this.error = null;
    /** Columns of the statistics.  @type {string[]|null} null: the first ones */ this.chosen = null;
    /** The column that rows are told apart by.  @type {string|null} */ this.by = null;
    /** @type {AbortController|null} */ this.asking = null;
    /** When the server was asked last (performance.now()). */ this.since = 0;
    /** What the region is in: other axes make it meaningless. */ this.axes = "";
    /** What the answer is of. */ this.asked = "";
    /** The layer is not there yet: the server is asked once it is. */ this.isWaiting = false;
    this.ending = new AbortController();
    const { signal } = this.ending;
    figure.addEventListener("info", () => this.#follow());
    figure.page.connection.addEventListener("down", () => this.#lose(), { signal });
    figure.page.connection.addEventListener("up", () => this.#back(), { signal });
  }

  /** Ends what would go on by itself. */
  dispose() {
    this.asking?.abort();
    this.ending.abort();
  }

  /** The layer that is selected from: the topmost one that is shown, unless one is said. */
  get layer() {
    const { layers, main } = this.figure;
    if (this.of) return this.of;
    return [...layers].reverse().find((layer) => layer.ready && !layer.isHidden) ?? main;
  }

  /** The columns that statistics can be made of. @returns {string[]} */
  get numbers() {
    return this.layer.columns.filter(({ kind, plottable }) => plottable && DESCRIBED.has(kind)).map(({ name }) => name);
  }

  /** The columns that rows can be told apart by. @returns {string[]} */
  get labels() {
    return this.layer.columns
      .filter(({ kind, by_reason }) => ["category", "bool", "integer"].includes(kind) && !by_reason)
      .map(({ name }) => name);
  }

  /** The columns of the statistics. @returns {string[]} */
  get stats() {
    if (!this.described) return [];
    const { numbers, chosen, layer } = this;
    if (chosen) return chosen.filter((name) => numbers.includes(name));
    const drawn = [layer.definition?.x ?? "", layer.definition?.y ?? ""];
    return [...new Set([...drawn, ...numbers])].filter((name) => numbers.includes(name)).slice(0, FIRST_STATS);
  }

  /** @param {Region} region */
  select(region) {
    this.region = region;
    this.axes = this.#axes();
    this.answer = null;
    this.#ask();
  }

  /** All that the view shows.  @param {boolean} [follows] it is to be asked for again where the view moves */
  selectView(follows = false) {
    const { view } = this.figure;
    if (view) this.select({ kind: "box", x: view.x, y: view.y, ...(follows ? { part: "view" } : {}) });
  }

  /** Whether the region is all of a view.  @param {View} view */
  isOf({ x, y }) {
    const { region } = this;
    return region?.kind === "box" && equalSpans(region.x, x) && equalSpans(region.y, y);
  }

  /**
   * A cell that is drawn.
   * @param {{x: [number, number], y: [number, number]}} cell as offsets from the view's origins
   */
  selectCell({ x, y }) {
    const { view } = this.figure;
    if (!view || !(x[1] > x[0]) || !(y[1] > y[0])) return;
    const part = (/** @type {[number, number]} */ [lo, hi], /** @type {Span} */ { origin, exact }) =>
      span(lo, hi, origin, exact);
    this.select({ kind: "box", x: part(x, view.x), y: part(y, view.y), part: "cell" });
  }

  /** @param {{chosen?: string[], by?: string|null, described?: boolean}} change */
  want(change) {
    Object.assign(this, change);
    if (this.region) this.#ask();
  }

  clear() {
    if (!this.region) return;
    this.asking?.abort();
    this.region = this.answer = this.error = this.asking = null;
    this.isWaiting = false;
    this.dispatchEvent(new Event("change"));
  }

  /** Asks anew, after an error or for what has changed. */
  again() {
    if (this.region) this.#ask();
  }

  /** Gives up what is asked for: what was known before stays, and where nothing was, nothing is selected. */
  cancel() {
    this.asking?.abort();
    this.asking = null;
    this.isWaiting = false;
    if (this.answer === null) this.clear();
    else this.dispatchEvent(new Event("change"));
  }

  get isBusy() {
    return this.asking !== null || this.isWaiting;
  }

  #axes() {
    const { definition } = this.layer;
    return JSON.stringify([definition?.dataset, definition?.x, definition?.y, definition?.xaxis, definition?.yaxis]);
  }

  /** What is drawn may be another: the region goes with its axes, and rows are counted anew. */
  #follow() {
    const { region, layer } = this;
    if (!region) return;
    if (!layer.ready) {
      if (this.isWaiting && layer.error !== null) this.#fail(layer.error);
    } else if (this.axes !== this.#axes()) this.clear();
    else if (this.asked !== JSON.stringify(layer.definition)) this.#ask();
  }

  /** The connection is there again, perhaps to another process: who has kept the rows may have ended. */
  #back() {
    this.asked = "";
    this.#follow();
  }

  /** What was asked for will not come. */
  #lose() {
    if (!this.isBusy) return;
    this.asking?.abort();
    this.asking = null;
    this.#fail("The connection to the server was lost. The rows are selected once it is back.");
  }

  /** @param {string} words */
  #fail(words) {
    this.asked = "";
    this.isWaiting = false;
    this.error = words;
    this.dispatchEvent(new Event("change"));
  }

  async #ask() {
    const { region, layer, figure } = this;
    const { definition, info } = layer;
    this.asking?.abort();
    this.asking = null;
    if (!region) return;
    this.error = null;
    this.isWaiting = !definition || !info;
    this.since = performance.now();
    if (!definition || !info) {
      this.asked = "";
      if (layer.error === null) this.dispatchEvent(new Event("change"));
      else this.#fail(layer.error);
      return;
    }
    const asking = new AbortController();
    this.asking = asking;
    this.asked = JSON.stringify(definition);
    this.dispatchEvent(new Event("change"));
    const body = { ...shapeOf(region, TIMES.has(info.x.kind), TIMES.has(info.y.kind)), stats: this.stats, by: this.by };
    try {
      const answer = await this.requests.select(figure.firstLayer + layer.index, definition, body, asking.signal);
      if (this.asking === asking) this.answer = answer;
    } catch (error) {
      if (this.asking !== asking) return;
      this.error = error instanceof Error ? error.message : String(error);
    }
    if (this.asking === asking) this.asking = null;
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * A region as the server takes it: times and large whole numbers as decimal strings. A box of times is half-open, so
 * its ends are the next whole nanoseconds.
 * @param {Region} region @param {boolean} xTime @param {boolean} yTime
 * @returns {import("../../wire/selections.js").Shape}
 */
export function shapeOf(region, xTime, yTime) {
  if (region.kind === "lasso")
    return {
      lasso: region.points.map(({ x, y }) => [
        numberOf(x.origin, x.offset, xTime, Math.round),
        numberOf(y.origin, y.offset, yTime, Math.round),
      ]),
    };
  const ends = (/** @type {Span} */ { origin, lo, hi }, /** @type {boolean} */ isTime) => {
    const [start, end] = [lo, hi].map((offset) => numberOf(origin, offset, isTime, Math.ceil));
    return start === end ? [start, numberOf(origin, Math.ceil(hi) + 1, isTime, Math.ceil)] : [start, end];
  };
  const [x, y] = [ends(region.x, xTime), ends(region.y, yTime)];
  return { box: [x[0], y[0], x[1], y[1]] };
}

/**
 * @param {bigint} origin @param {number} offset @param {boolean} isTime @param {(value: number) => number} whole
 * @returns {number|string}
 */
function numberOf(origin, offset, isTime, whole) {
  if (!isTime && Number.isSafeInteger(Number(origin))) return Number(origin) + offset;
  return String(origin + BigInt(whole(offset)));
}

/**
 * The outline of a region in a view, in device pixels of the plot.
 * @param {Region} region @param {View} view @returns {[number, number][]}
 */
export function outlineOf(region, view) {
  const at = (/** @type {Place} */ x, /** @type {Place} */ y) =>
    /** @type {[number, number]} */ ([view.px(x.origin, x.offset), view.py(y.origin, y.offset)]);
  if (region.kind === "lasso") return region.points.map(({ x, y }) => at(x, y));
  const { x, y } = region;
  const [left, right] = [x.lo, x.hi].map((offset) => ({ origin: x.origin, offset }));
  const [bottom, top] = [y.lo, y.hi].map((offset) => ({ origin: y.origin, offset }));
  return [at(left, top), at(right, top), at(right, bottom), at(left, bottom)];
}
