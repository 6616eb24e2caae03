// @ts-check
// A page that was handed a hostile lab says what is wrong, and where, and runs nothing: each part of a page is
// broken or hostile in turn. All pages open in one browser, one after the other.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { encode } from "../page/worker/base85.js";
import { press } from "./actions.mjs";
import { chromium, open } from "./browser.mjs";

/** @import {Page} from "puppeteer-core" */

const PAGE = process.env.EIDWAY_GSMR_PAGE ?? fileURLToPath(new URL("../../target/web/gsmr.html", import.meta.url));
const skip = chromium() ? false : "Chromium is not installed";

/** Markup that would run a script, or ask for a file, if it were taken as markup. */
const MARKUP = `<img src=x onerror="document.title='hacked'"><script>document.title='hacked'</script><svg onload="document.title='hacked'">`;

/**
 * A page to open: the lab is changed, or the text of the page.
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {(lab: any) => unknown} [lab] changes the lab, or returns another one
 * @property {(html: string) => string} [html]
 * @property {RegExp} [says] the words on the page; without them, the lab runs
 * @property {(page: Page) => Promise<unknown>} [then] more to do on the page
 */

/** The frame of Zstandard (RFC 8878, 3.1.1) before a block of 8 octets, in hexadecimal: magic number, header, size. */
const ZSTANDARD = "28b52ffd" + "2008" + "410000";

const LESSON = "lessons/g2-no-route.lesson";

/** @param {string} file @param {string} from @param {string} to */
const edit = (file, from, to) => (/** @type {any} */ lab) => {
  assert.ok(lab.files[file].includes(from), `${file} has no ${from}`);
  lab.files[file] = lab.files[file].replace(from, to);
};

/** @param {string} wasm */
const withModule = (wasm) => (/** @type {string} */ html) => html.replace(/(<script type="text\/plain" id="wasm">)[^<]*/, (_, tag) => tag + wasm);

/** @param {Page} page opens the lessons, and the one that is hostile */
async function openLesson(page) {
  await press(page, ".top button", "Lessons");
  await page.waitForSelector("#lessons select:not([hidden])");
  await page.select("#lessons select", "g2-no-route");
}

/** @param {Page} page @param {RegExp} words */
const see = (page, words) => page.waitForFunction((has) => new RegExp(has).test(document.body.innerText), {}, words.source);

/** The run of a page, with some members changed. @param {any} change */
const run = (change) => (/** @type {any} */ lab) => {
  lab.run = { format: "eidway-run", version: 1, lab: "gsmr", files: "0", seed: 1, at: 2_000_000, end: 2_000_000, hands: [], ...change };
};

