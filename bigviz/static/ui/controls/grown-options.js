// Options that are a column's values grow with their data: new labels are offered without a reload.

/** @typedef {import("../../types.js").ControlValue} ControlValue */

/** The server is asked at most once in so many milliseconds, however fast rows come. */
const PAUSE_MS = 2_000;

/**
 * @param {import("../../figure/values/control-values.js").ControlValues} values
 * @param {Pick<import("../../figure/page.js").Page, "connection"|"streams"|"offline">} page
 * @param {(id: string) => HTMLElement|null} element of a control
 * @param {(id: string) => void} remake a control has other options
 * @param {AbortSignal} signal ends it
 */
export function followOptions(values, page, element, remake, signal) {
  if (page.offline || page.connection.url === "") return;
  for (const [id, { options }] of Object.entries(values.controls)) {
    if (!options || Array.isArray(options)) continue;
    const follower = new Follower(id, values, page.connection, element, remake, signal);
    page.streams.addEventListener(
      "version",
      (event) => {
        if (/** @type {CustomEvent} */ (event).detail.dataset === options.dataset) follower.soon();
      },
      { signal },
    );
  }
}

class Follower {
  /**
   * @param {string} id @param {import("../../figure/values/control-values.js").ControlValues} values
   * @param {Pick<import("../../wire/connection.js").Connection, "url"|"get">} connection
   * @param {(id: string) => HTMLElement|null} element @param {(id: string) => void} remake @param {AbortSignal} signal
   */
  constructor(id, values, connection, element, remake, signal) {
    this.id = id;
    this.values = values;
    this.connection = connection;
    this.element = element;
    this.remake = remake;
    this.signal = signal;
    this.isDue = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.waiting = undefined;
    signal.addEventListener("abort", () => clearTimeout(this.waiting));
  }

  /** There are other rows. */
  soon() {
    this.isDue = true;
    this.waiting ??= setTimeout(() => void this.#ask(), 0);
  }

  async #ask() {
    const { id, connection, signal } = this;
    this.isDue = false;
    try {
      const base = connection.url.replace(/^ws/, "http").replace(/\?.*$/, "");
      const answer = await connection.get(new URL(`controls/${id}/options.json`, base), { signal });
      if (answer.ok) this.#take(await answer.json());
    } catch {
      // the connection is lost, or the page goes: the next version asks again
    }
    if (signal.aborted) return;
    this.waiting = setTimeout(() => {
      this.waiting = undefined;
      if (this.isDue) this.soon();
    }, PAUSE_MS);
  }

  /** @param {{options: ControlValue[], more: boolean}} found */
  #take(found) {
    if (!this.values.offer(this.id, found)) return;
    const element = this.element(this.id);
    // What is being used is not taken away.
    if (element?.contains(document.activeElement))
      element.addEventListener("focusout", () => setTimeout(() => this.remake(this.id)), { once: true });
    else this.remake(this.id);
  }
}
