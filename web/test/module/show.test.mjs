// @ts-check
// The inspector shows the facts that `show` prints, at random instants of the runs of the document.

import assert from "node:assert/strict";
import { test } from "node:test";
import { uptime } from "../../page/format.js";
import { tableViews } from "../../page/inspector/tables.js";
import { PRINTED } from "./printed.js";
import { COMMANDS, HAD, instants, ROUTERS, RUNS } from "./runs.js";
import { gsmr, missing, run } from "./simulator.js";

/** @import {Machine} from "../../page/worker/machine.js" */
/** @import {TableView} from "../../page/inspector/tables.js" */
/** @import {Deed} from "./runs.js" */

const skip = missing();
const INSTANTS = 100;

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

for (const [index, [name, deeds]] of Object.entries(RUNS).entries()) {
  test(`${name}: at ${INSTANTS} instants the inspector shows the rows that show prints`, { skip }, () => {
    const machine = gsmr(index + 1);
    const waiting = [...deeds].sort((a, b) => a.at - b.at);
    const stopped = new Set();
    /** @type {Set<string>} */
    const had = new Set();
    for (const at of instants(index + 1, INSTANTS)) {
      while (waiting.length > 0 && waiting[0].at * 1e6 <= at) {
        const deed = /** @type {Deed} */ (waiting.shift());
        run(machine, deed.at * 1e6);
        for (const request of deed.requests) {
          const { ok, text } = machine.call(/** @type {any} */ (request));
          assert.notEqual(ok, false, text);
        }
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
