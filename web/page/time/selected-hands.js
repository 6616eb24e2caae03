// @ts-check
// The hands on a node or a link that is selected.

import { h } from "../dom.js";
import { shortInterface } from "../format.js";
import { choice } from "./breakpoints.js";
import { command, configure, mappings, overlays } from "./configure.js";
import { fill } from "./timeline.js";

/** @import {App} from "../app" */
/** @import {NodeState, SegmentState} from "../model" */

/**
 * @param {App} app
 * @param {NodeState} node
 * @returns {HTMLElement[]}
 */
export function nodeHands(app, node) {
  const name = h("b", {}, node.name);
  if (node.kind === "host") return [name, ...hostHands(app, node)];
  const ports = node.ports.map((port) => portHand(app, node.name, port));
  return node.kind === "router" ? [name, ...routerHands(app, node), ...ports] : [name, ...ports];
}

/**
 * @param {App} app
 * @param {NodeState} host
 */
function hostHands(app, host) {
  const nodes = app.store.state.snapshot?.nodes ?? [];
  const here = host.ports[0]?.segment;
  const routers = nodes.filter(({ kind, ports }) => kind === "router" && !ports.some(({ segment }) => segment === here));
  const to = choice("Move to the LAN of", routers.map(({ name }) => [name, name]));
  const both = h("input", { type: "checkbox" });
  const move = () => app.act({ kind: "move", host: host.name, to: to.select.value, ...(both.checked ? { make_before_break: true } : {}) });
  return [
    h("span", { class: "faint" }, "to"),
    to.label,
    h("label", { title: "Make before break: in both LANs for a moment" }, both, " make before break"),
    h("button", { type: "button", class: "plain", onclick: move }, "Move"),
    ...roaming(app),
  ];
}

/**
 * Overlays of the lab with which hosts may move, if its files have some.
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
        for (const { node, lines } of overlays(files[path])) await configure(app.source, node, lines);
        app.announce(`${title} is configured. The command for a lab that is not up: eidway lab up --with ${title}`);
      } catch (error) {
        app.announce(/** @type {Error} */ (error).message);
      }
    };
    return h("button", { type: "button", class: "plain", title: `Types the lines of ${path} at the routers`, onclick: lay }, `Configure ${title}`);
  });
}

/**
 * @param {App} app
 * @param {NodeState} router
 */
function routerHands(app, { name, runs }) {
  const button = (/** @type {string} */ label, /** @type {any} */ hand) =>
    h("button", { type: "button", class: "plain", onclick: () => app.act(hand) }, label);
  if (!runs) return [button("Start", { kind: "start", node: name })];
  return [
    button("Stop", { kind: "stop", node: name }),
    button("Kill", { kind: "kill", node: name }),
    ...deconfigure(app, name),
  ];
}

/**
 * The mappings of a router, to take one out of its configuration.
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
  return [label];
}

/**
 * @param {App} app
 * @param {string} node
 * @param {NodeState["ports"][number]} port
 */
function portHand(app, node, { interface: name, up }) {
  const verb = up ? "Shut" : "No shut";
  return h(
    "button",
    {
      type: "button",
      class: "plain",
      title: `${verb} ${name}`,
      onclick: () => app.act({ kind: "port", node, interface: name, up: !up }),
    },
    `${verb} ${shortInterface(name)}`,
  );
}

/**
 * @param {App} app
 * @param {SegmentState} segment
 * @returns {HTMLElement[]}
 */
export function segmentHands(app, segment) {
  const delay = h("input", { type: "number", min: 0, max: 10000, step: "any", value: segment.delay_us / 1000, size: 6 });
  const loss = h("input", { type: "number", min: 0, max: 100, step: "any", value: segment.loss, size: 5 });
  const apply = (/** @type {Event} */ event) => {
    event.preventDefault();
    void app.act({
      kind: "link",
      segment: segment.name,
      delay_us: Math.round(Number(delay.value) * 1000),
      loss: Number(loss.value),
    });
  };
  return [
    h("b", {}, segment.name),
    h(
      "form",
      { class: "row", onsubmit: apply },
      h("label", {}, "delay ", delay, " ms"),
      h("label", {}, "loss ", loss, " %"),
      h("button", { class: "plain" }, "Set"),
    ),
  ];
}
