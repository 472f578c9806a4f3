// What the first view leaves out, where it starts at the part of the data with nearly all rows: how many rows, and a
// button that shows all.

/** @typedef {import("../../figure/figure.js").Figure} Figure */

/** From this percentage on rows are given as a share, below it as a number while they are few. */
const LEAST = 0.1;
const FEW = 1000;

/**
 * Keeps the number of rows outside a figure's first view in its status line, while that view is shown.
 * @param {Figure} figure
 * @param {import("./status.js").Status} status
 */
export function bindOutside(figure, status) {
  const run = (/** @type {number} */ time) => {
    figure.moves.showAll(time);
    figure.surface.focus();
  };
  const show = () => {
    const { x, y } = figure.ranges;
    const isPart = (x.isPart && x.atHome) || (y.isPart && y.atHome);
    const text = isPart && !figure.hold ? `${outsideWords(figure.layers)} outside this view` : "";
    status.set("outside", text ? { text, spoken: text, action: { label: "Show all", run } } : null);
  };
  for (const event of ["info", "rest", "exact", "frame"]) figure.addEventListener(event, show);
}

/**
 * @param {readonly Pick<import("../../layers/layer.js").Layer, "info">[]} layers of a figure
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
