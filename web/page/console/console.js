// @ts-check
// The consoles of routers and hosts, one terminal each.

import { h } from "../dom.js";
import { createTerminal } from "./terminal.js";

/** @import {App} from "../app" */
/** @import {Item} from "../model" */

/**
 * Builds the consoles below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store } = app;
  const list = h("div", { class: "nodes", role: "tablist", "aria-orientation": "vertical", "aria-label": "Nodes" });
  const place = h("div", { class: "place" }, h("p", { class: "empty" }, "Choose a router or a host. `?` lists the commands, Tab completes a word."));
  root.replaceChildren(list, place);

  /** @type {Map<string, ReturnType<typeof createTerminal>>} */
  const terminals = new Map();
  let shown = "";
  let listed = "";

  /** @param {string} node */
  function show(node) {
    if (!store.node(node)) return;
    shown = node;
    let terminal = terminals.get(node);
    if (!terminal) {
      terminal = createTerminal(node, app);
      terminals.set(node, terminal);
      void terminal.begin();
    }
    place.replaceChildren(terminal.element);
    mark();
    terminal.focus();
  }

  function mark() {
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("button"))) {
      button.setAttribute("aria-selected", String(button.dataset.name === shown));
    }
  }

  function update() {
    const nodes = (store.state.snapshot?.nodes ?? []).filter(({ kind }) => kind !== "core");
    const key = nodes.map(({ name }) => name).join(" ");
    if (key === listed) return;
    listed = key;
    const routersFirst = [...nodes].sort((a, b) => Number(a.kind === "host") - Number(b.kind === "host"));
    list.replaceChildren(
      ...routersFirst.map(({ name }) =>
        h("button", { type: "button", role: "tab", "aria-selected": "false", "data-name": name, onclick: () => show(name) }, name),
      ),
    );
    mark();
  }

  /** @param {Item[]} items the lines of logs among them are printed into the terminals of their routers */
  function log(items) {
    for (const item of items) {
      if (item.kind === "log") terminals.get(item.node)?.print(item.text, "debug");
    }
  }

  root.addEventListener("open", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    if (detail?.node) show(detail.node);
  });
  store.subscribe(update);
  store.witness(log);
}
