// The page's state in the URL's hash, so that an address shows what its sender saw: per figure x, y, xaxis, yaxis, agg,
// glyph, cmap, how, hide, filter, low, high of the first layer, brush, and x0, x1, y0, y1, or follow, the length of the
// newest part of x that is shown; a figure after the first adds .N to each key, another layer .N.K. Values as published
// are left out. In a notebook's cell the same text is kept by the notebook. The values of controls are c.ID, in JSON;
// tab is the number of the one in front. A change of a control or a tab makes an entry in the browser's history; views
// that move go on in the last one. It is written a moment later: what an entry was left without is known until it is
// shown again.

import { readValue } from "../../axes/values.js";
import { defaultKind } from "../../layers/axis-kinds.js";
import { defaultAgg, GLYPHS } from "../../layers/glyphs.js";
import { readLabels, writeLabels } from "../../layers/hidden-labels.js";
import { canonical } from "../../render/colormaps.js";
import { isValue } from "../../render/norm.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../layers/layer.js").Choice} Choice */
/** @typedef {import("../page/tabs.js").Tabs} Tabs */
/** @typedef {import("./viewer-steps.js").ViewerSteps} ViewerSteps */

/**
 * Where the text is kept: `hash` is as it is now, "#" included, in the `entry` of that name, null before it has one;
 * `write` keeps the one before to go back to where it `isEntry`, `listen` calls when others have changed it.
 * @typedef {{readonly hash: string, readonly entry?: string|null, write: (hash: string, isEntry?: boolean) => void,
 *   listen: (changed: () => void, signal: AbortSignal) => void}} Address
 */

/** The page's own. @type {Address} */
export const PAGE_ADDRESS = {
  get hash() {
    return location.hash;
  },
  get entry() {
    return parent === window ? (history.state?.bigviz ?? null) : undefined;
  },
  write(hash, isEntry = false) {
    const address = `${location.pathname}${location.search}${hash}`;
    const state = { ...history.state };
    // The history of a frame is that of the page around it.
    if (isEntry && parent === window) history.pushState({ ...state, bigviz: newName() }, "", address);
    else history.replaceState({ ...state, bigviz: state.bigviz ?? newName() }, "", address);
  },
  listen(changed, signal) {
    addEventListener("popstate", changed, { signal }); // some browsers are late with `hashchange`
    addEventListener("hashchange", changed, { signal });
  },
};

let named = 0;
/** A name that no entry has, of this page or of one before it in the same tab. */
const newName = () => `${Date.now()}.${++named}`;

/** The address is written when nothing has changed for so long: it takes the browser milliseconds of a drag. */
const WRITE_MS = 200;
/** It is written so long after a change at the latest. Browsers refuse replaceState after about 200 calls in 30 s. */
const LATEST_MS = 1000;
const HOWS = new Set(["linear", "log", "cbrt", "eq_hist"]);
const PLAIN = /** @type {const} */ (["x", "y", "agg", "glyph", "cmap", "how", "root", "filter", "hide"]);
const ENDS = /** @type {const} */ (["low", "high"]);
const VIEW = /** @type {const} */ (["x0", "x1", "y0", "y1", "follow", "brush"]);
const AXES = /** @type {const} */ (["xaxis", "yaxis"]);

