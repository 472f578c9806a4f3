// Which changes of controls and tabs make an entry in the browser's history: each that a viewer makes. What is dragged
// or typed is one, and so are changes of one control that follow each other at once, as with the arrow keys.

/** Changes of one control within this time are one. */
const SAME_MS = 1_000;

export class ViewerSteps {
  /**
   * @param {HTMLElement} element holds the controls @param {AbortSignal} signal ends it
   * @param {() => number} [now] milliseconds
   */
  constructor(element, signal, now = () => performance.now()) {
    this.now = now;
    /** The control that the viewer changes, until the event is handled by all.  @type {string|null} */
    this.touched = null;
    /** It is in the viewer's hand: a `change` follows once it is let go. */ this.isHeld = false;
    /** The last entry: what was changed, until when, and whether it is still in the viewer's hand.
     * @type {{key: string, at: number, held: boolean}|null} */
    this.last = null;
    for (const name of ["input", "change", "click"])
      element.addEventListener(name, (event) => this.#touch(event), { capture: true, signal });
    // It is settled, after all have heard of it.
    element.addEventListener(
      "change",
      (event) => {
        const key = controlOf(event);
        if (key !== null && this.last?.key === key) this.last = { key, at: this.now(), held: false };
      },
      { signal },
    );
  }

  /**
   * Something has another value.
   * @param {string} key @param {boolean} isViewers a viewer's doing, else this is asked of what is being touched
   * @returns {boolean} it is an entry of its own
   */
  isNew(key, isViewers = this.touched === key) {
    if (!isViewers) return false;
    const { last } = this;
    const isSame = last?.key === key && (last.held || this.now() - last.at < SAME_MS);
    this.last = { key, at: this.now(), held: this.touched === key && this.isHeld };
    return !isSame;
  }

  /** Another entry is shown, or nothing goes on. */
  end() {
    this.last = null;
  }

  /** @param {Event} event */
  #touch(event) {
    this.touched = controlOf(event);
    this.isHeld = event.type === "input";
    setTimeout(() => {
      this.touched = null;
    });
  }
}

/** @param {Event} event @returns {string|null} the id of the control that it is in */
function controlOf({ target }) {
  const place = target instanceof Element ? target.closest("[data-control]") : null;
  return place instanceof HTMLElement ? (place.dataset.control ?? null) : null;
}
