// What the browser's own work costs, without a browser: decoding, resampling, distribution, shading of a viewport of points, and a
// line's path. Canvas calls are empty, so this is the JavaScript only. Run: node bench/client.mjs
import { cpus } from "node:os";
import { TileCache } from "../bigviz/static/layers/tile-cache.js";
import { LineLayer } from "../bigviz/static/layers/line-layer.js";
import { decodePlane } from "../bigviz/static/wire/codec.js";
import { TileLayer } from "../bigviz/static/layers/tile-layer.js";
import { Axis } from "../bigviz/static/axes/axis.js";
import { span } from "../bigviz/static/geometry/span.js";
import { View } from "../bigviz/static/geometry/view.js";
import { rlev, runs } from "../tests/js/frames.js";

const [WIDTH, HEIGHT, LEVEL, ROWS, CATEGORIES, ROUNDS] = [1024, 768, 2, 10_000_000, 8, 30];

/** A canvas that draws nothing. */
const createCanvas = (/** @type {number} */ width, /** @type {number} */ height) => {
  const nothing = () => {};
  const context = {
    createImageData: () => ({ data: new Uint8ClampedArray(4 * width * height) }),
    ...Object.fromEntries(
      ["putImageData", "drawImage", "save", "restore", "beginPath", "rect", "clip", "moveTo", "lineTo", "stroke"].map(
        (name) => [name, nothing],
      ),
    ),
  };
  return /** @type {any} */ ({ width, height, getContext: () => context });
};

/** Counts of a Clifford attractor over the root [-2, 2) squared, 1024 x 1024 cells, row 0 on top. */
function attractor() {
  const size = 256 * 2 ** LEVEL;
  const cells = Array.from({ length: CATEGORIES }, () => new Uint32Array(size * size));
  let [x, y] = [0, 0];
  for (let row = 0; row < ROWS; row++) {
    [x, y] = [Math.sin(-1.4 * y) + Math.cos(-1.4 * x), Math.sin(1.6 * x) + 0.7 * Math.cos(1.6 * y)];
    cells[row % CATEGORIES][(size - 1 - Math.floor(((y + 2) / 4) * size)) * size + Math.floor(((x + 2) / 4) * size)]++;
  }
  return cells;
}

/** @param {Uint32Array} cells @param {number} i @param {number} j @returns {Uint32Array} */
function tileOf(cells, i, j) {
  const out = new Uint32Array(65536);
  for (let row = 0; row < 256; row++)
    out.set(cells.subarray((256 * j + row) * 1024 + 256 * i, (256 * j + row) * 1024 + 256 * i + 256), 256 * row);
  return out;
}

/** @param {ArrayLike<number>} values @param {boolean} counts */
function encode(values, counts) {
  const list = Array.from(values, (value) => (counts ? value : value ? Math.fround(Math.sqrt(value)) : null));
  const filled = list.filter((value) => value).length;
  const numbers = list.map((value) => value ?? 0);
  const high = numbers.reduce((a, b) => Math.max(a, b), 0);
  const common = { plane: 0, filled, low: 1, high, constant: new Uint8Array(8) };
  if (!filled) return { ...common, codec: 0, dtype: 1, payload: new Uint8Array(0) };
  return counts
    ? { ...common, codec: 3, dtype: high < 256 ? 1 : high < 65536 ? 2 : 3, payload: rlev(numbers) }
    : { ...common, codec: 4, dtype: 9, payload: runs(list, Float32Array) };
}

/** Median and 95th percentile of a piece of work.  @param {string} name @param {() => void} work @param {number} [per] divides */
function measure(name, work, per = 1) {
  for (let round = 0; round < 5; round++) work();
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / per;
  }).sort((a, b) => a - b);
  console.log(
    `${name.padEnd(62)} ${times[ROUNDS >> 1].toFixed(2).padStart(8)} ${times[Math.floor(ROUNDS * 0.95)].toFixed(2).padStart(8)}`,
  );
}

const LUT = Uint8Array.from({ length: 768 }, (_, k) => k & 255);
const style = (/** @type {any} */ how) => ({ how, lut: LUT, low: null, high: null });

/** @param {string} reduction @param {string[]|null} planes @param {Uint32Array[]} cells one array a plane */
function layerOf(reduction, planes, cells) {
  const axis = { kind: "float" };
  const info = /** @type {any} */ ({
    root: { x: ["-2.0", 2], y: ["-2.0", 2] },
    version: 1,
    planes,
    reduction,
    x: axis,
    y: axis,
  });
  const layer = new TileLayer({
    cache: new TileCache(1 << 30),
    definition: /** @type {any} */ ({ dataset: "d", agg: reduction }),
    info,
    style: style("eq_hist"),
    createCanvas,
  });
  for (let j = 0; j < 4; j++) {
    for (let i = 0; i < 4; i++) {
      const encoded = cells.map((plane, k) => ({ ...encode(tileOf(plane, i, j), layer.facts.counts), plane: k }));
      layer.add(/** @type {any} */ ({ key: { zx: LEVEL, zy: LEVEL, i, j }, planes: encoded, total: encoded.length }));
    }
  }
  return layer;
}

