// Modules import one way: each folder only from those before it, and no two modules import each other. Types in JSDoc
// count.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";

const STATIC = new URL("../../bigviz/static/", import.meta.url);
/** Folders and single modules; each may import itself and what stands before it. Some run alone. */
const ORDER = [
  "boot.js",
  "copy.js",
  "keep_hash.js",
  "list.js",
  "widget.js",
  "dom.js",
  "types.js",
  "wire",
  "geometry",
  "offline",
  "render",
  "axes",
  "layers",
  "figure",
  "brush",
  "input",
  "ui",
  "mount.js",
  "framed.js",
  "embed",
  "main.js",
];
const ALONE = ["boot.js", "copy.js", "keep_hash.js", "list.js", "widget.js", "embed/autoload.js", "embed/refused.js"];
const PACKAGES = new Set(["d3-format", "d3-scale", "d3-time-format"]);

const modules = readdirSync(STATIC, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  // the bundle of them all
  .filter((name) => name.endsWith(".js") && !name.startsWith("vendor/") && name !== "page.js");

/**
 * @param {string} name
 * @param {string} text
 * @returns {string[]} what a module imports, as code or as a type: paths from static/, and packages
 */
function importsOf(name, text) {
  const found = text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*["']([^"']+)["']/g);
  return [
    ...new Set(
      [...found].map(([, source]) => (source.startsWith(".") ? posix.join(posix.dirname(name), source) : source)),
    ),
  ];
}

/** @param {Map<string, string[]>} graph @returns {string[]|null} modules that import each other, in a row */
function cycleOf(graph) {
  const done = new Set();
  /** @type {string[]} */ const path = [];
  /** @param {string} name @returns {string[]|null} */
  const visit = (name) => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return null;
    path.push(name);
    for (const next of graph.get(name) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(name);
    return null;
  };
  for (const name of graph.keys()) {
    const cycle = visit(name);
    if (cycle) return cycle;
  }
  return null;
}

const graph = new Map(modules.map((name) => [name, importsOf(name, readFileSync(new URL(name, STATIC), "utf8"))]));

test("imports of every kind are seen", () => {
  const text =
    'import { a } from "./a.js";\nexport { b } from "../b.js";\nimport "./c.js";\n' +
    '/** @type {import("../d/d.js").D} */\nconst e = import("e");';
  assert.deepEqual(importsOf("x/y.js", text), ["x/a.js", "b.js", "x/c.js", "d/d.js", "e"]);
  assert.deepEqual(
    cycleOf(
      new Map([
        ["a", ["b"]],
        ["b", ["c"]],
        ["c", ["b"]],
      ]),
    ),
    ["b", "c", "b"],
  );
});

test("every import leads to a module or a package of the import map", () => {
  for (const [name, sources] of graph)
    for (const source of sources) assert.ok(graph.has(source) || PACKAGES.has(source), `${name} imports ${source}`);
});

test("folders import one way", () => {
  const place = (/** @type {string} */ name) => ORDER.indexOf(name.includes("/") ? name.split("/")[0] : name);
  for (const [name, sources] of graph) {
    assert.notEqual(place(name), -1, `${name} has no place in the order`);
    for (const source of sources)
      assert.ok(
        PACKAGES.has(source) || place(source) <= place(name),
        `${name} imports ${source}, which stands above it`,
      );
  }
});

test("no two modules import each other", () => {
  assert.deepEqual(cycleOf(graph), null);
});

test("every module is used by the page", () => {
  const seen = new Set(ALONE);
  const queue = ["mount.js", "main.js"];
  for (let name = queue.pop(); name; name = queue.pop()) {
    seen.add(name);
    queue.push(...(graph.get(name) ?? []).filter((source) => graph.has(source) && !seen.has(source)));
  }
  assert.deepEqual(
    modules.filter((name) => !seen.has(name)),
    [],
  );
});

test("lines are at most 120 characters long", () => {
  for (const folder of ["bigviz/static", "tests/js"]) {
    for (const name of readdirSync(new URL(`../../${folder}/`, import.meta.url), {
      recursive: true,
      encoding: "utf8",
    })) {
      if (!name.endsWith(".js") || name.startsWith("vendor") || name === "page.js") continue;
      const lines = readFileSync(new URL(`../../${folder}/${name}`, import.meta.url), "utf8").split("\n");
      const long = lines.flatMap((line, k) => (line.length > 120 ? [k + 1] : []));
      assert.deepEqual(long, [], `${folder}/${name}`);
    }
  }
});
