// @ts-check
// Actions in the inspector that need more than a button: a host moves, a router loses a mapping.

import { h } from "../dom.js";
import { choice } from "./breakpoints.js";
import { command, configure, mappings, overlays } from "./configure.js";
import { MANNERS } from "./differences.js";
import { fill } from "./timeline.js";

/** @import {App} from "../app" */
/** @import {NodeState} from "../model" */

/**
 * @param {App} app
 * @param {NodeState} node
 * @returns {HTMLElement[]}
 */
export function nodeHands(app, node) {
  if (node.kind === "host") return hostHands(app, node);
  return node.kind === "router" && node.runs ? [deconfigure(app, node.name)] : [];
}

/**
 * @param {App} app
 * @param {NodeState} host
 */
function hostHands(app, host) {
  const nodes = app.store.state.snapshot?.nodes ?? [];
  const here = host.ports[0]?.segment;
  const lans = new Set(nodes.filter(({ kind }) => kind === "host").map(({ ports }) => ports[0]?.segment));
  const isAway = (/** @type {NodeState} */ { ports }) => ports.every(({ segment }) => segment !== here) && ports.some(({ segment }) => lans.has(segment));
  const isSite = (/** @type {NodeState} */ { roles }) => Number(roles.includes("etr"));
  const routers = nodes.filter((node) => node.kind === "router" && isAway(node)).sort((a, b) => isSite(b) - isSite(a));
  const to = choice("Move to the LAN of", routers.map(({ name }) => [name, name]));
  const how = choice("Manner of the move", MANNERS);
  const move = () => app.act({ kind: "move", host: host.name, to: to.select.value, ...(how.select.value === "atomic" ? {} : { how: /** @type {any} */ (how.select.value) }) });
  return [
    h("span", {}, "Move to the LAN of"),
    to.label,
    how.label,
    h("button", { type: "button", class: "plain", onclick: move }, "Move"),
    ...roaming(app),
  ];
}

/**
 * Returns a button for each overlay of the lab. With these overlays, hosts can move.
 *
 * @param {App} app
 */
function roaming(app) {
  /** @type {Record<string, string>} */
  const files = JSON.parse(document.getElementById("lab")?.textContent ?? "null")?.files ?? {};
  const found = Object.keys(files).filter((path) => path.endsWith(".include"));
  return found.map((path) => {
    const title = (/[^/]+(?=\.include$)/.exec(path) ?? [path])[0];
    const lay = async () => {
      try {
        // The lines are typed before all traffic. Otherwise the hosts would keep the old hardware addresses of the
        // routers.
        await app.source.request("goto", { at: 0 });
        for (const { node, lines } of overlays(files[path])) await configure(app.source, node, lines);
        app.announce(`The lab begins with ${title}, as after: eidway lab up --with ${title}`);
      } catch (error) {
        app.announce(/** @type {Error} */ (error).message);
      }
    };
    return h("button", { type: "button", class: "plain", title: `Goes back to the start, and types the lines of ${path} at the routers`, onclick: lay }, `Begin with ${title}`);
  });
}

/**
 * Returns a list of the mappings of a router. The user can remove each of them from the configuration.
 *
 * @param {App} app
 * @param {string} name
 */
function deconfigure(app, name) {
  const { select, label } = choice("De-configure", [["", "De-configure …"]]);
  label.hidden = true;
  app.source
    .request("console", { node: name, line: "show running-config" })
    .then(({ text }) => {
      const found = mappings(text);
      label.hidden = found.length === 0;
      fill(select, [["", "De-configure …"], ...found.map(({ prefix }, index) => [String(index), prefix])], "");
      select.addEventListener("change", async () => {
        const mapping = found[Number(select.value)];
        select.value = "";
        if (!mapping) return;
        const lines = [...mapping.path, `no ${mapping.line}`];
        try {
          await configure(app.source, name, lines);
          app.announce(command(app.store.state.snapshot?.lab.name ?? "", name, lines));
        } catch (error) {
          app.announce(/** @type {Error} */ (error).message);
        }
      });
    })
    .catch(() => {});
  return label;
}
