// @ts-check
// The hands: pings and flows of hosts, and what can be done to the thing that is selected.

import { h } from "../dom.js";
import { choice } from "./breakpoints.js";
import { createFlows } from "./flows.js";
import { nodeHands, segmentHands } from "./selected-hands.js";
import { fill } from "./timeline.js";

/** @import {App} from "../app" */

/**
 * Builds the hands below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store } = app;
  const from = choice("From host", []);
  const to = choice("To host", []);
  const family = choice("Family", [["4", "IPv4"], ["6", "IPv6"]]);
  const rate = choice("Packets of a flow in a second", [["1", "1 a second"], ["10", "10 a second"], ["100", "100 a second"]]);
  rate.select.value = "10";
  const flows = createFlows(app);
  const names = () => ({ from: from.select.value, to: to.select.value, ipv6: family.select.value === "6" });

  async function ping() {
    const { ipv6, ...ends } = names();
    if (await app.act({ kind: "ping", name: flows.fresh("ping"), ...ends, ...(ipv6 ? { ipv6 } : {}) })) flows.refresh();
  }

  async function flow() {
    const every_us = Math.round(1e6 / Number(rate.select.value));
    const { ipv6, ...ends } = names();
    if (await app.act({ kind: "flow", name: flows.fresh("flow"), ...ends, every_us, ...(ipv6 ? { ipv6 } : {}) })) flows.refresh();
  }

  const traffic = h(
    "div",
    { class: "row", role: "group", "aria-label": "Traffic between hosts" },
    from.label,
    h("span", { "aria-hidden": "true", class: "faint" }, "to"),
    to.label,
    family.label,
    h("button", { type: "button", class: "plain", onclick: ping }, "Ping"),
    h("button", { type: "button", class: "plain", onclick: flow }, "Flow"),
    rate.label,
  );
  const selected = h("div", { class: "row", role: "group", "aria-label": "Hands on the selected part" });
  root.append(h("div", { class: "row wide-row" }, traffic, selected), flows.element);

  let hosts = "";
  let shown = "";
  store.subscribe(({ snapshot, selection }) => {
    if (!snapshot) return;
    const now = snapshot.nodes.filter(({ kind }) => kind === "host").map(({ name }) => name);
    if (hosts !== now.join()) {
      hosts = now.join();
      const options = now.map((name) => [name, name]);
      fill(from.select, options, now[1] ?? now[0] ?? "");
      fill(to.select, options, now[0] ?? "");
      traffic.hidden = now.length < 2;
    }
    const node = selection?.kind === "node" ? store.node(selection.name) : undefined;
    const segment = selection?.kind === "segment" ? store.segment(selection.name) : undefined;
    // The form is made anew only when its thing has changed, so that an input keeps its text.
    const key = JSON.stringify(node ? [node.name, node.runs, node.ports] : segment ? [segment.name, segment.delay_us, segment.loss] : null);
    if (key === shown) return;
    shown = key;
    const hasFocus = selected.contains(document.activeElement);
    selected.replaceChildren(...(node ? nodeHands(app, node) : segment ? segmentHands(app, segment) : []));
    if (hasFocus) /** @type {HTMLElement|null} */ (selected.querySelector("button, select, input"))?.focus();
  });
}
