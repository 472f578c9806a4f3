// What the first view leaves out, where it starts at the part of the data with nearly all rows: how many rows, and a button that shows all.

import { find } from "../dom.js";

/** @typedef {import("../figure/figure.js").Figure} Figure */

/** From this percentage on rows are told as a share, below it by their number while they are few. */
const LEAST = 0.1;
const FEW = 1000;
/** CSS pixels between the note and the plot's edges. */
const GAP = 8;

/** @param {Figure} figure */
export function bindOutside(figure) {
  const note = find(figure.section, ".outside", HTMLElement);
  const words = find(note, "span", HTMLElement);
  const show = () => {
    const { x, y } = figure.ranges;
    const part = (x.isPart && x.atHome) || (y.isPart && y.atHome);
    note.hidden = !part || figure.hold;
    if (note.hidden) return;
    words.textContent = `${outsideWords(figure.layers)} outside this view:`;
    place(figure, note);
  };
  // A press on it is no gesture of the plot under it.
  for (const type of ["pointerdown", "dblclick"]) note.addEventListener(type, (event) => event.stopPropagation());
  for (const event of ["info", "rest", "exact", "frame"]) figure.addEventListener(event, show);
  find(note, "button", HTMLButtonElement).addEventListener("click", (event) => {
    figure.showAll(event.timeStamp);
    figure.surface.focus();
  });
}

/** In the lower left corner of the plot.  @param {Figure} figure @param {HTMLElement} note */
function place({ painter, surface }, note) {
  const { x, y, height } = painter.plot;
  note.style.left = `${x + GAP}px`;
  note.style.bottom = `${surface.clientHeight - y - height + GAP}px`;
}

/**
 * @param {readonly Pick<import("../layers/layer.js").Layer, "info">[]} layers of a figure
 * @returns {string} how many rows lie outside the dense part: "1.0 % of rows lie"
 */
export function outsideWords(layers) {
  const [info, ...others] = layers.flatMap(({ info }) => info ?? []);
  if (!info?.dense || others.length > 0) return "some rows lie";
  const drawn = info.rows - info.rows_outside - info.rows_far;
  const out = drawn - info.dense.rows;
  const percent = (100 * out) / drawn;
  if (percent >= LEAST) return `${info.provisional ? "about " : ""}${percent.toFixed(1)} % of rows lie`;
  if (out >= FEW || info.provisional) return `less than ${LEAST} % of rows lie`;
  return out === 1 ? "1 row lies" : `${out.toLocaleString("en")} rows lie`;
}
