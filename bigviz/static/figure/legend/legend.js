// The key to the colours: a bar whose ticks are values (the inverse of the normalisation), or the categories under
// `by`.

import { scaleLinear, scaleLog } from "d3-scale";
import { fit, fitEnd, FONT_SIZE, TOUCH } from "../../axes/draw.js";

/** @typedef {import("../../axes/draw.js").Context} Context */
/** @typedef {import("../../axes/draw.js").Rect} Rect */
/** @typedef {import("../../axes/draw.js").Look} Look */
/** @typedef {import("../../render/shade.js").Norm} Norm */
/**
 * @typedef {{rect: Rect, horizontal: boolean, norm: Norm|null, lut: Uint8Array, title: string, words: ValueWords, mark:
 *   number|bigint|null, room: number}} Bar mark: a value to point at; room: CSS pixels for labels next to the bar */
/** @typedef {import("../../axes/values.js").ValueWords} ValueWords */
/** @typedef {{fraction: number, label: string}} Label */

const GAP = 15;
const GAP_ACROSS = 46;
/** Left free at the edge of the surface. */
const EDGE = 3;
/** From one line of a label to the next. */
const LINE = 13;
const TITLE_ROOM = 86;
/** Between a title and the bar next to it. */
const BESIDE = 9;
/** Share of a horizontal legend's length that its title may take. */
const TITLE_SHARE = 0.3;
/** CSS pixels from the bar to its labels. */
export const LABEL_GAP = 8;
/** A rounded value may stand off its colour by this share of the bar. */
const ASTRAY = 0.02;

/**
 * @param {Context} ctx in CSS pixels of the surface @param {Bar} bar @param {Look} look
 */
export function drawBar(ctx, bar, look) {
  const { rect, horizontal, norm, lut } = bar;
  const gradient = horizontal
    ? ctx.createLinearGradient(rect.x, 0, rect.x + rect.width, 0)
    : ctx.createLinearGradient(0, rect.y + rect.height, 0, rect.y);
  const lift = norm?.lift ?? 0; // no value has the colours below
  for (let k = 0; k <= 32; k++) {
    const c = Math.min(255, Math.round((lift + (1 - lift) * (k / 32)) * 255)) * 3;
    gradient.addColorStop(k / 32, `rgb(${lut[c]},${lut[c + 1]},${lut[c + 2]})`);
  }
  ctx.globalAlpha = norm ? 1 : 0.35;
  ctx.fillStyle = gradient;
  ctx.fillRect(rect.x, rect.y, rect.width, rect.height);
  ctx.globalAlpha = 1;
  const half = 0.5 / look.dpr;
  ctx.lineWidth = 1 / look.dpr;
  ctx.strokeStyle = look.palette.frame;
  ctx.strokeRect(rect.x - half, rect.y - half, rect.width + 2 * half, rect.height + 2 * half);
  ctx.font = `500 ${FONT_SIZE}px ${look.font}`;
  ctx.fillStyle = look.palette.ink;
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "left";
  if (horizontal) {
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    ctx.fillText(fit(ctx, bar.title, rect.x - 2 * BESIDE), rect.x - BESIDE, rect.y + rect.height / 2 + 0.5);
  } else {
    const title = fit(ctx, bar.title, TITLE_ROOM);
    ctx.fillText(title, Math.min(rect.x, rect.x + TITLE_ROOM - 14 - ctx.measureText(title).width), rect.y - 13);
  }
  if (norm) barTicks(ctx, bar, norm, look);
}

