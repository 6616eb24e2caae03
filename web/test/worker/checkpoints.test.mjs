// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { Checkpoints, Ledger, PAGE, write } from "../../page/worker/checkpoints.js";

const mark = (/** @type {number} */ at, cost = at) => ({ at, n: at, hands: 0, cost });

test("a copy restores all octets, and needs memory only for the changed pages", () => {
  const memory = new Uint8Array(16 * PAGE).map((_, index) => index % 251);
  const copies = new Checkpoints();
  copies.keep(memory, mark(0));
  assert.equal(copies.ledger.octets, 16 * PAGE);
  const first = memory.slice();
  memory[5 * PAGE + 77] ^= 1;
  memory[9 * PAGE] ^= 1;
  copies.keep(memory, mark(100));
  assert.equal(copies.ledger.octets, 18 * PAGE);
  const target = new Uint8Array(memory.length);
  write(copies.list[1], target);
  assert.deepEqual(target, memory);
  write(copies.list[0], target);
  assert.deepEqual(target, first);
});

test("old parts of a long run have fewer copies than new parts, and the copies are found", () => {
  const memory = new Uint8Array(64 * PAGE);
  const copies = new Checkpoints();
  for (let at = 0; at <= 100_000; at += 40) {
    memory[(at % 64) * PAGE] = at;
    copies.keep(memory, mark(at));
  }
  assert.ok(copies.list.length < 120, `${copies.list.length} copies`);
  assert.equal(copies.list[0].at, 0);
  for (const at of [0, 5_000, 50_000, 90_000, 99_000, 99_990]) {
    const copy = copies.before(at);
    assert.ok(copy && copy.at <= at);
    assert.ok(at - copy.at <= Math.max(120, (100_000 - at) / 4), `${at}: ${copy.at}`);
  }
});

test("all copies stay inside the budget, and the start is never lost", () => {
  const ledger = new Ledger(200 * PAGE);
  const copies = new Checkpoints(ledger);
  const memory = new Uint8Array(64 * PAGE);
  for (let at = 0; at < 200; at += 1) {
    memory.fill(at);
    copies.keep(memory, mark(at, at * 40));
    assert.ok(ledger.octets <= ledger.budget);
  }
  assert.equal(copies.list[0].at, 0);
  assert.equal(copies.list.at(-1)?.at, 199);
});

test("two runs share the budget: a run that grows does not lose all of its copies to the other", () => {
  const ledger = new Ledger(400 * PAGE);
  const memory = new Uint8Array(8 * PAGE);
  const [one, other] = [new Checkpoints(ledger), new Checkpoints(ledger)];
  for (const copies of [one, other]) {
    for (let at = 0; at < 100; at += 1) {
      memory.fill(at);
      copies.keep(memory, mark(at * 1000));
      assert.ok(ledger.octets <= ledger.budget);
    }
  }
  const counts = [one, other].map(({ list }) => list.length);
  assert.ok(Math.min(...counts) > 15, `${counts} copies`);
  one.clear();
  assert.equal(ledger.lists.size, 1);
});

test("a page that two lists share counts once, and is free when both lists have removed it", () => {
  const copies = new Checkpoints();
  const memory = new Uint8Array(8 * PAGE);
  copies.keep(memory, mark(0));
  memory[0] = 1;
  copies.keep(memory, mark(50));
  const clone = copies.clone();
  assert.equal(copies.ledger.octets, 9 * PAGE);
  copies.truncate(10, 0);
  assert.equal(copies.list.length, 1);
  assert.equal(copies.ledger.octets, 9 * PAGE);
  clone.clear();
  assert.equal(copies.ledger.octets, 8 * PAGE);
  copies.clear();
  assert.equal(copies.ledger.octets, 0);
});

test("a copy after an action is not the same place as a copy before it at the same instant", () => {
  const copies = new Checkpoints();
  copies.keep(new Uint8Array(PAGE), mark(0));
  copies.keep(new Uint8Array(PAGE), { ...mark(0, 50), hands: 1 });
  assert.equal(copies.list.length, 2);
  copies.truncate(0, 0);
  assert.equal(copies.list.length, 1);
});
