import assert from "node:assert/strict";
import { test } from "node:test";
import { outlineOf, shapeOf } from "../../../../bigviz/static/figure/rows/selection.js";
import { span } from "../../../../bigviz/static/geometry/span.js";
import { View } from "../../../../bigviz/static/geometry/view.js";
import { queryOf, SelectionRequests } from "../../../../bigviz/static/wire/selections.js";

const NS = 1_700_000_000_000_000_000n;

test("a box of floats is its ends, one of times the next whole nanoseconds", () => {
  const x = span(-1.5, 2.25);
  const y = span(-10.5, 20.25, NS, true);
  const shape = /** @type {any} */ (shapeOf({ kind: "box", x, y }, false, true));
  assert.deepEqual(shape.box, [-1.5, String(NS - 10n), 2.25, String(NS + 21n)]);
});

test("a box between two nanoseconds has a width, and whole numbers that doubles hold stay numbers", () => {
  const y = span(0.25, 0.75, NS, true);
  const x = span(0.25, 3.5, 100n, true);
  const shape = /** @type {any} */ (shapeOf({ kind: "box", x, y }, false, true));
  assert.deepEqual(shape.box, [100.25, String(NS + 1n), 103.5, String(NS + 2n)]);
  const large = /** @type {any} */ (shapeOf({ kind: "box", x: span(0.5, 9, 2n ** 60n, true), y }, false, true));
  assert.deepEqual([large.box[0], large.box[2]], [String(2n ** 60n + 1n), String(2n ** 60n + 9n)]);
});

test("a lasso is its points", () => {
  const points = [
    { x: { origin: 0n, offset: 1.5 }, y: { origin: NS, offset: 2.4 } },
    { x: { origin: 0n, offset: 2 }, y: { origin: NS, offset: -0.6 } },
    { x: { origin: 0n, offset: 3 }, y: { origin: NS, offset: 0 } },
  ];
  assert.deepEqual(shapeOf({ kind: "lasso", points }, false, true), {
    lasso: [
      [1.5, String(NS + 2n)],
      [2, String(NS - 1n)],
      [3, String(NS)],
    ],
  });
});

test("an outline follows the view", () => {
  const view = new View({ x: span(0, 10), y: span(0, 10), width: 100, height: 200 });
  const box = /** @type {const} */ ({ kind: "box", x: span(1, 2), y: span(3, 4) });
  assert.deepEqual(outlineOf(box, view), [
    [10, 120],
    [20, 120],
    [20, 140],
    [10, 140],
  ]);
});

test("a request names what is drawn and the values of controls", () => {
  const definition = /** @type {any} */ ({ dataset: "d", x: "a", y: "b&c", agg: "count", values: { kind: ["x"] } });
  assert.equal(queryOf(definition).toString(), "x=a&y=b%26c&agg=count&p.kind=%5B%22x%22%5D");
});

test("the server's words are the error", async () => {
  /** @type {any[]} */ const asked = [];
  const get = async (/** @type {any} */ address, /** @type {any} */ request) => {
    asked.push([String(address), request.method]);
    return new Response(JSON.stringify({ error: "Too many points." }), { status: 400 });
  };
  const requests = new SelectionRequests({ url: "ws://host/plot/ws", get: /** @type {any} */ (get) });
  const { signal } = new AbortController();
  const body = /** @type {any} */ ({ box: [0, 0, 1, 1], stats: [], by: null });
  await assert.rejects(
    requests.select(2, /** @type {any} */ ({ dataset: "d", x: "a" }), body, signal),
    /Too many points/,
  );
  assert.deepEqual(asked, [["http://host/plot/layers/2/select?x=a", "POST"]]);
  assert.equal(requests.file("ID", "csv"), "http://host/plot/selections/ID.csv");
  assert.equal(new SelectionRequests({ url: "", get: /** @type {any} */ (get) }).isPossible, false);
});
