// @ts-check
// Draws the steps of a journey as a strip of cards.

import { h } from "../dom.js";
import { envelopes, headers } from "../envelopes.js";
import { clock, span } from "../format.js";
import { itemLink, nodeLink } from "../inspector/items-view.js";
import { nested } from "../inspector/octets.js";
import { sectionElement } from "../inspector/reason.js";
import { icon } from "../topology/glyphs.js";

/** @import {App} from "../app" */
/** @import {ExplainStep, HopItem} from "../model" */
/** @import {Step} from "./steps.js" */

/**
 * Returns the card of a step.
 *
 * @param {Step} step
 * @param {App} app
 */
export function card(step, app) {
  if (step.kind === "hop") return hopCard(step.hop, app);
  if (step.kind === "end") return h("li", { class: `step end ${step.fate === "lost" ? "bad" : ""}` }, h("p", {}, step.text));
  const decisions = step.decisions.map((decision) => [
    h("p", { class: decision.verdict === "drop" ? "verdict bad" : "verdict" }, itemLink(decision, decision.verdict, app), decision.locator ? ` to ${decision.locator}` : ""),
    h("p", { class: "because" }, decision.reason.text, " ", sectionElement(decision.reason.section)),
    decision.line ? h("p", { class: "faint" }, `${decision.line.table} ${decision.line.prefix}`) : null,
  ]);
  const end = step.end === "delivered" ? h("p", { class: "verdict good" }, "arrived") : null;
  return h("li", { class: `step node ${step.end}` }, h("h3", {}, nodeLink(step.name, app)), decisions, end);
}

/**
 * @param {HopItem} hop
 * @param {App} app
 */
function hopCard(hop, app) {
  const travel = hop.arrives === null ? "lost" : span(hop.arrives - hop.at);
  return h(
    "li",
    { class: `step hop ${hop.fate === "lost" ? "bad" : ""}` },
    h("p", {}, icon(hop.class), itemLink(hop, hop.segment, app), h("span", { class: "faint" }, ` ${clock(hop.at, 6)}, ${travel}`)),
    nested(headers(envelopes(hop.octets))),
  );
}

/**
 * Returns the card of a step in words.
 *
 * @param {ExplainStep} step
 * @param {App} app
 */
export function wordCard(step, app) {
  const bad = /drop|lost|unreachable|refuse/i.test(step.verdict);
  return h(
    "li",
    { class: `step node ${bad ? "dropped" : ""}` },
    h("h3", {}, nodeLink(step.node, app)),
    h("p", { class: "soft" }, step.what),
    h("p", { class: bad ? "verdict bad" : "verdict" }, step.verdict),
    h("p", { class: "because" }, step.because, " ", sectionElement(step.section)),
  );
}
