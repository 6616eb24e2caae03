// @ts-check
// Bundles the page: one HTML file with two classic scripts (page and worker), the styles and the
// simulator's module inside. `eidway lab page` puts a lab into it: it replaces the `null` of
// <script type="application/json" id="lab">null</script>; each `<` in the JSON must be \u003c.
//
// node bundle.mjs [--module FILE.wasm] [--lab FILE.json] [--worker FILE.js] [--out FILE.html]

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { encode } from "./page/worker/base85.js";

const here = dirname(fileURLToPath(import.meta.url));

/**
 * Returns the text of a bundled script or style.
 *
 * @param {string} entry
 */
async function bundled(entry) {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: !process.env.PLAIN,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    absWorkingDir: here,
  });
  for (const path of Object.keys(result.metafile.inputs)) {
    const found = path.match(/(^|\/)node_modules\/((@[^/]+\/)?[^/]+)\//);
    if (found) libraries.add(found[2]);
  }
  return result.outputFiles[0].text.trim();
}

/** The libraries that are in a bundle. */
const libraries = new Set();

/** Returns the libraries in the bundles, with their licences. The licences demand this. */
function licences() {
  // A file of a library may contain the libraries that it uses.
  for (const name of libraries) {
    const { dependencies = {} } = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
    for (const dependency of Object.keys(dependencies)) libraries.add(dependency);
  }
  const texts = [...libraries].sort().map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].find((it) => existsSync(join(folder, it)));
    if (!file) throw new Error(`${name} has no file with its licence`);
    return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, file), "utf8").trim()}`;
  });
  // A comment of HTML ends at two hyphens.
  return texts.join("\n\n\n").replaceAll("--", "- -");
}

/**
 * Returns the hash by which a content security policy names a script or a style.
 *
 * @param {string} text
 */
function hash(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/**
 * Returns a file as a frame of Zstandard, as small as the program `zstd` can make it.
 *
 * @param {string} path
 */
export function compressed(path) {
  return execFileSync("zstd", ["--ultra", "-22", "--quiet", "--stdout", path], { maxBuffer: 2 ** 30 });
}

/**
 * Returns the page.
 *
 * @param {{module?: string, lab?: string, worker?: string}} options paths of files
 */
export async function page(options = {}) {
  const script = await bundled(join(here, "page/main.js"));
  const worker = await bundled(options.worker ?? join(here, "page/worker/worker.js"));
  const style = await bundled(join(here, "page/styles/page.css"));
  const wasm = options.module ? encode(compressed(options.module)) : "";
  // `eidway lab web` serves the page with connect-src 'self'.
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)} 'wasm-unsafe-eval'`,
    "worker-src blob:",
    "connect-src 'none'",
    `style-src ${hash(style)}`,
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  /** @type {Record<string, string>} */
  const parts = { LICENCES: licences(), CSP: policy, STYLE: style, WASM: wasm, WORKER: worker, PAGE: script };
  const template = readFileSync(join(here, "page/index.html"), "utf8");
  // The script of the worker is in a data block, in which only </script is not allowed; esbuild writes it as <\/script.
  const html = template.replace(/@(LICENCES|CSP|STYLE|WASM|WORKER|PAGE)@/g, (_, name) => parts[name]);
  if (!options.lab) return html;
  const lab = JSON.stringify(JSON.parse(readFileSync(options.lab, "utf8"))).replaceAll("<", "\\u003c");
  return html.replace('id="lab">null<', () => `id="lab">${lab}<`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      module: { type: "string" },
      lab: { type: "string" },
      worker: { type: "string" },
      out: { type: "string", default: join(here, "dist/page.html") },
    },
  });
  const html = await page(values);
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, html);
  console.log(`${values.out}: ${(html.length / 1024).toFixed(0)} KiB`);
}
