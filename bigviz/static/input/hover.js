// What lies under the pointer: coordinates, the cell's exact value or the line's real row, shown in a tooltip, a
// crosshair and a mark.

import { labelWords } from "../axes/label-words.js";
import { find, make } from "../dom.js";
import { GLASBEY } from "../render/palette.js";
import { length } from "../geometry/span.js";
import { RowReader } from "../wire/row-values.js";
import { BarLayer } from "../layers/bar-layer.js";
import { barFacts } from "./bar-facts.js";
import { HoverMark } from "./hover-mark.js";
import { boxesIn, tipPlace } from "./tip-place.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/cell-hit.js").Hit} Hit */
/** @typedef {import("../layers/line-layer.js").RowHit} RowHit */
/** A row of a line, or of rows drawn one by one: then with their number, value and category.
 * @typedef {RowHit & {layer: import("../layers/layer.js").Layer, number?: number, value?: number|bigint, label?:
 *   string|null, code?: number}} Row
 */
/** @typedef {import("./bar-facts.js").Fact} Fact */

const REACH = 60;
/** How far a mark may be from the pointer. */
const MARK_REACH = 24;
const MOST_CATEGORIES = 8;
/** A mark under the pointer for so many ms shows its row's other columns too. */
const DWELL = 120;
/** Other columns shown next to a mark; a click shows all. */
const MOST_COLUMNS = 10;
/** Characters of another column's value. */
const LONGEST = 60;

export class Hover {
  /** @param {Figure} figure @param {(words: string) => void} say to screen readers */
  constructor(figure, say) {
    this.figure = figure;
    this.say = say;
    const { surface } = figure;
    this.tip = find(surface, ".tip", HTMLElement);
    this.mark = new HoverMark(surface);
    /** What the tooltip stands off. */
    this.words = [find(surface, ".nothing", HTMLElement), find(surface, ".hint", HTMLElement)];
    /** @type {{px: number, py: number}|null} where, in CSS pixels of the surface */ this.place = null;
    this.reading = false;
    this.queued = 0;
    this.rows = new RowReader(figure.page.connection);
    /** @type {{layer: import("../layers/layer.js").Layer, row: number}|null} the row that is shown */ this.told = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.dwelling = undefined;
    /** @type {(values: import("../wire/row-values.js").RowValues, px: number, py: number, layer:
     *   import("../layers/layer.js").Layer) => void} a row was clicked */
    this.onRow = () => {};
    /** @type {(hit: Hit) => void} a cell is to be looked into */ this.onCell = () => {};
    figure.addEventListener("data", () => this.rows.clear());
    figure.addEventListener("brush", () => this.hide());
    figure.addEventListener("frame", () => {
      if (this.place && figure.exact) this.#show(false);
    });
  }

  /** @param {number} px @param {number} py @param {import("./pointer.js").Region} region @param {boolean} touch */
  at(px, py, region, touch) {
    void touch;
    if (this.reading) return;
    if (region === "bar") this.#onBar(px, py);
    if (region !== "plot") {
      if (region !== "bar") this.hide();
      return;
    }
    this.place = { px, py };
    if (this.queued === 0)
      this.queued = requestAnimationFrame(() => {
        this.queued = 0;
        this.#show(false);
      });
  }

