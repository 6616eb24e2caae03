// @ts-check
// The page in Chromium: in each scenario, at random instants, the inspector shows the rows that `show`
// prints in the same lab at the same instant.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { page as bundle } from "../../bundle.mjs";
import { chromium, open } from "../browser.mjs";
import { instants, labs, missing, MODULE } from "./scenarios.js";

const skip = missing() || (chromium() ? false : "Chromium is not installed");
/** The page without a lab. */
const template = skip ? "" : await bundle({ module: MODULE });
/** The instants of each scenario. All tests together have few minutes, so that the run with 100 instants is made by hand. */
const INSTANTS = Number(process.env.EIDWAY_INSTANTS ?? 12);

/** Tables and families that the scenarios must have had, so that the test does not compare empty tables. */
const HAD = ["map-cache IPv4", "map-cache IPv6", "database IPv4", "database IPv6", "away IPv4", "away IPv6", "sites IPv4", "sites IPv6", "sessions", "dynamic-eids IPv4", "dynamic-eids IPv6", "smr IPv4", "smr IPv6"];

/** Keeps the worker of the page, so that the test can make requests to the same lab. */
function keepWorker() {
  const scope = /** @type {any} */ (globalThis);
  scope.Worker = class extends Worker {
    /** @param {any[]} parts */
    constructor(...parts) {
      super(.../** @type {[any]} */ (parts));
      scope.labWorker = this;
    }
  };
}

/** Returns the script that compares, for the page. */
async function looker() {
  const entry = fileURLToPath(new URL("looker.js", import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: "iife", target: "es2022", logLevel: "warning" });
  return outputFiles[0].text;
}

/** The kinds of the rows that were compared in all labs. @type {Set<string>} */
const had = new Set();

for (const { name: lab, files, scenarios } of labs()) {
  test(`${lab}: in ${scenarios.length} scenarios, the inspector shows the rows that show prints`, { skip }, async (t) => {
    const script = await looker();
    const data = JSON.stringify({ name: lab, files, seed: 1 }).replaceAll("<", "\\u003c");
    const html = template.replace('id="lab">null<', () => `id="lab">${data}<`);
    const faults = await open(html, { fast: true }, async (page) => {
      await page.evaluateOnNewDocument(keepWorker);
      await page.reload();
      await page.waitForSelector(".node");
      await page.evaluate(script);
      for (const [index, name] of scenarios.entries()) {
        await t.test(name, async () => {
          const played = await page.evaluate((name) => /** @type {any} */ (globalThis).looker.ask({ op: "scenario", name }), name);
          assert.deepEqual([played.stopped, played.refusals], [null, []]);
          const at = instants(index + 1, INSTANTS, played.end);
          const { compared, had: rows, differences } = await page.evaluate((at) => /** @type {any} */ (globalThis).looker.compare(at), at);
          for (const { at, node, table, page, console } of differences) assert.deepEqual(page, console, `${at} us: ${node}: ${table}`);
          assert.ok(compared >= INSTANTS, `${compared} routers were compared`);
          for (const row of rows) had.add(row);
        });
      }
    });
    assert.deepEqual(faults, []);
  });
}

test("the compared rows are of every kind", { skip }, () => {
  for (const row of HAD) assert.ok([...had].some((it) => it.startsWith(row)), `no ${row} in ${[...had].join(", ")}`);
});
