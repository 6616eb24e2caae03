// @ts-check
// The inspector shows the facts that `show` prints, at random instants of the runs of the document.

import assert from "node:assert/strict";
import { test } from "node:test";
import { uptime } from "../../page/format.js";
import { tableViews } from "../../page/inspector/tables.js";
import { PRINTED } from "./printed.js";
import { configure, gsmr, missing, overlays, run } from "./simulator.js";

/** @import {Machine} from "../../page/worker/machine.js" */
/** @import {TableView} from "../../page/inspector/tables.js" */

const skip = missing();
const ROUTERS = ["xTR1", "xTR2", "PxTR1", "NewMSMR", "OldMSMR"];
const INSTANTS = 100;
/** The end of a run, in seconds. */
const END = 120;

/** @type {Record<string, string[]>} the commands of each table */
const COMMANDS = {
  "map-cache": ["show ip lisp map-cache", "show ipv6 lisp map-cache"],
  database: ["show ip lisp database", "show ipv6 lisp database"],
  away: ["show ip lisp away", "show ipv6 lisp away"],
  sites: ["show lisp site detail"],
  sessions: ["show lisp session"],
};

/** @typedef {{at: number, do: (machine: Machine) => void}} Deed `at` in seconds */

/**
 * @param {number} at
 * @param {any} hand
 * @returns {Deed}
 */
const hand = (at, hand) => ({ at, do: (machine) => machine.call({ op: "act", hand }) });

/**
 * @param {number} at
 * @param {string} node
 * @param {string[]} lines
 * @returns {Deed}
 */
const typed = (at, node, lines) => ({ at, do: (machine) => configure(machine, node, lines) });

const flow = (/** @type {string} */ from, /** @type {string} */ to) =>
  hand(5, { kind: "flow", name: `${from} ${to}`, from, to, every_us: 1_000_000 });

const TABLE = ["router lisp", "eid-table default instance-id 0"];
const PREFIX = "database-mapping 172.16.0.0/24 locator-set set1";

/** @type {Record<string, Deed[]>} */
const RUNS = {
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
 * Returns random instants in order, in microseconds. The same seed gives the same instants.
 *
 * @param {number} seed
 */
function instants(seed) {
  let state = seed;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: INSTANTS }, () => Math.floor(next() * END * 1e6)).sort((a, b) => a - b);
}

/**
 * Returns the rows of a table in the inspector as texts, with the facts that the text of `show` has.
 *
 * @param {TableView} view
 */
function shown({ name, lines }) {
  const rows = lines.map(({ cells }) => cells.map(({ text, seconds }) => (seconds === undefined ? text : uptime(seconds))));
  // The cause of an entry of the away table is in the JSON only.
  return name === "away" ? rows.map((row) => row.slice(0, 2)) : rows;
}

/**
 * Compares the tables of a router in the inspector with the texts of its console.
 *
 * @param {Machine} machine
 * @param {string} node
 * @param {string} when
 * @returns {Set<string>} the rows that were compared
 */
function compare(machine, node, when) {
  const views = tableViews(machine.call({ op: "tables", node }));
  const rows = new Set();
  for (const [table, commands] of Object.entries(COMMANDS)) {
    const texts = commands.map((line) => machine.call({ op: "console", node, line }).text);
    const printed = texts.flatMap(PRINTED[table]);
    const view = views.find(({ name }) => name === table);
    assert.deepEqual(view ? shown(view) : [], printed, `${when}: ${node}: ${table}\n${texts.join("\n")}`);
    for (const row of printed) rows.add(`${node} ${table} ${row.slice(0, 2).join(" ")}`);
  }
  return rows;
}

/** Rows that a run must have had, so that the comparison is not one of empty tables. @type {Record<string, string[]>} */
const HAD = {
  G1: ["xTR1 away 172.16.0.0/24 local EID", "xTR2 map-cache 172.16.0.0/24 forward-native", "NewMSMR sites 172.16.0.0/24 none"],
  G2: ["xTR1 away 2001:db8:a::/64 local EID", "xTR2 map-cache 172.16.0.0/24 complete", "xTR2 map-cache 2001:db8:a::/64 forward-native"],
  G3: ["xTR2 database 172.16.0.12/32 198.51.100.21", "xTR1 away 172.16.0.12/32 dyn-eid", "PxTR1 map-cache 172.16.0.12/32 complete"],
  G4: ["xTR1 away 172.16.0.128/25 site-registration", "NewMSMR sites 172.16.0.128/25 198.51.100.21"],
};

for (const [index, [name, deeds]] of Object.entries(RUNS).entries()) {
  test(`${name}: at ${INSTANTS} instants the inspector shows the rows that show prints`, { skip }, () => {
    const machine = gsmr(index + 1);
    const waiting = [...deeds].sort((a, b) => a.at - b.at);
    const stopped = new Set();
    /** @type {Set<string>} */
    const had = new Set();
    for (const at of instants(index + 1)) {
      while (waiting.length > 0 && waiting[0].at * 1e6 <= at) {
        const deed = /** @type {Deed} */ (waiting.shift());
        run(machine, deed.at * 1e6);
        deed.do(machine);
      }
      run(machine, at);
      const { nodes } = machine.call({ op: "snapshot" });
      for (const node of nodes) if (!node.runs) stopped.add(node.name);
      for (const node of ROUTERS) {
        if (stopped.has(node)) continue;
        for (const row of compare(machine, node, `${at} us`)) had.add(row);
      }
    }
    assert.equal(waiting.length, 0);
    for (const row of HAD[name.slice(0, 2)]) {
      assert.ok([...had].some((it) => it.startsWith(row)), `no ${row} in\n${[...had].join("\n")}`);
    }
  });
}
