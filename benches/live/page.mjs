// @ts-check
// page.mjs URL: opens the live page in headless Chromium, and answers the lines of its input.
//
//   watch TEXT    "watching", and "drawn MS" when a new element has the text and is on the screen
//   say           "said WORDS": the words beside the clock of the page

import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "../../web/test/browser.mjs";

const puppeteer = createRequire(new URL("../../web/package.json", import.meta.url))("puppeteer-core");
const [url] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "eidway-bench-"));
const browser = await puppeteer.launch({ executablePath: chromium(), args: ["--no-sandbox"], userDataDir: profile, timeout: 120_000 });
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelectorAll(".network [data-node]").length > 0, { timeout: 120_000 });
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "say") {
      console.log(`said ${await page.$eval(".instant .end", (/** @type {Element} */ it) => it.textContent)}`);
      continue;
    }
    await page.evaluate(begin, line.replace(/^watch /, ""));
    console.log(`watching ${Date.now()}`);
    console.log(`drawn ${await page.evaluate(() => /** @type {any} */ (globalThis).drawn)}`);
  }
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}

/**
 * Begins to watch for a text in new elements. `drawn` then resolves with the time at which they are drawn: a frame
 * after the frame that has them.
 *
 * @param {string} text
 */
function begin(text) {
  /** @type {any} */ (globalThis).drawn = new Promise((resolve) => {
    const observer = new MutationObserver((changes) => {
      const nodes = changes.flatMap(({ addedNodes, target }) => (addedNodes.length > 0 ? [...addedNodes] : [target]));
      if (!nodes.some((node) => node.textContent?.includes(text))) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(Date.now())));
    });
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
  });
}
