// @ts-check
// Makes the steps of a journey from the items of one packet: nodes with their decisions, and hops between them.

/** @import {DecisionItem, HopItem, Item} from "../model" */

/** @typedef {{kind: "node", name: string, decisions: DecisionItem[], end: "" | "dropped" | "delivered"}} NodeStep */
/** @typedef {{kind: "hop", hop: HopItem}} HopStep */
/** @typedef {{kind: "end", fate: "lost" | "under way", text: string}} EndStep */
/** @typedef {NodeStep | HopStep | EndStep} Step */

/**
 * Returns the journey of a packet.
 *
 * @param {Item[]} items
 * @param {string} packet
 * @param {(node: string) => boolean} isHost
 * @returns {Step[]}
 */
export function journey(items, packet, isHost) {
  /** @type {Step[]} */
  const steps = [];

  /** @param {string} name returns the step of a node, at the end of the journey so far */
  function at(name) {
    const last = steps.at(-1);
    if (last?.kind === "node" && last.name === name) return last;
    /** @type {NodeStep} */
    const step = { kind: "node", name, decisions: [], end: "" };
    steps.push(step);
    return step;
  }

  for (const item of items) {
    if (item.kind === "decision" && item.packet === packet) {
      const step = at(item.node);
      step.decisions.push(item);
      if (item.verdict === "drop") step.end = "dropped";
    } else if (item.kind === "hop" && item.packet === packet) {
      at(item.from);
      steps.push({ kind: "hop", hop: item });
      if (item.fate !== "lost" && item.to.length > 0) at(item.to[0]);
    }
  }
  finish(steps, isHost);
  return steps;
}

/**
 * @param {Step[]} steps
 * @param {(node: string) => boolean} isHost
 */
function finish(steps, isHost) {
  const last = steps.at(-1);
  if (!last) return;
  if (last.kind === "hop") {
    const text = `Lost on ${last.hop.segment}: the link dropped it, or no node at the other end received it.`;
    steps.push({ kind: "end", fate: "lost", text });
  } else if (last.kind === "node" && last.end === "") {
    if (isHost(last.name) && steps.length > 1) last.end = "delivered";
    else if (!last.decisions.some(({ verdict }) => verdict === "deliver")) {
      const held = last.decisions.at(-1)?.verdict === "hold";
      steps.push({ kind: "end", fate: "under way", text: held ? "It waits here." : "At this instant, nothing more is known about the packet." });
    }
  }
}

/**
 * Returns the last packets of EIDs, the newest first. Each packet is in the list once.
 *
 * @param {Item[]} items
 * @param {number} most
 * @returns {{packet: string, summary: string, at: number, lost: boolean}[]}
 */
export function recentPackets(items, most) {
  /** @type {Map<string, {packet: string, summary: string, at: number, lost: boolean}>} */
  const found = new Map();
  for (let i = items.length - 1; i >= 0; i -= 1) {
    const item = items[i];
    const packet = item.kind === "hop" ? item.packet : item.kind === "decision" ? item.packet : null;
    if (packet === null) continue;
    const known = found.get(packet);
    const lost = item.kind === "hop" ? item.fate === "lost" : item.kind === "decision" && item.verdict === "drop";
    if (known) {
      known.lost ||= lost;
      if (item.kind === "hop" && item.class === "native") known.summary = item.summary;
    } else if (item.kind === "decision" || (item.kind === "hop" && /^(data|native)$/.test(item.class))) {
      if (found.size >= most) break;
      found.set(packet, { packet, summary: item.summary, at: item.at, lost });
    }
  }
  return [...found.values()];
}

/**
 * Returns the end of a journey in a few words.
 *
 * @param {Step[]} steps
 * @returns {{text: string, bad: boolean}}
 */
export function outcome(steps) {
  const dropped = steps.find((step) => step.kind === "node" && step.end === "dropped");
  if (dropped?.kind === "node") return { text: `dropped at ${dropped.name}`, bad: true };
  const last = steps.at(-1);
  if (last?.kind === "node") return { text: last.end === "delivered" ? `arrived at ${last.name}` : "", bad: false };
  return { text: last?.kind === "end" ? last.fate : "", bad: last?.kind === "end" && last.fate === "lost" };
}
