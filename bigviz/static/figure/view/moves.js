// Where a figure's view goes: by gestures and keys, home, back to an earlier step, with the figures that it is linked
// to, and on with data that grow.

import { asKind } from "../../geometry/shared-range.js";
import { length } from "../../geometry/span.js";
import { aheadOf, isAhead } from "../growth/ahead.js";

/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("./steps.js").Step} Step */
/** @typedef {import("../../geometry/shared-range.js").SharedRange} SharedRange */
/** @typedef {import("../../layers/layer.js").Layer} Layer */
/** What moves see of their figure; `due`: what to show once its columns have come.
 * @typedef {{readonly index: number, readonly page: import("../page.js").Page, readonly layers: readonly Layer[], view:
 *   View|null, due: Step|null, readonly ranges: {x: SharedRange, y: SharedRange}, readonly axes: {x: {readonly exact:
 *   boolean}, y: {readonly exact: boolean}}, readonly steps: import("./steps.js").Steps, readonly followY:
 *   import("./follow-y.js").FollowY, readonly requests: {follow: () => void, update: () => void}, readonly drawing:
 *   {moved: boolean, renew: () => void, glided: () => void}, redraw: () => void,
 *   takeChoices: (choice: (layer: Layer) => import("../../layers/layer.js").Choice) => void}} Moving */

/** Of the length of a window that was glided: what the steps of a glide add up to is rounded away. */
const DIGITS = 12;

export class Moves {
  /** @param {Moving} figure */
  constructor(figure) {
    this.figure = figure;
    /** What is asked for while x follows the newest data: the view, and where it goes next.  @type {View|null} */
    this.ahead = null;
    for (const range of [figure.ranges.x, figure.ranges.y]) {
      range.addEventListener("change", (event) => {
        const { by, time, isGlide } = /** @type {CustomEvent} */ (event).detail;
        if (isGlide) this.#glided();
        else if (by !== figure) this.#joined(time, by === range);
      });
      range.addEventListener("grow", () => figure.redraw());
    }
  }

  /**
   * A gesture's or key's zoom, see `View.zoom`: of x alone where y follows; one of y alone ends that.
   * @param {number} fx
   * @param {number} fy
   * @param {number} px
   * @param {number} py device pixels
   * @param {number} time event.timeStamp
   */
  zoom(fx, fy, px, py, time) {
    const { view, followY } = this.figure;
    if (fx === 1) followY.isWanted = false;
    if (view) this.show(view.zoom(fx, followY.isOn ? 1 : fy, px, py), time);
  }

  /**
   * A gesture's or key's pan, of x alone where y follows.
   * @param {number} dx
   * @param {number} dy device pixels
   * @param {number} time event.timeStamp
   */
  pan(dx, dy, time) {
    const { view, followY } = this.figure;
    if (view) this.show(view.pan(dx, followY.isOn ? 0 : dy), time);
  }

  /** Lets y follow what is shown, or keeps it where it is.  @param {boolean} isWanted */
  followY(isWanted) {
    const { figure } = this;
    figure.steps.before("follow");
    figure.followY.isWanted = isWanted;
    figure.redraw();
    figure.steps.settle();
  }

  /** Moves y to what x shows, where it follows that: before a frame is drawn. */
  fitY() {
    const { figure } = this;
    const { view } = figure;
    const next = view && figure.followY.fit(view);
    if (!next || next === view) return;
    figure.view = next;
    figure.ranges.y.set(next.y, figure, 0, figure.ranges.y.moved);
  }

  /**
   * A gesture's view; x goes on following the newest data if it is not touched.
   * @param {View} next
   * @param {number} time event.timeStamp
   */
  show(next, time) {
    const { figure } = this;
    const { view, ranges, steps } = figure;
    if (!view || next.equals(view)) return;
    steps.before("view");
    figure.view = next;
    figure.page.latency.input(figure.index, time);
    if (!ranges.x.isFollowing || next.x !== view.x) ranges.x.set(next.x, figure, time);
    ranges.y.set(next.y, figure, time);
    figure.drawing.moved = true;
    figure.requests.follow();
    this.lookAhead();
    figure.drawing.renew();
    steps.after();
  }

