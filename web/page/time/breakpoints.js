// @ts-check
// The list of breakpoints.

import { h } from "../dom.js";

/** @import {App} from "../app" */
/** @import {Stop} from "../model" */
/** @import {Player} from "./player.js" */

const MESSAGES = ["SMR", "Map-Request", "Map-Reply", "Map-Register", "Map-Notify"];
const TABLES = ["map-cache", "database", "away", "registrations", "sessions", "reachability", "dynamic-eids"];

/**
 * Returns a breakpoint in words.
 *
 * @param {Stop} stop
 */
export function inWords(stop) {
  const at = "node" in stop && stop.node ? ` at ${stop.node}` : "";
  switch (stop.at) {
    case "message": return `next ${stop.name ?? "message"}${at}`;
    case "change": return `next change of ${stop.table ? `the ${stop.table}` : "a table"}${at}`;
    case "drop": return `next drop or loss${at}`;
    default: return "next event";
  }
}

/**
 * Returns the list of breakpoints, as a popover.
 *
 * @param {App} app
 * @param {Player} player
 * @param {(count: number) => void} changed
 */
export function createBreakpoints({ store, source, announce }, player, changed) {
  /** @type {Stop[]} */
  const stops = [];
  const list = h("ul", { class: "plain-list" });
  const empty = h("p", { class: "faint" }, "There is no breakpoint yet. A run stops at the first breakpoint that it meets.");
  const kind = choice("Stop at", [["message", "a message"], ["change", "a change of a table"], ["drop", "a drop or loss"]]);
  const message = choice("Message", [["", "of any type"], ...MESSAGES.map((name) => [name, name])]);
  const table = choice("Table", [["", "any table"], ...TABLES.map((name) => [name, name])]);
  const node = choice("Node", [["", "anywhere"]]);

  function show() {
    message.label.hidden = kind.select.value !== "message";
    table.label.hidden = kind.select.value !== "change";
    empty.hidden = stops.length > 0;
    list.replaceChildren(
      ...stops.map((stop, index) => {
        const words = inWords(stop);
        const remove = () => set(stops.toSpliced(index, 1));
        return h("li", {}, h("span", {}, words), h("button", { type: "button", "aria-label": `Remove: ${words}`, onclick: remove }, "✕"));
      }),
    );
    changed(stops.length);
  }

  /** @param {Stop[]} to */
  function set(to) {
    stops.splice(0, stops.length, ...to);
    source.request("breakpoints", { stops }).catch((error) => announce(error.message));
    show();
  }

  /** @param {SubmitEvent} event */
  function add(event) {
    event.preventDefault();
    const at = kind.select.value;
    const more = at === "message" ? { name: message.select.value } : at === "change" ? { table: table.select.value } : {};
    const given = Object.entries({ ...more, node: node.select.value }).filter(([, value]) => value !== "");
    set([...stops, /** @type {Stop} */ ({ at, ...Object.fromEntries(given) })]);
  }

  /** Fills the list of nodes with the nodes of the lab. */
  function open() {
    const names = store.state.snapshot?.nodes.map(({ name }) => name) ?? [];
    const chosen = node.select.value;
    node.select.replaceChildren(h("option", { value: "" }, "anywhere"), ...names.map((name) => h("option", { value: name }, `at ${name}`)));
    node.select.value = chosen;
  }

  kind.select.addEventListener("change", show);
  const element = h(
    "div",
    { id: "breakpoints", popover: "auto", class: "popover", "aria-label": "Breakpoints", onbeforetoggle: open },
    h("h3", {}, "Breakpoints"),
    empty,
    list,
    h("form", { class: "row", onsubmit: add }, kind.label, message.label, table.label, node.label, h("button", { class: "plain" }, "Add")),
    h("button", { type: "button", class: "primary", onclick: () => void player.next() }, "Run to the next breakpoint"),
  );
  show();
  return { element };
}

/**
 * Returns a choice with a label that only a screen reader sees.
 *
 * @param {string} name
 * @param {string[][]} options
 */
export function choice(name, options) {
  const select = h("select", {}, options.map(([value, text]) => h("option", { value }, text)));
  return { select, label: h("label", {}, h("span", { class: "unseen" }, name), select) };
}
