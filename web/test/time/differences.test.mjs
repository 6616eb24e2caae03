// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { figures, firstDifference, firstEffect, variants, withoutSmrs } from "../../page/time/differences.js";
import { isCause } from "../../page/time/timeline.js";

const move = { op: "act", hand: { kind: "move", host: "A", to: "xTR2" } };

test("the first difference of two runs is found", () => {
  const flow = { at: 5, request: { op: "act", hand: { kind: "flow" } }, command: "x" };
  assert.equal(firstDifference([flow, { at: 9, request: move }], [flow, { at: 9, request: move }]), null);
  assert.equal(firstDifference([flow, { at: 9, request: move }], [{ ...flow, command: "y" }]), 9);
  assert.equal(firstDifference([{ at: 9, request: move }], [flow]), 5);
});

test("the first instant at which the routers do different things is found", () => {
  const item = (/** @type {any} */ fields) => /** @type {any} */ ({ kind: "message", node: "xTR2", direction: "sent", ...fields });
  const smr = item({ n: 1, at: 10, name: "SMR" });
  const request = item({ n: 2, at: 12, name: "Map-Request" });
  const hop = { kind: "hop", n: 3, at: 11 };
  assert.equal(firstEffect([smr, request], [{ ...smr, n: 7 }]), 12);
  assert.equal(firstEffect([smr, /** @type {any} */ (hop)], [smr]), null);
});

test("the acts of a lesson and the traffic of hosts are no cause of a loss", () => {
  const act = (/** @type {string} */ kind) => isCause({ request: { op: "act", hand: { kind } } });
  assert.deepEqual(["move", "port", "kill", "link", "flow", "check", "hint", "lesson"].filter(act), ["move", "port", "kill", "link"]);
});

test("a run without SMRs begins with a line at each ITR", () => {
  const node = (/** @type {string} */ name, /** @type {string[]} */ roles) => /** @type {any} */ ({ name, roles });
  const found = withoutSmrs([node("xTR1", ["itr", "etr"]), node("NewMSMR", ["map-server"]), node("PxTR1", ["pitr"])]);
  assert.deepEqual([...new Set(found.map(({ request }) => request.node))], ["xTR1", "PxTR1"]);
  assert.ok(found.every(({ at }) => at === 0));
  assert.ok(found.some(({ request }) => request.line === "ipv4 solicit-map-request ignore"));
});

test("the other manners of a move are offered", () => {
  const [first, second, third] = variants(move);
  assert.equal(first.name, "make before break");
  assert.deepEqual(first.request.hand, { ...move.hand, how: "make-before-break" });
  assert.equal(second.name, "break before make");
  assert.equal(third.request, null);
  assert.deepEqual(variants(first.request).map(({ name }) => name), ["at once", "break before make", "without it"]);
});

test("messages of both runs are in the figures, also those of one run alone", () => {
  const smr = /** @type {any} */ ({ n: 1, at: 1, kind: "message", direction: "sent", name: "SMR" });
  const found = figures([smr], [], { nodeOf: () => undefined, nameOf: (address) => address, now: 9 });
  assert.deepEqual(found, [{ name: "SMR", one: 1, other: 0, unit: "count", isBad: false }]);
});
