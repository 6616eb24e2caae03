// @ts-check
// Shows one item: a message, a hop, a decision, a change or a line of a log.

import { h } from "../dom.js";
import { envelopes, headers } from "../envelopes.js";
import { clock, span } from "../format.js";
import { CLASS_NAMES, icon } from "../topology/glyphs.js";
import { nested, octetsView } from "./octets.js";
import { reasonElement } from "./reason.js";
import { causeElement } from "./tables-view.js";

/** @import {App} from "../app" */
/** @import {ChangeItem, DecisionItem, HopItem, Item, MessageItem} from "../model" */

/**
 * Returns the title of an item.
 *
 * @param {Item} item
 */
export function titleOf(item) {
  if (item.kind === "message") return item.name;
  if (item.kind === "hop") return `Packet on ${item.segment}`;
  if (item.kind === "decision") return `${item.node}: ${item.verdict}`;
  if (item.kind === "change") return `${item.node}: ${item.table} ${item.change}`;
  return `${item.node}: log`;
}

/**
 * Returns the view of an item.
 *
 * @param {Item} item
 * @param {App} app
 * @returns {Node[]}
 */
export function itemView(item, app) {
  const parts = {
    message: () => messageView(/** @type {MessageItem} */ (item), app),
    hop: () => hopView(/** @type {HopItem} */ (item), app),
    decision: () => decisionView(/** @type {DecisionItem} */ (item), app),
    change: () => changeView(/** @type {ChangeItem} */ (item), app),
    log: () => [h("p", {}, item.kind === "log" ? item.text : "")],
  }[item.kind]();
  return /** @type {Node[]} */ (parts.flat().filter((part) => part instanceof Node));
}

/**
 * Returns a link that selects an item.
 *
 * @param {Item | undefined} item
 * @param {string} text
 * @param {App} app
 */
export function itemLink(item, text, app) {
  if (!item) return null;
  return h("button", { type: "button", class: "link", onclick: () => app.select({ kind: "item", n: item.n }) }, text);
}

/**
 * Returns a link that selects a node. Returns plain text if there is no such node.
 *
 * @param {string | null | undefined} name
 * @param {App} app
 * @param {string} [otherwise]
 */
export function nodeLink(name, app, otherwise = "") {
  if (!name || !app.store.node(name)) return h("span", {}, name ?? otherwise);
  return h("button", { type: "button", class: "link", onclick: () => app.select({ kind: "node", name }) }, name);
}

/**
 * @param {MessageItem} item
 * @param {App} app
 */
function messageView(item, app) {
  const { store } = app;
  const sent = item.direction === "sent" ? item : /** @type {MessageItem | undefined} */ (store.item(item.sent)) ?? item;
  const { items } = store.state;
  const received = items.find((it) => it.kind === "message" && it.sent === sent.n);
  const from = sent.direction === "sent" ? sent.node : store.owner(sent.source);
  const to = received && "node" in received ? received.node : sent.direction === "received" ? sent.node : store.owner(sent.destination);
  const answers = store.item(sent.answers);
  const answered = items.filter((it) => it.kind === "message" && it.direction === "sent" && (it.answers === sent.n || it.answers === received?.n));
  const effects = items.filter((it) => it.kind === "change" && (it.cause === received?.n || it.cause === sent.n));
  const travel = received ? `, received ${span(received.at - sent.at)} later` : sent.direction === "sent" ? ", not received" : "";
  return [
    h("p", { class: "ends" }, icon(sent.transport === "tcp" ? "tcp" : "control"), nodeLink(from, app, sent.source), " → ", nodeLink(to, app, sent.destination)),
    h("p", { class: "faint" }, `${clock(sent.at, 6)}${travel}`),
    h("p", { class: "summary" }, sent.summary),
    reasonElement(sent.reason, app),
    relations([
      ["Answers", answers ? [answers] : []],
      ["Answered by", answered],
      ["It changed", effects],
    ], app),
    h("dl", { class: "fields" }, h("dt", {}, "from"), h("dd", { class: "mono" }, sent.source), h("dt", {}, "to"), h("dd", { class: "mono" }, sent.destination), h("dt", {}, "transport"), h("dd", {}, sent.transport.toUpperCase() + (sent.encapsulated ? ", encapsulated control message" : ""))),
    dissected(sent.octets, "message", app),
  ];
}

