// The legend of layers that have labels: a box in that corner of the plot where least is drawn. It is drawn with the
// data, so that a saved image has it too; `ui/legend/legend-entries.js` puts buttons over its lines.

import { fit, FONT_SIZE, TOUCH } from "../../axes/draw.js";
import { lineStyle, lutOf, rasterStyle } from "../../layers/layer-style.js";
import { BarLayer } from "../../layers/lines/bar-layer.js";
import { pixelOf } from "../../render/css-color.js";
import { stampOf } from "../../render/marks.js";
import { GLASBEY } from "../../render/palette.js";

/** @typedef {import("../../axes/draw.js").Context} Context */
/** @typedef {import("../../axes/draw.js").Look} Look */
/** @typedef {import("../../axes/draw.js").Rect} Rect */
/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../layers/layer.js").Layer} Layer */
/** Layers of one label share a line.  @typedef {{label: string, layers: Layer[]}} Entry */
/**
 * Where it lies in CSS pixels of the plot, with a line for each entry that has room; `more`: how many have none.
 * @typedef {Readonly<{rect: Rect, lines: readonly (Readonly<Rect> & {entry: Entry})[], more: number}>} Box
 */

/**
 * Corners of the plot, as shares of the room that the box leaves; of equally free ones the first.
 * @typedef {{x: 0|1, y: 0|1}} Corner
 */
/** @type {readonly Corner[]} */
const CORNERS = Object.freeze([
  { x: 1, y: 0 },
  { x: 0, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
]);
/** What differs so much from the plot's ground, in any channel, is more than its grid. */
const INK = 40;

/** From the plot's edges, and within the box. */
const MARGIN = 10;
const PAD = 7;
const LINE = 20;
const SWATCH = 26;
const GAP = 8;
/** Share of the plot's width that it takes at most. */
const SHARE = 0.5;
const LEAST_WORDS = 24;
/** A swatch shows a line or a mark no larger than this. */
const WIDEST = 6;
const LARGEST = 5.5;
/** Radius of a mark whose size its rows' number decides. */
const RADIUS = 3.5;
const STRIPES = 5;
const HIDDEN = 0.35;

export class LabelLegend {
  constructor() {
    /** Once a whole picture has shown which is free.  @type {Corner|undefined} */ this.corner = undefined;
  }

  /**
   * @param {Context} ctx its (0, 0) is the plot's top left, in device pixels; the layers are drawn
   * @param {View} view
   * @param {{layers: readonly Layer[], plot: {width: number, height: number}, look: Look &
   *   import("../../layers/layer-style.js").Look, ground: string|null}} o `plot`: CSS pixels; `ground`: the
   *   colour behind all, where the picture is whole
   * @returns {Box|null} null: no layer has a label, or there is no room
   */
  draw(ctx, view, { layers, plot, look, ground }) {
    const entries = entriesOf(layers);
    const first = boxOf(ctx, entries, plot, look, this.corner);
    if (!first) return null;
    const drawn = ground !== null && !this.corner ? smallCopy(ctx.canvas, plot, ground) : null;
    if (drawn && ground !== null) {
      const pixel = pixelOf(ground);
      this.corner = freeCorner(drawn, first.rect, [pixel & 255, (pixel >> 8) & 255, pixel >> 16]);
    }
    const box = boxOf(ctx, entries, plot, look, this.corner) ?? first;
    drawBox(ctx, box, view, look);
    return box;
  }
}

/**
 * A canvas's pixels in another size.
 * @param {HTMLCanvasElement|OffscreenCanvas} canvas
 * @param {{width: number, height: number}} size
 * @param {string} ground what shows where it is transparent
 * @returns {ImageData|null}
 */
function smallCopy(canvas, { width, height }, ground) {
  const copy = new OffscreenCanvas(Math.max(1, Math.round(width)), Math.max(1, Math.round(height)));
  const context = copy.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.fillStyle = ground;
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0, copy.width, copy.height);
  return context.getImageData(0, 0, copy.width, copy.height);
}

