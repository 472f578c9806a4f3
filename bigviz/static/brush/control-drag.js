// A slider that is dragged is a brush: layers whose filter compares a column with it show each step as fast as a
// brush moves, and are asked for as filtered layers when it is let go. The server says which layers can.

import { Pace } from "./pace.js";
import { isDrawn, targetOf } from "./targets.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/layer.js").Layer} Layer */

/** What is seen of a linked brush.
 * @typedef {Pick<import("./linked-brush.js").LinkedBrush, "figures"|"mode"|"shapes"|"resting"|"numbersOver"|
 *   "tellNumbers"|"follow"> & {seq: number, isPaused: boolean}} Link */

/** Controls that move along numbers or days. */
const DRAGGED = new Set(["slider", "range", "date_range"]);
/** Where so many messages were sent that there is room for few. */
const PAUSE_MS = 50;
/** Steps of keys, and of days, end when none has come for so long: each is a change of its own. */
const REST_MS = 500;
/** What was prepared is given back when the control has not been used for so long. */
const CLOSE_MS = 60_000;
/** Of tables of so few rows filtered layers come as fast, and their rows are drawn one by one. */
const FEW_ROWS = 100_000;

export class ControlDrag {
  /**
   * @param {{figures: readonly Figure[], values: import("../figure/values/control-values.js").ControlValues, page:
   *   import("../figure/page.js").Page, links: readonly Link[]}} o `links`: the linked brushes, which go with a drag
   * @param {AbortSignal} signal ends it
   */
  constructor({ figures, values, page, links }, signal) {
    this.figures = figures;
    this.values = values;
    this.page = page;
    this.links = links;
    this.signal = signal;
    /** The control that is prepared, or that the server refused.  @type {string|null} */ this.control = null;
    /** Layers that the server brushes for it, as figure/layer; null until it has said so.  @type {Set<string>|null} */
    this.taking = null;
    /** The control is in the viewer's hands, and layers show it as a brush. */ this.isMoving = false;
    /** The input that is handled now is the viewer's, in this control.  @type {string|null} */ this.touched = null;
    this.isPointer = false;
    this.seq = 0;
    /** Brushes that rested when it was prepared. */ this.basis = "";
    this.pace = new Pace();
    /** The id of the newest step: it is answered once more where it was an estimate. */ this.last = 0;
    this.isDue = false;
    /** What the step before was of. */ this.sent = "";
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.later = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.resting = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.closing = undefined;
    const { connection } = page;
    connection.addEventListener("brushed", (event) => this.#came(/** @type {CustomEvent} */ (event).detail), {
      signal,
    });
    connection.addEventListener("down", () => this.#lost(), { signal });
    connection.addEventListener("update", () => this.#giveUp(), { signal });
    signal.addEventListener("abort", () => {
      for (const each of [this.later, this.resting, this.closing]) clearTimeout(each);
    });
    for (const figure of figures) {
      figure.addEventListener("exact", () => this.#follow(), { signal });
      figure.addEventListener("data", () => this.#giveUp(), { signal });
      figure.addEventListener("refused", () => this.#clear(figure), { signal });
      figure.addEventListener("frame", () => this.#drawn(figure), { signal });
    }
  }

  /** Listens to the controls in an element.  @param {HTMLElement} element */
  listen(element) {
    const options = { capture: true, signal: this.signal };
    /** @param {string} name @param {(id: string, event: Event) => void} take */
    const on = (name, take) =>
      element.addEventListener(
        name,
        (event) => {
          const place = event.target instanceof Element ? event.target.closest("[data-control]") : null;
          const id = place instanceof HTMLElement ? (place.dataset.control ?? "") : "";
          if (DRAGGED.has(this.values.controls[id]?.type)) take(id, event);
        },
        options,
      );
    on("pointerover", (id) => this.prepare(id));
    on("focusin", (id) => this.prepare(id));
    on("pointerdown", () => {
      this.isPointer = true;
    });
    on("keydown", () => {
      this.isPointer = false;
    });
    on("input", (id) => this.#touch(id));
    on("change", (id) => {
      this.#touch(id);
      if (this.isPointer && this.values.controls[id].type !== "date_range") setTimeout(() => this.#release());
    });
    on("pointercancel", () => this.#release());
  }

  /** The viewer's hand is on a control until this event was handled by all.  @param {string} id */
  #touch(id) {
    this.touched = id;
    setTimeout(() => {
      this.touched = null;
    });
  }

  /** The pointer or the focus is on a control: what its drag needs is made.  @param {string} id */
  prepare(id) {
    const basis = this.#sources.map(({ index }) => index).join();
    if (this.isMoving || (this.control === id && this.basis === basis) || !this.#mayBegin()) return;
    this.control = id;
    this.basis = basis;
    this.taking = null;
    this.pace.clear(); // what is said of another control is not of this one
    if (this.#targets(id).length === 0)
      this.control = null; // its layers may be on their way
    else this.#send(true);
  }

  #mayBegin() {
    const { connection, offline } = this.page;
    const resting = this.links.filter(({ shapes }) => shapes.size > 0);
    const isAlone = resting.length === 0 || (resting.length === 1 && resting[0].mode === "filter");
    return connection.isUp && !offline && isAlone;
  }

  /** The link whose brushes rest.  @returns {Link|null} */
  get #link() {
    return this.links.find(({ shapes }) => shapes.size > 0) ?? null;
  }

  /** The figures with brushes that rest.  @returns {Figure[]} */
  get #sources() {
    return [...(this.#link?.shapes.keys() ?? [])];
  }

  /** A brush that rests in another figure filters a figure.  @param {Figure} figure @returns {Figure[]} such ones */
  #above(figure) {
    return this.#link?.figures.includes(figure) ? this.#sources.filter((each) => each !== figure) : [];
  }

  /** A control moves a layer: by its own filter, or by that of a brush.
   * @param {Figure} figure @param {Layer} layer @param {string} id */
  #isMoved(figure, layer, id) {
    return this.#uses(layer, id) || this.#above(figure).some(({ main }) => main && this.#uses(main, id));
  }

  /**
   * A control has another value: does the figure show it as a brush? All its layers that use the control do, or none.
   * @param {Figure} figure @param {string} id @returns {boolean}
   */
  shows(figure, id) {
    if (this.touched !== id || !DRAGGED.has(this.values.controls[id]?.type)) return false;
    this.prepare(id);
    const link = this.#link;
    const isMoved = (/** @type {Figure} */ each) => each.layers.some((layer) => this.#isMoved(each, layer, id));
    if (!isMoved(figure)) return false;
    const isReady = this.control === id && this.taking !== null && this.#mayBegin() && this.#holds(figure, id);
    // All that brushes show is taken along, or nothing: a connection has one brush.
    if (!isReady || (link && !this.figures.every((f) => f.isAsleep || !isMoved(f) || this.#holds(f, id)))) {
      if (link && this.isMoving) this.#release();
      return false;
    }
    if (link) link.isPaused = true;
    this.isMoving = true;
    clearTimeout(this.resting);
    if (!this.isPointer || this.values.controls[id].type === "date_range")
      this.resting = setTimeout(() => this.#release(), REST_MS);
    queueMicrotask(() => this.#step());
    return true;
  }

  /** @param {Figure} figure @param {string} id @returns {boolean} */
  #holds(figure, id) {
    const users = figure.layers.filter((layer) => this.#isMoved(figure, layer, id));
    return users.length > 0 && users.every((layer) => this.#takes(figure, layer) && this.#fits(layer, id));
  }

  /** @param {Layer} layer @param {string} id @returns {boolean} */
  #uses({ choice, spec }, id) {
    return id in (this.values.namedIn(choice.filter) ?? {}) || Object.values(spec).includes(`$${id}`);
  }

  /** What differs from the picture is values in its filter alone.  @param {Layer} layer @param {string} id */
  #fits(layer, id) {
    if (!isDrawn(layer) || Object.values(layer.spec).includes(`$${id}`)) return false;
    const bare = (/** @type {object} */ each) => JSON.stringify({ ...each, values: null });
    return layer.definition !== null && bare(layer.define()) === bare(layer.definition);
  }

  /** @param {Figure} figure @param {Layer} layer @returns {boolean} */
  #takes(figure, layer) {
    return this.taking?.has(`${figure.index}/${layer.index}`) ?? false;
  }

  /**
   * The layers that use a control, as they would be with its value; once it is known, only those that are brushed.
   * @param {string} id @returns {import("./targets.js").Target[]}
   */
  #targets(id) {
    return this.figures.flatMap((figure) =>
      figure.isAsleep || (this.taking && !this.#holds(figure, id))
        ? []
        : figure.layers.flatMap((layer) => {
            const few = (layer.info?.rows ?? 0) < FEW_ROWS;
            if (few || !this.#isMoved(figure, layer, id) || !this.#fits(layer, id)) return [];
            const target = targetOf(figure, layer, layer.define());
            return target ? [target] : [];
          }),
    );
  }

  /** The newest value, if it was not sent. */
  #step() {
    if (this.isMoving && this.control !== null && this.#text(this.#targets(this.control)) !== this.sent) this.#send();
  }

  /** @param {object[]} targets @returns {string} what a step is of */
  #text(targets) {
    return JSON.stringify([targets, this.#link?.resting(null) ?? []]);
  }

  /** The figures show something else than at the last step. */
  #follow() {
    if (this.isMoving) this.#step();
  }

  /** @param {boolean} [prepare] nothing is shown yet */
  #send(prepare = false) {
    const { control, page } = this;
    if (control === null || !page.connection.isUp) return;
    const hasRoom = page.connection.hasRoom();
    const wait = prepare ? 0 : hasRoom ? this.pace.wait : PAUSE_MS;
    this.isDue = wait === null;
    if (wait === null) return;
    if (prepare && !hasRoom) {
      this.control = null;
      return;
    }
    if (wait > 0) {
      this.later ??= setTimeout(() => this.#stepNow(), wait);
      return;
    }
    const targets = this.#targets(control);
    if (targets.length === 0) {
      this.#giveUp();
      return;
    }
    this.seq = 1 + Math.max(this.seq, ...this.links.map(({ seq }) => seq));
    for (const each of this.links) each.seq = this.seq;
    this.sent = prepare ? "" : this.#text(targets);
    this.last = page.connection.brush({
      control,
      seq: this.seq,
      ...(prepare ? { prepare } : {}),
      targets,
      ...this.#besides(targets[0].definition.dataset),
    });
    this.pace.sent(this.last);
    clearTimeout(this.closing);
    this.closing = setTimeout(() => this.#close(), CLOSE_MS);
  }

  /** What waits to be sent need not wait any more. */
  #stepNow() {
    clearTimeout(this.later);
    this.later = undefined;
    this.#step();
  }

  /** The brushes that rest, and live figures.  @param {string} dataset @returns {object} */
  #besides(dataset) {
    const link = this.#link;
    if (!link) return {};
    const figures = link.figures.map(({ index }) => index);
    const numbers = link.numbersOver(dataset);
    const others = link.resting(null).map((each) => ({ ...each, figures }));
    return { others, ...(numbers.length > 0 ? { numbers } : {}) };
  }

  /** @param {import("../wire/brush-group.js").Brushed} step */
  #came({ id, parts, end, error, isReplaced }) {
    if (!this.pace.came(id, end) && id !== this.last) return;
    if (error) {
      if (!isReplaced) this.#giveUp(this.control);
      else if (!this.taking) this.control = null; // by another brush: it is prepared when it is next touched
    }
    const taking = end?.taking && new Set(end.taking.map((place) => place.join("/")));
    if (taking) this.taking ??= taking;
    if (this.isDue || this.later !== undefined) this.#stepNow(); // before it is drawn, which takes a while
    if (end && taking) this.#take(taking, parts, end);
  }

  /**
   * @param {ReadonlySet<string>} taking the layers that are brushed
   * @param {import("../wire/brush-group.js").BrushPart[]} parts @param {import("../wire/brush-group.js").BrushEnd} end
   */
  #take(taking, parts, end) {
    if (!this.isMoving || !this.taking) return;
    if (JSON.stringify([...taking]) !== JSON.stringify([...this.taking])) {
      this.#giveUp();
      return;
    }
    for (const part of parts) {
      const figure = this.figures[part.figure];
      const layer = figure?.layers[part.layer];
      if (!layer || !this.#holds(figure, this.control ?? "")) continue;
      const step = { isOver: false, seq: end.brush, stays: this.#above(figure).length > 0, share: end.share };
      layer.takeBrush(part, step, figure);
      figure.stepped();
    }
    this.#link?.tellNumbers(end);
  }

  /** The control was let go: what it filters is asked for, and takes the place of what the brush has drawn. */
  #release() {
    clearTimeout(this.resting);
    clearTimeout(this.later);
    this.later = undefined;
    this.isDue = false;
    this.pace.clear();
    this.sent = "";
    if (!this.isMoving) return;
    this.isMoving = false;
    for (const each of this.links) each.isPaused = false;
    for (const figure of this.figures) {
      const taken = figure.layers.filter((layer) => this.#takes(figure, layer));
      if (taken.length === 0) continue;
      figure.takeValues();
      delete figure.section.dataset.old; // the picture is of this value already
      for (const layer of taken) if (!layer.asked && !layer.brushed?.stays) layer.brushed = null;
      figure.redraw();
    }
    this.#link?.follow();
  }

  /** Another way is taken until something else is asked for.  @param {string|null} [refused] the control, for good */
  #giveUp(refused = null) {
    this.#release();
    this.control = refused;
    this.taking = refused === null ? null : new Set();
  }

  /** The connection is gone, and the brush with it: the figures ask anew once it is up. */
  #lost() {
    this.#giveUp();
    clearTimeout(this.closing);
  }

  #close() {
    if (this.isMoving) return;
    if (this.#mayBegin() && this.taking?.size)
      this.page.connection.brush({ figure: 0, layer: 0, seq: ++this.seq, targets: [] });
    this.control = this.taking = null;
  }

  /** What was asked for cannot be shown: the picture is that of the value before.  @param {Figure} figure */
  #clear(figure) {
    for (const layer of figure.layers) if (this.#takes(figure, layer) && !layer.brushed?.stays) layer.brushed = null;
  }

  /** What came is on the screen.  @param {Figure} figure */
  #drawn(figure) {
    const steps = figure.layers.flatMap(({ brushed }) => (brushed ? [brushed.seq] : []));
    if (steps.length > 0) figure.section.dataset.brush = String(Math.max(...steps));
    else delete figure.section.dataset.brush;
  }
}
