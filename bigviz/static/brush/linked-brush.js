// The brushes of linked figures: one in each at most, of which the last one touched moves. Its steps are sent as fast
// as they are answered, the newest always, and what comes back is drawn in the other figures.

import { wordsOf } from "./shape.js";
import { takesPart, targetsOf } from "./targets.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("./shape.js").Shape} Shape */

/** Steps on their way: the server counts one while the next is sent. */
const MOST_FLYING = 2;
/** Where so many messages were sent that there is room for few. */
const PAUSE_MS = 50;
/** How many rows are in the brush is told when it has rested so long. */
const REST_MS = 600;

export class LinkedBrush {
  /**
   * @param {{figures: readonly Figure[], mode: "filter"|"highlight", page: import("../figure/page.js").Page}} o the
   *   figures of one link
   * @param {AbortSignal} signal ends it
   */
  constructor({ figures, mode, page }, signal) {
    this.figures = figures;
    this.mode = mode;
    this.page = page;
    /** Where each figure is brushed.  @type {Map<Figure, Shape>} */ this.shapes = new Map();
    /** @type {Figure|null} whose brush moves */ this.active = null;
    this.seq = 0;
    /** The id of the newest step: it is answered once more where it was an estimate. */ this.last = 0;
    /** The newest step whose rows were told. */ this.told = 0;
    this.flying = new Set();
    this.isDue = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.later = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.telling = undefined;
    /** How many rows are in the brush that moves.  @type {string|null} */ this.count = null;
    /** What the step before showed itself in.  @type {string} */ this.sent = "";
    const { connection } = page;
    connection.addEventListener("brushed", (event) => this.#came(/** @type {CustomEvent} */ (event).detail), {
      signal,
    });
    connection.addEventListener("up", () => this.#again(), { signal });
    connection.addEventListener("update", () => this.#again(), { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.later);
      clearTimeout(this.telling);
    });
    for (const figure of figures) {
      figure.addEventListener("exact", () => this.#follow(), { signal });
      figure.addEventListener("data", () => this.#again(), { signal });
      figure.addEventListener("frame", () => this.#drawn(figure), { signal });
    }
  }

  /** @param {Figure} figure @returns {Shape|null} */
  shapeOf(figure) {
    return this.shapes.get(figure) ?? null;
  }

  /** The pointer is over a figure: its brush is prepared.  @param {Figure} figure */
  prepare(figure) {
    if (this.active === figure || this.shapes.size > 0 || this.flying.size > 0) return;
    this.active = figure;
    this.#send();
  }

  /** Another brush in a figure, or none.  @param {Figure} figure @param {Shape|null} shape */
  set(figure, shape) {
    if (shape) this.shapes.set(figure, shape);
    else if (!this.shapes.delete(figure)) return;
    if (shape) this.active = figure;
    figure.dispatchEvent(new Event("brush"));
    if (shape) this.#send();
    else this.#cleared(figure);
  }

  /** A brush is gone: the others show what they leave.  @param {Figure} figure */
  #cleared(figure) {
    const left = [...this.shapes.keys()];
    if (left.length < 2) for (const each of left.length === 0 ? this.figures : left) forget(each);
    if (left.length === 0) {
      this.active = figure;
      this.seq += 1;
      this.flying.clear();
      this.isDue = false;
      this.#send();
      return;
    }
    // One that rests shows what the others leave of its rows when one of those moves.
    for (const each of left.slice(0, 2)) {
      this.active = each;
      this.#send(true);
    }
  }

  /** The figures show something else than at the last step. */
  #follow() {
    if (this.shapes.size > 0 && this.active && this.#text() !== this.sent) this.#send();
  }

  /** Nothing that was sent is answered any more, or it is about other rows. */
  #again() {
    this.flying.clear();
    this.sent = "";
    if (this.shapes.size > 0) this.#send();
    else this.active = null;
  }

  /** @returns {string} what the targets show */
  #text() {
    const dataset = this.active?.main?.definition?.dataset;
    return dataset ? JSON.stringify(this.#targets(dataset)) : "";
  }

  /** @param {string} dataset @returns {object[]} */
  #targets(dataset) {
    return this.figures.filter((each) => each !== this.active).flatMap((each) => targetsOf(each, dataset));
  }

  /** @param {boolean} [now] even while others are on their way */
  #send(now = false) {
    const { active, page, shapes } = this;
    const definition = active?.main?.definition;
    if (!active || !definition || !page.connection.isUp || page.offline || !takesPart(active.main, definition.dataset))
      return;
    if (!now && this.flying.size >= MOST_FLYING) {
      this.isDue = true;
      return;
    }
    if (!now && !page.connection.hasRoom()) {
      this.later ??= setTimeout(() => {
        this.later = undefined;
        this.#send();
      }, PAUSE_MS);
      return;
    }
    this.isDue = false;
    const shape = shapes.get(active);
    const targets = this.#targets(definition.dataset);
    if (targets.length === 0 && shape) return;
    const others = [...shapes].flatMap(([figure, each]) =>
      figure === active || !figure.main?.definition
        ? []
        : [{ figure: figure.index, layer: 0, definition: figure.main.definition, ...wordsOf(each) }],
    );
    this.seq += 1;
    this.sent = JSON.stringify(targets);
    const id = page.connection.brush({
      figure: active.index,
      layer: 0,
      definition,
      seq: this.seq,
      ...(shape ? wordsOf(shape) : {}),
      targets,
      ...(others.length > 0 ? { others } : {}),
    });
    this.flying.add(id);
    this.last = id;
  }

  /** @param {import("../wire/brush-group.js").Brushed} step */
  #came({ id, parts, end, error, isReplaced }) {
    if (!this.flying.delete(id) && !(end && this.shapes.size > 0 && id === this.last)) return;
    if (error && !isReplaced) this.page.notices.note(error);
    if (end && this.shapes.size > 0) {
      this.#tell(end);
      for (const part of parts) {
        const figure = this.figures.find((each) => each.index === part.figure);
        figure?.layers[part.layer]?.takeBrush(part, { isOver: this.mode === "highlight", seq: end.brush }, figure);
      }
      for (const figure of new Set(parts.map((part) => part.figure)))
        this.figures.find((each) => each.index === figure)?.redraw();
    }
    if (this.isDue) this.#send();
  }

  /** @param {import("../wire/brush-group.js").BrushEnd} end */
  #tell({ selected, of, brush }) {
    if (brush < this.told || of === 0) return; // of none: it was prepared, and nothing is counted
    this.told = brush;
    this.count = `${selected.toLocaleString("en")} rows`;
    this.active?.dispatchEvent(new Event("brushed"));
    clearTimeout(this.telling);
    const words = `${this.count} of ${of.toLocaleString("en")} are in the brush`;
    this.telling = setTimeout(() => this.page.notices.say(words), REST_MS);
  }

  /** What came is on the screen.  @param {Figure} figure */
  #drawn(figure) {
    const steps = figure.layers.flatMap(({ brushed }) => (brushed ? [brushed.seq] : []));
    if (steps.length === 0) delete figure.section.dataset.brush;
    else figure.section.dataset.brush = String(Math.max(...steps));
  }
}

/** A figure shows all rows again.  @param {Figure} figure */
function forget(figure) {
  for (const layer of figure.layers) layer.brushed = null;
  delete figure.section.dataset.brush;
  figure.redraw();
}
