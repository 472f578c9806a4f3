// The chip in the corner of a plot: of how many rows an estimate is, how far off, and how far the index is.

import { find } from "../dom.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */
/** @typedef {import("../layers/estimate.js").Summary} Summary */

/** Words are said again only when the share or the error is another by this factor: screen readers read each change aloud. */
const NEWS = 1.25;
/** CSS pixels between the chip and the plot's edges. */
const GAP = 8;
/** Large numbers in short.  @type {[number, string][]} */
const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]];

/** The chip of a figure: shown while something on it is no more than an estimate, an index is being built, or rows are read for a view.  @param {Figure} figure */
export function bindEstimate(figure) {
  const chip = find(figure.section, ".estimate", HTMLElement);
  const words = find(chip, ".estimate-words", HTMLElement);
  const progress = find(chip, ".estimate-progress", HTMLElement);
  /** @type {Summary|null} */ let said = null;
  const show = () => {
    const { view } = figure;
    const drawn = view && !figure.hold ? figure.layers : [];
    const worst = drawn.map((layer) => view && layer.estimate(view)).reduce((a, b) => (!a || (b && b.share < a.share) ? b : a), null);
    if (!worst) words.textContent = "";
    else if (!said || isNews(said, worst)) words.textContent = estimateWords(worst);
    if (!worst || !said || isNews(said, worst)) said = worst;
    const building = figure.layers.find((layer) => layer.info?.index !== "ready" && layer.progress);
    progress.textContent = building?.progress ? progressWords(building.progress) : "";
    chip.hidden = words.textContent === "" && progress.textContent === "";
    if (!chip.hidden) place(figure, chip);
  };
  for (const event of ["frame", "progress", "info", "exact"]) figure.addEventListener(event, show);
}

/** In the lower right corner of the plot.  @param {Figure} figure @param {HTMLElement} chip */
function place({ painter, surface }, chip) {
  const { x, y, width, height } = painter.plot;
  chip.style.right = `${Math.max(0, surface.clientWidth - x - width) + GAP}px`;
  chip.style.bottom = `${Math.max(0, surface.clientHeight - y - height) + GAP}px`;
}

/** @param {Summary} before @param {Summary} now @returns {boolean} */
function isNews(before, now) {
  const other = (/** @type {number|null} */ a, /** @type {number|null} */ b) => (a === null || b === null ? a !== b : Math.max(a, b) > NEWS * Math.min(a, b));
  return before.start !== now.start || other(before.share, now.share) || other(before.relative, now.relative);
}

/** @param {Summary} summary @returns {string} "estimate: 3 % of rows, ±12 %" */
export function estimateWords({ share, start, relative }) {
  const rows = start ? `the first ${percent(share)} of rows` : `${percent(share)} of rows`;
  return `estimate: ${rows}${relative === null ? "" : `, ±${percent(relative)}`}`;
}

/**
 * How far an index is, for people.
 * @param {{stage: string, done: number, rows: number, seconds: number}} now `seconds` since it began @returns {string}
 */
export function progressWords({ stage, done, rows, seconds }) {
  const rate = rows > 0 && seconds > 0.5 ? `${short(rows / seconds)} rows/s` : "";
  const left = done > 0.05 && done < 1 && seconds > 1 ? `about ${Math.max(1, Math.round((seconds * (1 - done)) / done))} s left` : "";
  return [`${stage} ${Math.round(done * 100)} %`, rate, left].filter(Boolean).join(", ");
}

/** @param {number} share @returns {string} */
function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "less than 0.1 %";
  return `${value >= 10 ? Math.round(value) : Number(value.toPrecision(1))} %`;
}

/** Two digits and a letter, without Intl, whose first number takes 30 ms.  @param {number} value @returns {string} */
function short(value) {
  const rounded = Number(value.toPrecision(2));
  const [unit, letter] = UNITS.find(([least]) => rounded >= least) ?? [1, ""];
  return `${Number((rounded / unit).toPrecision(2))}${letter}`;
}
