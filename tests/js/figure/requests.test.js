// A figure's requests while facts of its layer become better known: nothing that the view needs is left unasked.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Requests } from "../../../bigviz/static/figure/requests.js";
import { span } from "../../../bigviz/static/geometry/span.js";
import { View } from "../../../bigviz/static/geometry/view.js";
import { Layer } from "../../../bigviz/static/layers/layer.js";
import { TileCache } from "../../../bigviz/static/layers/tiles/tile-cache.js";
import { traitsOf } from "../traits.js";

const LIMITS = /** @type {any} */ ({ image_side: 16_384, rows: 50_000 });
const RAMP = Uint8Array.from({ length: 768 }, (_, k) => Math.floor(k / 3));
const LOOK = /** @type {any} */ ({ luts: new Map([["grey", RAMP]]), palette: { dark: true, line: ["#808080"] } });
const EMPTY = { plane: 0, codec: 0, dtype: 2, constant: 0, low: Number.NaN, high: Number.NaN, filled: 0 };

/** What the server says of a layer, of a sample or of all rows. */
const facts = (/** @type {boolean} */ provisional) =>
  /** @type {any} */ ({
    root: { x: ["0", 0], y: ["0", 0] },
    version: 1,
    planes: null,
    traits: traitsOf("count"),
    index: "building",
    provisional,
    rows_kept: 3_000_000,
    x: { kind: "float" },
    y: { kind: "float" },
  });

/** A figure of one layer that is estimated, and what it has sent: the parts of each view. */
function world() {
  const spec = /** @type {any} */ ({
    dataset: "d",
    x: "x",
    y: "y",
    agg: "count",
    glyph: "points",
    root: "default",
    cmap: "grey",
    how: "linear",
    low: null,
    high: null,
    color: null,
    size: null,
    alpha: 1,
    marker: "circle",
  });
  const layer = new Layer({ spec, axes: { x: "linear", y: "linear" }, columns: [], notes: [], index: 0 });
  layer.asked = layer.define();
  layer.become(facts(true), { cache: new TileCache(), limits: LIMITS }, LOOK);
  /** @type {any[][]} */ const sent = [];
  const connection = { isUp: true, view: (/** @type {number} */ _, /** @type {any[]} */ parts) => sent.push(parts) };
  const figure = /** @type {any} */ ({
    index: 0,
    page: { connection, latency: { sent() {} } },
    layers: [layer],
    isRenewing: false,
    loading: { busy() {} },
    arrived() {},
  });
  const requests = new Requests(figure);
  const show = (/** @type {number} */ x0) => {
    figure.view = figure.asking = new View({ x: span(x0, x0 + 0.25), y: span(0.5, 0.75), width: 200, height: 200 });
    requests.update();
    requests.nextFrame();
  };
  /** The exact answers to the newest request, the end of it not among them. */
  const answer = () => {
    for (const [zx, zy, i, j] of sent.at(-1)?.[0].tiles ?? []) {
      const key = { zx, zy, i, j };
      layer.raster?.add(/** @type {any} */ ({ key, total: 1, planes: [{ ...EMPTY, payload: new Uint8Array() }] }));
      requests.gotTile(sent.length, 0, key);
    }
    requests.nextFrame();
  };
  const learn = () => {
    assert.ok(layer.refine(facts(false)), "the tiles are still good");
    requests.learned();
    requests.nextFrame();
  };
  const isComplete = () => layer.complete(figure.view);
  return { layer, requests, sent, show, answer, learn, isComplete };
}

test("a view that is answered before its layer's final facts asks for its window when they are there", () => {
  const { requests, sent, show, answer, learn, isComplete } = world();
  show(0.25);
  assert.ok(sent[0][0].roots && !sent[0][0].window);
  answer();
  requests.done(1);
  assert.equal(sent.length, 1, "of a sample's facts no window is asked for");
  assert.ok(!isComplete(), "nor is the view exact");
  learn();
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[1][0].tiles, []);
  assert.ok(sent[1][0].window && !sent[1][0].roots);
  requests.done(2);
  assert.ok(isComplete());
  learn(); // its index is ready
  assert.equal(sent.length, 2);
});

test("a view whose answers are on their way when facts are final asks at their end", () => {
  const { requests, sent, show, answer, learn, isComplete } = world();
  show(0.25);
  learn();
  assert.equal(sent.length, 1, "what is under way goes on");
  answer();
  requests.done(1);
  assert.ok(sent[1][0].window);
  requests.done(2);
  assert.ok(isComplete());
});

test("views that were left before they were exact take no tries from the one that stays", () => {
  const { requests, sent, show, answer, learn, isComplete } = world();
  for (let k = 0; k < 8; k++) {
    show(k / 16);
    answer();
    requests.done(sent.length);
  }
  show(0.6);
  learn();
  answer();
  requests.done(sent.length);
  assert.ok(sent.at(-1)?.[0].window);
  requests.done(sent.length);
  assert.ok(isComplete());
});
