// Where the plot lies in its surface, and its axes: ticks, labels, titles. Everything is drawn on a canvas in CSS
// pixels, so that the saved image has it too.

/** @typedef {import("./axis.js").Axis} Axis */
/** @typedef {import("./axis.js").Tick} Tick */
/** @typedef {import("../render/theme.js").Palette} Palette */
/** @typedef {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D} Context */
/** @typedef {Readonly<{x: number, y: number, width: number, height: number}>} Rect  CSS pixels */
/**
 * @typedef {Readonly<{plot: Rect, bar: Rect, narrow: boolean}>} Frame  where things lie in the surface; a bar of width
 *   0 is none
 */
/** @typedef {{top: number, bottom: number}} Margins  CSS pixels */
/** `isTouch`: what can be pressed is as large as a finger.
 * @typedef {{palette: Palette, font: string, dpr: number, isTouch?: boolean}} Look */

/** CSS pixels that a finger needs. */
export const TOUCH = 44;

export const FONT_SIZE = 11.5;
const TICK = 5;
const MINOR = 3;
const X_SPACING = 84;
const X_SPACING_TIME = 104;
const Y_SPACING = 46;
const NARROW = 560;
const SIDE = { none: 20 };
/** A bar, from the plot to its labels, and the least and the most room of these. */
const BAR = { before: 18, width: 12, after: 8, least: 54, most: 78, step: 12 };
const LEFT = { least: 44, most: 108, step: 6 };

/**
 * Room above and below a plot.
 * @param {number} width of the surface
 * @param {{side: "bar"|"legend"|"none", context: boolean}} o `context`: a second line below x
 * @returns {Margins}
 */
export function marginsOf(width, { side, context }) {
  return { top: width < NARROW && side !== "none" ? 50 : 28, bottom: context ? 55 : 42 };
}

/** Room for the lock at the end of a bar across the plot. */
const LOCK = 28;

/**
 * @param {number} width @param {number} height of the surface
 * @param {{left: number, side: "bar"|"legend"|"none", legend: number, labels?: number, context: boolean, dpr: number,
 * beside?: readonly Margins[]}} o `left`: room for y labels; `legend`: width of a legend; `labels`: room next to a bar;
 * `context`: a second line below x; `beside`: the margins of plots in the same row, to be in line with them
 * @returns {Frame} with the plot's edges on whole device pixels
 */
export function frameOf(width, height, { left, side, legend, labels = BAR.least, context, dpr, beside = [] }) {
  const narrow = width < NARROW;
  const right =
    narrow || side === "none"
      ? narrow
        ? 12
        : SIDE.none
      : side === "bar"
        ? BAR.before + BAR.width + BAR.after + labels
        : legend + 34;
  const rows = [marginsOf(width, { side, context }), ...beside];
  const top = Math.max(...rows.map((margins) => margins.top));
  const bottom = Math.max(...rows.map((margins) => margins.bottom));
  const snap = (/** @type {number} */ v) => Math.round(v * dpr) / dpr;
  const x = snap(left);
  const y = snap(top);
  const plot = {
    x,
    y,
    width: snap(Math.max(40, width - left - right)),
    height: snap(Math.max(40, height - top - bottom)),
  };
  const none = { x: 0, y: 0, width: 0, height: 0 };
  if (side === "none") return { plot, bar: none, narrow };
  const from = side === "bar" ? 0.3 : 0; // the bar's ticks stand next to the y axis's title, a legend above it
  if (narrow)
    return {
      plot,
      bar: {
        x: plot.x + plot.width * from,
        y: 12,
        width: plot.width * (1 - from) - 2 - (side === "bar" ? LOCK : 0),
        height: 10,
      },
      narrow,
    };
  const bar = {
    x: plot.x + plot.width + BAR.before,
    y: plot.y + 22,
    width: side === "bar" ? BAR.width : legend,
    height: Math.min(plot.height - 22, side === "bar" ? 340 : plot.height),
  };
  return { plot, bar, narrow };
}

/**
 * Room for the y labels, in steps so that a pan does not shake the plot.
 * @param {Context} ctx @param {Tick[]} ticks @param {Look} look @returns {number} CSS pixels
 */
export function leftFor(ctx, ticks, look) {
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  const widest = Math.max(0, ...ticks.map((t) => ctx.measureText(t.label).width));
  return Math.max(LEFT.least, Math.min(LEFT.most, Math.ceil((widest + TICK + 14) / LEFT.step) * LEFT.step));
}

/**
 * Room next to a bar for labels of a width, in steps so that a pan does not shake the plot.
 * @param {number} width
 * @returns {number} CSS pixels
 */
export function barRoom(width) {
  return Math.min(BAR.most, BAR.least + BAR.step * Math.max(0, Math.ceil((width + 3 - BAR.least) / BAR.step)));
}

/**
 * @param {Axis} axis
 * @param {import("../geometry/span.js").Span} s
 * @param {number} pixels CSS length
 * @param {"x"|"y"} side
 * @returns {Tick[]}
 */
export function ticksOf(axis, s, pixels, side) {
  const spacing = side === "y" ? Y_SPACING : axis.o.kind === "datetime" ? X_SPACING_TIME : X_SPACING;
  return axis.ticks(s, pixels, { spacing });
}

/**
 * Faint lines at the labelled ticks, under a line's strokes.
 * @param {Context} ctx in CSS pixels, the plot's top left at (0, 0)
 * @param {Rect} plot
 * @param {Tick[]} xs
 * @param {Tick[]} ys
 * @param {Look} look
 */