export class UrlState {
  /**
   * @param {readonly Figure[]} figures @param {AbortSignal} signal ends listening @param {Address} [address]
   * @param {{values?: import("../../figure/values/control-values.js").ControlValues|null, tabs?: readonly Tabs[],
   *   steps?: ViewerSteps|null}} [o] `values`: of the document's controls; `steps`: which of their changes are entries
   */
  constructor(figures, signal, address = PAGE_ADDRESS, { values = null, tabs = [], steps = null } = {}) {
    this.values = values;
    this.tabs = tabs;
    this.steps = steps;
    this.figures = figures;
    this.address = address;
    this.written = address.hash;
    /** The entry that is shown, by its name.  @type {string|null} */ this.entry = null;
    /** What entries were left without, by their names.  @type {Map<string, string>} */ this.late = new Map();
    /** Controls and tabs as they were written.  @type {[string, string][]} */ this.said = [];
    /** What is written next is an entry of its own. */ this.isEntry = false;
    /** When the address was last looked at, and when something last changed. */ this.last = Number.NEGATIVE_INFINITY;
    this.noted = Number.NEGATIVE_INFINITY;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.waiting = undefined;
    /** @type {Map<Figure, URLSearchParams>} views to show once their figure is ready */ this.due = new Map();
    this.read();
    for (const figure of figures) {
      for (const name of ["frame", "choice", "brush"]) figure.addEventListener(name, () => this.#soon());
      figure.addEventListener("info", () => this.#show(figure));
    }
    values?.onChange((id) => this.#changes(steps?.isNew(id) ?? false), signal);
    for (const [k, each] of tabs.entries())
      each.addEventListener("press", () => this.#changes(steps?.isNew(`tab ${k}`, true) ?? false), { signal });
    address.listen(() => this.#changed(), signal);
  }

  /** Somebody else has written the hash, or shows another entry. */
  #changed() {
    const { figures, address } = this;
    if (!this.#isOther) return;
    const left = this.isEntry || this.entry === null ? null : this.#text(this.#says());
    if (this.entry !== null && left !== null && left !== this.written) this.late.set(this.entry, left);
    const late = this.late.get(address.entry ?? "");
    if (late !== undefined) address.write(late);
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.isEntry = false;
    this.steps?.end();
    for (const figure of figures) figure.steps.settle();
    this.read();
    for (const { ranges } of figures)
      for (const range of [ranges.x, ranges.y]) {
        range.release();
        range.set(range.home, null, 0, false);
      }
    for (const figure of figures) {
      figure.ask();
      this.#show(figure);
      figure.dispatchEvent(new Event("choice"));
      figure.restyle();
      figure.steps.after();
    }
  }

  /** The address is not the one that was read or written last. */
  get #isOther() {
    return this.address.hash !== this.written || (this.address.entry ?? null) !== this.entry;
  }

  /** Takes choices and views from the hash; values that make no sense stay as published. */
  read() {
    if (this.address.entry === null) this.address.write(this.address.hash); // which gives it a name
    this.#at();
    const params = new URLSearchParams(this.written.slice(1));
    readTabs(params, this.tabs);
    if (this.values) readValues(params, this.values);
    this.said = this.#says();
    for (const figure of this.figures) {
      if (this.values) for (const layer of figure.layers) layer.takeValues();
      for (const layer of figure.layers)
        layer.choice = readChoice(params, layer, suffix(figure.index, layer.index), figure.page);
      this.due.set(figure, params);
    }
  }

  /** The view of the hash, when the figure knows its axes.  @param {Figure} figure */
  #show(figure) {
    const params = this.due.get(figure);
    if (!params || figure.layers.some((layer) => !layer.ready && !layer.failed)) return;
    this.due.delete(figure);
    const end = suffix(figure.index, 0);
    for (const side of /** @type {const} */ (["x", "y"])) {
      const range = figure.axes[side].fromUrl(params.get(`${side}0${end}`), params.get(`${side}1${end}`));
      if (side === "y") figure.followY.isWanted = range === null;
      if (range) figure.ranges[side].set(range, null, 0);
    }
    figure.brush?.read(params.get(`brush${end}`));
    const window = Number(params.get(`follow${end}`));
    if (window > 0 && Number.isFinite(window)) figure.ranges.x.follow(window, null, 0);
  }

  #soon() {
    this.noted = performance.now();
    if (this.waiting !== undefined) return;
    const isFirst = this.noted - this.last > LATEST_MS;
    this.waiting = setTimeout(() => this.#rests(), isFirst ? 0 : WRITE_MS);
  }

  /** Writes the address, or waits on where something has changed just now. */
  #rests() {
    this.waiting = undefined;
    const now = performance.now();
    const wait = Math.min(this.noted + WRITE_MS, this.last + LATEST_MS) - now;
    if (wait > 0) this.waiting = setTimeout(() => this.#rests(), wait);
    else this.write();
  }

  /** A control has another value, or another tab is in front.  @param {boolean} isNew it is an entry of its own */
  #changes(isNew) {
    if (!isNew) {
      if (!this.isEntry) this.said = this.#says();
      this.#soon();
      return;
    }
    // What moved just before belongs to the entry before.
    if (this.waiting !== undefined && !this.isEntry) this.#write(this.said, false);
    this.isEntry = true;
    this.write();
  }

  /** What controls and tabs add to the hash.  @returns {[string, string][]} */
  #says() {
    const values = (this.values?.changed() ?? []).map(
      ([id, value]) => /** @type {[string, string]} */ ([`c.${id}`, JSON.stringify(value)]),
    );
    const tabs = this.tabs.flatMap(({ chosen }, k) =>
      chosen > 0 ? [/** @type {[string, string]} */ ([`tab${suffix(k, 0)}`, String(chosen)])] : [],
    );
    return [...tabs, ...values];
  }

  /** Stops writing. */
  dispose() {
    clearTimeout(this.waiting);
  }

  /** Writes what shows now. */
  write() {
    const said = this.#says();
    if (this.#write(said, this.isEntry)) {
      this.said = said;
      this.isEntry = false;
    }
  }

  /**
   * @param {[string, string][]} said of controls and tabs @param {boolean} isEntry
   * @returns {boolean} false: not yet, a figure that is in front shows nothing, or not any more, another entry is shown
   */
  #write(said, isEntry) {
    if (this.#isOther) {
      this.#changed(); // it was told by nobody yet
      return false;
    }
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.last = performance.now();
    const hash = this.#text(said);
    if (hash === null) return false;
    if (hash === this.written) return true;
    this.address.write(hash, isEntry);
    this.#at();
    return true;
  }

