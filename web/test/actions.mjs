// @ts-check
// The actions of a test on a page: each one waits for what it needs, because the page draws later than its data change.

/** @import {ElementHandle, Page} from "puppeteer-core" */

/** Returns the source of an expression that finds a text. @param {string|RegExp} text */
const source = (text) => (text instanceof RegExp ? text.source : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));

/**
 * Presses the first element that has the text or the label.
 *
 * @param {Page} page @param {string} selector @param {string|RegExp} text
 */
export async function press(page, selector, text) {
  const found = await page.waitForFunction(
    (of, has) =>
      [...document.querySelectorAll(of)].find((it) =>
        [it.getAttribute("aria-label"), it.textContent].some((words) => new RegExp(has).test(words?.trim() ?? "")),
      ),
    {},
    selector,
    source(text),
  );
  const element = /** @type {ElementHandle<Element>} */ (found);
  await element.evaluate((it) => it.dispatchEvent(new MouseEvent("click", { bubbles: true })));
}

/**
 * Waits for an element with the text.
 *
 * @param {Page} page @param {string} selector @param {string|RegExp} text
 */
export async function see(page, selector, text) {
  await page.waitForFunction(
    (of, has) => [...document.querySelectorAll(of)].some((it) => new RegExp(has).test(it.textContent ?? "")),
    {},
    selector,
    source(text),
  );
}

/**
 * Returns the text of the first element that the selector names, as soon as it has one.
 *
 * @param {Page} page @param {string} selector
 * @returns {Promise<string>}
 */
export async function textOf(page, selector) {
  const found = await page.waitForFunction((of) => document.querySelector(of)?.textContent?.trim(), {}, selector);
  return String(await found.jsonValue());
}
