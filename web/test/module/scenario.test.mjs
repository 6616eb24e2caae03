// @ts-check
// A scenario on the page, in Chromium: it is chosen and played, and its statements pass.

import assert from "node:assert/strict";
import { test } from "node:test";
import { page as bundle } from "../../bundle.mjs";
import { press, see } from "../actions.mjs";
import { chromium, open } from "../browser.mjs";
import { labs, missing, MODULE } from "./scenarios.js";

const skip = missing() || (chromium() ? false : "Chromium is not installed");

test("the statements of a scenario pass, and an action of the user ends them", { skip }, async () => {
  const { files } = /** @type {import("./scenarios.js").Lab} */ (labs().find(({ name }) => name === "gsmr"));
  const data = JSON.stringify({ name: "gsmr", files, seed: 1 }).replaceAll("<", "\\u003c");
  const html = (await bundle({ module: MODULE })).replace('id="lab">null<', () => `id="lab">${data}<`);
  const faults = await open(html, {}, async (page) => {
    const count = (/** @type {string} */ kind) => page.$$eval(`.statements > li.${kind}`, (rows) => rows.length);
    await page.waitForSelector(".node");
    await press(page, "button", /^Scenarios$/);
    await page.waitForSelector('#scenarios option[value="g2-no-route"]');
    await page.select("#scenarios select", "g2-no-route");
    await press(page, "button", /^Play the scenario$/);
    await page.waitForSelector(".statements > li.now");
    await see(page, "#scenarios [role=status]", /all as expected/);
    assert.equal(await count("done"), 0);
    await press(page, "button", /^Next statement$/);
    await page.waitForSelector(".statements > li.done");
    const all = await page.$$eval(".statements > li", (rows) => rows.length);
    await page.$$eval(".statements > li button", (rows) => rows.at(-1)?.click());
    await page.waitForFunction((all) => document.querySelectorAll(".statements > li.done").length === all, {}, all);
    await see(page, ".statements > li:first-child pre", /Success rate is 100 percent \(5\/5\)/);
    // Back to the first statement. After an action of the user, the run is a different one.
    await page.$eval(".statements > li button", (first) => first.click());
    await page.waitForSelector(".statements > li.ahead");
    await page.$eval('.node[data-node="xTR2"]', (it) => it.dispatchEvent(new MouseEvent("click", { bubbles: true })));
    await page.waitForSelector("#inspector .hands");
    await press(page, "button", /^Kill$/);
    await page.waitForSelector(".statements > li.left");
  });
  assert.deepEqual(faults, []);
});