/**
 * One entry for each label, in the order of the layers.
 * @param {readonly Layer[]} layers
 * @returns {Entry[]}
 */
export function entriesOf(layers) {
  /** @type {Map<string, Entry>} */ const entries = new Map();
  for (const layer of layers) {
    const label = layer.spec.legend_label;
    if (!label) continue;
    const entry = entries.get(label);
    if (entry) entry.layers.push(layer);
    else entries.set(label, { label, layers: [layer] });
  }
  return [...entries.values()];
}

/** @param {Entry} entry @returns {boolean} none of its layers is drawn */
export const isHidden = ({ layers }) => layers.every((layer) => layer.isHidden);

/**
 * @param {Context} ctx to measure words with
 * @param {readonly Entry[]} entries
 * @param {{width: number, height: number}} plot CSS pixels
 * @param {Look} look
 * @param {Corner} [corner] top right, without another
 * @returns {Box|null} null without entries, and where the plot has no room for a line
 */
export function boxOf(ctx, entries, plot, look, corner = CORNERS[0]) {
  const row = look.isTouch ? TOUCH : LINE;
  const rows = Math.floor((plot.height - 2 * (MARGIN + PAD)) / row);
  const most = plot.width * SHARE - 2 * PAD - SWATCH - GAP;
  if (entries.length === 0 || rows < 1 || most < LEAST_WORDS) return null;
  const shown = entries.length <= rows ? entries.length : rows - 1;
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  const words = Math.max(...entries.slice(0, shown).map(({ label }) => ctx.measureText(label).width), LEAST_WORDS);
  const width = Math.ceil(2 * PAD + SWATCH + GAP + Math.min(words, most));
  const height = 2 * PAD + row * Math.min(entries.length, rows);
  const rect = {
    x: MARGIN + corner.x * (plot.width - 2 * MARGIN - width),
    y: MARGIN + corner.y * (plot.height - 2 * MARGIN - height),
    width,
    height,
  };
  const lines = entries
    .slice(0, shown)
    .map((entry, k) => ({ entry, x: rect.x + PAD, y: rect.y + PAD + row * k, width: width - 2 * PAD, height: row }));
  return { rect, lines, more: entries.length - shown };
}

/**
 * The corner where a box hides least.
 * @param {Readonly<{width: number, height: number, data: ArrayLike<number>}>} drawn the plot without it, r, g, b, a of
 *   each CSS pixel
 * @param {{width: number, height: number}} box CSS pixels
 * @param {readonly number[]} ground r, g, b
 * @returns {Corner}
 */
export function freeCorner(drawn, box, ground) {
  const hidden = CORNERS.map((corner) => {
    const left = Math.max(0, Math.round(MARGIN + corner.x * (drawn.width - 2 * MARGIN - box.width)));
    const top = Math.max(0, Math.round(MARGIN + corner.y * (drawn.height - 2 * MARGIN - box.height)));
    let ink = 0;
    for (let y = top; y < Math.min(drawn.height, top + box.height); y++) {
      for (let x = left; x < Math.min(drawn.width, left + box.width); x++) {
        const at = 4 * (y * drawn.width + x);
        if (ground.some((channel, k) => Math.abs(drawn.data[at + k] - channel) > INK)) ink++;
      }
    }
    return ink;
  });
  return CORNERS[hidden.indexOf(Math.min(...hidden))];
}

/**
 * @param {Context} ctx its (0, 0) is the plot's top left, in device pixels
 * @param {Box} box
 * @param {View} view
 * @param {Look & import("../../layers/layer-style.js").Look} look
 */