  /** The address as it is now is what shows. */
  #at() {
    this.written = this.address.hash;
    this.entry = this.address.entry ?? null;
    this.late.delete(this.entry ?? "");
  }

  /**
   * The hash of what shows now; null while a figure that is in front shows nothing.
   * @param {[string, string][]} said of controls and tabs @returns {string|null}
   */
  #text(said) {
    const awake = this.figures.filter((figure) => !figure.isAsleep);
    if (awake.some((figure) => !this.due.has(figure) && figure.view === null)) return null;
    const params = new URLSearchParams(said);
    for (const figure of this.figures) writeFigure(params, figure, this.due.get(figure));
    const text = params.toString();
    return text === "" ? "" : `#${text}`;
  }
}

/**
 * The tabs that an address has in front.
 * @param {URLSearchParams} params @param {readonly Tabs[]} tabs
 */
export function readTabs(params, tabs) {
  for (const [k, each] of tabs.entries()) {
    const number = Number(params.get(`tab${suffix(k, 0)}`) ?? 0);
    if (number !== each.chosen) each.choose(Number.isInteger(number) ? number : 0);
  }
}

/** @param {number} figure @param {number} layer @returns {string} */
function suffix(figure, layer) {
  if (layer > 0) return `.${figure}.${layer}`;
  return figure > 0 ? `.${figure}` : "";
}

/**
 * Controls take their values of the address; without one, or with one that makes no sense, that of the document.
 * @param {URLSearchParams} params @param {import("../../figure/values/control-values.js").ControlValues} values
 */
function readValues(params, values) {
  for (const id of values.values.keys()) {
    const text = params.get(`c.${id}`);
    /** @type {import("../../types.js").ControlValue} */ let value = values.published(id);
    try {
      const found = text === null ? value : JSON.parse(text);
      if (values.takes(id, found)) value = found;
    } catch {
      // no JSON: somebody's typing
    }
    values.set(id, value);
  }
}

