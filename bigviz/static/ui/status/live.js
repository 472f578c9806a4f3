// What a figure shows of data that grow: how fast rows come and how late they are drawn. The badge stands only in
// figures whose data have grown while the page was open, and nothing of it is announced.

import { find } from "../../dom.js";
import { short } from "./figure-state.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../figure/growth/streams.js").Version} Version */

/** Numbers that change faster cannot be read. */
const TELL_MS = 500;
/** Without rows for so long, none are coming. */
const SILENT_MS = 10_000;
/** The share of the newest delay in what is told. */
const NEWEST = 0.25;

/** The figure's document says that x follows the newest data, or they have grown.  @param {Figure} figure */
export const canFollowX = ({ ranges, section }) => ranges.x.published !== null || section.dataset.live !== undefined;

/**
 * Keeps a figure's badge.
 * @param {Figure} figure @param {AbortSignal} signal ends it
 */
export function bindLive(figure, signal) {
  const { section, page } = figure;
  const badge = find(section, ".live-badge", HTMLElement);
  const names = new Set(figure.layers.map((layer) => layer.spec.dataset));
  /** Versions that are not drawn yet, and when they were here.  @type {Map<string, Version & {at: number}>} */
  const waiting = new Map();
  /** @type {ReturnType<typeof setTimeout>|undefined} */ let silence;
  let told = Number.NEGATIVE_INFINITY;
  /** @type {number|null} */ let late = null;

  const silent = () => {
    section.dataset.live = "0";
    badge.textContent = "no new rows";
  };
  /** @param {Version} version @param {number} now */
  const tell = (version, now) => {
    if (now - told < TELL_MS) return;
    told = now;
    badge.textContent = [`${short(version.rate)} rows/s`, late === null ? "" : lateness(late)]
      .filter(Boolean)
      .join(" · ");
    badge.dataset.rate = String(Math.round(version.rate));
    if (late !== null) badge.dataset.delay = String(Math.round(late));
  };
  page.streams.addEventListener(
    "version",
    (event) => {
      const { detail } = /** @type {CustomEvent<Version>} */ (event);
      if (!names.has(detail.dataset)) return;
      waiting.set(detail.dataset, { ...detail, at: performance.now() });
      if (detail.added <= 0) return;
      section.dataset.live = "1";
      badge.hidden = false;
      clearTimeout(silence);
      silence = setTimeout(silent, SILENT_MS);
    },
    { signal },
  );
  signal.addEventListener("abort", () => clearTimeout(silence));
  figure.addEventListener("frame", () => {
    const drawn = figure.main?.info?.version;
    if (drawn !== undefined && section.dataset.version !== String(drawn)) section.dataset.version = String(drawn);
    for (const layer of figure.layers) {
      const version = waiting.get(layer.spec.dataset);
      if (!version || layer.info?.version !== version.version) continue;
      waiting.delete(layer.spec.dataset);
      const now = performance.now();
      if (version.delay !== null) {
        const took = version.delay + now - version.at;
        late = late === null ? took : late + (took - late) * NEWEST;
      }
      if (section.dataset.live === "1") tell(version, now);
    }
  });
}

/** @param {number} ms @returns {string} "85 ms", "1.2 s" */
const lateness = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