function drawBox(ctx, { rect, lines, more }, view, look) {
  const { palette, dpr } = look;
  ctx.save();
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.globalAlpha = 0.88;
  ctx.fillStyle = palette.page;
  ctx.fillRect(rect.x, rect.y, rect.width, rect.height);
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
  ctx.strokeStyle = palette.frame;
  ctx.strokeRect(Math.round(rect.x) + 0.5, Math.round(rect.y) + 0.5, rect.width - 1, rect.height - 1);
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const room = rect.width - 2 * PAD - SWATCH - GAP;
  for (const { entry, x, y, height } of lines) {
    ctx.globalAlpha = isHidden(entry) ? HIDDEN : 1;
    ctx.fillStyle = palette.ink;
    ctx.fillText(fit(ctx, entry.label, room), x + SWATCH + GAP, y + height / 2 + 0.5);
    for (const layer of entry.layers) drawSwatch(ctx, layer, x, y + height / 2, view, look);
  }
  ctx.globalAlpha = 1;
  ctx.fillStyle = palette.muted;
  if (more > 0) {
    const row = look.isTouch ? TOUCH : LINE;
    ctx.fillText(`+${more} more`, rect.x + PAD, rect.y + PAD + row * (lines.length + 0.5) + 0.5);
  }
  ctx.restore();
}

/**
 * A layer as it is drawn: its line, its mark, or its colours.
 * @param {Context} ctx
 * @param {Layer} layer
 * @param {number} x
 * @param {number} y left end and middle, CSS pixels
 * @param {View} view
 * @param {Look & import("../../layers/layer-style.js").Look} look
 */
function drawSwatch(ctx, layer, x, y, view, look) {
  const { raster, line } = layer;
  if (line instanceof BarLayer && !layer.planes) {
    ctx.save();
    ctx.globalAlpha *= line.style.opacity ?? 1;
    ctx.fillStyle = line.colorOf(0);
    ctx.fillRect(x, y - 5, SWATCH, 10);
    ctx.restore();
  } else if (line && !(line instanceof BarLayer)) {
    const { color, width, opacity = 1, dash = [] } = lineStyle(layer, look);
    ctx.save();
    ctx.globalAlpha *= opacity;
    ctx.strokeStyle = color;
    ctx.lineWidth = Math.min(WIDEST, width);
    ctx.setLineDash([...dash]);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + SWATCH, y);
    ctx.stroke();
    ctx.restore();
  } else if (raster?.isPlain(view)) drawMark(ctx, layer, x + SWATCH / 2, y, look);
  else {
    const lut = layer.planes ? GLASBEY : lutOf(layer, look);
    const stripes = Math.max(1, Math.min(STRIPES, layer.planes?.length ?? STRIPES));
    for (let k = 0; k < stripes; k++) {
      const c = 3 * (layer.planes ? k : Math.floor(((k + 0.5) * lut.length) / 3 / stripes));
      ctx.fillStyle = `rgb(${lut[c]},${lut[c + 1]},${lut[c + 2]})`;
      ctx.fillRect(x + (k * SWATCH) / stripes, y - 5, SWATCH / stripes, 10);
    }
  }
}

/**
 * @param {Context} ctx
 * @param {Layer} layer
 * @param {number} x
 * @param {number} y of its centre, CSS pixels
 * @param {Look & import("../../layers/layer-style.js").Look} look
 */
function drawMark(ctx, layer, x, y, look) {
  const { marks, sparse } = rasterStyle(layer, look);
  const radius = Math.min(LARGEST, marks?.size ? marks.size / 2 : RADIUS);
  const pixel = sparse?.accent ?? 0;
  const [column, row] = [Math.round(x * look.dpr), Math.round(y * look.dpr)];
  const { dx, dy, alpha } = stampOf(radius * look.dpr, 0.5, 0.5, false, marks?.shape);
  const shown = ctx.globalAlpha * (marks?.opacity ?? 1);
  ctx.save();
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = `rgb(${pixel & 255},${(pixel >> 8) & 255},${(pixel >> 16) & 255})`;
  for (let p = 0; p < dx.length; p++) {
    ctx.globalAlpha = (shown * alpha[p]) / 255;
    ctx.fillRect(column + dx[p], row + dy[p], 1, 1);
  }
  ctx.restore();
}
