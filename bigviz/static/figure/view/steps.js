// The steps of a figure that undo and redo go through: its ranges, and what its layers show and how.

import { History } from "../../geometry/history.js";
import { equalSpans } from "../../geometry/span.js";
import { ownChoice } from "../../layers/controlled.js";

/** @typedef {import("../../geometry/span.js").Span} Span */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../layers/layer.js").Choice} Choice */
/** @typedef {import("../../layers/layer.js").Layer} Layer */
/** A range is null while the columns that it is a range of have not come; `follows`: y follows what x shows; `window`:
 * x shows the newest part of the data, so long, null: it stays where it is.
 * @typedef {{x: Span|null, y: Span|null, choices: readonly Choice[], follows: boolean, window: number|null}} Step */
/** What steps see of their figure.
 * @typedef {EventTarget & {readonly view: View|null, readonly layers: readonly Layer[], readonly followY: {
 *   readonly isWanted: boolean, readonly isOn: boolean}, readonly ranges: {x: {
 *   readonly isFollowing: boolean, readonly window: number|null}}, readonly moves: {
 *   restore: (step: Step, time: number) => void}}} Stepped */

/** Changes of one kind within this time are one step: a drag, a text that is typed. */
const REST_MS = 350;

export class Steps {
  /** @param {Stepped} figure fires `rest` when a step is noted */
  constructor(figure) {
    this.figure = figure;
    /** @type {History<Step>|null} */ this.history = null;
    /** What is changing now and not yet a step: "view", or the keys of a choice.  @type {string|null} */
    this.changing = null;
    /** The step that was gone to waits for its columns. */ this.isGoing = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.resting = undefined;
  }

  dispose() {
    clearTimeout(this.resting);
  }

  get canUndo() {
    return this.history?.canUndo ?? false;
  }

  get canRedo() {
    return this.history?.canRedo ?? false;
  }

  /** Something is about to change: what changed before in another way is a step of its own.  @param {string} kind */
  before(kind) {
    if (this.changing !== null && this.changing !== kind) this.settle();
    this.changing = kind;
  }

  /**
   * Something has changed: it becomes a step once it rests. A choice whose columns the server must find is a step at
   * once.
   */
  after() {
    clearTimeout(this.resting);
    if (isAsking(this.figure.layers)) this.#note();
    else this.resting = setTimeout(() => this.settle(), REST_MS);
  }

  /** Notes what shows now as a step, without waiting for it to rest. */
  settle() {
    clearTimeout(this.resting);
    this.resting = undefined;
    this.#note();
  }

  #note() {
    this.changing = null;
    const state = this.#state();
    if (state && !this.isGoing) this.history?.push(state);
    this.figure.dispatchEvent(new Event("rest"));
  }

  /** The figure shows its layers, again or for the first time. */
  built() {
    const state = this.#state();
    if (!state) return;
    this.history ??= new History(state, (a, b) => equalSteps(a, b, this.figure.followY.isOn));
    const { now } = this.history;
    const isKnown = sameChoices(now, state);
    if (isKnown && (this.isGoing || now.x === null || now.y === null)) this.history.amend(state);
    else if (!isKnown) this.history.push(state);
    this.isGoing = false;
    this.figure.dispatchEvent(new Event("rest"));
  }

  /** The first view was refined: nothing to undo. */
  known() {
    const state = this.#state();
    if (state && this.history && !isAsking(this.figure.layers) && sameChoices(this.history.now, state))
      this.history.amend(state);
  }

  /** The server refused what was chosen last, and the figure shows what it did before. */
  refused() {
    this.isGoing = false;
    const state = this.#state();
    if (state && this.history && !sameChoices(this.history.now, state)) this.history.withdraw();
  }

  /** @param {"undo"|"redo"} way @param {number} time */
  travel(way, time) {
    if (this.changing !== null) this.settle();
    const step = (way === "undo" ? this.history?.undo() : this.history?.redo()) ?? null;
    if (step) {
      this.figure.moves.restore(step, time);
      clearTimeout(this.resting);
      this.changing = null;
      this.isGoing = isAsking(this.figure.layers);
    }
    this.figure.dispatchEvent(new Event("rest"));
  }

  /** @returns {Step|null} null before the first view */
  #state() {
    const { view, layers, followY, ranges } = this.figure;
    if (!view) return null;
    const span = (/** @type {"x"|"y"} */ side) => (layers.some((layer) => isReplaced(layer, side)) ? null : view[side]);
    const window = ranges.x.isFollowing ? ranges.x.window : null;
    const choices = layers.map(ownChoice);
    return { x: span("x"), y: span("y"), choices, follows: followY.isWanted, window };
  }
}

/** @param {readonly Layer[]} layers @returns {boolean} the server has not told yet what was chosen */
function isAsking(layers) {
  return layers.some((layer) => layer.asked !== null);
}

/**
 * @param {Layer} layer
 * @param {"x"|"y"} side
 * @returns {boolean} the view is not one of the columns that were asked for
 */
function isReplaced({ asked, definition }, side) {
  if (!asked || !definition) return false;
  const axis = side === "x" ? "xaxis" : "yaxis";
  return asked[side] !== definition[side] || asked[axis] !== definition[axis] || asked.root !== definition.root;
}

/** @param {Step} a @param {Step} b @returns {boolean} */
function sameChoices(a, b) {
  const text = (/** @type {Step} */ { choices }) =>
    JSON.stringify(choices, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  return text(a) === text(b);
}

/**
 * @param {Step} a
 * @param {Step} b
 * @param {boolean} follows y is what x makes it, in both where both follow
 * @returns {boolean}
 */
function equalSteps(a, b, follows) {
  const same = (/** @type {Span|null} */ p, /** @type {Span|null} */ q) =>
    p === null || q === null ? p === q : equalSpans(p, q);
  const sameX = a.window === b.window && (a.window !== null || same(a.x, b.x));
  return sameX && sameChoices(a, b) && a.follows === b.follows && ((follows && a.follows) || same(a.y, b.y));
}
