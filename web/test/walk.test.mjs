// @ts-check
// A stranger's walk over the real page of gsmr, in Chromium: the walk of the README, step by step, from a file and
// from a server; and a lesson.
// `eidway lab page gsmr -o target/web/gsmr.html` makes the page. The pictures are written beside it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { press, see, textOf } from "./actions.mjs";
import { chromium, open } from "./browser.mjs";

/** @import {Page} from "puppeteer-core" */

const FOLDER = fileURLToPath(new URL("../../target/web/", import.meta.url));
const PAGE = process.env.EIDWAY_GSMR_PAGE ?? join(FOLDER, "gsmr.html");
const PICTURES = join(FOLDER, "pictures");
const skip = chromium() ? false : "Chromium is not installed";

/** The largest page of gsmr, in octets. */
const LARGEST = 2_000_000;

/** @param {Page} page @param {string} name */
async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: /** @type {any} */ (join(PICTURES, `${name}.png`)) });
}

/** @param {Page} page @param {string} label @param {string} value */
async function choose(page, label, value) {
  await page.waitForSelector(`option[value="${value}"]`);
  await page.evaluate(
    (of, to) => {
      const owner = [...document.querySelectorAll("label")].find((it) => it.textContent?.includes(of));
      const named = document.querySelector(`select[aria-label="${of}"]`) ?? owner?.querySelector("select");
      const select = /** @type {HTMLSelectElement} */ (named);
      select.value = to;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    },
    label,
    value,
  );
}

/** Follows the first packet with a text on its journey. @param {Page} page @param {string} text */
async function choosePacket(page, text) {
  const found = await page.waitForFunction(
    (has) => [...document.querySelectorAll("#journey option")].findLast((it) => it.textContent?.includes(has))?.getAttribute("value"),
    {},
    text,
  );
  await choose(page, "Packet", String(await found.jsonValue()));
}

/** Types a line at the open console. @param {Page} page @param {string} line */
async function type(page, line) {
  await page.type(".terminal .entry input", `${line}\n`);
}

