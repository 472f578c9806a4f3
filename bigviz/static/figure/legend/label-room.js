// The room that labels have left of a plot and next to its colour bar. It grows as soon as they need it and shrinks
// late, so that labels of changing length do not shake the plot.

import { barRoom, leftFor } from "../../axes/draw.js";
import { barLabelWidth } from "./legend.js";

/** @typedef {import("../../axes/draw.js").Context} Context */
/** @typedef {import("../../axes/draw.js").Rect} Rect */
/** @typedef {import("../../render/norm.js").Norm} Norm */
/**
 * @typedef {{ys: import("../../axes/axis.js").Tick[], look: import("../../axes/draw.js").Look, bar: {norm: Norm, rect:
 *   Rect, words: import("../../axes/values.js").ValueWords}|null}} Labels what is labelled; bar: null if no labels
 *   stand next to one
 */

/** Room shrinks only by more than this. */
const SLACK = 24;
const FIRST_LEFT = 60;

export class LabelRoom {
  constructor() {
    /** CSS pixels left of the plot. */ this.left = FIRST_LEFT;
    /** CSS pixels next to the colour bar. */ this.bar = barRoom(0);
    /** How wide the labels of a normalisation are.  @type {{norm: Norm, width: number}|null} */
    this.labelled = null;
    /** What the labels of y need.  @type {{ys: Labels["ys"], font: string, left: number}|null} */ this.told = null;
  }

  /** @param {Context} context @param {Labels} labels @returns {boolean} the labels have room, and not far too much */
  suits(context, labels) {
    return isSettled(this.left, this.#leftFor(context, labels)) && isSettled(this.bar, this.#barFor(context, labels));
  }

  /** Takes the room that the labels need.  @param {Context} context @param {Labels} labels */
  fit(context, labels) {
    const [left, bar] = [this.#leftFor(context, labels), this.#barFor(context, labels)];
    if (!isSettled(this.left, left)) this.left = left;
    if (!isSettled(this.bar, bar)) this.bar = bar;
  }

  /** Kept, since measuring words takes longer than drawing them.  @param {Context} context @param {Labels} labels */
  #leftFor(context, { ys, look }) {
    const { font } = look;
    if (this.told?.ys !== ys || this.told.font !== font) this.told = { ys, font, left: leftFor(context, ys, look) };
    return this.told.left;
  }

  /** @param {Context} context @param {Labels} labels @returns {number} CSS pixels */
  #barFor(context, { bar, look }) {
    if (!bar) return this.bar;
    const { norm, words, rect } = bar;
    if (this.labelled?.norm !== norm) this.labelled = { norm, width: barLabelWidth(context, norm, words, rect, look) };
    return barRoom(this.labelled.width);
  }
}

/**
 * @param {number} now
 * @param {number} wanted
 * @returns {boolean} room is wide enough, and not by so much that it is to shrink
 */
function isSettled(now, wanted) {
  return wanted <= now && now - wanted < SLACK;
}
