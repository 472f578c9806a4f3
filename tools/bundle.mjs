// Bundles the page's modules, third-party ones too, into one script that the server prefers while it is of the modules next to it,
// and compresses it for browsers that take brotli.
// Run by `npm run bundle [-- FILE]` and by hatch_build.py when a wheel is built; the output is not committed.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STATIC = join(ROOT, "bigviz", "static");
const BUNDLE = "page.js";
const PACKAGES = ["d3-format", "d3-scale", "d3-time-format"];

/** What `digest_of` in bigviz/server/http/page_scripts.py makes of the same modules. */
function digest() {
  const names = readdirSync(STATIC, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  const all = createHash("sha256");
  for (const name of names.filter((name) => name.endsWith(".js") && name !== BUNDLE).sort()) {
    all.update(
      `${name}\0${createHash("sha256")
        .update(readFileSync(join(STATIC, name)))
        .digest("hex")}\n`,
    );
  }
  return all.digest("hex");
}

const outfile = process.argv[2] ?? join(STATIC, BUNDLE);
await build({
  entryPoints: [join(STATIC, "main.js")],
  absWorkingDir: ROOT,
  outfile,
  alias: Object.fromEntries(PACKAGES.map((name) => [name, join(STATIC, "vendor", "d3.js")])),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  banner: { js: `// ${digest()}, the modules of bigviz's page; d3 under the licences in vendor/LICENSES.txt` },
});
writeFileSync(`${outfile}.br`, brotliCompressSync(readFileSync(outfile)));
