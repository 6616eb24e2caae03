// @ts-check
// The labs of the project with their scenarios, and random instants.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
/** The file of the module. */
export const MODULE = join(TARGET, "wasm/wasm32-unknown-unknown/page/eidway_web_module.wasm");
const LABS = join(ROOT, "lab");

/** Returns the reason to skip the tests of the module, or false. In CI, the module must exist. */
export function missing() {
  return existsSync(MODULE) || process.env.EIDWAY_GSMR_PAGE ? false : "web/build has not made the module";
}

/** @typedef {{name: string, files: Record<string, string>, scenarios: string[]}} Lab */

/** Returns the labs that have scenarios. @returns {Lab[]} */
export function labs() {
  const folders = readdirSync(LABS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const found = folders.map(({ name }) => {
    const paths = /** @type {string[]} */ (readdirSync(join(LABS, name), { recursive: true }));
    const wanted = paths.filter((path) => /\.(toml|conf|scenario|include)$/.test(path)).sort();
    const files = Object.fromEntries(wanted.map((path) => [path, readFileSync(join(LABS, name, path), "utf8")]));
    const scenarios = wanted.flatMap((path) => path.match(/^scenarios\/(.*)\.scenario$/)?.[1] ?? []);
    return { name, files, scenarios };
  });
  return found.filter(({ scenarios }) => scenarios.length > 0);
}

/**
 * Returns random instants in order, in microseconds. The same seed gives the same instants.
 *
 * @param {number} seed
 * @param {number} count
 * @param {number} end  microseconds
 */
export function instants(seed, count, end) {
  let state = seed;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: count }, () => Math.floor(next() * end)).sort((a, b) => a - b);
}
