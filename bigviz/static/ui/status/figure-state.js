// What a figure's picture is: exact, an estimate of how many rows and how far off, being read or drawn; and the
// progress of its index.

import { timeLeft } from "../../figure/loading.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../layers/estimate.js").Summary} Summary */
/** @typedef {import("../../figure/loading.js").Progress} Progress */

/**
 * Words are announced again only when the share or the error has changed by this factor: screen readers read each
 * change aloud.
 */
const NEWS = 1.25;
/** Large numbers in short.  @type {[number, string][]} */
const UNITS = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
];

/** What an exported page says where a view needs more than it holds. */
const SHALLOW = {
  text: "as deep as this file goes",
  detail: "cells are larger than pixels, or rows of a line are left out: a server shows more here",
  spoken: "This is as deep as this file goes",
  tone: /** @type {const} */ ("warn"),
};

/** What it says where it holds so many rows of a line that none is missed by more than a pixel. */
const WITHIN = {
  text: "exact within a pixel",
  detail:
    "of the line this file holds the first, lowest, highest and last row of each of many columns, narrower than pixels",
};

/**
 * Keeps the state of a figure's picture, and the progress of its index, in its status line.
 * @param {Figure} figure
 * @param {import("./status.js").Status} status
 */
export function bindState(figure, status) {
  const { loading, section } = figure;
  /** @type {Summary|null} */ let said = null;
  /** The share of a view that has come, once waiting for it is noticeable.  @type {number|null} */ let share = null;
  const estimated = () => {
    const { view } = figure;
    const drawn = view && !figure.hold ? figure.layers : [];
    const worst = drawn
      .map((layer) => view && layer.estimate(view))
      .reduce((a, b) => (!a || (b && b.share < a.share) ? b : a), null);
    if (!worst || !said || isNews(said, worst)) said = worst;
    return said;
  };
  const show = () => {
    const estimate = estimated();
    const failed = figure.layers.filter((layer) => layer.failed);
    const isExact = section.dataset.exact === "1";
    const { view } = figure;
    const isShallow = isExact && view !== null && figure.layers.some((layer) => layer.isShallow(view));
    // Between two versions of data that grow the picture is that of the first, whole.
    const isLive = !isExact && section.dataset.live === "1" && !figure.hold && share === null;
    const state =
      failed.length > 0 && failed.length === figure.layers.length
        ? "failed"
        : estimate
          ? "estimate"
          : isExact || isLive
            ? isShallow
              ? "shallow"
              : "exact"
            : "reading";
    if (status.line.dataset.state !== state) status.line.dataset.state = state;
    if (state === "failed")
      status.set("state", { text: "nothing to draw", detail: failed[0].error ?? undefined, tone: "bad" });
    else if (estimate) status.set("state", { text: estimateWords(estimate), spoken: estimateWords(estimate) });
    else if (isExact || isLive)
      status.set("state", isShallow ? SHALLOW : figure.layers.some(isPart) ? WITHIN : { text: "exact" });
    else {
      // Rows that were lost are indexed again: nothing of the view comes before.
      const again = figure.layers.find(({ info, progress }) => info?.index === "ready" && progress)?.progress;
      const waits = loading.prepared ?? again;
      status.set("state", {
        text: waits ? progressWords(waits) : share === null ? "drawing…" : readingWords(share),
      });
    }
    const error = state === "failed" ? null : failed[0]?.error;
    status.set(
      "failed",
      error
        ? { text: "a layer is not drawn", detail: error, tone: "bad", spoken: `A layer is not drawn: ${error}` }
        : null,
    );
    const building = figure.layers.find((layer) => layer.info?.index !== "ready" && layer.progress);
    status.set("index", building?.progress ? { text: progressWords(building.progress) } : null);
  };
  loading.onBusy = (now) => {
    share = now;
    show();
  };
  for (const event of ["frame", "progress", "info", "exact"]) figure.addEventListener(event, show);
  show();
}

/** @param {import("../../layers/layer.js").Layer} layer
 * @returns {boolean} a line of which not all rows are in the file */
const isPart = ({ line }) => Boolean(line?.info.inside?.step);

/** @param {Summary} before @param {Summary} now @returns {boolean} */
function isNews(before, now) {
  const other = (/** @type {number|null} */ a, /** @type {number|null} */ b) =>
    a === null || b === null ? a !== b : Math.max(a, b) > NEWS * Math.min(a, b);
  return before.start !== now.start || other(before.share, now.share) || other(before.relative, now.relative);
}

/** @param {Summary} summary @returns {string} "estimate: 3 % of rows, ±12 %" */
export function estimateWords({ share, start, relative }) {
  const rows = start ? `the first ${percent(share)} of rows` : `${percent(share)} of rows`;
  return `estimate: ${rows}${relative === null ? "" : `, ±${percent(relative)}`}`;
}

/** @param {number} share of a view that has come @returns {string} "reading 45 %" */
export const readingWords = (share) => `reading ${Math.floor(100 * share)} %`;

/** The progress of work in the server, in words.  @param {Progress} now @returns {string} */
export function progressWords({ stage, done, rows, seconds }) {
  const rate = rows > 0 && seconds > 0.5 ? `${short(rows / seconds)} rows/s` : "";
  return [`${stage} ${Math.round(done * 100)} %`, rate, timeLeft({ done, seconds })].filter(Boolean).join(", ");
}

/** @param {number} share @returns {string} */
function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "less than 0.1 %";
  return `${value >= 10 ? Math.round(value) : Number(value.toPrecision(1))} %`;
}

/** Two digits and a letter, without Intl, whose first number takes 30 ms.  @param {number} value @returns {string} */
export function short(value) {
  const rounded = Number(value.toPrecision(2));
  const [unit, letter] = UNITS.find(([least]) => rounded >= least) ?? [1, ""];
  return `${Number((rounded / unit).toPrecision(2))}${letter}`;
}