  /**
   * Another figure moved a shared range, or its home became known.
   * @param {number} time
   * @param {boolean} known its home became known
   */
  #joined(time, known) {
    const { figure } = this;
    const next = this.#ranged();
    if (!next) return;
    if (!known) figure.steps.before("view");
    figure.view = next;
    if (time > 0) figure.page.latency.input(figure.index, time);
    figure.drawing.moved = time > 0;
    if (time > 0) figure.requests.follow();
    this.lookAhead();
    figure.drawing.renew();
    if (known) figure.steps.known();
    else figure.steps.after();
  }

  /** @returns {View|null} what the shared ranges say, if that is another view */
  #ranged() {
    const { ranges, view, axes } = this.figure;
    if (!view || ranges.x.now === null || ranges.y.now === null) return null;
    const next = view.show({ x: asKind(ranges.x.now, axes.x.exact), y: asKind(ranges.y.now, axes.y.exact) });
    return next.equals(view) ? null : next;
  }

  /** @param {"x"|"y"|"xy"} sides @param {number} time */
  home(sides, time) {
    const { figure } = this;
    const { ranges, view, axes } = figure;
    if (!view) return;
    if (sides.includes("y")) figure.followY.isWanted = true;
    const [x, y] = [sides.includes("x"), sides.includes("y")];
    if (x) ranges.x.release();
    if (y) ranges.y.release();
    const next = view.show({
      ...(x ? { x: asKind(ranges.x.home, axes.x.exact) } : {}),
      ...(y ? { y: asKind(ranges.y.home, axes.y.exact) } : {}),
    });
    this.show(next, time);
    // Nobody has moved it any more, unless a locked view shows more than home.
    if (x && ranges.x.isOnHome) ranges.x.release();
    if (y && ranges.y.isOnHome) ranges.y.release();
    this.lookAhead();
    figure.steps.settle();
  }

  /** All data, where the first view leaves some out.  @param {number} time */
  showAll(time) {
    const { figure } = this;
    const { ranges, view, axes } = figure;
    if (!view) return;
    figure.followY.isWanted = false;
    this.show(view.show({ x: asKind(ranges.x.all, axes.x.exact), y: asKind(ranges.y.all, axes.y.exact) }), time);
    figure.steps.settle();
  }

  /** What an earlier or later step showed.  @param {import("./steps.js").Step} step @param {number} time */
  restore(step, time) {
    const { figure } = this;
    const { view, ranges } = figure;
    figure.followY.isWanted = step.follows;
    figure.takeChoices((layer) => ({ ...layer.choice, ...step.choices[layer.index] }));
    if (figure.layers.some((layer) => layer.asked !== null)) figure.due = step;
    else if (view) {
      if (step.window === null && ranges.x.isFollowing) ranges.x.set(view.x, figure, time);
      this.show(view.show({ ...(step.window === null ? { x: step.x ?? view.x } : {}), y: step.y ?? view.y }), time);
      if (step.window !== null) this.#follow(step.window, time);
    }
  }

  // With data that grow.

  /**
   * Follows the newest data, with as much of x as is shown, or stays where it is.
   * @param {boolean} isOn @param {number} time event.timeStamp
   */
  followX(isOn, time) {
    const { figure } = this;
    const { view, ranges, steps } = figure;
    if (!view || isOn === ranges.x.isFollowing) return;
    steps.before("live");
    if (isOn) this.#follow(Number(length(view.x).toPrecision(DIGITS)), time);
    else ranges.x.set(view.x, figure, time);
    this.lookAhead();
    figure.drawing.renew();
    steps.settle();
  }

  /** @param {number} window @param {number} time */
  #follow(window, time) {
    const { figure } = this;
    figure.ranges.x.follow(window, null, time);
    this.lookAhead();
  }

  /**
   * Moves x on, where it glides: before a frame is drawn.
   * @param {number} time ms @returns {boolean} it has not arrived
   */
  glide(time) {
    const { view, ranges } = this.figure;
    return view !== null && ranges.x.advance(time, length(view.x) / view.width);
  }

  #glided() {
    const { figure } = this;
    const next = this.#ranged();
    if (!next) return;
    figure.view = next;
    if (this.lookAhead()) figure.requests.update();
    figure.drawing.glided();
  }

  /**
   * While x follows the newest data, more than the view is asked for, so that it can glide for some time.
   * @returns {boolean} there is more to ask for than before
   */
  lookAhead() {
    const { view, ranges, followY } = this.figure;
    const before = this.ahead;
    if (!view || !ranges.x.isFollowing) this.ahead = null;
    else if (!before || !isAhead(before, view, followY.isOn)) this.ahead = aheadOf(view);
    return this.ahead !== before;
  }
}
