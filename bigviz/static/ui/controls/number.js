// A live figure: what the server counts or averages over the rows that a filter keeps.

import { make } from "../../dom.js";
import { labelOf } from "./field.js";

/** @typedef {import("../../types.js").ControlSpec} ControlSpec */

/** What the server is asked where a value moves on, at most once in so many milliseconds. */
const PAUSE_MS = 120;
const NOTHING = "–";

/** Its element; `take` shows a value of a brush, until `release`.
 * @typedef {{element: HTMLElement, take: (value: number|string|null, isExact: boolean) => void, release: () => void}}
 *   LiveFigure */

/**
 * @param {import("./field.js").Built} built
 * @param {Pick<import("../../figure/page.js").Page, "connection"|"streams"|"offline">} page
 * @returns {LiveFigure}
 */
export function number({ id, spec, values, signal }, page) {
  const value = make("output", { class: "figure-value", text: NOTHING, attrs: { name: id } });
  const unit = spec.unit ? [make("span", { class: "unit", text: spec.unit })] : [];
  const element = make("div", { class: "control number", attrs: { "data-control": id, "aria-busy": "true" } }, [
    make("span", { class: "control-label", text: labelOf(id, spec) }),
    make("p", { class: "figure-line" }, [value, ...unit]),
  ]);
  if (page.offline || page.connection.url === "") {
    element.title = "A server works this out.";
    element.ariaBusy = "false";
    return { element, take: () => {}, release: () => {} };
  }
  let isTaken = false;
  /** @param {number|string|null} found @param {boolean} [isExact] */
  const show = (found, isExact = true) => {
    value.textContent = (isExact ? "" : "≈ ") + valueWords(found);
    element.dataset.value = JSON.stringify(found);
    element.title = "";
  };
  const asker = new Asker(
    page.connection,
    id,
    spec,
    values,
    {
      show: (found) => {
        if (!isTaken) show(found);
      },
      fail: (words) => {
        if (isTaken) return;
        value.textContent = NOTHING;
        element.title = words;
      },
      busy: (is) => element.setAttribute("aria-busy", String(is)),
    },
    signal,
  );
  values.onChange((changed) => {
    if (changed in (values.namedIn(spec.filter ?? "") ?? {})) asker.soon();
  }, signal);
  page.streams.addEventListener(
    "version",
    (event) => {
      if (/** @type {CustomEvent} */ (event).detail.dataset === spec.dataset) asker.soon();
    },
    { signal },
  );
  page.connection.addEventListener("up", () => asker.soon(), { signal });
  if (page.connection.isUp) asker.soon();
  return {
    element,
    take: (found, isExact) => {
      isTaken = true;
      show(found, isExact);
    },
    release: () => {
      if (!isTaken) return;
      isTaken = false;
      asker.soon();
    },
  };
}

/** @param {number|string|null} value @returns {string} */
export function valueWords(value) {
  if (value === null) return NOTHING;
  if (typeof value === "string")
    return /^-?\d+$/.test(value) ? BigInt(value).toLocaleString("en") : value.replace("T", " ");
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return value.toPrecision(4);
  return value.toLocaleString("en", size >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 });
}

/** Asks for one figure: the newest values win, and one question is on its way at a time. */
class Asker {
  /**
   * @param {Pick<import("../../wire/connection.js").Connection, "url"|"get">} connection the document's websocket: its
   *   figures have addresses beside it
   * @param {string} id @param {ControlSpec} spec
   * @param {import("../../figure/values/control-values.js").ControlValues} values
   * @param {{show: (value: number|string|null) => void, fail: (words: string) => void,
   *   busy: (is: boolean) => void}} told
   * @param {AbortSignal} signal
   */
  constructor(connection, id, spec, values, told, signal) {
    this.connection = connection;
    this.id = id;
    this.spec = spec;
    this.values = values;
    this.told = told;
    this.signal = signal;
    this.isAsking = false;
    this.isDue = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */ this.waiting = undefined;
    signal.addEventListener("abort", () => clearTimeout(this.waiting));
  }

  /** The figure may be another one. */
  soon() {
    this.told.busy(true);
    this.isDue = true;
    if (!this.isAsking) void this.#ask();
  }

  async #ask() {
    this.isAsking = true;
    this.isDue = false;
    const query = Object.entries(this.values.namedIn(this.spec.filter ?? "") ?? {}).map(
      ([id, value]) => `p.${id}=${encodeURIComponent(JSON.stringify(value))}`,
    );
    const address = new URL(
      `controls/${this.id}.json${query.length > 0 ? `?${query.join("&")}` : ""}`,
      this.connection.url.replace(/^ws/, "http").replace(/\?.*$/, ""),
    );
    try {
      const answer = await this.connection.get(address, { signal: this.signal });
      const json = await answer.json();
      if (answer.ok) this.told.show(json.value);
      else this.told.fail(json.error);
    } catch {
      if (this.signal.aborted) return;
      this.told.fail("The server does not answer.");
    }
    this.waiting = setTimeout(() => {
      this.isAsking = false;
      if (this.isDue) void this.#ask();
      else this.told.busy(false);
    }, PAUSE_MS);
  }
}
