// The golden axes and bars of `tests/golden/axes.json`, which bigviz/export/axes has to agree with: ticks of spans on
// all kinds of axes, labels of colour bars, and the values that they stand for.
//
//     node tests/js/axes/golden-cases.js     writes the file anew

import { writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { Axis } from "../../../bigviz/static/axes/axis.js";
import { ValueWords } from "../../../bigviz/static/axes/values.js";
import { labelsOf } from "../../../bigviz/static/figure/legend/legend.js";
import { spanOf } from "../../../bigviz/static/geometry/span.js";
import { Distribution } from "../../../bigviz/static/render/distribution.js";
import { Norm } from "../../../bigviz/static/render/norm.js";
import { pick, random, whole } from "../random.js";

export const FILE = new URL("../../golden/axes.json", import.meta.url);
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "+05:45", "Nowhere/Land"];
const HOWS = /** @type {const} */ (["linear", "log", "cbrt", "eq_hist"]);
const ROUND = 12;

/** @typedef {import("../../../bigviz/static/axes/axis.js").AxisOptions} AxisOptions */
/** @typedef {AxisOptions["kind"]} Kind */

/** @param {Kind} kind @param {"x"|"y"} side @param {string|null} holds @param {object} [more] @returns {AxisOptions} */
function axis(kind, side, holds, more = {}) {
  const column = holds === null ? null : { column: "c", kind: holds, zone: null, categories: null };
  return /** @type {AxisOptions} */ ({ kind, side, column, ...more });
}

/** @param {() => number} rand @returns {Generator<[AxisOptions, number|string, number|string]>} */
function* spans(rand) {
  for (let power = -12; power <= 20; power += 2) {
    const low = (rand() - 0.5) * 10 ** power;
    yield [axis("linear", "x", "float"), low, low + rand() * 10 ** power];
    yield [axis("linear", "y", "float"), 1e6 + low, 1e6 + low + 10 ** Math.max(-3, power - 3)];
  }
  for (const [low, high] of [
    [-8e307, 8e307],
    [0, 1e-300],
    [1e-320, 3e-320],
    [5, 5.000001],
    [-3, 3],
    [0, 1500000],
  ])
    yield [axis("linear", "x", "float"), low, high];
  for (let k = 0; k < 24; k++) {
    const low = rand() * 12 - 6;
    yield [axis("log", pick(rand, ["x", "y"]), "float"), low, low + 10 ** (rand() * 3 - 1.5)];
  }
  yield [axis("log", "x", "float"), -300, 300];
  for (let power = 0; power <= 18; power += 2) {
    const low = BigInt(Math.floor((rand() - 0.5) * 10 ** power));
    yield [axis("linear", "x", "integer"), String(low), String(low + BigInt(Math.ceil(rand() * 10 ** power)) + 1n)];
  }
  const categories = ["a", "bee", "a label that is far too long to be shown", "d"];
  yield [axis("linear", "x", "category", { categories }), "-1.5", "4.25"];
  yield [axis("linear", "y", "bool"), "-0.5", "1.5"];
  for (let power = 1; power < 19; power += 2) {
    for (const zone of [null, ...ZONES.slice(whole(rand, 0, 3), 4), pick(rand, ZONES)]) {
      const low = BigInt(Math.floor((rand() * 1.6e9 + 1e8) * 1e9));
      const high = low + BigInt(Math.ceil((1 + rand() * 4) * 10 ** power)) + 2n;
      if (high < 9_000_000_000_000_000_000n)
        yield [axis("datetime", "x", "timestamp", { zone }), String(low), String(high)];
    }
    const low = BigInt(Math.floor((rand() - 0.3) * 10 ** power));
    yield [axis("datetime", "x", "duration"), String(low), String(low + BigInt(10 ** power))];
    yield [axis("datetime", "y", "time"), String(low < 0n ? -low : low), String(low + 2n * BigInt(10 ** power))];
  }
  // The hour that autumn repeats, and the one that spring leaves out.
  for (const start of [1_635_636_000n, 1_616_889_600n])
    yield [
      axis("datetime", "x", "timestamp", { zone: "Europe/Berlin" }),
      String(start * 1_000_000_000n),
      String((start + 14_400n) * 1_000_000_000n),
    ];
  for (let k = 0; k < 12; k++) {
    const low = rand() * 0.6;
    yield [axis("mercator", pick(rand, ["x", "y"]), "float"), low, low + 0.4 * 10 ** (-rand() * 6)];
  }
}

