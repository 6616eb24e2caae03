// @ts-check
// The live page of a lab in namespaces, in Chromium: `eidway lab web`. It needs root and the built program
// (EIDWAY=PATH, else target/debug/eidway) with the page beside it (web/build).

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { press, see } from "./actions.mjs";
import { chromium } from "./browser.mjs";

/** @import {Page} from "puppeteer-core" */

const PROGRAM = process.env.EIDWAY ?? fileURLToPath(new URL("../../target/debug/eidway", import.meta.url));
const LAB = `live-${process.pid}`;
/**
 * The longest time from an event to its picture, in milliseconds: the picture comes by itself.
 * `benches/live.sh` measures the time.
 */
const LATEST = 2000;

/** Returns the reason why the test cannot run here, or false. */
function reason() {
  if (!chromium()) return "Chromium is not installed";
  if (process.getuid?.() !== 0) return "namespaces need root";
  if (!existsSync(PROGRAM)) return `there is no ${PROGRAM}`;
  return false;
}

/** @param {string[]} args */
const eidway = (...args) => execFileSync(PROGRAM, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/** Starts the server, and returns it with its URL. */
async function serve() {
  const server = spawn(PROGRAM, ["lab", "web", LAB, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url) return { server, url };
  }
  throw new Error("the server has ended");
}

/**
 * Resolves with the time at which a text is drawn again.
 *
 * @param {Page} page @param {string} text
 */
const drawn = (page, text) =>
  page.evaluate(
    (has) =>
      new Promise((resolve) => {
        const count = () => document.body.textContent?.split(has).length ?? 0;
        const before = count();
        const look = () => {
          if (count() > before) requestAnimationFrame(() => resolve(Date.now()));
          else requestAnimationFrame(look);
        };
        look();
      }),
    text,
  );

test("the live page shows the network, a ping with its hops, a journey in words, and an event soon after it happened", { skip: reason(), timeout: 180_000 }, async (t) => {
  eidway("lab", "up", "gsmr", "--name", LAB);
  t.after(() => eidway("lab", "down", LAB));
  const { server, url } = await serve();
  t.after(() => server.kill());
  const profile = mkdtempSync(join(tmpdir(), "eidway-live-"));
  const browser = await puppeteer.launch({ executablePath: chromium(), args: ["--no-sandbox"], userDataDir: profile });
  t.after(() => browser.close().then(() => rmSync(profile, { recursive: true, force: true })));
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  await page.setViewport({ width: 1440, height: 900 });
  /** @type {string[]} */
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  const own = new URL(url).origin;
  page.on("request", (request) => {
    if (!request.url().startsWith(own) && !/^(blob|data):/.test(request.url())) faults.push(request.url());
  });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelectorAll(".network [data-node]").length === 12);

  const ping = eidway("lab", "ping", LAB, "B", "A", "-c", "3");
  assert.match(ping, /!!!/);
  await see(page, ".row.message", "Map-Request");
  await press(page, "button", /^Journey$/);
  await page.waitForFunction(() => document.querySelectorAll("#journey option").length > 3);
  // One of the listed packets is an echo request with its whole way. Its last hops may arrive later.
  let steps = 0;
  for (let round = 0; round < 20 && steps < 4; round += 1) {
    eidway("lab", "ping", LAB, "B", "A", "-c", "1");
    for (const packet of await page.$$eval("#journey option", (all) => all.map((it) => it.getAttribute("value") ?? ""))) {
      if (!packet) continue;
      await page.select("#journey select", packet);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      steps = await page.$$eval("#journey .step", (all) => all.length);
      if (steps >= 4) break;
    }
  }
  assert.ok(steps >= 4, `${steps} steps`);
  // The way between two nodes in words: first a whole way, then one that ends at a port that is down.
  /** @param {string} from @param {string} to */
  const explained = async (from, to) => {
    await page.select("#journey [aria-label=From]", from);
    await page.select("#journey [aria-label=To]", to);
    await page.click("#journey .pair button");
    await page.waitForFunction(() => document.querySelector("#journey .outcome")?.textContent);
    return page.evaluate(() => ({
      end: document.querySelector("#journey .outcome")?.textContent ?? "",
      nodes: [...document.querySelectorAll("#journey .strip > li")].map((it) => it.textContent ?? ""),
    }));
  };
  const whole = await explained("B", "A");
  assert.equal(whole.end, "The packet arrives at A, and the answer comes back to B.");
  for (const node of ["xTR1", "xTR2", "Core1"]) assert.ok(whole.nodes.some((text) => text.includes(node)), `${node}: ${whole.nodes}`);
  eidway("lab", "link", LAB, "Core1:eth0", "down");
  const lost = await explained("B", "A");
  assert.match(lost.end, /^The packet is lost at Core1: .*To do: /);
  eidway("lab", "link", LAB, "Core1:eth0", "up");
  // A lesson can be read here. It is done elsewhere, and the page says where.
  await press(page, "button", /^Lessons$/);
  await page.waitForFunction(() => document.querySelectorAll(".task").length > 1 && document.querySelector(".prose")?.textContent);
  await press(page, "button", /^Begin the lesson$/);
  await page.waitForFunction(() => /has a lab of its own: use eidway lab learn gsmr \w/.test(document.body.textContent ?? ""));
  await press(page, "button", /^Lessons$/);
  if (process.env.EIDWAY_PICTURE) await page.screenshot({ path: /** @type {any} */ (process.env.EIDWAY_PICTURE) });

  let fastest = Infinity;
  for (const [state, text] of [["down", "eth0 is down"], ["up", "eth0 is up"], ["down", "eth0 is down"], ["up", "eth0 is up"], ["down", "eth0 is down"]]) {
    const seen = drawn(page, text);
    // When the page answers, it has begun to wait for the text.
    await page.evaluate(() => 0);
    const at = Date.now();
    execFileSync("ip", ["-n", `eidway-${LAB}-N`, "link", "set", "eth0", state]);
    fastest = Math.min(fastest, /** @type {number} */ (await seen) - at);
  }
  t.diagnostic(`from the event to its picture: ${fastest} ms`);
  assert.ok(fastest < LATEST, `${fastest} ms`);
  assert.deepEqual(faults, []);
});
