// @ts-check
// Opens pages in headless Chromium, from a file or from a server, and watches them.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Returns the path of Chromium, or undefined. */
export function chromium() {
  return PLACES.find((place) => place && existsSync(place));
}

/** The picture of the page at which a test failed. */
const FAILED = /** @type {`${string}.png`} */ (join(tmpdir(), `eidway-page-${process.pid}.png`));

/** Chromium draws a frame as soon as the page asks for it, and not 60 times a second. */
const FAST = ["--disable-frame-rate-limit", "--disable-gpu-vsync"];

/**
 * Opens a page and calls a function with it. Returns the faults that the browser saw: errors on the console, and
 * requests for anything besides the page.
 *
 * @param {string} html
 * @param {{width?: number, height?: number, theme?: string, motion?: string, fast?: boolean, from?: "file" | "http", before?: (page: import("puppeteer-core").Page) => Promise<void>}} settings
 *   `before` is called before the page is opened
 * @param {(page: import("puppeteer-core").Page) => Promise<void>} use
 * @returns {Promise<string[]>}
 */
export async function open(html, { width = 1440, height = 900, theme = "light", motion = "no-preference", fast = false, from = "file", before }, use) {
  const folder = mkdtempSync(join(tmpdir(), "eidway-page-"));
  const file = join(folder, "page.html");
  writeFileSync(file, html);
  const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(html));
  if (from === "http") await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const address = server.address();
  const url = typeof address === "object" && address ? `http://127.0.0.1:${address.port}/page.html` : `file://${file}`;
  const browser = await puppeteer.launch({ executablePath: chromium(), args: ["--no-sandbox", ...(fast ? FAST : [])], timeout: 120_000, userDataDir: join(folder, "profile") });
  /** @type {string[]} */
  const faults = [];
  try {
    const page = await browser.newPage();
    // The timeout is long, because other tests may use the whole machine.
    page.setDefaultTimeout(60_000);
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: theme },
      { name: "prefers-reduced-motion", value: motion },
    ]);
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url()) && request.url() !== url) faults.push(`request: ${request.url()}`);
    });
    await before?.(page);
    await page.goto(url);
    await use(page).catch(async (error) => {
      await page.screenshot({ path: FAILED }).catch(() => {});
      throw new Error([error.stack, ...faults, `a picture of the page is in ${FAILED}`].join("\n"));
    });
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return faults;
}
