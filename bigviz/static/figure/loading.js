// What a figure shows while it waits: a bar over its plot while a view is on its way, a card with the progress of the
// server until there is a picture, and the reason where nothing can be drawn.

import { find } from "../dom.js";

/**
 * @typedef {{stage: string, done: number, rows: number, seconds: number}} Progress  of work in the server; `seconds`
 *   since it began
 */

/** A bar that blinks for every step would be noise: it shows when waiting becomes noticeable. */
const BUSY_MS = 120;
/** Preparations shorter than this are not worth a card. */
const CARD_MS = 200;

export class Loading {
  /**
   * @param {HTMLElement} section of the figure
   * @param {() => boolean} hasPicture a picture, which a card must not cover
   */
  constructor(section, hasPicture) {
    this.section = section;
    this.hasPicture = hasPicture;
    this.bar = find(section, ".loading", HTMLElement);
    this.filled = find(this.bar, "div", HTMLElement);
    this.card = find(section, ".surface .card", HTMLElement);
    this.title = find(this.card, ".card-title", HTMLElement);
    this.note = find(this.card, ".card-note", HTMLElement);
    this.meter = find(this.card, ".meter", HTMLElement);
    this.meterFilled = find(this.meter, "div", HTMLElement);
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.showing = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.preparing = undefined;
    /**
     * @type {(share: number|null) => void} the share that has come, once waiting is noticeable; null when nothing is on
     * its way
     */
    this.onBusy = () => {};
    /** What the server does before it can answer.  @type {Progress|null} */
    this.prepared = null;
  }

  /** Stops the timers. */
  dispose() {
    clearTimeout(this.showing);
    clearTimeout(this.preparing);
  }

  /** The card is shown. */
  get hasCard() {
    return !this.card.hidden;
  }

  /** The share of the requested tiles that has come; null when nothing is on its way.  @param {number|null} share */
  busy(share) {
    const busy = share !== null;
    if (this.section.getAttribute("aria-busy") !== String(busy)) this.section.setAttribute("aria-busy", String(busy));
    if (!busy) {
      clearTimeout(this.showing);
      this.showing = undefined;
      if (!this.bar.hidden) this.onBusy(null);
      this.bar.hidden = true;
      return;
    }
    this.showing ??= setTimeout(() => {
      this.bar.hidden = false;
      this.onBusy(share);
    }, BUSY_MS);
    if (!this.bar.hidden) this.onBusy(share);
    this.filled.style.transform = `scaleX(${Math.max(0.04, share)})`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  }

  /** Nothing can be drawn: says so where the picture would be.  @param {string} words the server's */
  fail(words) {
    this.card.hidden = false;
    this.meter.hidden = true;
    this.title.textContent = "Nothing to draw";
    this.note.textContent = words;
  }

  /** What the server does before it can answer; null hides it.  @param {Progress|null} now */
  progress(now) {
    if (!now) {
      clearTimeout(this.preparing);
      this.preparing = undefined;
      this.prepared = null;
      this.card.hidden = true;
      return;
    }
    this.prepared = now;
    this.preparing ??= setTimeout(() => {
      this.card.hidden = this.hasPicture(); // a picture is not covered: the status line says it too
      this.#tell();
    }, CARD_MS);
    if (this.hasCard) this.#tell();
  }

  /**
   * Fills the card, once it is shown: the first number in words takes 30 ms, which a first picture need not wait for.
   */
  #tell() {
    const { prepared: now } = this;
    if (!now) return;
    this.meter.hidden = false;
    this.title.textContent = `${now.stage.charAt(0).toUpperCase()}${now.stage.slice(1)}`;
    this.meterFilled.style.transform = `scaleX(${Math.max(0.02, Math.min(1, now.done))})`;
    this.meter.setAttribute("aria-valuenow", String(Math.round(now.done * 100)));
    const rows = now.rows > 0 ? `${now.rows.toLocaleString("en")} rows` : "";
    this.note.textContent = [`${Math.round(now.done * 100)} %`, rows, timeLeft(now)].filter(Boolean).join(" · ");
  }
}

/**
 * How long work will still take, if that can be estimated.
 * @param {Pick<Progress, "done"|"seconds">} now
 * @returns {string} empty where it cannot
 */
export function timeLeft({ done, seconds }) {
  if (done <= 0.05 || done >= 1 || seconds <= 1) return "";
  return `about ${Math.max(1, Math.round((seconds * (1 - done)) / done))} s left`;
}
