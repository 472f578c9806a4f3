// What a page knows of datasets that grow: which version it shows, how fast rows come, how late they are.

/** What the server says of a dataset's new version; `time` is when it was there (seconds since the epoch, by the
 * server's clock), `age` how many seconds before it was sent; null where the server does not know.
 * @typedef {Readonly<{version: number, rows?: number, time?: number|null, age?: number|null}>} Told */
/**
 * A version that the page has taken: rows now, `added` since the version before; `rate`: rows a second, over the last
 * seconds; `time`: when it was appended (ms since the epoch, by the server's clock), `delay`: ms from then until it was
 * here; null where that is not known.
 * @typedef {Readonly<{dataset: string, version: number, rows: number, added: number, rate: number, time: number|null,
 *   delay: number|null}>} Version */

/** Rows a second are those of so many milliseconds. */
const SPAN_MS = 5_000;

/** Fires `version` (CustomEvent of a Version) when the page takes a version of a dataset, before that is drawn. */
export class Streams extends EventTarget {
  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    super();
    this.now = now;
    /** The last version of each dataset that has grown.  @type {Map<string, Version>} */ this.latest = new Map();
    /** Rows of each dataset, and when they were here.  @type {Map<string, {at: number, rows: number}[]>} */
    this.seen = new Map();
  }

  /** A dataset's rows as the page opens.  @param {string} dataset @param {number} rows */
  begin(dataset, rows) {
    this.latest.delete(dataset);
    this.seen.set(dataset, [{ at: this.now(), rows }]);
  }

  /** The page shows another version from now on.  @param {string} dataset @param {Told} told */
  take(dataset, { version, rows, time = null, age = null }) {
    const seen = this.seen.get(dataset) ?? [];
    const before = seen.at(-1);
    const total = rows ?? before?.rows ?? 0;
    const at = this.now();
    seen.push({ at, rows: total });
    while (seen.length > 2 && seen[1].at < at - SPAN_MS) seen.shift();
    this.seen.set(dataset, seen);
    const span = at - seen[0].at;
    /** @type {Version} */
    const taken = {
      dataset,
      version,
      rows: total,
      added: total - (before?.rows ?? total),
      rate: span > 0 ? ((total - seen[0].rows) / span) * 1000 : 0,
      time: time === null ? null : time * 1000,
      delay: age === null ? null : age * 1000,
    };
    this.latest.set(dataset, taken);
    this.dispatchEvent(new CustomEvent("version", { detail: taken }));
  }
}