/** @type {Case[]} */
const CASES = [
  { name: "markup as the name of the lab", lab: edit("lab.toml", 'name = "gsmr"', `name = '''${MARKUP}'''`), says: /lab\.toml:\d+/ },
  { name: "markup as the title of the lab", lab: edit("lab.toml", 'title = "', `title = "<img src=x onerror=alert(1)>`) },
  { name: "markup as the name of a node", lab: edit("lab.toml", "[nodes.xTR1]", `[nodes."<img src=x onerror=alert(1)>"]`), says: /lab\.toml:\d+/ },
  { name: "a lab file that is no TOML", lab: edit("lab.toml", 'kind = "router"', "kind = <b>"), says: /lab\.toml:\d+/ },
  { name: "a lab file cut short", lab: (lab) => (lab.files["lab.toml"] = lab.files["lab.toml"].slice(0, 1501)), says: /lab\.toml:\d+/ },
  { name: "no lab file", lab: (lab) => delete lab.files["lab.toml"], says: /no lab\.toml/ },
  { name: "a missing configuration", lab: (lab) => delete lab.files["xTR1.conf"], says: /xTR1\.conf/ },
  { name: "a wrong line of a configuration", lab: edit("xTR1.conf", "router lisp", `router ${MARKUP}`) },
  { name: "markup as a description", lab: edit("xTR1.conf", "description host A", `description ${MARKUP}`), then: openRouter },
  { name: "a configuration of 3 MB", lab: (lab) => (lab.files["xTR1.conf"] += "! comment\n".repeat(300_000)) },
  { name: "a lab file of 3 MB", lab: (lab) => (lab.files["lab.toml"] += `\n${"x = 1\n".repeat(500_000)}`), says: /lab\.toml:\d+/ },
  { name: "a lesson with markup and addresses", lab: hostileLesson, then: readHostileLesson },
  { name: "a lesson with a block that has no end", lab: edit(LESSON, "```begin", "````begin"), then: async (page) => (await openLesson(page), see(page, /g2-no-route\.lesson:\d+/)) },
  { name: "a lesson nested 20,000 times", lab: edit(LESSON, "## Look", `${">".repeat(20_000)} deep\n\n## Look`), then: async (page) => (await openLesson(page), see(page, /Shut the interface to A/)) },
  { name: "an overlay that a router refuses", lab: edit("scenarios/roaming.include", " lisp mobility ROAM", ` lisp ${MARKUP}`), then: async (page) => (await press(page, ".node", "A: host"), await press(page, '#inspector button[title*="/roaming.include"]', "Begin with roaming"), see(page, /xTR1 refuses "lisp </)) },
  { name: "an overlay with markup as its name", lab: (lab) => (lab.files[`scenarios/${MARKUP.replaceAll("/", "")}.include`] = "overlay xTR1 {\n}\n"), then: (page) => press(page, ".node", "A: host") },
  { name: "a run of another format", lab: run({ format: MARKUP }), says: /"format" is not "eidway-run"/ },
  { name: "a run with a wrong time", lab: run({ hands: [{ at: "1", request: { op: "act" } }] }), says: /"hands\[0\]\.at" is no time/ },
  { name: "a run with an unknown request", lab: run({ hands: [{ at: 1, request: { op: "eval", code: MARKUP } }] }), says: /"hands\[0\]\.request"/ },
  { name: "a run with an unknown hand", lab: run({ hands: [{ at: 1, request: { op: "act", hand: { kind: MARKUP } }, command: MARKUP }] }), says: /refused|unknown variant/ },
  { name: "a run without an end", lab: run({ end: 1e300 }), says: /"end" is no time/ },
  { name: "files that are no texts", lab: (lab) => (lab.files["xTR1.conf"] = 7), says: /expected a string/ },
  { name: "files that are a list", lab: (lab) => void (lab.files = []), says: /no lab\.toml|expected a map|files/ },
  { name: "no lab at all", lab: () => null, says: /the page has no lab inside/ },
  { name: "a lab that is no JSON", html: (html) => html.replace(/(id="lab">)[^<]*/, "$1{"), says: /The page cannot start: the lab is no JSON/ },
  { name: "a lab elsewhere", lab: () => ({ live: { url: "https://example.net/", token: "x" } }), says: /./ },
  { name: "a module cut short", html: (html) => html.replace(/(id="wasm">)([^<]*)/, (_, tag, wasm) => tag + wasm.slice(0, wasm.length / 2)), says: /The file may be incomplete/ },
  { name: "a module that is no base 85", html: withModule("%%% \\xff"), says: /module cannot be read/ },
  { name: "a module that is not packed", html: withModule(encode(Buffer.from([0xff, 0xfe, 0xc3, 0x28]))), says: /module cannot be read/ },
  { name: "a module of another kind", html: withModule(encode(Buffer.from(ZSTANDARD + "0061736d01000000", "hex"))), says: /module/ },
  { name: "no module", html: withModule(""), says: /no module|module is missing|not built/ },
];

/** @param {any} lab */
function hostileLesson(lab) {
  const text = [
    MARKUP,
    "[script](javascript:document.title='hacked')",
    "[data](data:text/html,<script>alert(1)</script>)",
    "![picture](https://example.net/a.png)",
    "<https://example.net/auto> https://example.net/bare",
    "<iframe src=https://example.net></iframe><object data=https://example.net></object>",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    '`<img src=x onerror=alert(1)>` &lt;b&gt; [x]: javascript:alert(1) "t"',
  ].join("\n\n");
  for (const place of ["Host A lives behind", "`ping B A` sends"]) edit(LESSON, place, `${text}\n\n${place}`)(lab);
  edit(LESSON, "# G2: a local EID", `# ${MARKUP} G2: a local EID`)(lab);
  edit(LESSON, "## Shut the interface to A", `## ${MARKUP} Shut the interface to A`)(lab);
}

/** @param {Page} page */
async function readHostileLesson(page) {
  await openLesson(page);
  await see(page, /Shut the interface to A/);
  const links = await page.$$eval("#lessons a", (all) => all.map((it) => it.getAttribute("href") ?? ""));
  assert.ok(links.every((href) => /^https?:/.test(href)), links.join(" "));
  for (const summary of await page.$$("#lessons summary")) await summary.evaluate((it) => /** @type {HTMLElement} */ (it).click());
}

/** @param {Page} page */
async function openRouter(page) {
  await press(page, ".node", /^xTR1/);
  await press(page, ".tabs button", "Console");
  await press(page, "#console button", /^xTR1$/);
  await page.type(".terminal .entry input", "show running-config\n");
  await see(page, /description <img src=x/);
}

/** @type {string} */
let folder;
before(() => (folder = mkdtempSync(join(tmpdir(), "eidway-hostile-"))));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a hostile lab is refused in words, or is text, and runs nothing", { skip }, async (all) => {
  const html = readFileSync(PAGE, "utf8");
  const inside = JSON.parse(/id="lab">([^<]*)/.exec(html)?.[1] ?? "null");
  const faults = await open("<!doctype html><link rel=icon href=data:,>", {}, async (page) => {
    for (const [index, { name, lab, html: change = (/** @type {string} */ text) => text, says, then }] of CASES.entries()) {
      await all.test(name, async () => {
        const copy = structuredClone(inside);
        const given = lab?.(copy);
        const json = JSON.stringify(given === null || /** @type {any} */ (given)?.live ? given : copy).replaceAll("<", "\\u003c");
        const file = join(folder, `${index}.html`);
        writeFileSync(file, change(html.replace(/(id="lab">)[^<]*/, (_, tag) => tag + json)));
        await page.goto(`file://${file}`);
        if (says) await see(page, says);
        else await page.waitForSelector(".node");
        await then?.(page);
        if (says && !/run/.test(name)) assert.equal((await page.$$(".node")).length, 0, "a lab runs");
        const elements = await page.$$eval("img, iframe, object, embed, video, [onerror], [onload]", (found) => found.map((it) => it.outerHTML));
        assert.deepEqual(elements, []);
        assert.equal(await page.$$eval("script", (found) => found.length), 4, "the scripts of the page");
        assert.doesNotMatch(await page.title(), /hacked/);
      });
    }
  });
  const own = (/** @type {string} */ fault) => fault.startsWith(`request: file://${folder}`);
  // The content security policy refuses the lab elsewhere, and the browser says so.
  const refused = (/** @type {string} */ fault) => /https:\/\/example\.net\/.*(Content Security Policy|connect-src)|Content Security Policy.*example\.net/.test(fault);
  assert.deepEqual(faults.filter((fault) => !own(fault) && !refused(fault)), []);
});
