// Rows of brushes that rest: one region, and the other brushes beside it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BrushRows } from "../../../bigviz/static/brush/brush-rows.js";
import { span } from "../../../bigviz/static/geometry/span.js";

/** @param {number} firstLayer @param {string} glyph */
function figure(firstLayer, glyph) {
  const definition = { dataset: "d", glyph, filter: "" };
  const info = { x: { categories: ["a", "b"] }, traits: { by: null } };
  const layer = { definition, info, asked: null, isHidden: false, planes: null, hidden: [], columns: [] };
  return /** @type {any} */ ({ firstLayer, main: { ...layer, define: () => definition } });
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

test("rows are asked for when the brushes rest, and are gone with them", async () => {
  /** @type {[string, any][]} */ const asked = [];
  const get = async (/** @type {URL} */ address, /** @type {any} */ request) => {
    const { page, ...body } = JSON.parse(request.body);
    assert.ok(page);
    asked.push([address.pathname, body]);
    return { ok: true, json: async () => ({ id: String(asked.length), rows: 3 }) };
  };
  const link = Object.assign(new EventTarget(), { shapes: new Map() });
  const connection = Object.assign(new EventTarget(), { url: "ws://host/d/ws", get });
  const page = /** @type {any} */ ({ connection });
  const rows = new BrushRows(/** @type {any} */ (link), page, new AbortController().signal);
  const rest = async () => {
    link.dispatchEvent(new Event("rest"));
    await soon();
    return rows.answer?.id ?? null;
  };
  assert.equal(await rest(), null);
  link.shapes.set(figure(0, "bar"), { kind: "labels", labels: ["b"] });
  assert.equal(await rest(), "1");
  const definition = { dataset: "d", glyph: "bar", filter: "" };
  assert.deepEqual(asked[0], ["/d/layers/0/select", { range: [-1, 2], brushes: [{ definition, labels: ["b"] }] }]);
  link.shapes.set(figure(2, "histogram"), { kind: "range", x: span(1, 2) });
  assert.equal(await rest(), "2");
  assert.deepEqual(asked[1], ["/d/layers/2/select", { range: [1, 2], brushes: [{ definition, labels: ["b"] }] }]);
  connection.dispatchEvent(new Event("up"));
  await soon();
  assert.equal(rows.answer?.id, "3", "who has kept the rows may have ended");
  link.shapes.clear();
  assert.equal(await rest(), null);
  connection.dispatchEvent(new Event("up"));
  await soon();
  assert.equal(asked.length, 3);
});
