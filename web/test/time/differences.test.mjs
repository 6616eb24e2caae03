// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { figures, firstDifference, variants } from "../../page/time/differences.js";

const move = { op: "act", hand: { kind: "move", host: "A", to: "xTR2" } };

test("the first difference of two runs is found", () => {
  const flow = { at: 5, request: { op: "act", hand: { kind: "flow" } }, command: "x" };
  assert.equal(firstDifference([flow, { at: 9, request: move }], [flow, { at: 9, request: move }]), null);
  assert.equal(firstDifference([flow, { at: 9, request: move }], [{ ...flow, command: "y" }]), 9);
  assert.equal(firstDifference([{ at: 9, request: move }], [flow]), 5);
});

test("the other way to move is offered", () => {
  const [first, second] = variants(move);
  assert.equal(first.name, "make before break");
  assert.deepEqual(first.request.hand, { ...move.hand, make_before_break: true });
  assert.equal(variants(first.request)[0].name, "break before make");
  assert.equal(second.request, null);
});

test("messages of both runs are in the figures, also those of one run alone", () => {
  const smr = /** @type {any} */ ({ n: 1, at: 1, kind: "message", direction: "sent", name: "SMR" });
  const found = figures([smr], [], { nodeOf: () => undefined, nameOf: (address) => address, now: 9 });
  assert.deepEqual(found, [{ name: "SMR", one: 1, other: 0, unit: "count", isBad: false }]);
});
