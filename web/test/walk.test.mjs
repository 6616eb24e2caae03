// @ts-check
// The walk of the README over the real page of gsmr, from a file, in Chromium. `eidway lab page gsmr -o
// target/web/gsmr.html` makes the page. The pictures are written beside it.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, open } from "./browser.mjs";

/** @import {Page} from "puppeteer-core" */

const FOLDER = fileURLToPath(new URL("../../target/web/", import.meta.url));
const PAGE = process.env.EIDWAY_GSMR_PAGE ?? join(FOLDER, "gsmr.html");
const PICTURES = join(FOLDER, "pictures");
const skip = chromium() ? false : "Chromium is not installed";

/** The largest page of gsmr, in octets: 2 MiB. */
const LARGEST = 2 * 1024 * 1024;

/** @param {Page} page @param {string} name */
async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: /** @type {any} */ (join(PICTURES, `${name}.png`)) });
}

/** Returns the source of an expression that finds a text. @param {string|RegExp} text */
const source = (text) => (text instanceof RegExp ? text.source : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));

/**
 * Presses the first element that has the text or the label.
 *
 * @param {Page} page @param {string} selector @param {string|RegExp} text
 */
async function press(page, selector, text) {
  const found = await page.waitForFunction(
    (of, has) =>
      [...document.querySelectorAll(of)].find((it) =>
        [it.getAttribute("aria-label"), it.textContent].some((words) => new RegExp(has).test(words?.trim() ?? "")),
      ),
    {},
    selector,
    source(text),
  );
  const element = /** @type {import("puppeteer-core").ElementHandle<Element>} */ (found);
  await element.evaluate((it) => it.dispatchEvent(new MouseEvent("click", { bubbles: true })));
}

/** @param {Page} page @param {string} selector @param {string|RegExp} text */
async function see(page, selector, text) {
  await page.waitForFunction(
    (of, has) => [...document.querySelectorAll(of)].some((it) => new RegExp(has).test(it.textContent ?? "")),
    {},
    selector,
    source(text),
  );
}

/** @param {Page} page @param {string} label @param {string} value */
async function choose(page, label, value) {
  await page.evaluate(
    (of, to) => {
      const owner = [...document.querySelectorAll("label")].find((it) => it.textContent?.includes(of));
      const select = /** @type {HTMLSelectElement} */ (owner?.querySelector("select"));
      select.value = to;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    },
    label,
    value,
  );
}

/** Types a line at the open console. @param {Page} page @param {string} line */
async function type(page, line) {
  await page.type(".terminal .entry input", `${line}\n`);
}

/** Returns the time of the page in seconds. @param {Page} page */
async function time(page) {
  const text = await page.$eval(".now", (it) => it.textContent ?? "");
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** @param {Page} page */
async function registered(page) {
  await page.waitForSelector(".node");
  await choose(page, "Pace", "10");
  await press(page, ".steering button", "Play");
  await see(page, ".node", /NewMSMR.*8 reg/);
  await press(page, ".steering button", "Pause");
}

test("the page of gsmr weighs at most 2 MB", () => {
  assert.ok(existsSync(PAGE), `${PAGE} is missing: eidway lab page gsmr -o ${PAGE}`);
  const { size } = statSync(PAGE);
  assert.ok(size <= LARGEST, `${size} octets`);
});

test("G2 is seen, stepped message by message, read, turned back, and kept in one file", { skip }, async () => {
  /** @type {string} */
  let kept = "";
  const downloads = join(FOLDER, "downloads");
  rmSync(downloads, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true });
  const faults = await open(readFileSync(PAGE, "utf8"), {}, async (page) => {
    const session = await page.createCDPSession();
    await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
    await registered(page);
    await picture(page, "1-registered");

    // B pings A. The first packet waits for its mapping and is not lost.
    await press(page, ".plain", "Ping");
    await choose(page, "Pace", "1");
    await press(page, ".steering button", "Play");
    await see(page, ".flows", "5 answered, 0 lost");
    await press(page, ".steering button", "Pause");
    await see(page, ".node", /xTR2.*3 map/);

    // The interface of A goes down while B continues to send.
    await press(page, ".plain", "Flow");
    await press(page, ".tabs button", "Console");
    await press(page, "#console button", /^xTR1$/);
    await page.waitForSelector(".terminal .entry input");
    for (const line of ["configure terminal", "interface ethernet 1/0", "shutdown", "end", "show ip lisp database"]) {
      await type(page, line);
    }
    await see(page, ".terminal .output", /NO ROUTE TO EID PREFIX/);
    await picture(page, "2-no-route");

    // Steps from message to message, until the SMR is sent.
    await choose(page, "Step by", "message");
    for (let steps = 0; steps < 40; steps += 1) {
      if (await page.$$eval(".row.message", (rows) => rows.some((row) => row.textContent?.includes("SMR")))) break;
      await press(page, ".steering button", "Forward one step");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await see(page, ".row.message", "SMR");
    await press(page, ".row.message", "SMR");
    await see(page, "#inspector .reason", /RFC 930[01] section/);
    await picture(page, "3-smr");

    // Goes back in time, and then forward again.
    const before = await time(page);
    for (let steps = 0; steps < 40 && (await time(page)) >= before; steps += 1) {
      await press(page, ".steering button", "Back one step");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok((await time(page)) < before, "the steps back do not go back");
    await press(page, ".steering button", "Play");
    await see(page, ".row.message", "Map-Reply");
    await press(page, ".steering button", "Pause");

    // Shows the journey of a lost packet, with the reason for the loss.
    await press(page, ".tabs button", "Timeline");
    await picture(page, "4-timeline");

    // Saves the page with the run as one file.
    await press(page, ".steering button", /^Run$/);
    await press(page, "button", "Save the page");
    for (let wait = 0; wait < 100 && kept === ""; wait += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const files = readdirSync(downloads).filter((name) => name.endsWith(".html"));
      kept = files[0] ? join(downloads, files[0]) : "";
    }
  });
  assert.deepEqual(faults, []);
  assert.notEqual(kept, "", "the page was not saved");
  const again = await open(readFileSync(kept, "utf8"), {}, async (page) => {
    await see(page, ".row.message", "SMR");
  });
  assert.deepEqual(again, []);
  rmSync(downloads, { recursive: true, force: true });
});

test("a page with a module cut short says so and runs nothing", { skip }, async () => {
  const html = readFileSync(PAGE, "utf8");
  const cut = html.replace(/(<script type="text\/plain" id="wasm">)([^<]*)/, (_, tag, wasm) => tag + wasm.slice(0, wasm.length / 2));
  assert.notEqual(cut, html);
  await open(cut, {}, async (page) => {
    await see(page, "[role=alert], .failure, .news", /./);
    assert.equal(await page.$$eval(".node", (all) => all.length), 0);
  });
});

test("a lab with markup in its names is refused in words", { skip }, async () => {
  const html = readFileSync(PAGE, "utf8");
  const hostile = { name: "<img src=x onerror=alert(1)>", files: { "lab.toml": 'name = "<img src=x onerror=alert(1)>"\n' }, seed: 1 };
  const json = JSON.stringify(hostile).replaceAll("<", "\\u003c");
  const page_ = html.replace(/(id="lab">)[^<]*/, (_, tag) => tag + json);
  const faults = await open(page_, {}, async (page) => {
    await see(page, "body", /lab\.toml/);
    assert.equal(await page.$$eval("img", (all) => all.length), 0);
  });
  assert.deepEqual(faults.filter((fault) => fault.startsWith("dialog") || fault.startsWith("request")), []);
});
