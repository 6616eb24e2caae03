// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { configure, mappings, overlays } from "../../page/time/configure.js";

const lab = new URL("../../../lab/gsmr/", import.meta.url);

test("the mappings of a configuration are found with the blocks around them", () => {
  const found = mappings(readFileSync(new URL("xTR1.conf", lab), "utf8"));
  assert.equal(found.length, 6);
  assert.deepEqual(found[0], {
    prefix: "172.16.0.0/24",
    path: ["router lisp", "eid-table default instance-id 0"],
    line: "database-mapping 172.16.0.0/24 locator-set set1",
  });
});

test("an overlay has the lines of each router", () => {
  const found = overlays(readFileSync(new URL("scenarios/roaming.include", lab), "utf8"));
  assert.deepEqual(found.map(({ node }) => node), ["xTR1", "xTR2"]);
  assert.ok(found[0].lines.includes("lisp mobility ROAM"));
});

test("after a refused line, no more lines are typed, and the error has the reason", async () => {
  /** @type {string[]} */
  const typed = [];
  /** @type {any} */
  const source = {
    request: async (/** @type {string} */ _, /** @type {any} */ { line }) => {
      typed.push(line);
      return line === "nonsense" ? { ok: false, text: "% Invalid input\n" } : { ok: true, text: "", prompt: "R(config)#" };
    },
  };
  await assert.rejects(configure(source, "R", ["router lisp", "nonsense", "more"]), /R refuses "nonsense": % Invalid input/);
  assert.deepEqual(typed, ["show clock", "end", "configure terminal", "router lisp", "nonsense", "end"]);
});
