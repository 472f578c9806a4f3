// Undo and redo.

/**
 * States of something, in the order in which they were shown, and which of them is shown now.
 * @template State
 */
export class History {
  /**
   * @param {State} first
   * @param {(a: State, b: State) => boolean} equal these are one state
   * @param {number} [limit] states kept
   */
  constructor(first, equal, limit = 200) {
    /** @type {State[]} */ this.entries = [first];
    this.equal = equal;
    this.index = 0;
    this.limit = limit;
  }

  get now() {
    return this.entries[this.index];
  }

  get canUndo() {
    return this.index > 0;
  }

  get canRedo() {
    return this.index < this.entries.length - 1;
  }

  /** Notes a state; what was undone is forgotten. The same state twice is one.  @param {State} state */
  push(state) {
    if (this.equal(this.now, state)) return;
    this.entries.splice(this.index + 1, Number.POSITIVE_INFINITY, state);
    if (this.entries.length > this.limit) this.entries.shift();
    this.index = this.entries.length - 1;
  }

  /** Replaces the state that is shown now: more is known of it.  @param {State} state */
  amend(state) {
    this.entries[this.index] = state;
  }

  /**
   * The current state could not be shown: it is dropped in favour of the one before it, or else the one after it.
   */
  withdraw() {
    if (this.entries.length === 1) return;
    this.entries.splice(this.index, 1);
    this.index = Math.max(0, this.index - 1);
  }

  /** @returns {State|null} the state before, now current; null at the beginning */
  undo() {
    if (!this.canUndo) return null;
    this.index -= 1;
    return this.now;
  }

  /** @returns {State|null} what the last undo left; null when there is none */
  redo() {
    if (!this.canRedo) return null;
    this.index += 1;
    return this.now;
  }
}
