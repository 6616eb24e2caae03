// @ts-check
// Collects the hops of each packet of a host: its way, and whether it arrived. Counts the losses of each flow.

import { envelopes } from "../envelopes.js";

/** @import {Item} from "../model" */

/**
 * A packet of a host, on its whole way.
 * @typedef {object} Packet
 * @property {string} packet its name, which is the same on all hops
 * @property {string} source       an address
 * @property {string} destination  an address
 * @property {string} summary
 * @property {number} at           the first hop
 * @property {string[]} way the nodes on its way, its sender first
 * @property {number|null} arrived the instant at which it arrived at its receiver, or null
 * @property {number} last         its last arrival at any node
 * @property {Item|null} lost      the hop or decision that ended it
 */

/**
 * The packets from one address to another.
 * @typedef {object} Flow
 * @property {string} source
 * @property {string} destination
 * @property {number} sent
 * @property {number} arrived
 * @property {number} lost
 * @property {number} longest  the longest time between two arrivals
 */

/** A packet without an arrival counts as lost after this time, in microseconds. */
const IN_FLIGHT = 2_000_000;

/**
 * Returns the sender and the receiver of the innermost IP packet.
 * @param {string} hex  an IP packet, perhaps one that encapsulates another
 * @returns {{source: string, destination: string}|null}
 */
export function ends(hex) {
  const inner = envelopes(hex).at(-1);
  return inner ? { source: inner.source, destination: inner.destination } : null;
}

/**
 * Returns the instant at which a hop arrives, or null.
 * @param {any} hop
 * @returns {number|null}
 */
export function arrival(hop) {
  const arrives = Array.isArray(hop.arrives) ? hop.arrives[0] : hop.arrives;
  return arrives ?? null;
}

/**
 * Returns the packets of hosts in the order of their first hops.
 * @param {Iterable<Item>} items
 * @param {(address: string) => string|undefined} [nodeOf]  the host of an address. Without it, a packet
 *   counts as arrived if it was not lost
 */
export function packets(items, nodeOf) {
  /** @type {Map<string, Packet>} */
  const found = new Map();
  for (const item of items) {
    if (item.kind === "hop" && (item.class === "data" || item.class === "native")) hop(found, item, nodeOf);
    if (item.kind === "decision" && item.verdict === "drop") {
      const packet = found.get(String(item.packet));
      if (packet && packet.arrived === null) packet.lost = item;
    }
  }
  if (!nodeOf) {
    for (const packet of found.values()) if (!packet.lost) packet.arrived = packet.last;
  }
  return [...found.values()];
}

/**
 * @param {Map<string, Packet>} found
 * @param {any} item
 * @param {((address: string) => string|undefined)|undefined} nodeOf
 */
function hop(found, item, nodeOf) {
  const name = String(item.packet);
  let packet = found.get(name);
  if (!packet) {
    const addresses = ends(item.octets ?? "");
    if (!addresses) return;
    packet = {
      packet: name,
      ...addresses,
      summary: item.summary,
      at: item.at,
      way: [item.from],
      arrived: null,
      last: item.at,
      lost: null,
    };
    found.set(name, packet);
  }
  const arrives = arrival(item);
  if (item.fate === "lost" || arrives === null) {
    packet.lost = item;
    return;
  }
  packet.last = Math.max(packet.last, arrives);
  const receiver = nodeOf?.(packet.destination);
  const reaches = receiver !== undefined && item.to.includes(receiver);
  packet.way.push(reaches ? receiver : item.to.join(" "));
  if (reaches) packet.arrived ??= arrives;
}

/**
 * Whether a packet was lost: it was dropped on its way, or it did not arrive for a long time.
 *
 * @param {Packet} packet
 * @param {number} now
 */
export function isLost({ arrived, lost, last }, now) {
  return arrived === null && (lost !== null || last + IN_FLIGHT < now);
}

/**
 * Returns the flows of packets, the largest first.
 *
 * @param {Packet[]} list
 * @param {number} now
 */
export function flows(list, now) {
  /** @type {Map<string, Flow & {before: number|null}>} */
  const found = new Map();
  for (const packet of list) {
    const { source, destination, arrived } = packet;
    const name = `${source} ${destination}`;
    let flow = found.get(name);
    if (!flow) found.set(name, (flow = { source, destination, sent: 0, arrived: 0, lost: 0, longest: 0, before: null }));
    flow.sent += 1;
    if (isLost(packet, now)) flow.lost += 1;
    if (arrived === null) continue;
    flow.arrived += 1;
    if (flow.before !== null) flow.longest = Math.max(flow.longest, arrived - flow.before);
    flow.before = arrived;
  }
  return [...found.values()].map(({ before, ...flow }) => flow).sort((a, b) => b.sent - a.sent);
}

/**
 * Counts what happened: messages by their names, changes by their tables, losses and flows.
 * @param {Item[]} items
 * @param {number} now
 * @param {(address: string) => string|undefined} [nodeOf]
 */
export function tally(items, now, nodeOf) {
  /** @type {Record<string, number>} */
  const messages = {};
  /** @type {Record<string, number>} */
  const changes = {};
  for (const item of items) {
    if (item.kind === "message" && item.direction === "sent") messages[item.name] = (messages[item.name] ?? 0) + 1;
    if (item.kind === "change") changes[item.table] = (changes[item.table] ?? 0) + 1;
  }
  return { messages, changes, flows: flows(packets(items, nodeOf), now) };
}