/** @param {string} name @param {TileLayer} layer */
function drawing(name, layer) {
  const canvas = createCanvas(WIDTH, HEIGHT).getContext("2d");
  for (const [zoom, cell] of /** @type {const} */ ([
    [1, "1.00"],
    [1.3, "0.77"],
    [0.77, "1.30"],
  ])) {
    const [x, y] = [2 * zoom, (2 * zoom * HEIGHT) / WIDTH];
    const zoomed = new View({ x: span(-x, x), y: span(-y, y), width: WIDTH, height: HEIGHT });
    if (!layer.complete(zoomed)) throw new Error(`level ${JSON.stringify(layer.level(zoomed))} is not loaded`);
    measure(`${name}: settle, a cell of ${cell} px`, () => {
      layer.picture = null;
      layer.settle(canvas, zoomed);
    });
    if (zoom === 1) {
      for (const how of ["linear", "log", "cbrt", "eq_hist"]) {
        measure(`${name}: restyle to ${how}`, () => {
          layer.restyle(style(how));
          layer.settle(canvas, zoomed);
        });
      }
      measure(`${name}: compose, nothing shaded yet`, () => {
        layer.bitmaps.clear();
        layer.compose(canvas, zoomed.zoom(0.9, 0.9, 500, 300));
      });
      measure(`${name}: compose, tiles shaded`, () => layer.compose(canvas, zoomed.zoom(0.9, 0.9, 500, 300)));
    }
  }
}

console.log(
  `${cpus()[0].model}, node ${process.version}, ${WIDTH} x ${HEIGHT}, ${ROWS} rows of a Clifford attractor in 16 tiles\n${" ".repeat(62)}   median      p95  ms`,
);
const cells = attractor();
const all = cells[0].map((_, k) => cells.reduce((sum, plane) => sum + plane[k], 0));
const tiles = Array.from({ length: 16 }, (_, k) => encode(tileOf(all, k % 4, k >> 2), true)).filter(
  ({ codec }) => codec === 3,
);
measure(
  `decode rlev, a tile (mean of ${tiles.length})`,
  () => {
    for (const tile of tiles) decodePlane(tile, true);
  },
  tiles.length,
);
const means = Array.from({ length: 16 }, (_, k) => encode(tileOf(all, k % 4, k >> 2), false)).filter(
  ({ codec }) => codec === 4,
);
measure(
  `decode runs of float32, a tile (mean of ${means.length})`,
  () => {
    for (const tile of means) decodePlane(tile, false);
  },
  means.length,
);
drawing("count", layerOf("count", null, [all]));
drawing("mean", layerOf("mean(v)", null, [all]));
drawing(
  `by ${CATEGORIES}`,
  layerOf(
    "by(c)",
    Array.from({ length: CATEGORIES }, (_, k) => String(k)),
    cells,
  ),
);

const n = 4 * WIDTH;
const line = new LineLayer({
  definition: /** @type {any} */ ({}),
  info: /** @type {any} */ ({ x: { kind: "timestamp" } }),
  style: { color: "red", width: 1.5 },
});
const columns = {
  n,
  width: WIDTH,
  xorigin: 0n,
  yorigin: 0n,
  flagged: [],
  column: new Int32Array(n),
  run: new Int32Array(n),
  row: new Float64Array(n),
  x: Float64Array.from({ length: n }, (_, k) => k),
  y: Float64Array.from({ length: n }, (_, k) => Math.sin(k)),
};
const view = new View({ x: span(0, n, 0n, true), y: span(-1, 1), width: WIDTH, height: HEIGHT });
line.add(/** @type {any} */ ({ columns }), /** @type {any} */ (line.request(view)));
const context = createCanvas(1, 1).getContext("2d");
measure(`line: path of ${n} rows`, () => line.draw(context, view, 1));
measure("line: nearest row", () => line.nearest(view, 500, 300));
const times = new Axis({
  kind: "datetime",
  side: "x",
  column: { column: "t", kind: "timestamp", zone: "Europe/Paris", categories: null },
  zone: "Europe/Paris",
});
measure("ticks of a time axis in a zone", () => times.ticks(span(0, 1e15, 1_700_000_000_000_000_000n, true), WIDTH));
