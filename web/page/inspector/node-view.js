// @ts-check
// Shows a node or a segment: addresses, ports, and the possible actions.

import { h } from "../dom.js";
import { clock, kindOf, span } from "../format.js";
import { nodeHands } from "../time/selected-hands.js";
import { portState } from "../topology/draw.js";
import { icon } from "../topology/glyphs.js";

/** The number of packets of a segment that are listed. */
const LAST = 12;

/** @import {App} from "../app" */
/** @import {NodeState, Port, SegmentState} from "../model" */

/**
 * Returns the facts of a node.
 *
 * @param {NodeState} node
 * @param {App} app
 */
export function nodeFacts(node, app) {
  const talk = h("button", { type: "button", class: "plain", onclick: () => app.open("console", { node: node.name }) }, "Console");
  return h(
    "div",
    { class: "facts" },
    h("p", { class: "soft" }, kindOf(node), node.runs ? "" : h("b", { class: "lost" }, " stopped")),
    h("ul", { class: "addresses" }, (node.addresses.length > 0 ? node.addresses : app.store.addressesOf(node.name)).map((address) => h("li", {}, h("code", {}, address)))),
    h("table", { class: "ports" }, h("tbody", {}, node.ports.map((port) => portRow(node, port, app)))),
    h("p", { class: "hands" }, node.kind === "core" ? null : talk, node.kind === "router" ? power(node, app) : null),
    h("div", { class: "hands", role: "group", "aria-label": `Hands on ${node.name}` }, nodeHands(app, node)),
  );
}

/**
 * @param {NodeState} node
 * @param {App} app
 */
function power(node, app) {
  const act = (/** @type {"start" | "stop" | "kill"} */ kind, /** @type {string} */ label) =>
    h("button", { type: "button", class: "plain", onclick: () => app.act({ kind, node: node.name }) }, label);
  return node.runs ? [act("stop", "Stop"), act("kill", "Kill")] : act("start", "Start");
}

/**
 * @param {NodeState} node
 * @param {Port} port
 * @param {App} app
 */
function portRow(node, port, app) {
  const state = portState(port);
  const words = { up: "up", dark: "no carrier", shut: "down" }[state];
  const flip = () => app.act({ kind: "port", node: node.name, interface: port.interface, up: !port.up });
  const { segment } = port;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, port.interface),
    h("td", { class: state === "up" ? "good" : "bad" }, words),
    h("td", {}, segment ? h("button", { type: "button", class: "link", onclick: () => app.select({ kind: "segment", name: segment }) }, segment) : ""),
    h("td", {}, node.kind === "core" ? null : h("button", { type: "button", class: "link", onclick: flip }, port.up ? "shut" : "no shut")),
  );
}

/**
 * Returns the last packets on a link or LAN, the newest first.
 *
 * @param {string} segment
 * @param {App} app
 */
export function lastPackets(segment, app) {
  const { items } = app.store.state;
  /** @type {import("../model").HopItem[]} */
  const found = [];
  for (let i = items.length - 1; i >= 0 && found.length < LAST; i -= 1) {
    const item = items[i];
    if (item.kind === "hop" && item.segment === segment) found.push(item);
  }
  const rows = found.map((hop) =>
    h("li", {}, icon(hop.class), h("button", { type: "button", class: "link", onclick: () => app.select({ kind: "item", n: hop.n }) }, hop.summary), h("span", { class: hop.fate === "lost" ? "lost" : "faint" }, ` ${clock(hop.at)}${hop.fate === "carried" ? "" : ` ${hop.fate}`}`)),
  );
  return h("section", { "aria-label": "Last packets" }, h("h3", {}, rows.length > 0 ? "Last packets" : "No packet yet"), h("ul", { class: "last-packets" }, rows));
}

/**
 * Returns the facts of a link or LAN, with its delay and its loss.
 *
 * @param {SegmentState} segment
 * @param {App} app
 */
export function segmentFacts(segment, app) {
  const delay = h("input", { type: "number", min: 0, step: 0.1, value: segment.delay_us / 1000, "aria-label": "Delay in milliseconds" });
  const loss = h("input", { type: "number", min: 0, max: 100, value: segment.loss, "aria-label": "Loss in percent" });
  const apply = (/** @type {Event} */ event) => {
    event.preventDefault();
    void app.act({
      kind: "impair",
      link: segment.name,
      impairment: `delay ${Number(delay.value)}ms loss ${Number(loss.value)}%`,
    });
  };
  return h(
    "div",
    { class: "facts" },
    h("p", { class: "soft" }, `${segment.kind === "lan" ? "LAN" : "link"}, ${segment.up ? "up" : "down"}, delay ${span(segment.delay_us)}, loss ${segment.loss} %`),
    h("ul", { class: "addresses" }, segment.ports.map((port) =>
      h("li", {}, h("button", { type: "button", class: "link", onclick: () => app.select({ kind: "node", name: port.node }) }, port.node), ` ${port.device}`),
    )),
    segment.kind === "lan" ? null : h("form", { class: "hands", onsubmit: apply }, h("label", {}, "delay ", delay, " ms"), h("label", {}, "loss ", loss, " %"), h("button", { class: "plain" }, "Set")),
  );
}
