// @ts-check
// Measures the page of a lab in headless Chromium: weight, time until it is ready, steps, going back, slices and
// memory. It prints figures and asserts nothing, because they depend on the machine.
//
// node bench.mjs [PAGE.html]      by default the page of gsmr: eidway lab page gsmr -o target/web/gsmr.html

import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium, open } from "./test/browser.mjs";

/** @import {Page} from "puppeteer-core" */

const SECOND = 1_000_000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
/** The times at which the page of gsmr is opened. */
const OPENED = 5;
const STEPS = 20;

const file = process.argv[2] ?? fileURLToPath(new URL("../target/web/gsmr.html", import.meta.url));

/** @param {string} name @param {string} value @param {string} [note] */
function figure(name, value, note = "") {
  console.log(`${name.padEnd(48)}${value.padStart(14)}  ${note}`.trimEnd());
}

const ms = (/** @type {number} */ value) => `${value.toFixed(1)} ms`;
const mb = (/** @type {number} */ octets) => `${(octets / 1e6).toFixed(1)} MB`;
const range = (/** @type {number[]} */ values) => `${ms(Math.min(...values))} to ${Math.max(...values).toFixed(1)}`;
const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function weigh() {
  const html = readFileSync(file, "utf8");
  const part = (/** @type {string} */ id) => html.match(new RegExp(`<script[^>]* id="${id}">([^<]*)`))?.[1].length ?? 0;
  figure("the file", `${statSync(file).size}`, "octets");
  figure("  the module, in base 85 of Zstandard", `${part("wasm")}`);
  figure("  the script of the page", `${html.match(/<script>([^]*?)<\/script>/)?.[1].length}`);
  figure("  the script of the worker", `${part("worker")}`);
  figure("  the lab", `${part("lab")}`);
}

/** Notes the worker of the page, and the time at which the topology is drawn. Runs in the page. */
function observe() {
  const scope = /** @type {any} */ (globalThis);
  scope.Worker = class extends Worker {
    /** @param {string} url */
    constructor(url) {
      super(url);
      scope.bench = { worker: this, last: 1e6 };
    }
  };
  new MutationObserver((_, observer) => {
    if (!document.querySelector(".node")) return;
    scope.ready = performance.now();
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}

/**
 * Asks the worker, and returns its answer and the time until the page had it, in milliseconds. With `probe`,
 * asks the worker again and again for something small, and returns the longest wait for it.
 *
 * @param {Page} page @param {string} op @param {object} [fields] @param {boolean} [probe]
 * @returns {Promise<{took: number, result: any, longest: number, frame: number}>}
 */
function ask(page, op, fields = {}, probe = false) {
  return page.evaluate(
    async (op, fields, probe) => {
      const { bench } = /** @type {any} */ (globalThis);
      const once = (/** @type {object} */ message) =>
        new Promise((resolve, reject) => {
          const id = (bench.last += 1);
          const start = performance.now();
          const listener = (/** @type {MessageEvent} */ { data }) => {
            if (data.id !== id) return;
            bench.worker.removeEventListener("message", listener);
            if (data.ok) resolve({ took: performance.now() - start, result: data.result });
            else reject(new Error(data.error));
          };
          bench.worker.addEventListener("message", listener);
          bench.worker.postMessage({ ...message, id });
        });
      let [done, longest, frame, drawn] = [false, 0, 0, performance.now()];
      const draw = (/** @type {number} */ now) => {
        frame = Math.max(frame, now - drawn);
        drawn = now;
        if (!done) requestAnimationFrame(draw);
      };
      const probing = async () => {
        while (!done) longest = Math.max(longest, (await once({ op: "breakpoints", stops: [] })).took);
      };
      if (probe) requestAnimationFrame((now) => ((drawn = now), draw(now)));
      const probes = probe ? probing() : null;
      const { took, result } = await once({ op, ...fields });
      done = true;
      await probes;
      return { took, result, longest, frame };
    },
    op,
    fields,
    probe,
  );
}

/** Returns the memory of the processes that draw pages, in octets. @param {Page} page */
async function resident(page) {
  const session = await page.browser().target().createCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const pids = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  const kib = pids.map((pid) => Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s*(\d+)/)?.[1]));
  return kib.reduce((sum, each) => sum + each * 1024, 0);
}

