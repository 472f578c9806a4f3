// The brushes of linked figures: one in each at most, of which the last one touched moves. Its steps are sent as fast
// as they are answered, the newest always, and what comes back is drawn in the other figures.

import { Pace } from "./pace.js";
import { sourceOf, targetsOf } from "./targets.js";
import { wordsOf } from "./shape.js";
import { isInPlace } from "../layers/in-place.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("./shape.js").Shape} Shape */

/** A live figure: `take` shows a value of the brush, until `release`.
 * @typedef {{take: (value: number|string|null, isExact: boolean) => void, release: () => void}} Live */

/** Where so many messages were sent that there is room for few. */
const PAUSE_MS = 50;
/** How many rows are in the brush is told when it has rested so long. */
const REST_MS = 600;
/** Brushes rest when no step has come for so long; figures under them take the values of controls then. */
const TAKE_MS = 400;

/** Fires `rest` when its brushes rest, all counted, or are gone. */
export class LinkedBrush extends EventTarget {
  /**
   * @param {{figures: readonly Figure[], mode: "filter"|"highlight", page: import("../figure/page.js").Page,
   *   named?: readonly string[], numbers?: ReadonlyMap<string, Live>}} o the figures of one link; `named`: the live
   *   figures among `numbers` that are in it
   * @param {AbortSignal} signal ends it
   */
  constructor({ figures, mode, page, named = [], numbers = new Map() }, signal) {
    super();
    this.named = named;
    this.numbers = numbers;
    this.figures = figures;
    this.mode = mode;
    this.page = page;
    /** Where each figure is brushed.  @type {Map<Figure, Shape>} */ this.shapes = new Map();
    /** @type {Figure|null} whose brush moves */ this.active = null;
    /** Another that rests: its step shows what the active one's own figure is left with.  @type {Figure|null} */
    this.owed = null;
    this.seq = 0;
    /** A control is dragged, whose steps these brushes are in. */ this.isPaused = false;
    /** The id of the newest step: it is answered once more where it was an estimate. */ this.last = 0;
    /** The newest step whose rows were told. */ this.told = 0;
    this.pace = new Pace();
    this.isDue = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.later = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.telling = undefined;
    /** How many rows are in the brush that moves.  @type {string|null} */ this.count = null;
    /** What the figures showed at the step before.  @type {unknown} */ this.sent = null;
    /** Figures whose brush shows values that they have not taken.  @type {Set<Figure>} */ this.holding = new Set();
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.taking = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.ending = undefined;
    const { connection } = page;
    connection.addEventListener("brushed", (event) => this.#came(/** @type {CustomEvent} */ (event).detail), {
      signal,
    });
    connection.addEventListener("up", () => this.#again(), { signal });
    connection.addEventListener("update", () => this.#again(), { signal });
    page.values?.onChange(() => queueMicrotask(() => this.follow()), signal);
    signal.addEventListener("abort", () => {
      clearTimeout(this.later);
      clearTimeout(this.telling);
      clearTimeout(this.taking);
      clearTimeout(this.ending);
    });
    for (const figure of figures) {
      figure.addEventListener("exact", () => this.follow(), { signal });
      figure.addEventListener("choice", () => this.follow(), { signal });
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
    if (this.active === figure || this.shapes.size > 0 || this.pace.flying.size > 0) return;
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

  /**
   * A control has another value: does the brush show a figure with it? All layers of the figure are under it, or none.
   * @param {Figure} figure @param {string} id @returns {boolean} the figure takes the value when the control rests
   */
  shows(figure, id) {
    const { layers } = figure;
    if (this.shapes.size === 0 || !this.page.connection.isUp || !this.figures.includes(figure)) return false;
    if (layers.length === 0 || !layers.every((layer) => isShown(layer, id))) return false;
    this.holding.add(figure);
    clearTimeout(this.taking);
    this.taking = setTimeout(() => this.#release(), TAKE_MS);
    return true;
  }

  /** Figures become layers of the values that their brush has shown. */
  #release() {
    clearTimeout(this.taking);
    if (this.isPaused) {
      this.taking = setTimeout(() => this.#release(), TAKE_MS);
      return;
    }
    for (const figure of this.holding) {
      figure.takeValues();
      delete figure.section.dataset.old; // the picture is of these values already
    }
    this.holding.clear();
  }

  /** A brush is gone: the others show what they leave.  @param {Figure} figure */
  #cleared(figure) {
    this.#release();
    const left = [...this.shapes.keys()];
    if (left.length === 0) this.#rests();
    if (left.length === 0) for (const id of this.named) this.numbers.get(id)?.release();
    if (left.length < 2) for (const each of left.length === 0 ? this.figures : left) forget(each);
    if (left.length > 0) {
      this.active = left[0];
      this.#sendAll();
      return;
    }
    this.active = figure;
    this.seq += 1;
    this.pace.clear();
    this.#sendNow();
  }

  /** The figures show something else than at the last step. */
  follow() {
    if (this.isPaused || this.shapes.size === 0 || !this.active) return;
    if (JSON.stringify(this.#shown()) !== JSON.stringify(this.sent)) this.#sendAll();
  }

  /** Nothing that was sent is answered any more, or it is about other rows. */
  #again() {
    this.pace.clear();
    this.sent = null;
    if (this.shapes.size > 0) this.#sendAll();
    else this.active = null;
  }

  /** @returns {unknown} what brushes are over, and what the figures under them show: none of it changes later */
  #shown() {
    const sources = [...this.shapes.keys()].map((figure) => sourceOf(figure.main));
    const under = this.figures.filter((figure) => this.shapes.size > 1 || !this.shapes.has(figure));
    const dataset = sources.find((each) => each !== null)?.dataset;
    const targets = dataset ? under.map((figure) => targetsOf(figure, dataset)) : [];
    return [sources, targets, this.numbersOver(dataset)];
  }

  /** @param {string|undefined} dataset @returns {{control: string, values: object}[]} the live figures over it */
  numbersOver(dataset) {
    const { values } = this.page;
    if (!values) return [];
    return this.named
      .filter((id) => values.controls[id]?.dataset === dataset)
      .map((id) => ({ control: id, values: values.namedIn(values.controls[id].filter ?? "") ?? {} }));
  }

  /** Every figure is to be brought up to date: that of the active brush by a step of another one. */
  #sendAll() {
    this.owed = [...this.shapes.keys()].find((each) => each !== this.active) ?? null;
    this.#send();
  }

  #send() {
    const { page } = this;
    if (!page.connection.isUp || page.offline) return;
    const wait = page.connection.hasRoom() ? this.pace.wait : PAUSE_MS;
    this.isDue = wait === null;
    if (wait === null) return;
    if (wait > 0) {
      this.later ??= setTimeout(() => this.#sendNow(), wait);
      return;
    }
    const { active, owed } = this;
    this.owed = null;
    if (owed && this.shapes.has(owed)) {
      this.#sendOf(owed);
      this.#send();
    } else if (active) this.#sendOf(active);
  }

  /** What waits to be sent need not wait any more. */
  #sendNow() {
    clearTimeout(this.later);
    this.later = undefined;
    this.#send();
  }

  /**
   * The brushes that rest, as a message names them.
   * @param {Figure|null} moving whose brush does not @returns {object[]}
   */
  resting(moving) {
    return [...this.shapes].flatMap(([figure, each]) => {
      const its = figure === moving ? null : (sourceOf(figure.main) ?? figure.main?.definition);
      return its ? [{ figure: figure.index, layer: 0, definition: its, ...wordsOf(each) }] : [];
    });
  }

  /** A step of a brush.  @param {Figure} moving whose brush it is */
  #sendOf(moving) {
    const definition = sourceOf(moving.main);
    if (!definition) return;
    const shape = this.shapes.get(moving);
    const targets = this.figures.flatMap((each) => (each === moving ? [] : targetsOf(each, definition.dataset)));
    const numbers = this.numbersOver(definition.dataset);
    if (targets.length === 0 && numbers.length === 0 && shape) return;
    const others = this.resting(moving);
    this.seq += 1;
    this.sent = this.#shown();
    const id = this.page.connection.brush({
      figure: moving.index,
      layer: 0,
      definition,
      seq: this.seq,
      ...(shape ? wordsOf(shape) : {}),
      targets,
      ...(others.length > 0 ? { others } : {}),
      ...(numbers.length > 0 ? { numbers } : {}),
    });
    this.pace.sent(id);
    this.last = id;
  }

