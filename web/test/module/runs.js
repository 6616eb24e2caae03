// @ts-check
// The runs of the document: actions at hosts and links, and lines at consoles.

import { overlays } from "./simulator.js";

/** The routers of gsmr. */
export const ROUTERS = ["xTR1", "xTR2", "PxTR1", "NewMSMR", "OldMSMR"];

/** The end of a run, in seconds. */
const END = 120;

/** @type {Record<string, string[]>} the commands of each table */
export const COMMANDS = {
  "map-cache": ["show ip lisp map-cache", "show ipv6 lisp map-cache"],
  database: ["show ip lisp database", "show ipv6 lisp database"],
  away: ["show ip lisp away", "show ipv6 lisp away"],
  sites: ["show lisp site detail"],
  sessions: ["show lisp session"],
};

/** @typedef {{at: number, requests: Record<string, any>[]}} Deed `at` in seconds; the requests to the module */

/**
 * @param {number} at
 * @param {any} hand
 * @returns {Deed}
 */
const hand = (at, hand) => ({ at, requests: [{ op: "act", hand }] });

/**
 * @param {number} at
 * @param {string} node
 * @param {string[]} lines
 * @returns {Deed}
 */
const typed = (at, node, lines) => ({
  at,
  requests: ["configure terminal", ...lines, "end"].map((line) => ({ op: "console", node, line })),
});

const flow = (/** @type {string} */ from, /** @type {string} */ to) =>
  hand(5, { kind: "flow", name: `${from} ${to}`, from, to, every_us: 1_000_000 });

const TABLE = ["router lisp", "eid-table default instance-id 0"];
const PREFIX = "database-mapping 172.16.0.0/24 locator-set set1";

/** @type {Record<string, Deed[]>} */
export const RUNS = {
  "G1, a prefix is de-configured": [
    flow("B", "A"),
    flow("N", "A"),
    typed(20, "xTR1", [...TABLE, `no ${PREFIX}`]),
    typed(75, "xTR1", [...TABLE, PREFIX]),
  ],
  "G2, a prefix loses its route": [
    flow("B", "A"),
    hand(5, { kind: "flow", name: "6", from: "B", to: "A", every_us: 1_000_000, ipv6: true }),
    typed(20, "xTR1", ["interface ethernet 1/0", "shutdown"]),
    typed(90, "xTR1", ["interface ethernet 1/0", "no shutdown"]),
  ],
  "G3, a host moves": [
    ...overlays("roaming.include").map(([node, lines]) => typed(1, node, lines)),
    flow("N", "A"),
    flow("A", "N"),
    hand(30, { kind: "move", host: "A", to: "xTR2" }),
    hand(60, { kind: "move", host: "A", to: "xTR1" }),
    hand(66, { kind: "move", host: "A", to: "xTR2", make_before_break: true }),
    hand(100, { kind: "kill", node: "OldMSMR" }),
  ],
  "G4, half of a prefix is registered elsewhere": [
    ...overlays("g4-overlapping.scenario").map(([node, lines]) => typed(1, node, lines)),
    flow("N", "A"),
    flow("N", "172.16.0.130"),
    typed(30, "xTR2", ["ip route 172.16.0.128 255.255.255.128 192.168.0.22", ...TABLE, "database-mapping 172.16.0.128/25 locator-set set1"]),
    typed(80, "xTR2", [...TABLE, "no database-mapping 172.16.0.128/25 locator-set set1"]),
  ],
};

/**
 * Rows that a run must have had. Without them, the test could compare empty tables only. @type
 * {Record<string, string[]>}
 */
export const HAD = {
  G1: ["xTR1 away 172.16.0.0/24 local EID", "xTR2 map-cache 172.16.0.0/24 forward-native", "NewMSMR sites 172.16.0.0/24 none"],
  G2: ["xTR1 away 2001:db8:a::/64 local EID", "xTR2 map-cache 172.16.0.0/24 complete", "xTR2 map-cache 2001:db8:a::/64 forward-native"],
  G3: ["xTR2 database 172.16.0.12/32 198.51.100.21", "xTR1 away 172.16.0.12/32 dyn-eid", "PxTR1 map-cache 172.16.0.12/32 complete"],
  G4: ["xTR1 away 172.16.0.128/25 site-registration", "NewMSMR sites 172.16.0.128/25 198.51.100.21"],
};

/**
 * Returns random instants in order, in microseconds. The same seed gives the same instants.
 *
 * @param {number} seed
 * @param {number} count
 */
export function instants(seed, count) {
  let state = seed;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: count }, () => Math.floor(next() * END * 1e6)).sort((a, b) => a - b);
}
