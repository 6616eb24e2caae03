// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { current, headline, nearest, statuses } from "../page/scenarios/statements.js";

const statement = (/** @type {number} */ began, /** @type {number} */ ended) => ({ path: "x.scenario", line: 1, text: "wait", began, ended, transcript: "" });
const script = { name: "x", title: "", began: 10, end: 40, statements: [statement(10, 10), statement(10, 20), statement(20, 40)], stopped: null, until: null };

test("a statement is ahead, then under way, then done", () => {
  assert.deepEqual(statuses(script, 5), ["ahead", "ahead", "ahead"]);
  assert.deepEqual(statuses(script, 10), ["done", "now", "ahead"]);
  assert.deepEqual(statuses(script, 40), ["done", "done", "done"]);
});

test("the last statement of a scenario that stopped early has failed", () => {
  assert.deepEqual(statuses({ ...script, stopped: "expected: 1" }, 40), ["done", "done", "failed"]);
});

test("statements after a hand of the user were not played", () => {
  assert.deepEqual(statuses({ ...script, until: 20 }, 40), ["done", "done", "left"]);
});

test("the nearest ends are those after the present and before it", () => {
  assert.equal(nearest(script.statements, 10, 1), 20);
  assert.equal(nearest(script.statements, 20, 1), 40);
  assert.equal(nearest(script.statements, 40, 1), undefined);
  assert.equal(nearest(script.statements, 40, -1), 20);
  assert.equal(nearest(script.statements, 10, -1), 10);
  assert.deepEqual([0, 10, 25].map((now) => current(script.statements, now)), [-1, 1, 2]);
});

test("a statement with a block is one line", () => {
  assert.equal(headline('show xTR2  "show ip lisp" matches {\n  a\n}'), 'show xTR2 "show ip lisp" matches {');
});
