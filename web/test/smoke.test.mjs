// @ts-check
// The bundled page with the fake lab, from a file, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { page as bundle } from "../bundle.mjs";
import { press, see, textOf } from "./actions.mjs";
import { chromium, open } from "./browser.mjs";

const WORKER = fileURLToPath(new URL("./fake/worker.js", import.meta.url));
const skip = chromium() ? false : "Chromium is not installed";

/** @param {object} lab */
async function html(lab) {
  const text = await bundle({ worker: WORKER });
  const json = JSON.stringify(lab).replaceAll("<", "\\u003c");
  return text.replace('id="lab">null<', () => `id="lab">${json}<`);
}

test("a walk over the page causes no error and no request", { skip }, async () => {
  const faults = await open(await html({ name: "gsmr" }), {}, async (page) => {
    await page.waitForSelector(".row.message");
    assert.equal(await page.$$eval("[data-node]", (all) => all.filter((it) => it.closest(".network")).length), 12);
    await press(page, ".node", "xTR2");
    await page.waitForSelector("#inspector tr.fresh");
    await page.click("#inspector tr.fresh button.line");
    await page.waitForSelector("#inspector tr.more .reason");
    await press(page, ".row.message", /\bSMR\b/);
    await page.waitForSelector("#inspector .diagram");
    await see(page, "#inspector .reason", /RFC 9301 section 6\.1/);
    await press(page, ".tabs button", "Console");
    await press(page, "#console button", /^xTR1$/);
    await page.waitForSelector(".terminal .entry input");
    await page.type(".terminal .entry input", "show ip lisp map-cache\n");
    await see(page, ".terminal .output", "Mapping Cache");
    await press(page, ".tabs button", "Journey");
    await page.waitForSelector("#journey option[value=echo2]");
    await page.select("#journey select", "echo2");
    await page.waitForSelector("#journey .step.dropped");
    await press(page, ".top button", "Lessons");
    await page.waitForSelector(".task.met");
  });
  assert.deepEqual(faults, []);
});

test("markup in a lab stays text", { skip }, async () => {
  const faults = await open(await html({ name: "gsmr", hostile: true }), {}, async (page) => {
    await page.waitForSelector(".node");
    await press(page, ".node", "<img");
    await press(page, ".top button", "Lessons");
    await page.waitForSelector(".task");
    assert.equal(await page.$$eval("img", (all) => all.length), 0);
  });
  assert.deepEqual(faults, []);
});

test("the keyboard reaches the network, the ladder and the drawer, and Escape closes the inspector", { skip }, async () => {
  const faults = await open(await html({ name: "gsmr" }), {}, async (page) => {
    await page.waitForSelector(".row.message");
    await page.$eval(".node[tabindex='0']", (it) => /** @type {any} */ (it).focus());
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await textOf(page, "#inspector h2");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.getElementById("inspector")?.hidden);
    await page.focus(".ladder-rows");
    await page.keyboard.press("ArrowUp");
    await page.waitForSelector(".row.chosen");
  });
  assert.deepEqual(faults, []);
});

test("on a window of middle width, the ladder stays beside the network and the inspector", { skip }, async () => {
  const faults = await open(await html({ name: "gsmr" }), { width: 820, height: 1100 }, async (page) => {
    await page.waitForSelector(".row.message");
    await press(page, ".node", /^xTR1/);
    await page.waitForSelector("#inspector .table");
    for (const selector of [".row.message", "#inspector .table", ".node"]) {
      const size = await page.$eval(selector, (it) => it.getBoundingClientRect().width);
      assert.ok(size > 0, selector);
    }
  });
  assert.deepEqual(faults, []);
});

for (const [theme, width, height] of /** @type {[string, number, number][]} */ ([["light", 1440, 900], ["dark", 1440, 900], ["light", 390, 780], ["dark", 820, 1100]])) {
  test(`nothing is wider than the window, ${theme}, ${width} x ${height}`, { skip }, async () => {
    const faults = await open(await html({ name: "fifty" }), { theme, width, height }, async (page) => {
      await page.waitForSelector(".node");
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${wider} pixels wider`);
      assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
    });
    assert.deepEqual(faults, []);
  });
}

/** @param {string} text a page that cannot show its lab */
async function failureOf(text) {
  let said = "";
  const faults = await open(text, {}, async (page) => {
    said = await textOf(page, "[role=alert]:not([hidden])");
  });
  assert.deepEqual(faults, []);
  return said;
}

test("a page without its module, with a module cut short, or with a broken lab says so", { skip }, async () => {
  const text = await bundle();
  assert.match(await failureOf(text), /module/);
  const cut = text.replace('id="wasm"></script>', () => 'id="wasm">H4sIAAAAAAAAA2NgZGQ=</script>');
  assert.match(await failureOf(cut), /module cannot be read/);
  assert.match(await failureOf(text.replace('id="lab">null<', () => 'id="lab">{"files": <')), /cannot start/);
});
