// Bundles the third-party modules that the page imports into bigviz/static/vendor/, with their licences.
// Run by `npm run vendor`; the output is committed, so that installing bigviz needs no Node. Two runs give the same bytes.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = "bigviz/static/vendor/";

/** File name -> the module whose exports it bundles. Import maps point the packages' own names at these files. */
const BUNDLES = {
  "d3.js": [
    'export { scaleLinear, scaleLog, scaleSymlog, scaleUtc } from "d3-scale";',
    'export { format, formatPrefix, precisionFixed, precisionPrefix } from "d3-format";',
    'export { utcFormat } from "d3-time-format";',
  ].join("\n"),
};

/** Packages whose code ended up in a bundle, from esbuild's list of inputs. @param {string[]} inputs */
function packagesOf(inputs) {
  const names = inputs
    .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set(names)].sort();
}

const used = new Set();
for (const [file, contents] of Object.entries(BUNDLES)) {
  const result = await build({
    stdin: { contents, resolveDir: ROOT },
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outfile: OUT + file,
    legalComments: "none",
    metafile: true,
  });
  for (const name of packagesOf(Object.keys(result.metafile.inputs))) used.add(name);
}

const parts = ["Third-party code in this directory, with versions and licences (written by tools/vendor.mjs).\n"];
for (const name of [...used].sort()) {
  const base = `${ROOT}node_modules/${name}/`;
  const { version, license } = JSON.parse(await readFile(`${base}package.json`, "utf8"));
  const text = (await readFile(`${base}LICENSE`, "utf8")).trim();
  parts.push(`${"=".repeat(78)}\n${name} ${version} (${license})\n${"=".repeat(78)}\n${text}\n`);
}
await writeFile(`${ROOT}${OUT}LICENSES.txt`, parts.join("\n"));
