// Pointer, wheel and touch of one plot, as gestures. It knows nothing of ranges: the listener turns pixels into views.

import { wheelZoom } from "./wheel.js";

/** @typedef {"plot"|"x"|"y"|"bar"|"none"} Region */
/**
 * What the plot does about gestures. Positions and distances are CSS pixels from the top left of the surface; `time` is
 * event.timeStamp. Where the page `scrolls`, one finger over the plot is the page's; `scrolled` tells that it dragged
 * there and that the plot did not move, `isTaken` that the page did. The wheel is the page's too unless the plot
 * `wheels`, or Ctrl is held.
 * @typedef {{
 *   region: (px: number, py: number) => Region,
 *   boxMode: () => boolean,
 *   scrolls: () => boolean,
 *   wheels: () => boolean,
 *   scrolled: (isTaken: boolean) => void,
 *   pan: (dx: number, dy: number, time: number) => void,
 *   zoom: (fx: number, fy: number, px: number, py: number, time: number) => void,
 *   box: (from: [number, number], to: [number, number], done: boolean, time: number) => void,
 *   unbox: () => void,
 *   reset: (region: Region, time: number) => void,
 *   bar: (from: [number, number], to: [number, number], done: boolean, time: number) => void,
 *   hover: (px: number, py: number, region: Region, touch: boolean) => void,
 *   click: (px: number, py: number, region: Region, into: boolean) => void,
 *   leave: () => void,
 *   rest: () => void,
 * }} Gestures
 */
/** @typedef {{x: number, y: number, x0: number, y0: number, moved: boolean}} Finger */

/** A press that stays within so many pixels is a click, not a drag. */
const SLOP = 3;
/** Fingers closer than this on one axis say nothing about that axis: both then follow their distance. */
const THIN = 40;
/** Two taps within this time and distance are a double click. */
const TAP_MS = 320;
const TAP_PX = 24;