/** @param {(page: Page) => Promise<void>} use */
async function opened(use) {
  const faults = await open(readFileSync(file, "utf8"), { before: (page) => page.evaluateOnNewDocument(observe).then(() => {}) }, async (page) => {
    await page.waitForFunction("globalThis.ready");
    await use(page);
  });
  for (const fault of faults) console.log(`the page reports: ${fault}`);
}

/** @param {Page} page @param {string} name */
async function memory(page, name) {
  const { result } = await ask(page, "status");
  const { copies, items } = result;
  figure(name, mb(copies.octets), `in ${copies.count} copies of the module's ${mb(copies.memory)}; ${items} items; the process has ${mb(await resident(page))}`);
}

/**
 * Steps as a person does: the next step begins when the worker is idle. After a long step the worker runs the last
 * seconds again, and a request waits for that.
 *
 * @param {Page} page @param {string} op @param {string} to @param {string} [note]
 */
async function steps(page, op, to, note = "") {
  const [took, idle] = [[], []].map((it) => /** @type {number[]} */ (it));
  for (let count = 0; count < STEPS; count += 1) {
    took.push((await ask(page, op, { to })).took);
    idle.push((await ask(page, "status")).took);
  }
  const name = `${op === "step" ? "a step to the next" : "a step back to the last"} ${to}`;
  figure(name, ms(mean(took)), `${range(took)}; idle ${ms(mean(idle))} later, at most ${ms(Math.max(...idle))} ${note}`.trimEnd());
}

/** @param {Page} page @param {number} at */
async function jump(page, at) {
  const { took, longest, frame } = await ask(page, "goto", { at }, true);
  return { took, longest, frame };
}

async function run(/** @type {Page} */ page) {
  await jump(page, 5 * SECOND);
  for (const to of ["event", "message"]) await steps(page, "step", to, "without a flow");
  await jump(page, 30 * SECOND);
  await ask(page, "act", { hand: { kind: "flow", name: "bench", from: "B", to: "A", every_us: 100_000 } });
  const hour = await jump(page, HOUR);
  figure("an hour with ten pings a second", ms(hour.took), `longest wait for the worker ${ms(hour.longest)}, between two frames ${ms(hour.frame)}`);
  await memory(page, "memory after it");
  const back = [];
  const there = [];
  for (const part of [0.995, 0.9, 0.75, 0.5, 0.25, 0.1, 0.01]) {
    back.push({ part, ...(await jump(page, Math.round(part * HOUR) + 7)) });
    there.push(await jump(page, HOUR));
  }
  for (const { part, took, longest } of back) {
    figure(`  back by ${Math.round((1 - part) * 3600)} s`, ms(took), `longest wait ${ms(longest)}`);
  }
  figure("on to the end of the hour again", ms(mean(there.map(({ took }) => took))), range(there.map(({ took }) => took)));
  await jump(page, HOUR / 2);
  // With a flow and without a move, the next change of a table may be hours away.
  for (const to of ["event", "message"]) await steps(page, "step", to);
  for (const to of ["event", "message"]) await steps(page, "back", to);
  await jump(page, HOUR);
  await ask(page, "act", { hand: { kind: "end", name: "bench" } });
  const day = await jump(page, DAY);
  figure("on to the end of a day", ms(day.took), `longest wait for the worker ${ms(day.longest)}, between two frames ${ms(day.frame)}`);
  await memory(page, "memory after it");
}

if (!chromium()) throw new Error("Chromium is not installed");
weigh();
/** @type {number[]} */
const ready = [];
for (let count = 0; count < OPENED; count += 1) {
  await opened(async (page) => void ready.push(/** @type {number} */ (await page.evaluate("globalThis.ready"))));
}
figure("ready, from opening the file", ms(mean(ready)), range(ready));
await opened(run);
