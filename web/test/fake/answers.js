// @ts-check
// The answers of the fake lab, except its items.

/** @import {Dissection, LessonAnswer, Snapshot} from "../../page/model" */

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
      return { steps: EXPLAIN, returns: false, conclusion: "The packet does not arrive." };
    case "scenarios":
      return [];
    case "script":
      return null;
    case "lessons":
      return [{ name: "first-packet", title: "How a first packet is resolved" }];
    case "lesson":
      return LESSON;
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

/**
 * Makes a field of whole octets, or of bits.
 *
 * @param {string} name
 * @param {string} value
 * @param {number} from
 * @param {number} len
 * @param {[number, number] | null} [bits]
 * @param {string | null} [meaning]
 */
function field(name, value, from, len, bits = null, meaning = null) {
  return { name, value, from, len, bits, meaning };
}

const FLAGS = ["A", "M", "P", "S", "p", "s", "R", "I"];

/** @type {Dissection} */
const REQUEST = {
  layers: [
    {
      name: "Map-Request",
      section: "RFC 9301 section 5.2",
      from: 0,
      len: 24,
      fields: [
        field("Type", "1", 0, 1, [0, 4], "A Map-Request asks for the locators of an EID."),
        ...FLAGS.map((name, i) => field(name, "PS".includes(name) ? "1" : "0", i < 4 ? 0 : 1, 1, [(i + 4) % 8, 1])),
        field("Rsvd", "0", 1, 2, [4, 5]),
        field("L", "0", 2, 1, [1, 1]),
        field("D", "1", 2, 1, [2, 1], "The sender wants no Map-Reply."),
        field("IRC", "0", 2, 1, [3, 5], "One ITR-RLOC follows: the number of ITR-RLOCs is IRC + 1."),
        field("Record Count", "1", 3, 1),
        field("Nonce", "0x68E45971-0xE3DF4931", 4, 8, null, "The Map-Reply has the same nonce."),
        field("Source-EID-AFI", "1", 12, 2),
        field("Source EID Address", "172.16.0.12", 14, 4),
        field("ITR-RLOC-AFI", "1", 18, 2),
        field("ITR-RLOC Address", "203.0.113.11", 20, 4),
      ],
    },
    {
      name: "EID-Record 1",
      section: "RFC 9301 section 5.2",
      from: 24,
      len: 8,
      fields: [
        field("N", "0", 24, 1, [0, 1]),
        field("Reserved", "0", 24, 1, [1, 7]),
        field("EID mask-len", "32", 25, 1),
        field("EID-Prefix-AFI", "1", 26, 2),
        field("EID-Prefix", "192.168.0.22", 28, 4, null, "The prefix is 192.168.0.22/32."),
      ],
    },
  ],
};

/**
 * Makes the layer of an IPv4 header.
 *
 * @param {number} from
 * @param {string} source
 * @param {string} destination
 */
function ipv4(from, source, destination) {
  const fields = [
    field("Version", "4", from, 1, [0, 4]),
    field("IHL", "5", from, 1, [4, 4]),
    field("Before the addresses", "", from + 1, 11),
    field("Source Address", source, from + 12, 4),
    field("Destination Address", destination, from + 16, 4),
  ];
  return { name: "IPv4", section: "RFC 791 section 3.1", from, len: 20, fields };
}

/** @type {Dissection} */
const DATA = {
  layers: [
    ipv4(0, "198.51.100.21", "203.0.113.11"),
    { name: "UDP", section: "RFC 768", from: 20, len: 8, fields: [field("Source Port", "49152", 20, 2), field("Destination Port", "4341", 22, 2), field("Length and Checksum", "", 24, 4)] },
    { name: "LISP", section: "RFC 9300 section 5.3", from: 28, len: 8, fields: [field("Flags", "0xc0", 28, 1), field("Nonce/Map-Version", "0xa5b21b", 29, 3), field("Locator-Status-Bits", "0x00000001", 32, 4)] },
    ipv4(36, "192.168.0.22", "172.16.0.12"),
    { name: "ICMP", section: "RFC 792", from: 56, len: 1, fields: [field("Type", "8", 56, 1, null, "Echo request.")] },
  ],
};

const EXPLAIN = [
  { node: "B", what: "routes 172.16.0.12", verdict: "forward", because: "the default route goes to 192.168.0.1", section: null },
  { node: "xTR2", what: "looks up the map-cache", verdict: "encapsulate", because: "172.16.0.0/24 has the usable locator 203.0.113.11", section: "RFC 9300 section 5.3" },
  { node: "xTR1", what: "decapsulates", verdict: "drop", because: "172.16.0.0/24 has no route", section: null },
];

/** @type {LessonAnswer} */
const LESSON = {
  name: "first-packet",
  title: "How a first packet is resolved",
  prose: "# How a first packet is resolved\n\nB pings A. xTR2 has **no mapping** yet, so it asks a *map-resolver*.\n\n1. Look at `show ip lisp map-cache`.\n2. Ping.\n\n<img src=x onerror=alert(1)> stays text.\n\n[RFC 9301](https://www.rfc-editor.org/rfc/rfc9301)",
  tasks: [
    { title: "Ping", text: "Ping A from B.", hints: ["Open the console of B.", "`ping 172.16.0.12`"] },
    { title: "Look", text: "Find the mapping of 172.16.0.0/24 in the map-cache of xTR2.", hints: ["Click xTR2."] },
  ],
  begun: true,
  met: [true, false],
  ready: false,
  unmet: null,
};
