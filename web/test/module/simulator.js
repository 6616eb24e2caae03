// @ts-check
// The real module with the lab gsmr, without a browser.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Machine } from "../../page/worker/machine.js";

/** @import {Exports} from "../../page/worker/types" */

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
/** The file of the module. */
export const MODULE = join(TARGET, "wasm/wasm32-unknown-unknown/page/eidway_web_module.wasm");
const LAB = join(ROOT, "lab/gsmr");

/** Returns the reason to skip the tests of the module, or false. In CI, the module must exist. */
export function missing() {
  return existsSync(MODULE) || process.env.EIDWAY_GSMR_PAGE ? false : "web/build has not made the module";
}

/** Returns the files of gsmr. */
export function files() {
  const names = readdirSync(LAB).filter((name) => /\.(toml|conf)$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(LAB, name), "utf8")]));
}

/**
 * Opens gsmr in a new instance of the module.
 *
 * @param {number} seed
 */
export function gsmr(seed) {
  const module = new WebAssembly.Module(readFileSync(MODULE));
  const machine = new Machine(() => /** @type {Exports} */ (/** @type {unknown} */ (new WebAssembly.Instance(module, {}).exports)));
  machine.call({ op: "open", files: files(), seed });
  return machine;
}

/**
 * Returns the lines that an overlay of a scenario adds to the configuration of each router.
 *
 * @param {string} name
 * @returns {[string, string[]][]}
 */
export function overlays(name) {
  const text = readFileSync(join(LAB, "scenarios", name), "utf8");
  const found = [...text.matchAll(/^overlay (\S+) \{\n([^}]*)\}/gm)];
  assert.ok(found.length > 0, `${name} has no overlay`);
  return found.map(([, node, lines]) => [node, lines.trim().split("\n").map((line) => line.trim())]);
}

/**
 * Lets time pass to an instant.
 *
 * @param {Machine} machine
 * @param {number} until microseconds
 */
export function run(machine, until) {
  while (machine.call({ op: "run", until, limit: 50_000 }).more);
}