export function drawGrid(ctx, plot, xs, ys, look) {
  ctx.beginPath();
  const half = 0.5 / look.dpr;
  const snap = (/** @type {number} */ v) => Math.round(v * look.dpr) / look.dpr + half;
  for (const t of xs) {
    if (t.minor) continue;
    ctx.moveTo(snap(t.fraction * plot.width), 0);
    ctx.lineTo(snap(t.fraction * plot.width), plot.height);
  }
  for (const t of ys) {
    if (t.minor) continue;
    ctx.moveTo(0, snap((1 - t.fraction) * plot.height));
    ctx.lineTo(plot.width, snap((1 - t.fraction) * plot.height));
  }
  ctx.lineWidth = 1 / look.dpr;
  ctx.strokeStyle = look.palette.grid;
  ctx.stroke();
}

/**
 * The frame, ticks, labels and titles round the plot.
 * @param {Context} ctx in CSS pixels of the surface @param {Frame} frame
 * @param {{x: Axis, y: Axis, xs: Tick[], ys: Tick[], width: number}} o width of the surface
 * @param {Look} look
 */
export function drawAxes(ctx, frame, o, look) {
  const { plot } = frame;
  const { palette, dpr } = look;
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  ctx.lineWidth = 1 / dpr;
  ctx.strokeStyle = palette.frame;
  const half = 0.5 / dpr;
  ctx.strokeRect(plot.x - half, plot.y - half, plot.width + 2 * half, plot.height + 2 * half);
  ctx.fillStyle = palette.muted;
  drawX(ctx, plot, o, look);
  drawY(ctx, plot, o.ys, look);
  titles(ctx, frame, o, look);
}

/** @param {Context} ctx @param {Rect} plot @param {{xs: Tick[], width: number}} o @param {Look} look */
function drawX(ctx, plot, { xs, width }, look) {
  const bottom = plot.y + plot.height;
  const half = 0.5 / look.dpr;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.beginPath();
  let labelled = Number.NEGATIVE_INFINITY;
  let told = Number.NEGATIVE_INFINITY;
  for (const t of xs) {
    const x = Math.round((plot.x + t.fraction * plot.width) * look.dpr) / look.dpr + half;
    ctx.moveTo(x, bottom);
    ctx.lineTo(x, bottom + (t.minor ? MINOR : TICK));
    if (t.minor) continue;
    const place = (/** @type {string} */ words, /** @type {number} */ y, /** @type {number} */ after) => {
      const w = ctx.measureText(words).width;
      const left = Math.max(2, Math.min(x - w / 2, width - w - 2));
      if (left < after + 6) return after;
      ctx.fillText(words, left, y);
      return left + w;
    };
    labelled = place(t.label, bottom + 8, labelled);
    if (t.context) told = place(t.context, bottom + 22, told);
  }
  ctx.stroke();
}

/** @param {Context} ctx @param {Rect} plot @param {Tick[]} ys @param {Look} look */
function drawY(ctx, plot, ys, look) {
  const half = 0.5 / look.dpr;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.beginPath();
  for (const t of ys) {
    const y = Math.round((plot.y + (1 - t.fraction) * plot.height) * look.dpr) / look.dpr - half;
    ctx.moveTo(plot.x, y);
    ctx.lineTo(plot.x - (t.minor ? MINOR : TICK), y);
    if (t.minor) continue;
    const above = t.context !== null;
    ctx.fillText(fitEnd(ctx, t.label, plot.x - TICK - 8), plot.x - TICK - 4, y + 0.5 - (above ? 6 : 0));
    if (t.context) ctx.fillText(fit(ctx, t.context, plot.x - TICK - 8), plot.x - TICK - 4, y + 7.5);
  }
  ctx.stroke();
}

/** @param {Context} ctx @param {Frame} frame @param {{x: Axis, y: Axis, xs: Tick[]}} o @param {Look} look */
function titles(ctx, { plot, narrow }, o, look) {
  ctx.fillStyle = look.palette.ink;
  ctx.font = `500 ${FONT_SIZE + 0.5}px ${look.font}`;
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "left";
  const start = Math.max(8, plot.x - TICK - 4 - Math.min(plot.x - 14, ctx.measureText(o.y.title).width));
  ctx.fillText(fit(ctx, o.y.title, narrow ? plot.x + plot.width * 0.3 - start - 8 : plot.width), start, plot.y - 11);
  ctx.textAlign = "center";
  const below = plot.y + plot.height + (o.xs.some((t) => t.context !== null) ? 48 : 35);
  ctx.fillText(fit(ctx, o.x.title, plot.width), plot.x + plot.width / 2, below);
}

/**
 * A number cut to a width: it differs from its neighbours at its end, which stays.
 * @param {Context} ctx
 * @param {string} words
 * @param {number} width
 * @returns {string}
 */
export function fitEnd(ctx, words, width) {
  if (!/\d/.test(words.slice(-1))) return fit(ctx, words, width);
  let shown = words;
  while (shown.length > 2 && ctx.measureText(shown).width > width) shown = `…${shown.slice(2)}`;
  return shown;
}

/**
 * Words cut with an ellipsis to a width.
 * @param {Context} ctx
 * @param {string} words
 * @param {number} width CSS pixels
 * @returns {string}
 */
export function fit(ctx, words, width) {
  if (ctx.measureText(words).width <= width) return words;
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ctx.measureText(`${words.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? "" : `${words.slice(0, low)}…`;
}