  /** @param {import("../wire/brush-group.js").Brushed} step */
  #came({ id, parts, end, error, isReplaced }) {
    if (!this.pace.came(id, end) && !(this.shapes.size > 0 && id === this.last)) return;
    if (this.isDue || this.later !== undefined) this.#sendNow(); // before it is drawn, which takes a while
    if (error && !isReplaced) this.page.notices.note(error);
    if (end && this.shapes.size > 0) {
      this.#tell(end);
      const step = { isOver: this.mode === "highlight", seq: end.brush, stays: true, share: end.share };
      this.tellNumbers(end);
      if (end.exact) this.#rests();
      for (const part of parts) {
        const figure = this.figures.find((each) => each.index === part.figure);
        figure?.layers[part.layer]?.takeBrush(part, step, figure);
      }
      for (const figure of new Set(parts.map((part) => part.figure)))
        this.figures.find((each) => each.index === figure)?.stepped();
    }
  }

  /** A step was counted, or nothing is brushed: if no step follows, the brushes rest. */
  #rests() {
    clearTimeout(this.ending);
    this.ending = setTimeout(() => this.dispatchEvent(new Event("rest")), this.shapes.size > 0 ? TAKE_MS : 0);
  }

  /** @param {import("../wire/brush-group.js").BrushEnd} end */
  tellNumbers({ numbers = {}, exact }) {
    for (const [id, value] of Object.entries(numbers)) this.numbers.get(id)?.take(value, exact);
  }

  /** @param {import("../wire/brush-group.js").BrushEnd} end */
  #tell({ selected, of, brush, exact }) {
    if (brush < this.told || of === 0) return; // of none: it was prepared, and nothing is counted
    this.told = brush;
    this.count = `${exact ? "" : "about "}${selected.toLocaleString("en")} rows`;
    this.active?.dispatchEvent(new Event("brushed"));
    clearTimeout(this.telling);
    this.telling = setTimeout(
      () => this.page.notices.say(`${this.count} of ${of.toLocaleString("en")} are in the brush`),
      REST_MS,
    );
  }

  /** What came is on the screen.  @param {Figure} figure */
  #drawn(figure) {
    const steps = figure.layers.flatMap(({ brushed }) => (brushed ? [brushed.seq] : []));
    if (steps.length === 0) delete figure.section.dataset.brush;
    else figure.section.dataset.brush = String(Math.max(...steps));
  }
}

/** The rows of a brush stand in the place of a layer, and a control decides which at most.
 * @param {import("../layers/layer.js").Layer} layer @param {string} id */
function isShown(layer, id) {
  const { brushed, definition, spec } = layer;
  if (!brushed?.stays || !brushed.stands || definition === null) return false;
  return !Object.values(spec).includes(`$${id}`) && isInPlace(layer.define(), definition);
}

/** A figure shows all rows again.  @param {Figure} figure */
function forget(figure) {
  for (const layer of figure.layers) layer.brushed = null;
  delete figure.section.dataset.brush;
  figure.redraw();
}
