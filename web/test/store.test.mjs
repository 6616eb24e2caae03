// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore } from "../page/store.js";

/** @param {number} n @returns {any} */
const log = (n) => ({ n, at: n, kind: "log", node: "xTR1", severity: "info", text: `line ${n}` });
/** @returns {any} */
const snapshot = () => ({ lab: { name: "t", title: "t" }, now: 0, nodes: [], segments: [], flows: [] });

test("a reset removes the items after its number, and no other items", () => {
  const store = createStore((run) => run());
  store.receive({ event: "items", now: 5, items: [log(1), log(2), log(3)], snapshot: null });
  store.receive({ event: "reset", now: 2, n: 2, snapshot: { ...snapshot(), now: 2 } });
  assert.deepEqual(store.state.items.map((item) => item.n), [1, 2]);
  assert.equal(store.item(3), undefined);
  assert.equal(store.state.now, 2);
  assert.equal(store.state.epoch, 1);
});

test("subscribers are called once for all events in a frame", () => {
  /** @type {(() => void)[]} */
  const frame = [];
  const store = createStore((run) => frame.push(run));
  let told = 0;
  store.subscribe(() => (told += 1));
  store.receive({ event: "items", now: 1, items: [log(1)], snapshot: null });
  store.receive({ event: "items", now: 2, items: [log(2)], snapshot: null });
  assert.equal(told, 0);
  for (const run of frame.splice(0)) run();
  assert.equal(told, 1);
});
