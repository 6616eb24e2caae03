// @ts-check
// The inspector: it opens on the selected node, segment, packet or item.

import { h } from "../dom.js";
import { itemView, titleOf } from "./items-view.js";
import { lastPackets, nodeFacts, segmentFacts } from "./node-view.js";
import { packetView } from "./packet-view.js";
import { createTablesView } from "./tables-view.js";

/** @import {App, Selection} from "../app" */

/**
 * Builds the inspector below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store } = app;
  const title = h("h2", { tabindex: -1 });
  const back = h("button", { type: "button", "aria-label": "Back to the previous selection", hidden: true, onclick: goBack }, "←");
  const close = h("button", { type: "button", "aria-label": "Close the inspector", onclick: () => app.select(null) }, "×");
  const content = h("div", { class: "content" });
  root.replaceChildren(h("div", { class: "head" }, back, title, close), content);

  /** @type {Selection[]} */
  let past = [];
  /** @type {Selection | null} */
  let shown = null;
  let key = "";
  /** Whether the store lacks the shown item. After a long step, the last seconds run again, so the item can come back. */
  let missing = false;
  /** @type {ReturnType<typeof createTablesView> | null} */
  let tables = null;
  let facts = "";
  let listed = "";
  let listedAt = 0;

  function goBack() {
    past.pop();
    const before = past.pop();
    app.select(before ?? null);
  }

  function update() {
    const { selection } = store.state;
    const now = JSON.stringify(selection);
    if (now !== key) {
      key = now;
      tables = null;
      facts = "";
      listed = "";
      if (selection) past = [...past.slice(-30), selection];
      else past = [];
      back.hidden = past.length < 2;
      shown = selection;
      root.scrollTop = 0;
      if (shown) show(shown);
      else content.replaceChildren();
      // After a selection by the keyboard, the title of the inspector gets the focus.
      if (shown && document.querySelector(".network :focus-visible")) title.focus({ preventScroll: true });
    } else if (missing && shown?.kind === "item" && store.item(shown.n)) show(shown);
    refresh();
  }

  /** @param {Selection} selection the thing to show; only the view of a node is updated later */
  function show(selection) {
    content.className = `content ${selection.kind}`;
    if (selection.kind === "item") {
      const item = store.item(selection.n);
      missing = !item;
      title.textContent = item ? titleOf(item) : "Gone";
      content.replaceChildren(...(item ? itemView(item, app) : [h("p", { class: "empty" }, "This item belongs to a run that is not shown any more.")]));
    } else if (selection.kind === "packet") {
      title.textContent = "Packet";
      content.replaceChildren(packetView(selection.packet, app));
    } else {
      title.textContent = selection.name;
      content.replaceChildren(h("div"));
      const router = selection.kind === "node" && store.node(selection.name)?.kind === "router";
      if (router) tables = createTablesView(selection.name, app);
      if (tables) content.append(tables.element);
    }
  }

  function refresh() {
    if (!shown || (shown.kind !== "node" && shown.kind !== "segment")) return;
    const thing = shown.kind === "node" ? store.node(shown.name) : store.segment(shown.name);
    const state = JSON.stringify(thing);
    if (state !== facts && !content.firstElementChild?.contains(document.activeElement)) {
      facts = state;
      const view = !thing
        ? h("p", { class: "empty" }, "It is not in this lab.")
        : shown.kind === "node"
          ? nodeFacts(/** @type {any} */ (thing), app)
          : segmentFacts(/** @type {any} */ (thing), app);
      content.firstElementChild?.replaceWith(view);
    }
    tables?.update();
    if (shown.kind === "segment") showPackets(shown.name);
  }

  /** @param {string} segment */
  function showPackets(segment) {
    const { items, epoch } = store.state;
    const state = `${segment} ${epoch} ${items.at(-1)?.n}`;
    if (state === listed || (store.state.clock.playing && performance.now() - listedAt < 500)) return;
    listed = state;
    listedAt = performance.now();
    const list = lastPackets(segment, app);
    const old = content.querySelector("[aria-label='Last packets']");
    if (old) old.replaceWith(list);
    else content.append(list);
  }

  store.subscribe(update);
}
