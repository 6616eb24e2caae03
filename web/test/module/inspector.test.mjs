// @ts-check
// The page in Chromium: the open inspector shows the rows that `show` prints in the same lab at the same instant. The
// test show.test.mjs compares many more instants, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { page as bundle } from "../../bundle.mjs";
import { chromium, open } from "../browser.mjs";
import { PRINTED } from "./printed.js";
import { COMMANDS, instants, ROUTERS, RUNS } from "./runs.js";
import { files, missing, MODULE } from "./simulator.js";

/** @import {Page} from "puppeteer-core" */

const skip = missing() || (chromium() ? false : "Chromium is not installed");
/** The page without a lab. */
const template = skip ? "" : await bundle({ module: MODULE });
/** The instants of each run. At each, one router is compared. */
const INSTANTS = Number(process.env.EIDWAY_INSTANTS ?? 10);

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

/**
 * Makes a request to the worker of the page.
 *
 * @param {Page} page
 * @param {Record<string, any>} request
 * @returns {Promise<any>}
 */
async function ask(page, request) {
  const { ok, result, error } = await page.evaluate(
    (message) =>
      new Promise((resolve) => {
        const worker = /** @type {any} */ (globalThis).labWorker;
        const id = `test ${Math.random()}`;
        const hear = (/** @type {any} */ event) => {
          if (event.data.id !== id) return;
          worker.removeEventListener("message", hear);
          resolve(event.data);
        };
        worker.addEventListener("message", hear);
        worker.postMessage({ id, ...message });
      }),
    request,
  );
  assert.ok(ok, `${request.op}: ${error}`);
  return result;
}

/** Returns the rows of the tables in the inspector. @param {Page} page */
function shown(page) {
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll("#inspector section.table")].map((section) => [
        (section.getAttribute("aria-label") ?? "").toLowerCase(),
        [...section.querySelectorAll("tbody > tr:not(.more, .removed)")].map((row) => [
          row.querySelector("th button")?.textContent ?? "",
          ...[...row.querySelectorAll("td")].map((cell) => cell.textContent ?? ""),
        ]),
      ]),
    ),
  );
}

/**
 * Waits until the inspector shows the rows that the console of its router prints.
 *
 * @param {Page} page
 * @param {string} node
 * @param {string} when
 */
async function compare(page, node, when) {
  /** @type {Record<string, string[][]>} */
  const printed = {};
  for (const [table, commands] of Object.entries(COMMANDS)) {
    const rows = [];
    for (const line of commands) rows.push(...PRINTED[table]((await ask(page, { op: "console", node, line })).text));
    printed[table] = rows;
  }
  for (const start = Date.now(); ; ) {
    const rows = await shown(page);
    const seen = Object.fromEntries(Object.keys(COMMANDS).map((table) => [table, rows[table] ?? []]));
    // The cause of an entry of the away table is in the JSON only.
    seen.away = seen.away.map((row) => row.slice(0, 2));
    try {
      return assert.deepEqual(seen, printed, `${when}: ${node}`);
    } catch (error) {
      if (Date.now() - start > 10_000) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

for (const [index, [name, deeds]] of Object.entries(RUNS).entries()) {
  test(`${name}: the inspector in the browser shows the rows that show prints`, { skip }, async () => {
    const lab = JSON.stringify({ name: "gsmr", files: files(), seed: index + 1 }).replaceAll("<", "\\u003c");
    const html = template.replace('id="lab">null<', () => `id="lab">${lab}<`);
    const faults = await open(html, {}, async (page) => {
      await page.evaluateOnNewDocument(keepWorker);
      await page.reload();
      await page.waitForSelector(".node");
      const waiting = [...deeds].sort((a, b) => a.at - b.at);
      const stopped = new Set();
      for (const [turn, at] of instants(index + 1, INSTANTS).entries()) {
        while (waiting.length > 0 && waiting[0].at * 1e6 <= at) {
          const deed = waiting.shift();
          await ask(page, { op: "goto", at: (deed?.at ?? 0) * 1e6 });
          for (const request of deed?.requests ?? []) {
            await ask(page, request);
            if (request.hand?.kind === "kill") stopped.add(request.hand.node);
          }
        }
        await ask(page, { op: "goto", at });
        const running = ROUTERS.filter((router) => !stopped.has(router));
        const node = running[turn % running.length];
        await page.evaluate((name) => {
          const found = [...document.querySelectorAll(".node")].find((it) => it.getAttribute("data-node") === name);
          found?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        }, node);
        await page.waitForFunction((name) => document.querySelector("#inspector h2")?.textContent === name, {}, node);
        await compare(page, node, `${at} us`);
      }
    });
    assert.deepEqual(faults, []);
  });
}
