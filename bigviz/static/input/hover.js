// What lies under the pointer: coordinates, the cell's exact value or the line's real row, shown in a tooltip, a
// crosshair and a mark.

import { find, make } from "../dom.js";
import { RowReader } from "../wire/row-values.js";
import { BarLayer } from "../layers/lines/bar-layer.js";
import { barFacts } from "./bar-facts.js";
import { cellFacts, wholeCell } from "./cell-words.js";
import { HoverMark } from "./hover-mark.js";
import { rowFacts } from "./row-words.js";
import { boxesIn, tipPlace } from "./tip-place.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/cell-hit.js").Hit} Hit */
/** @typedef {import("./row-words.js").Row} Row */
/** @typedef {import("./bar-facts.js").Fact} Fact */
/** Where a row, a cell or the view is looked into; while it is open clicks on cells look into them too.
 * @typedef {{readonly isOpen: boolean, openView: () => void,
 *   openRow: (values: import("../wire/row-values.js").RowValues, layer: import("../layers/layer.js").Layer) => void,
 *   openCell: (hit: Hit, layer: import("../layers/layer.js").Layer, facts: Fact[]) => void}} Inspector */

const REACH = 60;
/** How far a mark may be from the pointer. */
const MARK_REACH = 24;
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
    /** What is clicked is shown in full there.  @type {Inspector|null} */ this.inspector = null;
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
    const { inspector } = this;
    if (region !== "plot" || !inspector || !this.figure.view) return;
    const { plot, size } = this.figure.painter;
    const [x, y] = [(px - plot.x) * size.dpr, (py - plot.y) * size.dpr];
    const row = this.#row(x, y);
    if (row) {
      const values = await this.rows.ask(this.#number(row.layer), row.row);
      if (!values) return;
      this.hide();
      inspector.openRow(values, row.layer);
      return;
    }
    const cell = into || inspector.isOpen ? this.#cell(x, y) : null;
    if (cell) inspector.openCell(cell.hit, cell.layer, wholeCell(cell.hit, cell.layer, this.figure));
  }

  /** The row or the cell that is told of, else the view: all its columns, and its rows. */
  inspect() {
    const { place, figure, inspector } = this;
    const { plot, size } = figure.painter;
    const [x, y] = place ? [(place.px - plot.x) * size.dpr, (place.py - plot.y) * size.dpr] : [0, 0];
    if (place && (this.#row(x, y) || this.#cell(x, y))) void this.click(place.px, place.py, "plot", true);
    else inspector?.openView();
  }

  hide() {
    if (this.reading) return;
    this.place = null;
    this.told = null;
    clearTimeout(this.dwelling);
    if (!this.tip.hidden) this.tip.hidden = true;
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
      ? [...rowFacts(row, figure), ...this.#otherColumns(row)]
      : bar
        ? barFacts(bar.hit, bar.layer, figure)
        : cellFacts(hit, found?.layer ?? figure.main, figure, px, py);
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
   * @returns {{hit: import("../layers/lines/bar-layer.js").BarHit, layer: import("../layers/layer.js").Layer}|null}
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
