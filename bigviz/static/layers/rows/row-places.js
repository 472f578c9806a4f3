// Rows in a view: the pixels that they lie at, and which is nearest to one.

import { scaleOf } from "../../geometry/span.js";
import { isLeftOut } from "../../render/palette.js";
import { nearView, placeOf } from "../near-view.js";

/** @typedef {import("../../geometry/view.js").View} View */
/** @typedef {import("../../wire/rows.js").Rows} Rows */
/** A mark under the pointer: the first row there and how many there are, its value, its category, its place.
 * @typedef {{row: number, number: number, value: number|bigint, label: string|null, code: number, x:
 *   import("../../geometry/span.js").Place, y: import("../../geometry/span.js").Place, px: number, py: number,
 *   distance: number}} MarkHit */

/**
 * Where rows lie in a view, in device pixels, and how many of them are in sight.
 * @param {Rows} held @param {View} view @param {Uint8Array} palette of their categories: r, g, b and so on
 * @returns {import("../../render/marks.js").Placed & {visible: number}}
 */
export function placeRows(held, view, palette) {
  const rows = nearView(held, view);
  const { n, x, y, value, code } = rows;
  const t = transform(rows, view);
  const [px, py] = [new Float64Array(n), new Float64Array(n)];
  let visible = 0;
  for (let k = 0; k < n; k++) {
    const a = (x[k] - t.x0) * t.xunit * t.xscale;
    const b = view.height - (y[k] - t.y0) * t.yunit * t.yscale;
    px[k] = a;
    py[k] = b;
    if (a >= 0 && a < view.width && b >= 0 && b < view.height) visible++;
  }
  let colors = null;
  if (code) {
    const most = Math.max(1, Math.floor(palette.length / 3));
    colors = Uint32Array.from(code, (c) => {
      const at = 3 * (c % most);
      return (palette[at + 2] << 16) | (palette[at + 1] << 8) | palette[at];
    });
  }
  return { n, px, py, values: value, colors, visible };
}

/**
 * Rows without those of the categories that are left out.
 * @param {Rows} rows @param {Uint8Array} [colors] of the categories
 * @returns {Rows} the same where none is left out
 */
export function shownRows(rows, colors) {
  const { code } = rows;
  if (!colors || !code) return rows;
  const kept = [...code.keys()].filter((k) => !isLeftOut(colors, code[k]));
  if (kept.length === code.length) return rows;
  /** @template {{[at: number]: any, length: number}} T @param {T} from @param {any} to @returns {T} */
  const pick = (from, to) => {
    kept.forEach((k, at) => {
      to[at] = from[k];
    });
    return to;
  };
  const big = (/** @type {BigInt64Array|BigUint64Array} */ from) =>
    pick(from, from instanceof BigInt64Array ? new BigInt64Array(kept.length) : new BigUint64Array(kept.length));
  return {
    ...rows,
    n: kept.length,
    x: pick(rows.x, new Float64Array(kept.length)),
    y: pick(rows.y, new Float64Array(kept.length)),
    xwhole: rows.xwhole && pick(rows.xwhole, new BigInt64Array(kept.length)),
    ywhole: rows.ywhole && pick(rows.ywhole, new BigInt64Array(kept.length)),
    row: pick(rows.row, new Float64Array(kept.length)),
    number: pick(rows.number, new Uint32Array(kept.length)),
    code: pick(code, new Int32Array(kept.length)),
    value: pick(rows.value, new Float64Array(kept.length)),
    exact: rows.exact && big(rows.exact),
  };
}

/**
 * The row whose mark is nearest to a pixel.
 * @param {Rows} held @param {View} view @param {number} px @param {number} py @param {number} reach device pixels
 * @param {readonly string[]|null} labels of the categories @returns {MarkHit|null}
 */
export function nearestRow(held, view, px, py, reach, labels) {
  const rows = nearView(held, view);
  const t = transform(rows, view);
  let best = -1;
  let least = reach * reach;
  for (let k = 0; k < rows.n; k++) {
    const a = (rows.x[k] - t.x0) * t.xunit * t.xscale - px;
    const b = view.height - (rows.y[k] - t.y0) * t.yunit * t.yscale - py;
    const away = a * a + b * b;
    if (away >= least) continue;
    least = away;
    best = k;
  }
  if (best < 0) return null;
  const code = rows.code ? rows.code[best] : -1;
  return {
    row: rows.row[best],
    number: rows.number[best],
    value: rows.exact ? rows.exact[best] : rows.value[best],
    label: code < 0 ? null : (labels?.[code] ?? null),
    code,
    x: placeOf(held, "x", best),
    y: placeOf(held, "y", best),
    px: (rows.x[best] - t.x0) * t.xunit * t.xscale,
    py: view.height - (rows.y[best] - t.y0) * t.yunit * t.yscale,
    distance: Math.sqrt(least),
  };
}

/** data -> pixels, of offsets from the rows' own origins.  @param {Rows} rows @param {View} view */
function transform({ xorigin, yorigin }, { x, y, width, height }) {
  const [across, up] = [scaleOf(x, width), scaleOf(y, height)];
  return {
    x0: x.lo + Number(x.origin - xorigin),
    xunit: across.unit,
    xscale: across.scale,
    y0: y.lo + Number(y.origin - yorigin),
    yunit: up.unit,
    yscale: up.scale,
  };
}
