// @ts-check
// The journey of a packet that was seen, or the explanation of the way between two nodes.

import { h } from "../dom.js";
import { clock } from "../format.js";
import { card, wordCard } from "./cards.js";
import { journey, outcome, recentPackets } from "./steps.js";

/** @import {App} from "../app" */
/** @import {Explained, HopItem} from "../model" */

const RECENT = 40;

/**
 * Builds the journey below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store, source } = app;
  const packets = h("select", { "aria-label": "Packet", onchange: () => follow(packets.value) });
  const from = h("select", { "aria-label": "From" });
  const to = h("select", { "aria-label": "To" });
  const again = h("button", { type: "button", class: "plain", onclick: replay }, "Show it again");
  const end = h("span", { class: "outcome" });
  const form = h("form", { class: "pair", onsubmit: explain }, h("span", {}, "or from "), from, " to ", to, h("button", { class: "plain" }, "Explain"), h("button", { type: "button", class: "plain", onclick: send }, "Send one"));
  const strip = h("ol", { class: "strip", tabindex: 0, "aria-label": "Steps of the journey" });
  root.replaceChildren(h("div", { class: "bar" }, h("label", {}, "Packet ", packets), end, again, form), strip);

  /** @type {string | null} */
  let packet = null;
  let key = "";
  let listed = "";
  let sent = 0;
  /** The sender of the echo to follow, and the last item before it. */
  /** @type {{from: string, after: number} | null} */
  let waitsFor = null;

  /** @param {string} name */
  function follow(name) {
    packet = name || null;
    key = "";
    if (packet) app.select({ kind: "packet", packet });
    update();
  }

  function replay() {
    if (!packet) return;
    const hops = /** @type {HopItem[]} */ (store.state.items.filter((item) => item.kind === "hop" && item.packet === packet));
    document.getElementById("topology")?.dispatchEvent(new CustomEvent("replay", { detail: hops }));
  }

  /** Sends one echo request, and shows its journey as soon as it is on a link. */
  async function send() {
    sent += 1;
    waitsFor = { from: from.value, after: store.state.items.at(-1)?.n ?? -1 };
    const done = await app.act({ kind: "ping", name: `journey-${sent}`, from: from.value, to: to.value, count: 1 });
    if (!done) waitsFor = null;
    else if (waitsFor && !store.state.clock.playing) app.announce("The echo request is sent when time goes on: press Play, or step.");
  }

  /** @param {import("../model").Item[]} items */
  function watch(items) {
    for (const item of items) {
      if (!waitsFor || item.kind !== "hop" || item.from !== waitsFor.from || item.n <= waitsFor.after || item.class === "neighbour") continue;
      waitsFor = null;
      follow(item.packet);
    }
  }

  /** @param {Event} event */
  async function explain(event) {
    event.preventDefault();
    packet = null;
    key = "";
    packets.value = "";
    end.textContent = "";
    try {
      /** @type {Explained} */
      const { steps, conclusion } = await source.request("explain", { from: from.value, to: to.value });
      strip.replaceChildren(...steps.map((step) => wordCard(step, app)));
      end.textContent = conclusion;
    } catch (error) {
      strip.replaceChildren(h("li", { class: "empty" }, /** @type {Error} */ (error).message));
    }
  }

  function list() {
    const { snapshot, items, epoch } = store.state;
    const names = (snapshot?.nodes ?? []).filter(({ kind }) => kind !== "core").map(({ name }) => name);
    if (from.options.length !== names.length) {
      const hosts = [...names].sort((a, b) => Number(store.node(b)?.kind === "host") - Number(store.node(a)?.kind === "host"));
      from.replaceChildren(...hosts.map((name) => h("option", { value: name }, name)));
      to.replaceChildren(...hosts.map((name) => h("option", { value: name }, name)));
      to.selectedIndex = Math.min(1, hosts.length - 1);
    }
    const now = `${epoch} ${items.at(-1)?.n} ${packet}`;
    if (now === listed || document.activeElement === packets) return;
    listed = now;
    const recent = recentPackets(items, RECENT);
    packets.replaceChildren(
      h("option", { value: "" }, recent.length > 0 ? "choose" : "none yet"),
      ...recent.map((it) => h("option", { value: it.packet }, `${clock(it.at)} ${it.lost ? "✕ " : ""}${it.summary}`)),
    );
    packets.value = packet ?? "";
  }

  function update() {
    if (root.hidden) return;
    list();
    again.disabled = packet === null;
    if (packet === null) {
      if (strip.childElementCount === 0) strip.append(h("li", { class: "empty" }, "Choose a packet from the list, click a packet on a link, or choose two nodes and press Explain."));
      return;
    }
    const steps = journey(store.state.items, packet, (name) => store.node(name)?.kind === "host");
    const now = `${packet} ${store.state.epoch} ${steps.length} ${JSON.stringify(steps.at(-1))}`;
    if (now === key) return;
    key = now;
    strip.replaceChildren(...steps.map((step) => card(step, app)));
    const { text, bad } = outcome(steps);
    end.textContent = text;
    end.classList.toggle("lost", bad);
  }

  root.addEventListener("open", (event) => {
    const detail = /** @type {CustomEvent} */ (event).detail;
    if (detail?.packet) packet = detail.packet;
    key = "";
    update();
  });
  store.subscribe(update);
  store.witness(watch);
  new MutationObserver(update).observe(root, { attributeFilter: ["hidden"] });
}