export class Pointer {
  /** @param {HTMLElement} surface @param {Gestures} gestures */
  constructor(surface, gestures) {
    this.surface = surface;
    this.on = gestures;
    /** @type {Map<number, Finger>} */ this.fingers = new Map();
    /** @type {Region} */ this.held = "none";
    /** "scroll": what is dragged is the page, not the plot.  @type {"pan"|"box"|"bar"|"scroll"|null} */ this.drag =
      null;
    this.tap = { x: 0, y: 0, time: Number.NEGATIVE_INFINITY };
    surface.addEventListener("wheel", (e) => this.#wheel(e), { passive: false });
    surface.addEventListener("pointerdown", (e) => this.#down(e));
    // The surface's touch-action lets the browser scroll with any number of fingers; a move that is prevented here is
    // the plot's alone.
    surface.addEventListener(
      "touchmove",
      (e) => {
        if (this.drag && this.drag !== "scroll" && e.cancelable) e.preventDefault();
      },
      { passive: false },
    );
    surface.addEventListener("pointermove", (e) => this.#move(e));
    // Browsers hold `pointermove` back until the next frame (Chromium: 4 ms, once in ten times 13 or more); this one
    // they do not. The `pointermove` that follows finds the finger where it is already. Each move is told twice where
    // somebody listens, so a plot listens only while it is dragged.
    this.raw = (/** @type {Event} */ e) => this.#move(/** @type {PointerEvent} */ (e));
    surface.addEventListener("pointerup", (e) => this.#up(e, true));
    surface.addEventListener("pointercancel", (e) => this.#up(e, false));
    surface.addEventListener("pointerleave", (e) => {
      // A lifted finger also leaves, but what it tapped should stay readable.
      if (this.fingers.size === 0 && e.pointerType !== "touch") this.on.leave();
    });
    surface.addEventListener("dblclick", (e) => {
      const [x, y] = this.#at(e);
      this.on.reset(this.on.region(x, y), e.timeStamp);
    });
  }

  /** Gives up what is being dragged (Escape). */
  cancel() {
    if (this.drag === "box" || this.drag === "bar") this.on.unbox();
    this.fingers.clear();
    this.#end();
  }

  /** @param {MouseEvent} e @returns {[number, number]} */
  #at(e) {
    const box = this.surface.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  /** @param {WheelEvent} e */
  #wheel(e) {
    const [x, y] = this.#at(e);
    const region = this.on.region(x, y);
    if (region === "none" || region === "bar" || !(e.ctrlKey || this.on.wheels())) return;
    e.preventDefault();
    const factors = wheelZoom(e, region);
    if (factors) this.on.zoom(...factors, x, y, e.timeStamp);
  }

  /** @param {PointerEvent} e */
  #down(e) {
    if (e.button !== 0 || this.fingers.size === 2) return;
    const [x, y] = this.#at(e);
    const region = this.on.region(x, y);
    if (region === "none") return;
    if (this.fingers.size === 0) this.held = region;
    this.surface.setPointerCapture(e.pointerId);
    this.fingers.set(e.pointerId, { x, y, x0: x, y0: y, moved: false });
    if (this.fingers.size === 2) {
      if (this.drag === "box" || this.drag === "bar") this.on.unbox();
      this.drag = "pan";
    } else if (region === "bar") this.drag = "bar";
    else if (region === "plot" && (e.shiftKey || this.on.boxMode())) this.drag = "box";
    else this.drag = e.pointerType === "touch" && this.on.scrolls() ? "scroll" : "pan";
    this.surface.addEventListener("pointerrawupdate", this.raw);
  }

  /** @param {PointerEvent} e */
  #move(e) {
    const [x, y] = this.#at(e);
    const finger = this.fingers.get(e.pointerId);
    if (!finger) {
      if (this.fingers.size === 0) this.on.hover(x, y, this.on.region(x, y), e.pointerType === "touch");
      return;
    }
    if (!finger.moved && Math.hypot(x - finger.x0, y - finger.y0) < SLOP) return;
    finger.moved = true;
    if (this.fingers.size === 2) this.#pinch(finger, x, y, e.timeStamp);
    else if (this.drag === "box") this.on.box([finger.x0, finger.y0], [x, y], false, e.timeStamp);
    else if (this.drag === "bar") this.on.bar([finger.x0, finger.y0], [x, y], false, e.timeStamp);
    else if (this.drag === "scroll") this.on.scrolled(false);
    else {
      this.surface.dataset.drag = "pan";
      this.on.pan(this.held === "y" ? 0 : x - finger.x, this.held === "x" ? 0 : y - finger.y, e.timeStamp);
    }
    finger.x = x;
    finger.y = y;
  }

  /**
   * Each axis follows its own distance between the fingers.
   * @param {Finger} finger
   * @param {number} x
   * @param {number} y
   * @param {number} time
   */
  #pinch(finger, x, y, time) {
    const [a, b] = this.fingers.values();
    const other = finger === a ? b : a;
    const was = [Math.abs(finger.x - other.x), Math.abs(finger.y - other.y)];
    const now = [Math.abs(x - other.x), Math.abs(y - other.y)];
    const both = Math.hypot(was[0], was[1]) / Math.max(1, Math.hypot(now[0], now[1]));
    const factor = (/** @type {0|1} */ axis) => (was[axis] < THIN || now[axis] < THIN ? both : was[axis] / now[axis]);
    this.on.zoom(
      this.held === "y" ? 1 : factor(0),
      this.held === "x" ? 1 : factor(1),
      (finger.x + other.x) / 2,
      (finger.y + other.y) / 2,
      time,
    );
    this.on.pan((x - finger.x) / 2, (y - finger.y) / 2, time);
  }

  /** @param {PointerEvent} e @param {boolean} done */
  #up(e, done) {
    const finger = this.fingers.get(e.pointerId);
    if (!finger) return;
    this.fingers.delete(e.pointerId);
    const [x, y] = this.#at(e);
    const { drag } = this;
    if (this.fingers.size > 0) return;
    this.#end();
    if (drag === "scroll" && !done) this.on.scrolled(true);
    else if (!done || !finger.moved) {
      if (drag === "box" || drag === "bar") this.on.unbox();
      if (done) this.#click(e, x, y);
    } else if (drag === "box") this.on.box([finger.x0, finger.y0], [x, y], true, e.timeStamp);
    else if (drag === "bar") this.on.bar([finger.x0, finger.y0], [x, y], true, e.timeStamp);
    else if (drag === "pan") this.on.rest();
  }

  /**
   * A tap shows the value under it; a second one resets, as a double click does (which touch does not send here).
   * @param {PointerEvent} e
   * @param {number} x
   * @param {number} y
   */
  #click(e, x, y) {
    const region = this.on.region(x, y);
    if (e.pointerType === "touch") {
      const twice = e.timeStamp - this.tap.time < TAP_MS && Math.hypot(x - this.tap.x, y - this.tap.y) < TAP_PX;
      this.tap = { x, y, time: twice ? Number.NEGATIVE_INFINITY : e.timeStamp };
      if (twice) return this.on.reset(region, e.timeStamp);
    }
    this.on.hover(x, y, region, e.pointerType === "touch");
    this.on.click(x, y, region, e.altKey);
  }

  #end() {
    this.surface.removeEventListener("pointerrawupdate", this.raw);
    this.drag = null;
    this.held = "none";
    delete this.surface.dataset.drag;
  }
}
