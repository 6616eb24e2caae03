// @ts-check
// Two runs beside each other: their figures, and a picture with their packets and messages.

import { h } from "../dom.js";
import { span } from "../format.js";
import { choice } from "./breakpoints.js";
import { comparison } from "./comparison-picture.js";
import { figures, firstDifference, firstEffect, variants, withoutSmrs, worstFlow } from "./differences.js";
import { inWords, save } from "./files.js";
import { hosts } from "./hosts.js";
import { fill, isCause } from "./timeline.js";
import { themeColors } from "./timeline-picture.js";

/** @import {App} from "../app" */
/** @import {Item} from "../model" */
/** @import {Figure} from "./differences.js" */

/** The choice that changes the configuration before all actions, and no action. */
const CONFIGURATION = "configuration";

/** The comparison begins this number of microseconds before the first difference. */
const BEFORE = 2_000_000;

/** The actions that only send packets. Other actions can change the path of packets. */
const TRAFFIC = ["ping", "flow", "end"];

const LIMIT = 40_000;

/**
 * Builds the comparison below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store, source } = app;
  const hand = choice("Action to change", []);
  const how = choice("Change", []);
  const frame = h("figure", { class: "picture" });
  const body = h("tbody");
  const note = h("p", { class: "soft", role: "status" });
  const button = (/** @type {string} */ name, /** @type {() => unknown} */ act, title = "") =>
    h("button", { type: "button", class: "plain", onclick: act, title }, name);
  const vary = button("Run it", runVariant);
  vary.disabled = true;
  const variant = h("span", { class: "row" }, h("span", {}, "The same, but"), hand.label, how.label, vary);
  const keep = button("Keep this run", () => ask("fork"), "Keeps a copy of this run. Then go back, do something else, and compare");
  const pair = h(
    "span",
    { class: "row" },
    button("Swap", () => ask("swap"), "Shows the other run on the page, and keeps this run as the other"),
    button("Forget the other", () => ask("forget")),
    button("Save the picture", savePicture),
  );
  const table = h(
    "table",
    { class: "figures-table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }), h("th", { scope: "col" }, "this run"), h("th", { scope: "col" }, "other run"), h("th", { scope: "col" }, "difference"))),
    body,
  );
  const result = h("div", { class: "compared" }, frame, table);
  root.classList.add("compare");
  root.append(h("div", { class: "row" }, keep, variant, pair), note, result);

  /** @type {any} */
  let status = null;
  let drawn = "";
  let timer = 0;

  /** @param {string} op */
  async function ask(op, fields = {}) {
    try {
      await source.request(op, fields);
    } catch (error) {
      app.announce(/** @type {Error} */ (error).message);
    }
    drawn = "";
    await refresh();
  }

  async function runVariant() {
    vary.disabled = true;
    if (hand.select.value === CONFIGURATION) {
      await ask("vary", { before: withoutSmrs(store.state.snapshot?.nodes ?? []) });
    } else {
      const index = Number(hand.select.value);
      const chosen = variants(status.hands[index].request)[Number(how.select.value)];
      await ask("vary", { hand: index, request: chosen.request });
    }
  }

  function showVariants() {
    if (hand.select.value === CONFIGURATION) return fill(how.select, [["0", "ITRs ignore SMRs: solicit-map-request ignore"]], "0");
    const deed = status?.hands[Number(hand.select.value)];
    fill(how.select, deed ? variants(deed.request).map(({ name }, index) => [String(index), name]) : [], "0");
  }
  hand.select.addEventListener("change", showVariants);

  async function refresh() {
    if (!store.state.clock.playing) await source.request("level").catch(() => {});
    const latest = await source.request("status").catch(() => null);
    if (!latest) return;
    status = latest;
    vary.disabled = false;
    const options = status.hands
      .map((/** @type {any} */ deed, /** @type {number} */ index) => ({ deed, value: String(index) }))
      .filter((/** @type {any} */ { deed }) => TRAFFIC.includes(deed.request.hand?.kind) || isCause(deed))
      .map((/** @type {any} */ { deed, value }) => [value, inWords(deed)]);
    const causes = options.filter((/** @type {string[]} */ [value]) => isCause(status.hands[Number(value)]));
    options.push([CONFIGURATION, "the configuration"]);
    const last = (causes.at(-1) ?? options.at(-1))?.[0] ?? "";
    const before = hand.select.options.length;
    fill(hand.select, options, options.length === before ? hand.select.value : last);
    if (options.length !== before || how.select.options.length === 0) showVariants();
    pair.hidden = result.hidden = !status.other;
    if (!status.other) {
      note.textContent = "There is only one run. To compare it with another run, keep it, go back and act differently. Or change one of its actions, or the configuration. Then this panel shows the differences.";
      return;
    }
    await show();
  }

  async function show() {
    const hands = firstDifference(status.hands, status.other.hands);
    const to = Math.min(status.end, status.other.end);
    const both = (/** @type {number} */ from, /** @type {string[]|undefined} */ kinds) => {
      const query = { from, to, limit: LIMIT, kinds };
      return Promise.all([source.request("items", query), source.request("items", { ...query, run: "other" })]);
    };
    const effect = firstEffect(...deeds(await both(hands ?? 0, ["message", "change", "decision"])));
    const start = hands === null ? null : (effect ?? hands);
    const from = Math.max(0, (start ?? 0) - BEFORE);
    const [one, other] = await both(from, undefined);
    const names = hosts(store.state.snapshot);
    const all = figures(one.items, other.items, { ...names, now: to });
    body.replaceChildren(...all.map(row));
    const place = { from, to: Math.max(to, from + 1), at: start, colors: themeColors(root), ...worstFlow(one.items, other.items, to, names.nodeOf) };
    frame.replaceChildren(comparison({ one: one.items, other: other.items }, place, names));
    note.textContent = start === null
      ? "Both runs have the same actions."
      : `The runs differ from ${(start / 1e6).toFixed(3)} s on. ${inSentence(all)}${one.left_out || other.left_out ? " Only the latest items are compared." : ""}`;
  }

  function savePicture() {
    const svg = frame.querySelector("svg");
    if (svg) save(`${store.state.snapshot?.lab.name ?? "lab"}-comparison.svg`, svg.outerHTML, "image/svg+xml");
  }

  function update() {
    const { clock, epoch, now } = store.state;
    const key = [clock.end, epoch, now, clock.playing, document.documentElement.dataset.theme].join();
    if (root.hidden || key === drawn || timer) return;
    timer = window.setTimeout(async () => {
      drawn = key;
      await refresh().catch((error) => app.announce(error.message));
      timer = 0;
      update();
    }, 250);
  }

  store.subscribe(update);
  new MutationObserver(update).observe(root, { attributeFilter: ["hidden"] });
  new MutationObserver(update).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/** @param {{items: Item[]}[]} answers @returns {[Item[], Item[]]} */
const deeds = ([one, other]) => [one.items, other.items];

/** @param {Figure} figure */
function row({ name, one, other, unit, isBad }) {
  const text = (/** @type {number} */ value) => (unit === "span" ? span(value) : String(value));
  const difference = one - other;
  const sign = difference > 0 ? "+" : "−";
  return h(
    "tr",
    { class: difference === 0 ? "faint" : null },
    h("th", { scope: "row" }, name),
    h("td", {}, text(one)),
    h("td", {}, text(other)),
    h("td", { class: isBad && difference > 0 ? "lost" : null }, difference === 0 ? "same" : `${sign}${text(Math.abs(difference))}`),
  );
}

/**
 * Returns the greatest difference in a sentence.
 *
 * @param {Figure[]} all
 */
function inSentence(all) {
  const lost = all.filter(({ name, one, other }) => name.endsWith("packets lost") && one !== other);
  const worst = lost.sort((a, b) => Math.abs(b.one - b.other) - Math.abs(a.one - a.other))[0];
  return worst ? `${worst.name.replace(": packets lost", "")}: ${worst.one} packets lost in this run, ${worst.other} in the other.` : "Both lost the same.";
}