/** Returns the time of the page in seconds. @param {Page} page */
async function time(page) {
  const text = await textOf(page, "output.now");
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

/** Presses a button, and waits until the page has arrived and is drawn. @param {Page} page @param {string} button */
async function step(page, button) {
  await press(page, ".steering button", button);
  await page.waitForSelector('.steering[aria-busy="false"]');
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/**
 * Steps to the next message, and returns the name and the reason that the inspector shows for it. After a long step, the
 * last seconds run again, and the inspector shows the message after that.
 *
 * @param {Page} page
 */
async function stepAndRead(page) {
  await step(page, "Forward one step");
  await page.waitForSelector("#inspector .reason");
  return page.$eval("#inspector", (it) => ({
    name: it.querySelector("h2")?.textContent ?? "",
    reason: it.querySelector(".reason")?.textContent ?? "",
  }));
}

/** @param {Page} page waits until a file with this ending is saved in a folder @param {string} folder @param {string} ending */
async function saved(page, folder, ending) {
  for (let wait = 0; wait < 200; wait += 1) {
    const name = readdirSync(folder).find((it) => it.endsWith(ending));
    if (name) return join(folder, name);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no file ${ending} was saved; the page says: ${await page.$eval(".news", (it) => it.textContent)}`);
}

/** Makes an empty folder for the files that a page saves. @param {Page} page @param {string} name */
async function downloads(page, name) {
  const folder = join(FOLDER, `downloads-${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const session = await page.createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
  return folder;
}

/** Drags a host onto a router of the network. @param {Page} page @param {string} host @param {string} router */
async function drag(page, host, router) {
  const middle = async (/** @type {string} */ name) => {
    const box = await (await page.waitForSelector(`.node[data-node="${name}"] .shape`))?.boundingBox();
    assert.ok(box, name);
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };
  const [from, to] = [await middle(host), await middle(router)];
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
}

/** Lets the lab play for virtual seconds at a pace. @param {Page} page @param {number} seconds @param {string} pace */
async function play(page, seconds, pace) {
  const end = (await time(page)) + seconds;
  await choose(page, "Pace", pace);
  await press(page, ".steering button", "Play");
  await page.waitForFunction(
    (at) => (document.querySelector("output.now")?.textContent ?? "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0) >= at,
    {},
    end,
  );
  await press(page, ".steering button", "Pause");
}

for (const from of /** @type {const} */ (["file", "http"])) {
  test(`the walk of README, ${from}: G2 step by step with reasons, back, a move with its loss, one file`, { skip }, async () => {
    /** @type {string} */
    let folder = "";
    /** @type {string} */
    let kept = "";
    const faults = await open(readFileSync(PAGE, "utf8"), { from }, async (page) => {
      folder = await downloads(page, from);
      // 1. The lab registers.
      await registered(page);
      await picture(page, `${from}-1-registered`);

      // 2. B pings A: the first packet waits for its mapping and is not lost. A journey of an echo.
      await press(page, "#hands .plain", "Ping");
      await play(page, 3, "1");
      await see(page, ".flows", "5 answered, 0 lost");
      await see(page, ".node", /xTR2.*3 map/);
      await press(page, ".tabs button", "Journey");
      await choosePacket(page, "192.168.0.22 > 172.16.0.12");
      await see(page, "#journey", /RFC 9300 section/);
      await picture(page, `${from}-2-journey`);

      // 3. The interface of A goes down while B sends on.
      await press(page, "#hands .plain", "Flow");
      await press(page, ".tabs button", "Console");
      await press(page, "#console button", /^xTR1$/);
      await page.waitForSelector(".terminal .entry input");
      for (const line of ["configure terminal", "interface ethernet 1/0", "shutdown", "end", "show ip lisp database"]) {
        await type(page, line);
      }
      await see(page, ".terminal .output", /NO ROUTE TO EID PREFIX/);
      await picture(page, `${from}-3-no-route`);

      // 4. Message by message, each with its reason, until xTR2 knows that A has no mapping.
      await choose(page, "Step by", "message");
      /** @type {string[]} */
      const names = [];
      const isEnd = () => names.includes("SMR") && names.at(-1) === "Map-Reply";
      for (let steps = 0; steps < 80 && !isEnd(); steps += 1) {
        const { name, reason } = await stepAndRead(page);
        assert.match(reason, /^Why: \S+ \S+ .*RFC 93\d\d|draft|IOS/, `${name}: ${reason}`);
        if (name === "SMR" && !names.includes(name)) await picture(page, `${from}-4-smr`);
        names.push(name);
      }
      assert.ok(isEnd(), names.join(", "));
      assert.ok(names.filter((name) => name === "Map-Request").length >= 3, names.join(", "));

      // 5. Back in time to the SMR, and on again.
      const before = await time(page);
      for (let steps = 0; steps < 6; steps += 1) await step(page, "Back one step");
      assert.ok((await time(page)) < before, "the steps back do not go back");
      await press(page, ".tabs button", "Timeline");
      await play(page, 8, "2");

      // 6. The same run without SMRs, beside it.
      await press(page, ".tabs button", "Compare");
      await choose(page, "Action to change", "configuration");
      await press(page, "#compare button", "Run it");
      await see(page, "#compare .figures-table", /SMR/);
      await see(page, "#compare", /The runs differ from/);
      await picture(page, `${from}-5-compare`);

      // 7. A host moves under a flow, and the timeline has the loss. The network looks for it on both LANs.
      await press(page, ".node", /^A: host/);
      await press(page, "#inspector button", /^Begin with roaming$/);
      await see(page, ".news", /The lab begins with roaming,/);
      await see(page, "output.now", /^00:00/);
      await registered(page);
      await choose(page, "From host", "N");
      await choose(page, "To host", "A");
      await press(page, "#hands .plain", "Flow");
      await play(page, 3, "1");
      await drag(page, "A", "xTR2");
      await see(page, ".status code", /eidway lab move gsmr A --to xTR2/);
      await play(page, 4, "1");
      await press(page, ".tabs button", "Timeline");
      await see(page, "#timeline title", "eidway lab move gsmr A --to xTR2");
      await see(page, "#timeline", /packets? lost/);
      await see(page, "#timeline .moments", /SMR/);
      await picture(page, `${from}-6-move`);
      await press(page, "#timeline button", "Save the picture");
      const drawn = readFileSync(await saved(page, folder, "-timeline.svg"), "utf8");
      assert.match(drawn, /<svg[^]*eidway lab move gsmr A --to xTR2/);

      // 8. The page with the run inside is one file.
      await press(page, ".steering button", /^Run$/);
      await press(page, "button", "Save the page");
      kept = await saved(page, folder, ".html");
    });
    assert.deepEqual(faults, []);
    const again = await open(readFileSync(kept, "utf8"), {}, async (page) => {
      await see(page, ".node", /NewMSMR.* reg/);
      await press(page, ".steering button", /^Run$/);
      await see(page, "#run-menu li", "eidway lab move gsmr A --to xTR2");
    });
    assert.deepEqual(again, []);
    rmSync(folder, { recursive: true, force: true });
  });
}

test("a host moves by keyboard alone", { skip }, async () => {
  const faults = await open(readFileSync(PAGE, "utf8"), {}, async (page) => {
    await registered(page);
    await page.$eval(`.node[data-node="A"]`, (it) => /** @type {SVGElement} */ (it).focus());
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#inspector h2")?.textContent === "A");
    // From the heading of the inspector to the choice of a router, and to the button.
    const at = () => page.evaluate(() => document.activeElement?.closest("label")?.textContent ?? document.activeElement?.textContent ?? "");
    for (let presses = 0; presses < 30 && (await at()) !== "Move"; presses += 1) {
      await page.keyboard.press("Tab");
      if ((await at()).includes("Move to the LAN of")) await page.keyboard.type("xTR2");
    }
    assert.equal(await at(), "Move");
    await page.keyboard.press("Enter");
    await see(page, ".status code", /eidway lab move gsmr A --to xTR2/);
  });
  assert.deepEqual(faults, []);
});

test("a lesson ticks itself off, has its hints behind a click, and its hand-in is graded", { skip }, async () => {
  /** @type {string} */
  let folder = "";
  /** @type {string} */
  let handIn = "";
  const faults = await open(readFileSync(PAGE, "utf8"), {}, async (page) => {
    folder = await downloads(page, "lesson");
    await press(page, ".top button", "Lessons");
    await page.waitForSelector("#lessons select:not([hidden])");
    await page.select("#lessons select", "g2-no-route");
    await see(page, "#lessons h2", /G2: a local EID loses its route/);
    await press(page, "#lessons button", "Begin the lesson");
    await page.waitForFunction(() => !document.querySelector("#lessons .tasks")?.closest("section")?.querySelector("button.primary:not([hidden])")?.checkVisibility());
    const done = (/** @type {number} */ count) =>
      page.waitForFunction((met) => document.querySelectorAll("#lessons .task.met").length === met, {}, count);
    await done(0);
    await press(page, "#lessons button", "Check the task");
    await see(page, "#lessons", /Not yet: .*five echos/);
    await press(page, "#hands .plain", "Ping");
    await play(page, 2, "2");
    await done(1);
    assert.equal(await page.$$eval("#lessons .task.now .hint[open]", (all) => all.length), 0);
    await press(page, "#lessons .task.now .hint summary", "Hint 1 of 2");
    await see(page, "#lessons .task.now .hint[open]", /configuration mode/);
    await picture(page, "lesson-1-hint");
    await press(page, ".tabs button", "Console");
    await press(page, "#console button", /^xTR1$/);
    await page.waitForSelector(".terminal .entry input");
    const typed = async (/** @type {string[]} */ ...lines) => {
      for (const line of lines) await type(page, line);
    };
    await typed("configure terminal", "interface ethernet 1/0", "shutdown", "end");
    await done(2);
    await press(page, "#hands .plain", "Ping");
    await play(page, 11, "10");
    await done(3);
    await press(page, "#hands .plain", "Ping");
    await play(page, 11, "10");
    await done(4);
    await choose(page, "Family", "6");
    await press(page, "#hands .plain", "Ping");
    await play(page, 11, "10");
    await done(5);
    await choose(page, "Family", "4");
    await typed("configure terminal", "interface ethernet 1/0", "no shutdown", "end");
    await play(page, 61, "60");
    await press(page, "#hands .plain", "Ping");
    await play(page, 2, "2");
    await done(6);
    await picture(page, "lesson-2-done");
    await press(page, "#lessons button", "Save the hand-in");
    handIn = await saved(page, folder, ".hand-in");
    await see(page, "#lessons", /It is not signed/);
  });
  assert.deepEqual(faults, []);
  assert.match(readFileSync(handIn, "utf8"), /^\{"sum":"[0-9a-f]+","head":\{"eidway":/);
  const program = process.env.EIDWAY ?? join(FOLDER, "../debug/eidway");
  if (existsSync(program)) {
    const { status, stdout, stderr } = spawnSync(program, ["lab", "grade", handIn], { encoding: "utf8" });
    assert.match(stdout, /2\. Shut the interface to A: done at .*, with 1 hints/, stderr);
    assert.match(stdout, /6 of 6 tasks are done/);
    assert.equal(status, 0, stdout);
  } else assert.ok(!process.env.CI, `${program} is missing`);
  rmSync(folder, { recursive: true, force: true });
});