  /**
   * All columns of the row under a click.
   * @param {number} px
   * @param {number} py
   * @param {import("./pointer.js").Region} region
   * @param {boolean} [into] where no row is, look into the cell there
   */
  async click(px, py, region, into = false) {
    const { plot, size } = this.figure.painter;
    const row =
      region === "plot" && this.figure.view ? this.#row((px - plot.x) * size.dpr, (py - plot.y) * size.dpr) : null;
    if (!row) {
      const [x, y] = [(px - plot.x) * size.dpr, (py - plot.y) * size.dpr];
      const hit = into && region === "plot" ? (this.#cell(x, y)?.hit ?? null) : null;
      if (hit) this.onCell(hit);
      return;
    }
    const values = await this.rows.ask(this.#number(row.layer), row.row);
    if (values) this.onRow(values, px, py, row.layer);
  }

  /** The row or the cell that is told of: all its columns, or its rows. */
  inspect() {
    if (this.place) void this.click(this.place.px, this.place.py, "plot", true);
  }

  hide() {
    if (this.reading) return;
    this.place = null;
    this.told = null;
    clearTimeout(this.dwelling);
    this.tip.hidden = true;
    this.mark.hide();
    this.figure.painter.point(null);
  }

  // Reading with the keyboard.

  toggleReading() {
    if (this.reading) {
      this.stopReading();
      return;
    }
    const { plot } = this.figure.painter;
    this.place ??= { px: plot.x + plot.width / 2, py: plot.y + plot.height / 2 };
    this.reading = true;
    this.#show(true);
  }

  stopReading() {
    if (!this.reading) return;
    this.reading = false;
    this.hide();
  }

  /** @param {number} fx @param {number} fy shares of the plot, down positive */
  step(fx, fy) {
    const { plot } = this.figure.painter;
    if (!this.place) return;
    const clamp = (/** @type {number} */ v, /** @type {number} */ low, /** @type {number} */ size) =>
      Math.max(low, Math.min(low + size - 0.5, v));
    this.place = {
      px: clamp(this.place.px + fx * plot.width, plot.x, plot.width),
      py: clamp(this.place.py + fy * plot.height, plot.y, plot.height),
    };
    this.#show(true);
  }

  // What is there.

  /** @param {boolean} aloud */
  #show(aloud) {
    const { figure, place } = this;
    const { view, painter } = figure;
    if (!view || !place || figure.hold) return;
    const { plot } = painter;
    const { dpr } = painter.size;
    const [px, py] = [(place.px - plot.x) * dpr, (place.py - plot.y) * dpr];
    const row = this.#row(px, py);
    const bar = row ? null : this.#bar(px);
    const found = row || bar ? null : this.#cell(px, py);
    const hit = found?.hit ?? null;
    const facts = row
      ? [...this.#rowFacts(row), ...this.#otherColumns(row)]
      : bar
        ? barFacts(bar.hit, bar.layer, figure)
        : this.#cellFacts(hit, found?.layer ?? figure.main, px, py);
    this.#fill(facts, bar ? 1 : 2);
    this.mark.cross((row ? row.px : px) / dpr, (row ? row.py : py) / dpr);
    if (row) this.mark.dot(row.px / dpr, row.py / dpr, row.value !== undefined);
    else this.mark.outline(bar?.hit ?? hit, view, dpr);
    const value = row?.value ?? hit?.value ?? null;
    painter.point(painter.side === "bar" ? value : null);
    this.#move(place.px, place.py);
    if (aloud) this.say(facts.map((f) => `${f.name} ${f.value}`).join(", "));
  }

  /**
   * The nearest real row of any line, or of any rows drawn as marks.
   * @param {number} px
   * @param {number} py
   * @returns {Row|null}
   */
  #row(px, py) {
    const { view, layers, painter } = this.figure;
    const { dpr } = painter.size;
    if (!view) return null;
    /** @type {Row|null} */ let best = null;
    for (const layer of layers) {
      if (layer.isHidden) continue;
      const only = layers.every((l) => !l.raster);
      const hit =
        layer.shownLine?.nearest(view, px, py, only ? undefined : REACH * dpr) ??
        layer.shownRaster?.nearest(view, px, py, MARK_REACH * dpr);
      if (hit && (best === null || hit.distance < best.distance)) best = { ...hit, layer };
    }
    return best;
  }

  /**
   * The cell of the topmost layer that has one.
   * @param {number} px
   * @param {number} py
   * @returns {{hit: Hit, layer: import("../layers/layer.js").Layer}|null}
   */
  #cell(px, py) {
    const { view, layers } = this.figure;
    if (!view) return null;
    for (let k = layers.length - 1; k >= 0; k--) {
      const hit = layers[k].isHidden ? null : layers[k].shownRaster?.valueAt(view, px, py);
      if (hit) return { hit, layer: layers[k] };
    }
    return null;
  }