/**
 * @param {[string, Item[]][]} groups
 * @param {App} app
 */
function relations(groups, app) {
  const rows = groups
    .filter(([, items]) => items.length > 0)
    .map(([name, items]) => [
      h("dt", {}, name),
      items.slice(0, 8).map((item) => h("dd", {}, itemLink(item, lineOf(item), app), h("span", { class: "faint" }, ` ${clock(item.at)}`))),
    ]);
  return rows.length > 0 ? h("dl", { class: "relations" }, rows) : null;
}

/** @param {Item} item */
function lineOf(item) {
  if (item.kind === "message") return `${item.summary} (${item.node})`;
  if (item.kind === "change") return `${item.node} ${item.table}: ${item.key} ${item.change}`;
  return "summary" in item ? item.summary : titleOf(item);
}

/**
 * @param {HopItem} item
 * @param {App} app
 */
function hopView(item, app) {
  const journey = () => {
    app.select({ kind: "packet", packet: item.packet });
    app.open("journey", { packet: item.packet });
  };
  return [
    h("p", { class: "ends" }, icon(item.class), nodeLink(item.from, app), " → ", item.to.map((to, i) => [i > 0 ? ", " : "", nodeLink(to, app)])),
    h("p", { class: item.fate === "lost" ? "lost" : "faint" }, `${clock(item.at, 6)}, ${CLASS_NAMES[item.class]}, ${item.fate}`),
    h("p", { class: "summary" }, item.summary),
    nested(headers(envelopes(item.octets))),
    h("p", {}, h("button", { type: "button", class: "plain", onclick: journey }, "Follow this packet")),
    dissected(item.octets, "packet", app),
  ];
}

/**
 * @param {DecisionItem} item
 * @param {App} app
 */
function decisionView(item, app) {
  const { packet } = item;
  const journey = () => {
    if (packet === null) return;
    app.select({ kind: "packet", packet });
    app.open("journey", { packet });
  };
  return [
    h("p", { class: "ends" }, nodeLink(item.node, app), h("b", { class: item.verdict === "drop" ? "lost" : "" }, ` ${item.verdict}`), item.locator ? ` to ${item.locator}` : ""),
    h("p", { class: "faint" }, clock(item.at, 6)),
    h("p", { class: "summary" }, item.summary),
    reasonElement(item.reason, app),
    item.line ? h("p", {}, "By the line ", h("code", {}, item.line.prefix), ` of ${item.line.table}.`) : null,
    packet !== null ? h("p", {}, h("button", { type: "button", class: "plain", onclick: journey }, "Follow this packet")) : null,
  ];
}

/**
 * @param {ChangeItem} item
 * @param {App} app
 */
function changeView(item, app) {
  return [
    h("p", { class: "ends" }, nodeLink(item.node, app), ` ${item.table} `, h("code", {}, item.key)),
    h("p", { class: "faint" }, clock(item.at, 6)),
    h("p", { class: "summary" }, item.text),
    reasonElement(item.reason, app),
    causeElement(item, app),
  ];
}

/**
 * Returns an element that shows the dissection as soon as the worker has made it.
 *
 * @param {string} octets
 * @param {"message" | "packet"} of
 * @param {App} app
 */
function dissected(octets, of, app) {
  if (!octets) return null;
  const place = h("div", { "aria-busy": "true" });
  app.source
    .request("dissect", { octets, of })
    .then((dissection) => place.replaceChildren(octetsView(dissection, octets)))
    .catch(() => place.replaceChildren(octetsView({ layers: [] }, octets)))
    .finally(() => place.removeAttribute("aria-busy"));
  return place;
}
