// @ts-check
// Makes the items of a fake run: messages and packets that cross the links of a snapshot.

/** @import {ChangeItem, Item, PacketClass, Snapshot} from "../../page/model" */

const LINK = 1000;

/**
 * Returns functions that add items to `items`.
 *
 * @param {Snapshot} snapshot
 */
export function script(snapshot) {
  /** @type {Item[]} */
  const items = [];
  let n = 0;
  let packets = 0;

  /** @param {any} item */
  function add(item) {
    items.push({ n: (n += 1), ...item });
    return n;
  }

  /**
   * Returns the way between two nodes, as [from, segment, to] of each hop.
   *
   * @param {string} from
   * @param {string} to
   * @returns {[string, string, string][]}
   */
  function way(from, to) {
    /** @type {Map<string, [string, string, string][]>} */
    const ways = new Map([[from, []]]);
    const queue = [from];
    for (const here of queue) {
      for (const segment of snapshot.segments) {
        if (!segment.ports.some((port) => port.node === here)) continue;
        for (const { node } of segment.ports) {
          if (ways.has(node)) continue;
          ways.set(node, [...(ways.get(here) ?? []), [here, segment.name, node]]);
          if (snapshot.nodes.find((it) => it.name === node)?.kind !== "host") queue.push(node);
        }
      }
    }
    return ways.get(to) ?? [];
  }

  /** @param {string} name */
  const address = (name) =>
    (snapshot.nodes.find((node) => node.name === name)?.addresses[0] ?? name).split("/")[0];

  /**
   * Sends a packet on a way. Returns its time of arrival.
   *
   * @param {number} at
   * @param {string} from
   * @param {string} to
   * @param {PacketClass} class_
   * @param {string} summary
   * @param {{packet?: string, lost?: boolean, octets?: string}} [more]
   */
  function send(at, from, to, class_, summary, more = {}) {
    const packet = more.packet ?? `p${(packets += 1)}`;
    const hops = way(from, to);
    hops.forEach(([a, segment, b], i) => {
      const lost = more.lost && i === hops.length - 1;
      const fate = lost ? "lost" : "carried";
      const arrives = lost ? null : at + LINK;
      const octets = more.octets ?? "";
      add({ at, kind: "hop", segment, from: a, to: [b], arrives, fate, class: class_, summary, packet, octets });
      at += LINK;
    });
    return at;
  }

  /**
   * Sends a control message. Returns the number of the sent item and the time of arrival.
   *
   * @param {number} at
   * @param {string} from
   * @param {string} to
   * @param {string} name
   * @param {string} about
   * @param {{reason?: string, section?: string, answers?: number | null, lost?: boolean, tcp?: boolean, octets?: string}} [more]
   */
  function message(at, from, to, name, about, more = {}) {
    const common = {
      kind: "message",
      source: `${address(from)}:4342`,
      destination: `${address(to)}:4342`,
      transport: more.tcp ? "tcp" : "udp",
      encapsulated: false,
      name,
      summary: `${name} ${about}`,
      nonce: "0x68E45971-0xE3DF4931",
      octets: more.octets ?? "1a00000168e45971e3df4931000100000000cb00710b00200001c0a80016",
      answers: more.answers ?? null,
    };
    const reason = more.reason ? { text: more.reason, section: more.section ?? null } : null;
    const sent = add({ ...common, at, node: from, direction: "sent", sent: null, reason });
    const arrival = send(at, from, to, more.tcp ? "tcp" : "control", `${name} ${about}`, { lost: more.lost });
    if (more.lost) return { n: sent, received: null, at: arrival };
    const received = add({ ...common, at: arrival, node: to, direction: "received", sent, reason: null });
    return { n: sent, received, at: arrival };
  }

  return {
    items,
    send,
    message,
    /**
     * @param {number} at
     * @param {string} node
     * @param {string} table
     * @param {string} key
     * @param {ChangeItem["change"]} change
     * @param {string} text
     * @param {{reason?: string, section?: string, cause?: number | null}} [more]
     */
    change(at, node, table, key, change, text, more = {}) {
      const reason = { text: more.reason ?? text, section: more.section ?? null };
      return add({ at, kind: "change", node, table, key, change, text, reason, cause: more.cause ?? null });
    },
    /**
     * @param {number} at
     * @param {string} node
     * @param {string} packet
     * @param {string} summary
     * @param {string} verdict
     * @param {string} text
     * @param {{line?: {table: string, prefix: string}, section?: string, locator?: string}} [more]
     */
    decision(at, node, packet, summary, verdict, text, more = {}) {
      const reason = { text, section: more.section ?? null };
      return add({ at, kind: "decision", node, packet, summary, verdict, locator: more.locator ?? null, line: more.line ?? null, reason });
    },
    /**
     * @param {number} at
     * @param {string} node
     * @param {string} severity
     * @param {string} text
     */
    log: (at, node, severity, text) => add({ at, kind: "log", node, severity, text }),
  };
}
