// @ts-check
// The answers of the lab made by hand, besides its items.

/** @import {Dissection, Lesson, Snapshot} from "../../page/model" */

/**
 * Answers a request.
 *
 * @param {any} data
 * @param {Snapshot} lab
 * @returns {any}
 */
export function answer(data, lab) {
  switch (data.op) {
    case "tables":
      return Object.entries(TABLES[data.node] ?? TABLES.xTR2).map(([name, { text = "", ...view }]) => {
        const table = name.replace("_", "-");
        return { table, family: "ipv4", command: `show ip lisp ${table}`, text, view };
      });
    case "dissect":
      return data.octets.startsWith("45") ? DATA : REQUEST;
    case "console":
      return shell(data);
    case "act":
      return { command: `eidway lab ${data.hand.kind} ${lab.lab.name}`, items: [] };
    case "explain":
      return EXPLAIN;
    case "lessons":
      return [{ name: "first-packet", title: "How a first packet is resolved" }];
    case "lesson":
      return data.check ? [{ met: true }, { met: false }] : LESSON;
    default:
      throw new Error(`The fake lab has no ${data.op}`);
  }
}

/** @param {any} data */
function shell({ node, line, key }) {
  const prompt = `${node}#`;
  const done = { text: "", prompt, ok: true };
  if (key === "tab") return { ...done, completions: ["show "] };
  if (key === "help") return { ...done, text: "  ping   Send echo messages\n  show   Show information\n" };
  if (!line) return done;
  if (!line.startsWith("sh")) {
    return { ...done, text: "           ^\n% Invalid input detected at '^' marker.\n", ok: false };
  }
  const text = `LISP IPv4 Mapping Cache for EID-table default (IID 0), 2 entries

0.0.0.0/0, uptime: 00:00:09, expires: never, via static send map-request
  Negative cache entry, action: send-map-request
`;
  return { ...done, text, debug: ["*00:00:09.160: LISP: Send map request type SMR"] };
}

/** @type {Record<string, any>} */
const TABLES = {
  xTR2: {
    map_cache: {
      text: "LISP IPv4 Mapping Cache",
      family: "ipv4", total: 2,
      entries: [
        { eid_prefix: "0.0.0.0/0", uptime: 4, expires: null, source: "static", state: "send-map-request", packets: 2, bytes: 200, map_source: null, locators: [] },
        { eid_prefix: "172.16.0.0/24", uptime: 4, expires: 86395, source: "map-reply", state: "complete", packets: 5, bytes: 500, map_source: "203.0.113.11", locators: [{ rloc: "203.0.113.11", uptime: 4, state: "up", priority: 1, weight: 100 }] },
      ],
    },
    database: {
      family: "ipv4", total: 1,
      entries: [{ eid_prefix: "192.168.0.0/24", dynamic_eid: null, locator_set: "set1", has_route: true, uptime: 4, locators: [{ rloc: "198.51.100.21", priority: 1, weight: 100, state: "site-self, reachable" }] }],
    },
    away: { entries: [] },
    sites: { entries: [] },
    sessions: { total: 2, sessions: [{ peer: "209.165.201.31", port: 4342, kind: "Active", state: "Up", up: 4 }, { peer: "209.165.201.41", port: 4342, kind: "Active", state: "Down", up: null }] },
    reachability: { entries: [] },
    dynamic_eids: { entries: [] },
    registrations: { entries: [] },
  },
};

/** @type {Dissection} */
const REQUEST = {
  layers: [
    {
      name: "Map-Request",
      fields: [
        { name: "Type", value: "1, Map-Request", from: 0, len: 1 },
        { name: "Flags", value: "SMR, probe", from: 0, len: 3 },
        { name: "Record count", value: "1", from: 3, len: 1 },
        { name: "Nonce", value: "0x68E45971-0xE3DF4931", from: 4, len: 8 },
        { name: "Source EID AFI", value: "1, IPv4", from: 12, len: 2 },
        { name: "ITR-RLOC AFI", value: "0", from: 14, len: 2 },
        { name: "ITR-RLOC", value: "203.0.113.11", from: 20, len: 4 },
        { name: "EID mask length", value: "32", from: 25, len: 1 },
        { name: "EID prefix", value: "192.168.0.22", from: 26, len: 4 },
      ],
    },
  ],
};

/** @type {Dissection} */
const DATA = {
  layers: [
    { name: "IPv4", fields: [{ name: "Source", value: "198.51.100.21", from: 12, len: 4 }, { name: "Destination", value: "203.0.113.11", from: 16, len: 4 }] },
    { name: "UDP", fields: [{ name: "Destination port", value: "4341", from: 22, len: 2 }] },
    { name: "LISP", fields: [{ name: "Nonce", value: "0xa5b21b", from: 29, len: 3 }, { name: "Locator-Status-Bits", value: "0x1", from: 32, len: 4 }] },
    { name: "IPv4", fields: [{ name: "Source", value: "192.168.0.22", from: 48, len: 4 }, { name: "Destination", value: "172.16.0.12", from: 52, len: 4 }] },
    { name: "ICMP", fields: [{ name: "Type", value: "8, echo request", from: 56, len: 1 }] },
  ],
};

const EXPLAIN = [
  { node: "B", what: "routes 172.16.0.12", verdict: "forward", because: "the default route goes to 192.168.0.1", section: null },
  { node: "xTR2", what: "looks up the map-cache", verdict: "encapsulate", because: "172.16.0.0/24 has the usable locator 203.0.113.11", section: "RFC 9300 section 5.3" },
  { node: "xTR1", what: "decapsulates", verdict: "drop", because: "172.16.0.0/24 has no route", section: null },
];

/** @type {Lesson} */
const LESSON = {
  name: "first-packet",
  title: "How a first packet is resolved",
  prose: "# How a first packet is resolved\n\nB pings A. xTR2 has **no mapping** yet, so it asks a *map-resolver*.\n\n1. Look at `show ip lisp map-cache`.\n2. Ping.\n\n<img src=x onerror=alert(1)> stays text.\n\n[RFC 9301](https://www.rfc-editor.org/rfc/rfc9301)",
  tasks: [
    { text: "Ping A from B.", hints: ["Open the console of B.", "`ping 172.16.0.12`"] },
    { text: "Find the mapping of 172.16.0.0/24 in the map-cache of xTR2.", hints: ["Click xTR2."] },
  ],
};
