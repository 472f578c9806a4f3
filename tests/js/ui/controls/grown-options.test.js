import assert from "node:assert/strict";
import { test } from "node:test";
import { ControlValues } from "../../../../bigviz/static/figure/values/control-values.js";
import { followOptions } from "../../../../bigviz/static/ui/controls/grown-options.js";

test("a version of a control's dataset asks for its options, and other ones remake it", async () => {
  const spec = /** @type {any} */ ({ type: "multiselect", options: { dataset: "d", column: "kind" } });
  const values = new ControlValues({ kind: spec, own: { type: "select", options: ["x"] } }, {});
  values.offer("kind", { options: ["a"], more: false });
  const streams = new EventTarget();
  /** @type {string[]} */ const asked = [];
  let offered = ["a"];
  const get = async (/** @type {URL} */ address) => {
    asked.push(String(address));
    return new Response(JSON.stringify({ options: offered, more: false, version: 2 }));
  };
  const page = /** @type {any} */ ({ connection: { url: "ws://host/plot/ws?follow=1", get }, streams, offline: false });
  const ending = new AbortController();
  let made = () => {};
  const remade = new Promise((resolve) => {
    made = () => resolve(undefined);
  });
  followOptions(
    values,
    page,
    () => null,
    (id) => (id === "kind" ? made() : assert.fail(id)),
    ending.signal,
  );
  const told = (/** @type {string} */ dataset) =>
    streams.dispatchEvent(new CustomEvent("version", { detail: { dataset } }));
  told("other");
  offered = ["a", "b"];
  told("d");
  told("d");
  await remade;
  ending.abort();
  assert.deepEqual(asked, ["http://host/plot/controls/kind/options.json"]);
  assert.deepEqual(
    values.options("kind").map(({ value }) => value),
    ["a", "b"],
  );
  assert.equal(values.takes("kind", ["b"]), true);
});