/**
 * @param {URLSearchParams} params @param {Figure} figure
 * @param {URLSearchParams} [due] what the figure is to show once its tab comes to the front
 */
function writeFigure(params, figure, due) {
  const brush = figure.brush?.text;
  if (brush) params.set(`brush${suffix(figure.index, 0)}`, brush);
  for (const layer of figure.layers) {
    const { choice, published, index } = layer;
    const end = suffix(figure.index, index);
    for (const key of PLAIN) if (choice[key] !== published[key]) params.set(key + end, choice[key]);
    for (const key of AXES) {
      const kind = choice[key];
      if (kind !== null && kind !== defaultKind(layer, key === "xaxis" ? "x" : "y")) params.set(key + end, kind);
    }
    for (const key of ENDS) {
      const clip = choice[key];
      if (clip !== published[key])
        params.set(key + end, clip === null ? "" : isValue(clip) ? String(clip) : `p${clip.percentile}`);
    }
  }
  if (due) {
    for (const key of VIEW) {
      const text = due.get(key + suffix(figure.index, 0));
      if (text !== null) params.set(key + suffix(figure.index, 0), text);
    }
    return;
  }
  const { x, y } = figure.ranges;
  if (x.isFollowing && x.window !== x.usual) params.set(`follow${suffix(figure.index, 0)}`, String(x.window));
  if (x.now === null || y.now === null || (x.atHome && (y.atHome || figure.followY.isOn))) return;
  for (const side of /** @type {const} */ (["x", "y"])) {
    if (side === "y" ? figure.followY.isOn : x.isFollowing) continue;
    const [start, stop] = figure.axes[side].toUrl(
      /** @type {import("../../geometry/view.js").View} */ (figure.view)[side],
    );
    params.set(`${side}0${suffix(figure.index, 0)}`, start);
    params.set(`${side}1${suffix(figure.index, 0)}`, stop);
  }
}

/**
 * @param {URLSearchParams} params
 * @param {import("../../layers/layer.js").Layer} layer
 * @param {string} end
 * @param {import("../../render/colormaps.js").Maps} maps
 * @returns {Choice}
 */
function readChoice(params, layer, end, maps) {
  /** @type {Choice} */
  const choice = { ...layer.published };
  const has = (/** @type {string|null} */ name) =>
    name !== null && layer.columns.some((c) => c.name === name && c.plottable);
  for (const key of /** @type {const} */ (["x", "y"])) {
    const value = params.get(key + end);
    if (has(value)) choice[key] = /** @type {string} */ (value);
  }
  for (const key of AXES) choice[key] = params.get(key + end);
  const glyph = params.get(`glyph${end}`);
  choice.glyph = GLYPHS.find((each) => each === glyph) ?? choice.glyph;
  if (choice.glyph !== layer.published.glyph) choice.agg = defaultAgg(choice.glyph);
  choice.agg = params.get(`agg${end}`) ?? choice.agg;
  choice.cmap = canonical(params.get(`cmap${end}`) ?? choice.cmap, maps) ?? choice.cmap;
  const how = params.get(`how${end}`);
  if (how !== null && HOWS.has(how)) choice.how = /** @type {Choice["how"]} */ (how);
  if (params.get(`root${end}`) === "full") choice.root = "full";
  choice.filter = params.get(`filter${end}`) ?? choice.filter;
  const hide = readLabels(params.get(`hide${end}`) ?? "");
  choice.hide = writeLabels(hide ?? []);
  for (const key of ENDS) {
    const text = params.get(key + end);
    if (text === "") choice[key] = null;
    else if (text !== null) choice[key] = readEnd(text) ?? choice[key];
  }
  return choice;
}

/** @param {string} text @returns {import("../../render/norm.js").Clip} */
function readEnd(text) {
  if (!text.startsWith("p")) return readValue(text);
  const number = Number(text.slice(1));
  return Number.isFinite(number) ? { percentile: Math.min(100, Math.max(0, number)) } : null;
}
