// The lock on a colour bar: while it is closed the colours keep their range, wherever the view goes.

import { find, setIcon } from "../../dom.js";
import { isValue } from "../../render/norm.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../layers/layer.js").Choice} Choice */

/** CSS pixels between the bar and the lock. */
const GAP = 6;

/**
 * @param {Pick<Choice, "low"|"high">} choice
 * @returns {boolean} both ends of the colours are values, so no view moves them
 */
export function isLocked({ low, high }) {
  return isValue(low) && isValue(high);
}

/**
 * What a press on the lock chooses.
 * @param {Pick<Choice, "low"|"high">} choice
 * @param {{ends: [number|bigint, number|bigint]}|null} norm the range that the colours show; null: none
 * @returns {Pick<Choice, "low"|"high">|null} null: nothing to lock
 */
export function toggled(choice, norm) {
  if (isLocked(choice)) return { low: null, high: null };
  return norm && { low: norm.ends[0], high: norm.ends[1] };
}

/** @param {Figure} figure */
export function bindColourLock(figure) {
  const button = find(figure.surface, '[data-act="lock"]', HTMLButtonElement);
  let shown = "";
  const show = () => {
    const { painter, main } = figure;
    const norm = main?.raster?.norm ?? null;
    const hidden = painter.side !== "bar" || painter.scene === null || painter.scene.plain || norm === null;
    const locked = main !== undefined && isLocked(main.choice);
    const now = JSON.stringify([hidden, locked, painter.frame?.bar, painter.frame?.narrow]);
    if (now === shown) return; // to place it again in every frame would lay the page out in every frame
    shown = now;
    button.hidden = hidden;
    if (hidden || !painter.frame) return;
    button.setAttribute("aria-pressed", String(locked));
    button.title = locked
      ? "The colours keep their range: let it follow the view"
      : "Keep this range of colours while the view moves";
    setIcon(button, locked ? "lock" : "unlock");
    place(button, painter.frame);
  };
  for (const event of ["frame", "choice", "info"]) figure.addEventListener(event, show);
  // A press on the lock is not a gesture of the bar.
  for (const type of ["pointerdown", "dblclick"]) button.addEventListener(type, (event) => event.stopPropagation());
  button.addEventListener("click", () => {
    const change = toggled(figure.main.choice, figure.main.raster?.norm ?? null);
    if (change) figure.choose(0, change);
  });
}

/**
 * Below the bar, or at its end where it lies across the plot.
 * @param {HTMLElement} button
 * @param {import("../../axes/draw.js").Frame} frame
 */
function place(button, { bar, narrow }) {
  const { offsetWidth: size } = button;
  const x = narrow ? bar.x + bar.width + GAP : bar.x + (bar.width - size) / 2;
  const y = narrow ? bar.y + (bar.height - size) / 2 : bar.y + bar.height + GAP;
  button.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}
