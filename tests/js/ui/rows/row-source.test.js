import assert from "node:assert/strict";
import { test } from "node:test";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { MANY, RowSource } from "../../../../bigviz/static/ui/rows/row-source.js";

/** A selection of a box of `rows` rows, and what it was asked for. @param {number} rows */
function made(rows) {
  /** @type {any[]} */ const asked = [];
  const first = {
    columns: [{ name: "y", type: "double" }],
    rows: Array.from({ length: 60 }, (_, k) => [String(k)]),
    row: Array.from({ length: 60 }, (_, k) => 10 * k),
    total: rows,
  };
  const shown = /** @type {any} */ ({
    answer: { id: "ID", rows },
    region: { kind: "box", x: span(0, 1), y: span(2, 3) },
    layer: {
      index: 1,
      definition: { glyph: "points", x: "b", y: "a" },
      info: { x: { kind: "float" }, y: { kind: "float" } },
      columns: ["a", "b", "c"].map((name) => ({ name })),
    },
    requests: {
      rows: async (/** @type {any[]} */ ...args) => asked.push(["rows", ...args.slice(0, 2)]),
      firstRows: async (/** @type {any[]} */ ...args) => {
        asked.push(["first", args[0], args[2], args[3]]);
        return first;
      },
    },
  });
  return { asked, shown };
}

const { signal } = new AbortController();
const WANTED = { offset: 0, limit: 25, sort: null, desc: false };

test("the inspector pages through the first rows, which come once", async () => {
  const { asked, shown } = made(1e9);
  const source = new RowSource({ firstLayer: 3, inspected: shown });
  const page = await source.load(shown, { ...WANTED, sort: "c", desc: true }, signal);
  const last = await source.load(shown, { ...WANTED, sort: "c", desc: true, offset: 50 }, signal);
  assert.deepEqual(asked, [["first", 4, [0, 2, 1, 3], { sort: "c", desc: true, columns: ["b", "a", "c"] }]]);
  assert.deepEqual([page.rows.length, page.total, page.all, page.row[1]], [25, 60, 1e9, 10]);
  assert.deepEqual([last.rows.length, last.offset, last.row[0]], [10, 50, 500]);
});

test("few rows in view have pages in file order, sorted as a whole", async () => {
  const { asked, shown } = made(MANY);
  await new RowSource({ firstLayer: 0, inspected: shown }).load(shown, { ...WANTED, sort: "c" }, signal);
  assert.deepEqual(asked, [["rows", "ID", { ...WANTED, sort: "c" }]]);
});

test("a selection has pages of its own, unless so many rows were to be sorted", async () => {
  for (const [rows, sort, kind] of /** @type {const} */ ([
    [MANY, "c", "rows"],
    [MANY + 1, null, "rows"],
    [MANY + 1, "c", "first"],
  ])) {
    const { asked, shown } = made(rows);
    await new RowSource({ firstLayer: 0, inspected: /** @type {any} */ ({}) }).load(shown, { ...WANTED, sort }, signal);
    assert.equal(asked[0][0], kind);
  }
});
