// Figures take the values of controls: at once, and while one is dragged the newest, as fast as pictures come.

/** @typedef {import("./control-values.js").ControlValues} ControlValues */
/** What is seen of a figure; `hasTaken`: its picture is of the values that it took last, if only an estimate.
 * @typedef {EventTarget & {readonly hasTaken: boolean, takeValues: () => void}} Taking */

/** Where no picture comes, the next value is taken after so many milliseconds. */
const STEP_MS = 1_000;

/**
 * @template {Taking} F
 * @param {readonly F[]} figures @param {ControlValues} values @param {AbortSignal} signal ends it
 * @param {(figure: F, id: string) => boolean} [isShown] the figure shows the control's new value in another way
 */
export function followValues(figures, values, signal, isShown = () => false) {
  for (const figure of figures) {
    const steps = new ValueSteps(figure);
    values.onChange((id) => {
      if (!isShown(figure, id)) steps.soon();
    }, signal);
    signal.addEventListener("abort", () => clearTimeout(steps.waiting));
  }
}

export class ValueSteps {
  /** @param {Taking} figure fires `frame` when it has drawn */
  constructor(figure) {
    this.figure = figure;
    this.isBusy = false;
    this.isDue = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.waiting = undefined;
    figure.addEventListener("frame", () => {
      if (this.isBusy && figure.hasTaken) this.#next();
    });
  }

  /** There is another value. */
  soon() {
    this.isDue = true;
    if (this.isBusy) return;
    this.isBusy = true;
    queueMicrotask(() => this.#next()); // several values that change together are one step
  }

  #next() {
    clearTimeout(this.waiting);
    this.isBusy = this.isDue;
    if (!this.isDue) return;
    this.isDue = false;
    this.waiting = setTimeout(() => this.#next(), STEP_MS);
    this.figure.takeValues();
  }
}
