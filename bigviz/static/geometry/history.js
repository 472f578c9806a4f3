// Undo and redo.

import { equalRanges } from "./view.js";

/** @typedef {import("./view.js").Ranges} Ranges */

/** Undo and redo of views. Holds ranges only, so a resized figure goes back to what it showed, at its new size. */
export class History {
  /** @param {Ranges} first @param {number} [limit] entries kept */
  constructor(first, limit = 200) {
    /** @type {Ranges[]} */ this.entries = [{ x: first.x, y: first.y }];
    this.index = 0;
    this.limit = limit;
  }

  get canUndo() {
    return this.index > 0;
  }

  get canRedo() {
    return this.index < this.entries.length - 1;
  }

  /** Notes a settled view; what was undone is forgotten. The same ranges twice are one entry.  @param {Ranges} ranges */
  push(ranges) {
    if (equalRanges(this.entries[this.index], ranges)) return;
    this.entries.splice(this.index + 1, Number.POSITIVE_INFINITY, { x: ranges.x, y: ranges.y });
    if (this.entries.length > this.limit) this.entries.shift();
    this.index = this.entries.length - 1;
  }

  /** @returns {Ranges|null} the ranges before the current ones, now current; null at the beginning */
  undo() {
    if (!this.canUndo) return null;
    this.index -= 1;
    return this.entries[this.index];
  }

  /** @returns {Ranges|null} what the last undo left; null when there is none */
  redo() {
    if (!this.canRedo) return null;
    this.index += 1;
    return this.entries[this.index];
  }
}
