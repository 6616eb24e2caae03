// @ts-check
// Packets of hosts, made of their hops: where they went, whether they arrived, and the losses of a flow.

/** @import {Item} from "../model" */

/**
 * A packet of a host, on its whole way.
 * @typedef {object} Packet
 * @property {string} packet       its name on all hops
 * @property {string} source       an address
 * @property {string} destination  an address
 * @property {string} summary
 * @property {number} at           the first hop
 * @property {string[]} way        the nodes that it came to, its sender first
 * @property {number|null} arrived the last node that it reached is the receiver's
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

/**
 * Returns the sender and the receiver of the innermost IP packet.
 * @param {string} hex  an IP packet, perhaps one that encapsulates another
 * @returns {{source: string, destination: string}|null}
 */
export function ends(hex) {
  const octet = (/** @type {number} */ at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  let start = 0;
  for (;;) {
    const version = octet(start) >> 4;
    if (version !== 4 && version !== 6) return null;
    const header = version === 4 ? (octet(start) & 15) * 4 : 40;
    const protocol = octet(start + (version === 4 ? 9 : 6));
    const port = octet(start + header + 2) * 256 + octet(start + header + 3);
    if (protocol === 17 && port === 4341) {
      start += header + 16;
      continue;
    }
    const [at, length] = version === 4 ? [12, 4] : [8, 16];
    const address = (/** @type {number} */ from) => {
      const octets = Array.from({ length }, (_, index) => octet(start + from + index));
      return version === 4 ? octets.join(".") : ipv6(octets);
    };
    return { source: address(at), destination: address(at + length) };
  }
}

/** @param {number[]} octets */
function ipv6(octets) {
  const words = Array.from({ length: 8 }, (_, index) => octets[2 * index] * 256 + octets[2 * index + 1]);
  // The longest run of zeros is written as two colons (RFC 5952).
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && words[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const text = (/** @type {number[]} */ part) => part.map((word) => word.toString(16)).join(":");
  if (best.length === 1) return text(words);
  return `${text(words.slice(0, best.start))}::${text(words.slice(best.start + best.length))}`;
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
 *   arrived that was not lost
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
 * Returns the flows of packets, the largest first.
 * @param {Packet[]} list
 */
export function flows(list) {
  /** @type {Map<string, Flow & {before: number|null}>} */
  const found = new Map();
  for (const { source, destination, arrived, lost } of list) {
    const name = `${source} ${destination}`;
    let flow = found.get(name);
    if (!flow) found.set(name, (flow = { source, destination, sent: 0, arrived: 0, lost: 0, longest: 0, before: null }));
    flow.sent += 1;
    if (lost && arrived === null) flow.lost += 1;
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
 * @param {(address: string) => string|undefined} [nodeOf]
 */
export function tally(items, nodeOf) {
  /** @type {Record<string, number>} */
  const messages = {};
  /** @type {Record<string, number>} */
  const changes = {};
  for (const item of items) {
    if (item.kind === "message" && item.direction === "sent") messages[item.name] = (messages[item.name] ?? 0) + 1;
    if (item.kind === "change") changes[item.table] = (changes[item.table] ?? 0) + 1;
  }
  return { messages, changes, flows: flows(packets(items, nodeOf)) };
}
