// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { Density } from "../../page/worker/density.js";
import { History } from "../../page/worker/history.js";

/** @returns {any} */
const ping = (/** @type {number} */ n) => ({ n, at: n * 10, kind: "hop", class: "native", fate: "carried" });
/** @returns {any} */
const message = (/** @type {number} */ n) => ({ n, at: n * 10, kind: "message", direction: "sent", name: "SMR" });

test("a history stays bounded: packets of data are removed first, and it knows the instant from which it is complete", () => {
  const history = new History(1000);
  for (let n = 0; n < 50_000; n += 1) history.add([n % 100 === 0 ? message(n) : ping(n)]);
  assert.ok(history.items.length <= 1000);
  const messages = history.items.filter((item) => item.kind === "message");
  assert.equal(messages.length, 500);
  assert.equal(history.complete_from[3], 0);
  assert.ok(history.complete_from[0] > 490_000);
  const whole = history.items.filter((item) => item.at >= history.complete_from[0]);
  assert.equal(whole.length, 49_999 - whole[0].n + 1);
});

test("a history of messages alone is bounded too", () => {
  const history = new History(1000);
  for (let n = 0; n < 20_000; n += 1) history.add([message(n)]);
  assert.ok(history.items.length <= 1000);
  assert.equal(history.items.at(-1)?.n, 19_999);
});

test("items that are added again are not there twice", () => {
  const history = new History();
  history.add([message(0), message(1)]);
  assert.deepEqual(history.add([message(0), message(1), message(2)]).map(({ n }) => n), [2]);
  history.truncate(0);
  assert.deepEqual(history.add([message(1)]).map(({ n }) => n), [1]);
});

test("the number of the last item until an instant is found", () => {
  const history = new History();
  history.add([message(0), message(1), message(2)]);
  assert.equal(history.last_until(-1), -1);
  assert.equal(history.last_until(15), 1);
  assert.equal(history.last_until(99), 2);
});

test("a density keeps all counts when its cells become wider, and its size is fixed", () => {
  const density = new Density();
  for (let n = 0; n < 86_400; n += 1) density.count(n * 1_000_000, "message");
  const { message: counts } = density.between(0, 86_400_000_000, 24);
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 86_400);
  assert.ok(Math.abs(counts[3] - 3600) < 200, String(counts[3]));
  assert.equal(density.cells[0].length, 2048);
});

test("a density forgets a future", () => {
  const density = new Density();
  const items = Array.from({ length: 100 }, (_, n) => message(n));
  density.add(items);
  density.truncate(450, items.slice(0, 46), [440, 460]);
  const { message: messages, hand } = density.between(0, 1000, 1);
  assert.equal(messages[0], 46);
  assert.equal(hand[0], 1);
});