  /**
   * The bar of the topmost layer that has one at a place of x.
   * @param {number} px
   * @returns {{hit: import("../layers/bar-layer.js").BarHit, layer: import("../layers/layer.js").Layer}|null}
   */
  #bar(px) {
    const { view, layers } = this.figure;
    if (!view) return null;
    for (let k = layers.length - 1; k >= 0; k--) {
      const { shownLine: line, isHidden } = layers[k];
      const hit = !isHidden && line instanceof BarLayer ? line.barAt(view, px) : null;
      if (hit) return { hit, layer: layers[k] };
    }
    return null;
  }

  /** @param {import("../layers/layer.js").Layer} layer @returns {number} its place among all of the document's */
  #number(layer) {
    return this.figure.firstLayer + layer.index;
  }

  /**
   * What the other columns of a row hold; they are requested once the pointer rests on it.
   * @param {Row} hit
   * @returns {Fact[]}
   */
  #otherColumns({ layer, row }) {
    const values = this.rows.known(this.#number(layer), row);
    if (!values) {
      if (this.told?.layer !== layer || this.told.row !== row) {
        clearTimeout(this.dwelling);
        this.dwelling = setTimeout(() => void this.#ask(layer, row), DWELL);
      }
      this.told = { layer, row };
      return [];
    }
    this.told = { layer, row };
    const shown = new Set([layer.definition?.x, layer.definition?.y]);
    const { hover } = this.figure.spec;
    if (hover) {
      const told = hover.flatMap((name) => values.columns.find((c) => c.name === name) ?? []);
      return told.map(({ name, value }) => ({ name, value: brief(value ?? "null") }));
    }
    const others = values.columns.filter((c) => !shown.has(c.name));
    const facts = others.slice(0, MOST_COLUMNS).map(({ name, value }) => ({ name, value: brief(value ?? "null") }));
    const more = others.length - facts.length + values.more;
    return more > 0 ? [...facts, { name: `${more} more: click`, value: "" }] : facts;
  }

  /** @param {import("../layers/layer.js").Layer} layer @param {number} row */
  async #ask(layer, row) {
    const values = await this.rows.ask(this.#number(layer), row);
    if (values && this.told?.layer === layer && this.told.row === row && this.place) this.#show(false);
  }

  /** @param {Row} hit @returns {Fact[]} */
  #rowFacts(hit) {
    const { row, x, y, layer } = hit;
    const { axes, view } = this.figure;
    if (!view) return [];
    if (hit.value !== undefined) return this.#markFacts(hit, hit.value, view);
    return [
      { name: axes.x.title, value: axes.x.format(x.origin, x.offset, (view.x.hi - view.x.lo) / view.width / 100) },
      {
        name: layer.definition?.y ?? axes.y.title,
        value: axes.y.format(y.origin, y.offset, (view.y.hi - view.y.lo) / view.height / 100),
        strong: true,
      },
      ...this.#label(layer),
      { name: "row", value: row.toLocaleString("en") },
    ];
  }

  /** The entry of the legend that a row belongs to.  @param {import("../layers/layer.js").Layer} layer */
  #label(layer) {
    const { legend_label: name, color } = layer.spec;
    /** @type {Fact[]} */
    const facts = name ? [{ name, value: "", color: color ?? undefined }] : [];
    return facts;
  }

  /**
   * @param {Row} hit
   * @param {number|bigint} value
   * @param {import("../geometry/view.js").View} view
   * @returns {Fact[]}
   */
  #markFacts({ row, x, y, layer, number = 1, label, code = 0 }, value, view) {
    const { axes } = this.figure;
    const { plane = "", counts = false, total = null } = layer.info?.traits ?? {};
    /** @type {Fact[]} */
    const facts = [
      { name: axes.x.title, value: axes.x.format(x.origin, x.offset, length(view.x) / view.width / 100) },
      { name: axes.y.title, value: axes.y.format(y.origin, y.offset, length(view.y) / view.height / 100) },
      ...this.#label(layer),
    ];
    const rowsOnly = counts || total === "any"; // their number is shown below
    if (typeof label === "string")
      facts.push({
        name: labelWords(label),
        value: rowsOnly ? "" : layer.words.one(value),
        color: categoryColor(code),
        strong: true,
      });
    else if (!rowsOnly) facts.push({ name: plane, value: layer.words.one(value), strong: true });
    facts.push({ name: "row", value: row.toLocaleString("en"), strong: rowsOnly && typeof label !== "string" });
    if (number > 1) facts.push({ name: "rows here", value: number.toLocaleString("en") });
    return facts;
  }

  /**
   * @param {Hit|null} hit
   * @param {import("../layers/layer.js").Layer} layer
   * @param {number} px
   * @param {number} py
   * @returns {Fact[]}
   */
  #cellFacts(hit, layer, px, py) {
    const { axes, view } = this.figure;
    if (!view) return [];
    const step = { x: (view.x.hi - view.x.lo) / view.width, y: (view.y.hi - view.y.lo) / view.height };
    /** @type {Fact[]} */
    const facts = [
      { name: axes.x.title, value: axes.x.format(view.x.origin, view.xAt(px), step.x) },
      { name: axes.y.title, value: axes.y.format(view.y.origin, view.yAt(py), step.y) },
    ];
    if (!hit && layer?.raster?.marks.covers(view)) return facts;
    if (!hit)
      return layer?.raster
        ? [...facts, { name: layer.definition?.agg ?? "", value: this.figure.exact ? "no cell" : "…" }]
        : facts;
    const mark = hit.estimated ? "about " : "";
    const none = mark + (layer.info?.traits.counts ? "0" : "no rows");
    const told = (/** @type {number|bigint} */ value) =>
      mark + (hit.estimated ? layer.words.about(value) : layer.words.one(value));
    if (!hit.planes) {
      const value = hit.value === null ? none : told(hit.value);
      return [...facts, { name: layer.definition?.agg ?? "", value, strong: true }];
    }
    const present = [...hit.planes].sort((a, b) => (a.value === b.value ? 0 : a.value < b.value ? 1 : -1));
    const whole = layer.info?.traits.counts ? Number(hit.value) : 0;
    for (const p of present.slice(0, MOST_CATEGORIES)) {
      const share = whole > 0 ? `${Math.round((100 * Number(p.value)) / whole)} %` : undefined;
      const color = categoryColor((layer.planes ?? []).indexOf(p.label));
      facts.push({ name: labelWords(p.label), value: told(p.value), color, share });
    }
    if (present.length > MOST_CATEGORIES) facts.push({ name: `${present.length - MOST_CATEGORIES} more`, value: "" });
    if (hit.value !== null) return [...facts, { name: "all", value: told(hit.value), strong: true }];
    // the means of categories do not give that of all rows
    return present.length ? facts : [...facts, { name: "all", value: none, strong: true }];
  }

  /** @param {Fact[]} facts @param {number} [places] how many of them tell where it is */
  #fill(facts, places = 2) {
    const list = make("dl");
    for (const [k, fact] of facts.entries()) {
      if (k === places) list.append(make("div", { class: "rule" }));
      const name = make("dt");
      if (fact.color) {
        const chip = make("span", { class: "chip" });
        chip.style.background = fact.color;
        name.append(chip);
      }
      name.append(make("span", { text: fact.name }));
      const value = make("dd", { class: fact.strong ? "strong" : "", text: fact.value });
      if (fact.share) value.dataset.share = fact.share;
      list.append(name, value);
    }
    this.tip.replaceChildren(list);
    this.tip.hidden = false;
  }

  /** @param {number} px @param {number} py */
  #move(px, py) {
    const { surface } = this.figure;
    const tip = { width: this.tip.offsetWidth, height: this.tip.offsetHeight };
    const room = { width: surface.clientWidth, height: surface.clientHeight };
    const { left, top } = tipPlace(px, py, tip, room, boxesIn(surface, this.words));
    this.tip.style.transform = `translate(${left}px, ${top}px)`;
  }

  /** The value of a colour.  @param {number} px @param {number} py */
  #onBar(px, py) {
    this.hide();
    const { painter, main } = this.figure;
    const norm = main.raster?.norm;
    if (!painter.frame || !norm) return;
    const { bar, narrow } = painter.frame;
    const fraction = narrow ? (px - bar.x) / bar.width : 1 - (py - bar.y) / bar.height;
    if (fraction < 0 || fraction > 1) return;
    const value = norm.told(norm.value(fraction));
    const step = (norm.high - norm.low) / (narrow ? bar.width : bar.height);
    this.#fill([{ name: main.definition?.agg ?? "", value: main.words.near(value, step), strong: true }]);
    this.#move(px, py);
    painter.point(value);
  }
}

/** @param {string} text @returns {string} */
const brief = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** @param {number} code @returns {string} CSS colour of a category */
function categoryColor(code) {
  const c = 3 * (code % (GLASBEY.length / 3));
  return `rgb(${GLASBEY[c]},${GLASBEY[c + 1]},${GLASBEY[c + 2]})`;
}
