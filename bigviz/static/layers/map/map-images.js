// The tiles of a map's host as pictures: a bounded cache, few requests at a time, those first that the view wants
// first, and none that it no longer wants.

/** @typedef {import("../../types.js").BasemapSpec} BasemapSpec */
/** @typedef {{z: number, i: number, j: number}} MapKey  j counts from the north */
/**
 * `isClean`: a canvas that it is drawn on can still be read. `retryAt`: when a tile that failed may be asked for again.
 * @typedef {{image: HTMLImageElement, state: "loading"|"ready"|"failed", isClean: boolean, retryAt: number}} Entry
 */

const MOST_LOADING = 8;
/** Decoded tiles of 256 x 256 pixels take 256 KiB each, those of @2x four times as much. */
const MOST_KEPT = 256;
const RETRY_MS = 20_000;
const SUBDOMAINS = "abc";

/** @param {string} template @param {MapKey} key @param {number} dpr @returns {string} */
export function addressOf(template, { z, i, j }, dpr) {
  /** @type {Record<string, string|number>} */
  const values = { z, x: i, y: j, r: dpr > 1 ? "@2x" : "", s: SUBDOMAINS[(i + j) % SUBDOMAINS.length] };
  return template.replaceAll(/\{([zxyrs])\}/g, (_, name) => String(values[name]));
}

export class MapImages {
  /**
   * @param {BasemapSpec} spec
   * @param {{changed: () => void, create?: () => HTMLImageElement, now?: () => number}} o `changed`: a tile has come or
   *   failed
   */
  constructor(spec, { changed, create = () => new Image(), now = () => performance.now() }) {
    this.spec = spec;
    this.changed = changed;
    this.create = create;
    this.now = now;
    /** By address, the longest unused first.  @type {Map<string, Entry>} */ this.entries = new Map();
    /** @type {readonly string[]} */ this.wanted = [];
    /** Does the host let pages read its tiles (CORS)?  @type {boolean|null} null: not known yet */ this.isClean = null;
    this.isOver = false;
  }

  /** No tile here, and none that is known to come, would keep a canvas from being read. */
  get isReadable() {
    return (
      this.isClean !== false && [...this.entries.values()].every(({ state, isClean }) => isClean || state !== "ready")
    );
  }

  /** @param {MapKey} key @param {number} dpr @returns {HTMLImageElement|null} null until it is there */
  get(key, dpr) {
    const address = addressOf(this.spec.url, key, dpr);
    const entry = this.entries.get(address);
    if (entry?.state !== "ready") return null;
    this.entries.delete(address);
    this.entries.set(address, entry);
    return entry.image;
  }

  /** Is there nothing more to wait for?  @param {MapKey} key @param {number} dpr @returns {boolean} */
  isSettled(key, dpr) {
    const entry = this.entries.get(addressOf(this.spec.url, key, dpr));
    return entry !== undefined && entry.state !== "loading";
  }

  /**
   * Loads these, in this order, and gives up what was wanted before.
   * @param {readonly MapKey[]} keys @param {number} dpr
   */
  want(keys, dpr) {
    this.wanted = keys.map((key) => addressOf(this.spec.url, key, dpr));
    const wanted = new Set(this.wanted);
    for (const [address, entry] of this.entries) {
      if (entry.state === "loading" && !wanted.has(address)) this.#drop(address, entry);
    }
    this.#start();
    this.#trim();
  }

  /** Ends all requests, and starts no more. */
  dispose() {
    this.isOver = true;
    for (const [address, entry] of this.entries) this.#drop(address, entry);
    this.wanted = [];
  }

  /** @param {string} address @param {Entry} entry */
  #drop(address, entry) {
    this.entries.delete(address);
    if (entry.state === "loading") entry.image.removeAttribute("src"); // ends the request
  }

  #start() {
    let loading = [...this.entries.values()].filter(({ state }) => state === "loading").length;
    for (const address of this.wanted) {
      if (loading >= MOST_LOADING) return;
      const entry = this.entries.get(address);
      if (entry && !(entry.state === "failed" && entry.retryAt <= this.now())) continue;
      loading++;
      this.#load(address, this.isClean ?? true);
    }
  }

  /** @param {string} address @param {boolean} isClean */
  #load(address, isClean) {
    const image = this.create();
    if (isClean) image.crossOrigin = "anonymous";
    image.referrerPolicy = "strict-origin"; // hosts may want to know which site asks, and learn no more
    image.decoding = "async";
    /** @type {Entry} */ const entry = { image, state: "loading", isClean, retryAt: 0 };
    this.entries.delete(address);
    this.entries.set(address, entry);
    image.src = address;
    image.decode().then(
      () => this.#ended(address, entry, true),
      () => this.#ended(address, entry, false),
    );
  }

  /** @param {string} address @param {Entry} entry @param {boolean} isThere */
  #ended(address, entry, isThere) {
    if (this.isOver || this.entries.get(address) !== entry) return;
    if (isThere) {
      // A clean one decides for good: where it is known that the host answers so, what fails is not there.
      if (this.isClean !== true) this.isClean = entry.isClean;
      entry.state = "ready";
    } else if (entry.isClean && this.isClean !== true) {
      this.#load(address, false);
      return;
    } else {
      entry.state = "failed";
      entry.retryAt = this.now() + RETRY_MS;
    }
    this.#start();
    this.changed();
  }

  #trim() {
    const most = Math.max(MOST_KEPT, 2 * this.wanted.length);
    for (const [address, entry] of this.entries) {
      if (this.entries.size <= most) return;
      if (!this.wanted.includes(address)) this.#drop(address, entry);
    }
  }
}
