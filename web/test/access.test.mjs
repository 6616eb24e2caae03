// @ts-check
// The page for a reader of screens, and for eyes that see little contrast: each control has a name, and each text
// stands out from its ground, in both themes. The bundled page with the fake lab, in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { page as bundle } from "../bundle.mjs";
import { press } from "./actions.mjs";
import { chromium, open } from "./browser.mjs";

/** @import {Page} from "puppeteer-core" */

const WORKER = fileURLToPath(new URL("./fake/worker.js", import.meta.url));
const skip = chromium() ? false : "Chromium is not installed";

/** The smallest contrast of text, as in WCAG 2.2, 1.4.3: of usual text, and of large or bold text. */
const LEAST = 4.5;
const LEAST_LARGE = 3;

/** The panels of the page, each with the clicks that open it: a selector, and a text of the element. @type {Record<string, [string, string | RegExp][]>} */
const PANELS = {
  "a router": [[".node", "xTR2"], [".tabs button", "Journey"]],
  "a host": [[".node", "A: host"], [".tabs button", "Timeline"]],
  "a message": [[".row.message", /\bSMR\b/], [".tabs button", "Compare"]],
  "a lesson": [[".top button", "Lessons"], [".tabs button", "Console"], ["#console button", "xTR1"]],
  "the popovers": [["#time-bar button", "Breakpoints"]],
};

/** Returns the controls of the page without a name. Runs in the page. */
function unnamed() {
  const controls = "button, select, input, a[href], summary, [role=button], [role=option], [role=slider], [role=separator], [role=listbox], [role=tab]";
  const isSeen = (/** @type {Element} */ it) => it.checkVisibility() && !it.closest("[aria-hidden=true]");
  const named = (/** @type {any} */ it) =>
    it.getAttribute("aria-label")?.trim() ||
    [...(it.labels ?? [])].some((/** @type {Element} */ label) => [...label.childNodes].some((node) => node !== it && node.textContent?.trim())) ||
    (!/^(SELECT|INPUT)$/.test(it.tagName) && it.textContent?.trim());
  return [...document.querySelectorAll(controls)].filter((it) => isSeen(it) && !named(it)).map((it) => it.outerHTML.slice(0, 120));
}

/** Returns the texts of the page with too little contrast. Runs in the page. @param {number} least @param {number} leastLarge */
function pale(least, leastLarge) {
  const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  /** @param {string[]} layers the colours from below to the top @returns {number[]} */
  const mixed = (layers) => {
    pen.clearRect(0, 0, 1, 1);
    for (const layer of layers) {
      pen.fillStyle = layer;
      pen.fillRect(0, 0, 1, 1);
    }
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (/** @type {number[]} */ color) => {
    const [r, g, b] = color.slice(0, 3).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** @type {string[]} */
  const found = [];
  for (const element of document.querySelectorAll("body *:not(script, style, noscript, option)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
    const style = getComputedStyle(element);
    // Below another element, or in a drawing: the ground is not that of its parents. A control that is off may be pale.
    if (!own || !element.checkVisibility({ opacityProperty: true }) || element.closest("svg, .unseen, :disabled")) continue;
    const grounds = [];
    for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const [ground, text] = [mixed(["white", ...grounds]), mixed(["white", ...grounds, style.color])];
    const [high, low] = [luminance(ground), luminance(text)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? leastLarge : least)) found.push(`${ratio.toFixed(2)} ${element.tagName} .${element.className}: ${element.textContent?.trim().slice(0, 40)}`);
  }
  return [...new Set(found)];
}

for (const theme of ["light", "dark"]) {
  test(`each control has a name, and each text enough contrast, ${theme}`, { skip }, async () => {
    const html = (await bundle({ worker: WORKER })).replace('id="lab">null<', () => 'id="lab">{"name":"gsmr"}<');
    const faults = await open(html, { theme, motion: "reduce" }, async (page) => {
      await page.waitForSelector(".row.message");
      for (const [name, clicks] of Object.entries(PANELS)) {
        for (const [selector, text] of clicks) await press(page, selector, text);
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.deepEqual(await page.evaluate(unnamed), [], name);
        assert.deepEqual(await page.evaluate(pale, LEAST, LEAST_LARGE), [], name);
      }
    });
    assert.deepEqual(faults, []);
  });
}