/** @param {Context} ctx @param {Bar} bar @param {Norm} norm @param {Look} look */
function barTicks(ctx, bar, norm, look) {
  const { rect, horizontal } = bar;
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  ctx.fillStyle = look.palette.muted;
  ctx.beginPath();
  for (const { fraction, label } of labelsOf(norm, { words: bar.words, ...roomFor(ctx, bar, norm) })) {
    if (horizontal) {
      const x = rect.x + fraction * rect.width;
      ctx.moveTo(x, rect.y + rect.height);
      ctx.lineTo(x, rect.y + rect.height + 4);
      ctx.textBaseline = "top";
      ctx.textAlign = fraction < 0.1 ? "left" : fraction > 0.9 ? "right" : "center";
      ctx.fillText(label, x, rect.y + rect.height + 5);
    } else {
      const y = rect.y + (1 - fraction) * rect.height;
      ctx.moveTo(rect.x + rect.width, y);
      ctx.lineTo(rect.x + rect.width + 4, y);
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      const lines = linesOf(ctx, label, bar.room);
      const above = (LINE * (lines.length - 1)) / 2;
      // next to the bar, not over its title
      const first = Math.max(rect.y, Math.min(rect.y + rect.height - 2 * above, y - above));
      for (const [k, line] of lines.entries())
        ctx.fillText(fitEnd(ctx, line, bar.room - EDGE), rect.x + rect.width + LABEL_GAP, first + 0.5 + LINE * k);
    }
  }
  ctx.strokeStyle = look.palette.frame;
  ctx.stroke();
  if (bar.mark !== null) pointAt(ctx, bar, along(norm, norm.place(bar.mark)), look);
}

/** @param {Context} ctx @param {Bar} bar @param {number} fraction @param {Look} look */
function pointAt(ctx, { rect, horizontal }, fraction, look) {
  if (!(fraction >= 0 && fraction <= 1)) return;
  ctx.fillStyle = look.palette.ink;
  ctx.beginPath();
  if (horizontal) {
    const x = rect.x + fraction * rect.width;
    ctx.moveTo(x, rect.y - 1);
    ctx.lineTo(x - 4, rect.y - 7);
    ctx.lineTo(x + 4, rect.y - 7);
  } else {
    const y = rect.y + (1 - fraction) * rect.height;
    ctx.moveTo(rect.x - 1, y);
    ctx.lineTo(rect.x - 7, y - 4);
    ctx.lineTo(rect.x - 7, y + 4);
  }
  ctx.fill();
}

/**
 * A label on one line, or a stamp's date above its time of day where one is too short.
 * @param {Context} ctx
 * @param {string} label
 * @param {number} room
 * @returns {string[]}
 */
function linesOf(ctx, label, room) {
  const stamp = /^(\S+-\d\d-\d\d) (.+)$/.exec(label);
  return stamp && ctx.measureText(label).width > room ? stamp.slice(1) : [label];
}

/**
 * How many labels a bar has room for, and how far apart they must be.
 * @param {Context} ctx
 * @param {Pick<Bar, "rect"|"horizontal"|"words">} bar
 * @param {Norm} norm
 * @returns {{wanted: number, length: number, gap: number}}
 */
function roomFor(ctx, { rect, horizontal, words }, norm) {
  if (!horizontal)
    return { wanted: rect.height / (GAP * 2.2), length: rect.height, gap: words.isStamp ? GAP + LINE : GAP };
  const widest = Math.max(...words.apart(norm.ends).map((label) => ctx.measureText(label).width));
  const gap = Math.max(GAP_ACROSS, widest + 10);
  return { wanted: rect.width / gap, length: rect.width, gap };
}

/**
 * Values to name along a bar: round ones for linear, cube root and log, those at equal steps of colour for the
 * equalised scale; both ends always, the rest where there is room. Labels have as many digits as tell them apart.
 * @param {Norm} norm
 * @param {{words: ValueWords, wanted: number, length: number, gap?: number}} o `wanted`: about so many; `length` of the
 *   bar and `gap` between labels in CSS pixels
 * @returns {Label[]}
 */
export function labelsOf(norm, { words, wanted, length, gap = GAP }) {
  const known = labelled.get(norm);
  if (known && known.words === words && known.wanted === wanted && known.length === length && known.gap === gap)
    return known.labels;
  const labels = foundLabels(norm, { words, wanted, length, gap });
  labelled.set(norm, { words, wanted, length, gap, labels });
  return labels;
}

/** Those of a normalisation as last asked for: room is made for them, and then they are drawn.
 * @type {WeakMap<Norm, {words: ValueWords, wanted: number, length: number, gap: number, labels: Label[]}>} */
const labelled = new WeakMap();

/**
 * @param {Norm} norm @param {{words: ValueWords, wanted: number, length: number, gap: number}} o
 * @returns {Label[]}
 */
