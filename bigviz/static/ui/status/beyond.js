// New data out of view: a quiet button at the side where they lie, which goes there. Nothing moves by itself.

import { find } from "../../dom.js";
import { fractionOf, length, panSpan } from "../../geometry/span.js";

/** @typedef {import("../../figure/figure.js").Figure} Figure */
/** @typedef {import("../../geometry/span.js").Span} Span */
/** @typedef {import("../../geometry/shared-range.js").SharedRange} SharedRange */
/** @typedef {"left"|"right"|"up"|"down"} Way */

/** Data that end so near to the edge of a view, in shares of it, are in view. */
const SLACK = 1e-6;
/** How far from the edge they are shown, in shares of the view. */
const MARGIN = 0.02;
/** @type {Readonly<Record<Way, {side: "x"|"y", isHigh: boolean, words: string, where: string}>>} */
const WAYS = {
  left: { side: "x", isHigh: false, words: "← new data", where: "on the left" },
  right: { side: "x", isHigh: true, words: "new data →", where: "on the right" },
  up: { side: "y", isHigh: true, words: "↑ new data", where: "above" },
  down: { side: "y", isHigh: false, words: "↓ new data", where: "below" },
};
const NAMES = /** @type {Way[]} */ (Object.keys(WAYS));

/** Whether data have come beyond the ends of a view, and are not yet seen. */
export class Seen {
  constructor() {
    /** What the data spanned when they were last looked at.  @type {Span|null} */ this.extent = null;
    this.low = false;
    this.high = false;
  }

  /**
   * @param {Span} extent what the data span now
   * @param {Span} view what is shown of them
   * @returns {{low: boolean, high: boolean}} new data lie beyond that end
   */
  look(extent, view) {
    const { extent: before } = this;
    this.extent = extent;
    if (before) {
      const shift = Number(before.origin - extent.origin);
      if (extent.lo < before.lo + shift) this.low = true;
      if (extent.hi > before.hi + shift) this.high = true;
    }
    if (fractionOf(view, extent.origin, extent.lo) >= -SLACK) this.low = false;
    if (fractionOf(view, extent.origin, extent.hi) <= 1 + SLACK) this.high = false;
    return { low: this.low, high: this.high };
  }
}

/** @param {Figure} figure @param {(words: string) => void} say tells screen readers where a button went */
export function bindBeyond(figure, say) {
  const { surface, ranges } = figure;
  const group = find(surface, ".beyond", HTMLElement);
  let seen = { x: new Seen(), y: new Seen() };
  const buttons = new Map(NAMES.map((way) => [way, find(group, `[data-beyond="${way}"]`, HTMLButtonElement)]));
  for (const [way, button] of buttons) {
    const { words, where } = WAYS[way];
    button.textContent = words;
    button.setAttribute("aria-label", `New data ${where}: go there`);
    button.addEventListener("click", (event) => {
      goTo(figure, way, event.timeStamp);
      surface.focus({ preventScroll: true });
      say(`Moved to the new data ${where}`);
    });
  }
  for (const type of ["pointerdown", "dblclick"]) group.addEventListener(type, (event) => event.stopPropagation());
  const show = () => {
    const { view, hold, followY, layers } = figure;
    if (layers.some((layer) => layer.asked !== null && isOther(layer))) seen = { x: new Seen(), y: new Seen() };
    if (!view || hold) return;
    const x = seen.x.look(ranges.x.extent, view.x);
    const y = seen.y.look(ranges.y.extent, view.y);
    const isLive = figure.section.dataset.live !== undefined;
    const due = {
      left: x.low && !ranges.x.isFollowing,
      right: x.high && !ranges.x.isFollowing,
      up: y.high && !followY.isOn,
      down: y.low && !followY.isOn,
    };
    for (const [way, button] of buttons) if (button.hidden === (isLive && due[way])) button.hidden = !button.hidden;
    const isAny = NAMES.some((way) => !buttons.get(way)?.hidden);
    if (group.hidden === isAny) group.hidden = !isAny;
    place(group, figure.painter.plot);
  };
  for (const event of ["frame", "info"]) figure.addEventListener(event, show);
}

/** Other columns were asked for.  @param {import("../../layers/layer.js").Layer} layer @returns {boolean} */
const isOther = ({ asked, definition }) => JSON.stringify(asked) !== JSON.stringify(definition);

/**
 * Where the document says that x follows the newest data, that goes on; elsewhere the view moves there as it is.
 * @param {Figure} figure @param {Way} way @param {number} time
 */
function goTo(figure, way, time) {
  const { view, ranges, moves } = figure;
  if (!view) return;
  const { side, isHigh } = WAYS[way];
  if (way === "right" && ranges.x.published !== null) {
    moves.followX(true, time);
    return;
  }
  const { extent } = ranges[side];
  const span = view[side];
  const end = fractionOf(span, extent.origin, isHigh ? extent.hi : extent.lo);
  const by = (isHigh ? end - 1 + MARGIN : end - MARGIN) * length(span);
  if (side === "y") figure.followY.isWanted = false;
  moves.show(view.show({ [side]: panSpan(span, by) }), time);
  figure.steps.settle();
}

/** @param {HTMLElement} group @param {import("../../axes/draw.js").Rect} plot */
function place({ style }, plot) {
  for (const [name, value] of /** @type {const} */ ([
    ["left", plot.x],
    ["top", plot.y],
    ["width", plot.width],
    ["height", plot.height],
  ])) {
    const text = `${value}px`;
    if (style[name] !== text) style[name] = text;
  }
}
