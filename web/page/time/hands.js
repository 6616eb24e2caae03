// @ts-check
// The actions of the user: pings and flows of hosts, and moves and mappings of the selected node.

import { h } from "../dom.js";
import { choice } from "./breakpoints.js";
import { createFlows } from "./flows.js";
import { fill } from "./timeline.js";

/** @import {App} from "../app" */

/**
 * Builds the controls for the actions below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store } = app;
  const from = choice("From host", []);
  const to = choice("To host", []);
  const family = choice("Family", [["4", "IPv4"], ["6", "IPv6"]]);
  const rate = choice("Packets of a flow in one second", [["1", "1 a second"], ["10", "10 a second"], ["100", "100 a second"]]);
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
  root.append(h("div", { class: "row wide-row" }, traffic), flows.element);

  let hosts = "";
  store.subscribe(({ snapshot }) => {
    if (!snapshot) return;
    const now = snapshot.nodes.filter(({ kind }) => kind === "host").map(({ name }) => name);
    if (hosts !== now.join()) {
      hosts = now.join();
      const options = now.map((name) => [name, name]);
      fill(from.select, options, now[1] ?? now[0] ?? "");
      fill(to.select, options, now[0] ?? "");
      traffic.hidden = now.length < 2;
    }
  });
}