function foundLabels(norm, { words, wanted, length, gap }) {
  const { low, high } = norm;
  if (!(high > low)) return [{ fraction: along(norm, norm.fraction(low)), label: words.apart([norm.told(low)])[0] }];
  const count = Math.max(2, Math.min(9, Math.floor(wanted)));
  const middle = norm.how === "eq_hist" ? steps(norm, words, count) : rounds(norm, words, count);
  const least = gap / length;
  const kept = [{ fraction: 0, value: low }];
  for (const value of middle) {
    if (words.whole && value !== Math.round(value)) continue;
    const fraction = along(norm, norm.fraction(value));
    const last = kept[kept.length - 1];
    if (value > last.value && value < high && fraction - last.fraction >= least && 1 - fraction >= least)
      kept.push({ fraction, value });
  }
  kept.push({ fraction: 1, value: high });
  const labels = words.apart(kept.map(({ value }) => norm.told(value)));
  return kept.map(({ fraction }, k) => ({ fraction, label: labels[k] }));
}

/** Where a fraction of the colour map lies along a bar, which begins with the lowest value's colour.
 * @param {Norm} norm @param {number} fraction @returns {number} */
const along = ({ lift }, fraction) => (fraction - lift) / (1 - lift);

/**
 * Width that the labels next to a bar need.
 * @param {Context} ctx
 * @param {Norm} norm
 * @param {ValueWords} words
 * @param {Rect} rect of the bar
 * @param {Look} look
 * @returns {number} CSS pixels
 */
export function barLabelWidth(ctx, norm, words, rect, look) {
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  const labels = labelsOf(norm, { words, ...roomFor(ctx, { rect, horizontal: false, words }, norm) });
  return Math.max(
    ...labels.map(({ label }) => Math.max(...linesOf(ctx, label, 0).map((line) => ctx.measureText(line).width))),
  );
}

/** @param {Norm} norm @param {ValueWords} words @param {number} count @returns {number[]} */
function rounds(norm, words, count) {
  const { how, low, high, origin } = norm;
  if (origin !== 0n) return words.rounds(low, high, count, origin);
  if (how === "log" && low > 0 && !words.unit)
    return scaleLog()
      .domain([low, high])
      .ticks(count)
      .filter((v) => /^[125]/.test(v.toExponential()));
  if (how === "cbrt" && !words.unit) {
    const scale = scaleLinear().domain([Math.cbrt(low), Math.cbrt(high)]);
    return scale.ticks(count).map((root) => Number((root ** 3).toPrecision(1)));
  }
  return words.rounds(low, high, count);
}

/** @param {Norm} norm @param {ValueWords} words @param {number} count @returns {number[]} */
function steps(norm, words, count) {
  const values = [];
  for (let k = 1; k < count - 1; k++) {
    const value = norm.value(k / (count - 1));
    const round = norm.origin === 0n ? words.rounder(value) : Math.round(value);
    // Not so round that it leaves its place: values may differ little compared with their size.
    const near = words.whole ? Math.round(value) : value;
    values.push(Math.abs(norm.fraction(round) - norm.fraction(value)) < ASTRAY ? round : near);
  }
  return values;
}

/**
 * Width that a legend needs.
 * @param {Context} ctx
 * @param {readonly string[]} labels
 * @param {Look} look
 * @returns {number} CSS pixels, at most 150
 */
export function legendWidth(ctx, labels, look) {
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  return Math.min(150, Math.ceil(18 + Math.max(24, ...labels.map((l) => ctx.measureText(l).width))));
}

/** How faint a category is that is left out. */
const LEFT_OUT = 0.3;
/** From one line of a legend to the next, and the height of one that lies. */
const ROW = 19;
const ACROSS = 26;
/** From one entry to the next of one that lies, and from its upper edge to the middle of the words. */
const APART = 10;
const MIDDLE = 5;

/** Where a press counts; `middle`: of the words, from above.  @typedef {Rect & {middle: number}} Place */
/**
 * Where the categories of a legend stand, in CSS pixels of the surface; `more`: where the number of those stands that
 * have no room, and how many they are.
 * @typedef {{entries: (Place & {code: number})[], more: (Place & {count: number})|null}} KeyPlaces
 */
/** @typedef {{rect: Rect, horizontal: boolean, labels: readonly string[], title: string}} Key */