/**
 * @param {() => number} rand
 * @returns {Generator<[import("../../../bigviz/static/wire/frames.js").ValueKind, number[], boolean]>}
 */
function* barValues(rand) {
  const many = (/** @type {(k: number) => number} */ make) => Array.from({ length: 60 }, (_, k) => make(k));
  const float = { kind: "float", type: "double", unit: null, zone: null };
  const integer = { ...float, kind: "integer", type: "int64" };
  yield [{ ...integer, type: "uint32" }, many(() => Math.floor(1 / (1.001 - rand()))), true];
  yield [{ ...integer, type: "uint32" }, many(() => whole(rand, 1, 3)), true];
  yield [{ ...integer, type: "uint32" }, many(() => whole(rand, 1, 5_000_000)), true];
  yield [float, many(() => rand() * 40 - 20), false];
  yield [float, many(() => 1e-9 * rand()), false];
  yield [float, many(() => 1e18 + 1e15 * rand()), false];
  yield [float, many(() => 10 ** (rand() * 12)), false];
  yield [float, many(() => 7.5), false];
  yield [integer, many(() => whole(rand, -900, 900)), false];
  const stamp = { kind: "timestamp", type: "timestamp[us]", unit: "us", zone: "Europe/Berlin" };
  yield [stamp, many(() => 1.7e18 + Math.floor(rand() * 1e15)), false];
  yield [
    { kind: "duration", type: "duration[ms]", unit: "ms", zone: null },
    many(() => Math.floor(rand() * 1e13)),
    false,
  ];
}

/** @param {number} value @returns {number} without the last bits, which a logarithm may differ in */
const cut = (value) => Number(value.toPrecision(ROUND));

/** The file's content. @returns {string} */
export function text() {
  const rand = random(77);
  const ticks = [...spans(rand)].map(([options, start, end]) => {
    const made = new Axis(options);
    const s = spanOf(start, end, made.exact);
    if (!s) throw new Error(`no span: ${start} ${end}`);
    const [pixels, spacing] = [whole(rand, 200, 1600), pick(rand, [46, 84, 104])];
    const found = made
      .ticks(s, pixels, { spacing })
      .map(({ fraction, label, context, minor }) => [cut(fraction), label, context, minor]);
    return { options, start, end, pixels, spacing, flavour: made.flavour, title: made.title, ticks: found };
  });
  const bars = [...barValues(rand)].flatMap(([kind, values, counts]) =>
    HOWS.flatMap((how) =>
      [null, { percentile: 90 }].map((high) => {
        const norm = new Norm(new Distribution(Float64Array.from(values), counts), how, null, high);
        const places = [0.1, 0.35, 0.5, 0.9];
        const labels = labelsOf(norm, { words: new ValueWords(kind), wanted: 8, length: 300, gap: 15 });
        return {
          kind,
          values,
          counts,
          how,
          percentile: high?.percentile ?? null,
          ends: [norm.low, norm.high],
          at: places.map((place) => [place, cut(norm.value(place))]),
          labels: labels.map(({ fraction, label }) => [cut(fraction), label]),
        };
      }),
    ),
  );
  const list = (/** @type {object[]} */ all) => all.map((each) => JSON.stringify(each)).join(",\n");
  return `{"ticks": [\n${list(ticks)}\n],\n"bars": [\n${list(bars)}\n]}\n`;
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, text());
