// @ts-check
// Takes a picture of the bundled page: node test/shot.mjs PAGE.html OUT.png [WIDTHxHEIGHT] [dark] [SCRIPT]
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [page_, out, size = "1440x900", theme = "light", script = ""] = process.argv.slice(2);
const [width, height] = size.split("x").map(Number);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage();
await page.setViewport({ width, height });
await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
page.on("console", (message) => console.log("console:", message.type(), message.text()));
page.on("pageerror", (error) => console.log("error:", error));
await page.goto(String(pathToFileURL(page_)));
await new Promise((resolve) => setTimeout(resolve, 700));
if (script) await page.evaluate(script);
await new Promise((resolve) => setTimeout(resolve, 700));
await page.screenshot({ path: /** @type {any} */ (out) });
await browser.close();