/**
 * @param {Context} ctx in CSS pixels of the surface @param {Key} key @param {Look} look
 * @returns {KeyPlaces}
 */
export function legendPlaces(ctx, { rect, horizontal, labels, title }, look) {
  /** @type {KeyPlaces} */ const places = { entries: [], more: null };
  const least = look.isTouch ? TOUCH : 0;
  if (horizontal) {
    let x = rect.x + legendTitle(ctx, title, rect, look).width;
    ctx.font = `${FONT_SIZE}px ${look.font}`;
    const height = Math.max(ACROSS, least);
    const line = { y: Math.max(0, rect.y + MIDDLE - height / 2), height, middle: rect.y + MIDDLE };
    const rest = Math.max(40, least);
    for (let code = 0; code < labels.length; code++) {
      const width = Math.max(ctx.measureText(labels[code]).width + 15, least);
      if (x + width + rest - 6 > rect.x + rect.width && code < labels.length - 1) {
        places.more = { x, ...line, width: rest, count: labels.length - code };
        break;
      }
      places.entries.push({ code, x, ...line, width });
      x += width + APART;
    }
    return places;
  }
  const row = Math.max(ROW, least);
  const rows = Math.max(1, Math.floor(rect.height / row));
  const shown = labels.length <= rows ? labels.length : rows - 1;
  const line = (/** @type {number} */ k) => {
    const y = rect.y + 8 - ROW / 2 + row * k;
    return { x: rect.x, y, height: row, middle: y + row / 2 };
  };
  for (let code = 0; code < shown; code++) places.entries.push({ code, ...line(code), width: rect.width + 3 });
  if (shown < labels.length) places.more = { ...line(shown), width: rect.width + 12, count: labels.length - shown };
  return places;
}

/**
 * Categories with their colours, those of `hidden` faint; what does not fit is counted.
 * @param {Context} ctx
 * @param {Key & {colors: Uint8Array, hidden?: readonly number[]}} key
 * @param {Look} look
 */
export function drawLegend(ctx, key, look) {
  const { rect, horizontal, labels, colors, title, hidden = [] } = key;
  const places = legendPlaces(ctx, key, look);
  ctx.textAlign = "left";
  ctx.fillStyle = look.palette.ink;
  if (horizontal) {
    const { words } = legendTitle(ctx, title, rect, look);
    ctx.textBaseline = "middle";
    ctx.fillText(words, rect.x, rect.y + MIDDLE + 0.5);
  } else {
    ctx.font = `500 ${FONT_SIZE}px ${look.font}`;
    ctx.textBaseline = "alphabetic";
    ctx.fillText(fit(ctx, title, rect.width + 12), rect.x, rect.y - 9);
  }
  ctx.font = `${FONT_SIZE}px ${look.font}`;
  ctx.textBaseline = "middle";
  for (const { code, x, middle } of places.entries) {
    ctx.globalAlpha = hidden.includes(code) ? LEFT_OUT : 1;
    ctx.fillStyle = `rgb(${colors[3 * code]},${colors[3 * code + 1]},${colors[3 * code + 2]})`;
    ctx.fillRect(x, middle - 5, 10, 10);
    ctx.fillStyle = look.palette.muted;
    if (horizontal) ctx.fillText(fit(ctx, labels[code], 120), x + 14, middle + 0.5);
    else ctx.fillText(fit(ctx, labels[code], rect.width - 14), x + 17, middle + 0.5);
  }
  ctx.globalAlpha = 1;
  ctx.fillStyle = look.palette.muted;
  if (places.more) {
    const { x, middle, width, count } = places.more;
    ctx.fillText(fit(ctx, horizontal ? `+${count}` : `+${count} more`, width), x, middle + 0.5);
  }
}

/**
 * The title of a horizontal legend, before its categories.
 * @param {Context} ctx
 * @param {string} title
 * @param {Rect} rect
 * @param {Look} look
 * @returns {{words: string, width: number}} CSS pixels that it takes
 */
function legendTitle(ctx, title, rect, look) {
  ctx.font = `500 ${FONT_SIZE}px ${look.font}`;
  const words = fit(ctx, title, rect.width * TITLE_SHARE);
  return { words, width: ctx.measureText(words).width + 12 };
}
