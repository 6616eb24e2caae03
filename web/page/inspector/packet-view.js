// @ts-check
// Shows a packet in a few words. The panel of the journey shows all of it.

import { h } from "../dom.js";
import { clock } from "../format.js";
import { icon } from "../topology/glyphs.js";
import { itemLink } from "./items-view.js";

/** @import {App} from "../app" */
/** @import {HopItem} from "../model" */

/**
 * @param {string} packet
 * @param {App} app
 */
export function packetView(packet, app) {
  const hops = /** @type {HopItem[]} */ (app.store.state.items.filter((item) => item.kind === "hop" && item.packet === packet));
  const rows = hops.map((hop) =>
    h("li", {}, icon(hop.class), itemLink(hop, `${hop.from} → ${hop.to.join(", ") || hop.segment}`, app), h("span", { class: hop.fate === "lost" ? "lost" : "faint" }, ` ${clock(hop.at)} ${hop.fate === "carried" ? "" : hop.fate}`)),
  );
  return h(
    "div",
    {},
    h("p", { class: "summary" }, hops[0]?.summary ?? "This packet belongs to a run that is not shown any more."),
    h("ol", { class: "hops" }, rows),
    h("p", {}, h("button", { type: "button", class: "plain", onclick: () => app.open("journey", { packet }) }, "Its journey")),
  );
}
