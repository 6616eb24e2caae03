// @ts-check
// The timeline of a move or a failure: the picture, its moments as a list, and a way to save it.

import { h } from "../dom.js";
import { span } from "../format.js";
import { choice } from "./breakpoints.js";
import { inWords, save } from "./files.js";
import { course } from "./moments.js";
import { hosts } from "./hosts.js";
import { inFigures, picture, scope, themeColors } from "./timeline-picture.js";

/** @import {App} from "../app" */
/** @import {Course} from "./moments.js" */

/**
 * The picture begins this number of microseconds before the action. The next constant is its
 * longest time after the action.
 */
const BEFORE = 5_000_000;
const AFTER = 120_000_000;

/**
 * Builds the timeline below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store, source } = app;
  const deeds = choice("Move or failure", []);
  const flow = choice("Flow", []);
  const figures = h("p", { class: "figures", role: "status" });
  const list = h("ol", { class: "moments" });
  const frame = h("figure", { class: "picture" });
  const saveButton = h("button", { type: "button", class: "plain", onclick: savePicture }, "Save the picture");
  const empty = h("p", { class: "empty" }, "Start a flow, then move a host, shut a port or stop a router. This panel shows the time without packets, and its causes.");
  const body = h("div", {}, h("div", { class: "row" }, deeds.label, flow.label, saveButton, figures), frame, list);
  root.classList.add("timeline");
  root.append(empty, body);

  /** @type {any[]} */
  let hands = [];
  let timer = 0;
  /** A key of the state that is drawn. */
  let drawn = "";
  /** The chosen action. Null stands for the last action. @type {number|null} */
  let chosen = null;
  let chosenFlow = "";

  deeds.select.addEventListener("change", () => {
    chosen = Number(deeds.select.value);
    chosenFlow = "";
    void refresh();
  });
  flow.select.addEventListener("change", () => {
    chosenFlow = flow.select.value;
    void refresh();
  });

  async function refresh() {
    const status = await source.request("status").catch(() => null);
    if (!status) return;
    hands = status.hands.map((/** @type {any} */ hand, /** @type {number} */ index) => ({ ...hand, index }));
    const causes = hands.filter((hand, index) => index < status.done && isCause(hand));
    empty.hidden = causes.length > 0;
    body.hidden = causes.length === 0;
    if (causes.length === 0) return;
    const hand = causes.find(({ index }) => index === chosen) ?? causes[causes.length - 1];
    fill(deeds.select, causes.map((cause) => [String(cause.index), `${(cause.at / 1e6).toFixed(3)} ${inWords(cause)}`]), String(hand.index));
    const following = causes.find((cause) => cause.at > hand.at);
    const end = Math.min(store.state.now, hand.at + AFTER, following?.at ?? Infinity);
    const { items } = await source.request("items", { from: Math.max(0, hand.at - BEFORE), to: end, limit: 40_000 });
    draw(hand, items, end);
  }

  /**
   * @param {any} hand
   * @param {any[]} items
   * @param {number} end
   */
  function draw(hand, items, end) {
    const { nodeOf, nameOf } = hosts(store.state.snapshot);
    const [from, to] = chosenFlow.split(" ");
    const found = course(items, { at: hand.at, end, nodeOf, flow: chosenFlow ? { source: from, destination: to } : null });
    const title = inWords(hand);
    const colors = themeColors(root);
    const pick = (/** @type {any} */ moment) => {
      void source.request("goto", moment.n === null ? { at: moment.at } : { at: moment.at, n: moment.n });
      if (moment.n !== null) app.select({ kind: "item", n: moment.n });
    };
    frame.replaceChildren(picture(found, { at: hand.at, ...scope(found, { at: hand.at, end }), title, colors, pick }));
    figures.textContent = inFigures(found);
    list.replaceChildren(...rows(found, hand.at));
    fillFlows(found, nameOf);
  }

  /**
   * @param {Course} found
   * @param {(address: string) => string} nameOf
   */
  function fillFlows(found, nameOf) {
    const options = found.flows.map(({ source: from, destination: to }) => [`${from} ${to}`, `${nameOf(from)} to ${nameOf(to)}`]);
    fill(flow.select, [["", "the flow that lost most"], ...options], chosenFlow);
  }

  function savePicture() {
    const svg = frame.querySelector("svg");
    if (svg) save(`${store.state.snapshot?.lab.name ?? "lab"}-timeline.svg`, svg.outerHTML, "image/svg+xml");
  }

  function update() {
    if (root.hidden) return;
    const { now, clock, epoch } = store.state;
    const key = [now, clock.end, epoch, document.documentElement.dataset.theme].join();
    if (key === drawn || timer) return;
    timer = window.setTimeout(async () => {
      drawn = key;
      await refresh().catch((error) => app.announce(error.message));
      timer = 0;
      update();
    }, 150);
  }

  store.subscribe(update);
  new MutationObserver(update).observe(root, { attributeFilter: ["hidden"] });
  new MutationObserver(update).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/**
 * Whether an action can change the way of packets.
 *
 * @param {{request: any}} hand
 */
export function isCause({ request }) {
  if (request.op === "console") return /^\s*(no|shutdown|clear) ?/i.test(request.line ?? "");
  return !["ping", "flow", "end", "lesson", "hint", "check"].includes(request.hand?.kind);
}

/**
 * @param {HTMLSelectElement} select
 * @param {string[][]} options
 * @param {string} value
 */
export function fill(select, options, value) {
  select.replaceChildren(...options.map(([name, text]) => h("option", { value: name }, text)));
  select.value = value;
}

/**
 * @param {Course} found
 * @param {number} at
 */
function rows(found, at) {
  return found.moments.map((moment) => {
    const after = moment.at - at;
    const time = after < 0 ? `−${span(-after)}` : `+${span(after)}`;
    return h("li", {}, h("span", { class: "mono soft" }, time), h("b", {}, moment.name), h("span", { class: "soft" }, moment.text));
  });
}
