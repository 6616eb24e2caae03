// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { Run } from "../../page/worker/run.js";
import { instantiate, ticking } from "./fake-module.js";

const SECOND = 1_000_000;

function opened(make = instantiate) {
  const run = new Run(make, { clock: ticking(2) });
  run.open({ "lab.toml": "" }, 5);
  return run;
}

/** @param {Run} run @param {number} until @param {"all"|"none"} detail */
function advance(run, until, detail = "all") {
  while (!run.advance(until, { budget: 50, detail }).done);
}

/** @param {Run} run @param {number} at */
function goto(run, at) {
  run.approach(at);
  advance(run, at, run.present.at < run.end ? "none" : "all");
}

/** @param {Run} run */
const luck = (run) => run.ask({ op: "snapshot" }).luck;

/** @param {string} kind */
const act = (kind, fields = {}) => ({ op: "act", hand: { kind, ...fields } });

test("going back restores the earlier state, and going forward gives the same future", () => {
  const run = opened();
  /** @type {Map<number, number>} */
  const seen = new Map();
  for (let at = 0; at <= 600 * SECOND; at += 10 * SECOND) {
    advance(run, at);
    seen.set(at, luck(run));
  }
  assert.ok(run.checkpoints.list.length > 5);
  for (const at of [300, 50, 590, 0, 600, 10].map((at) => at * SECOND)) {
    goto(run, at);
    assert.equal(run.present.at, at);
    assert.equal(luck(run), seen.get(at), `at ${at}`);
    assert.equal(run.present.n, run.history.last_until(at));
  }
  assert.equal(run.end, 600 * SECOND);
});

test("actions are repeated at their instants, also actions after a step inside an instant", () => {
  const run = opened();
  advance(run, 5 * SECOND);
  run.hand(act("port", { value: 3 }));
  run.step();
  run.hand(act("port", { value: 4 }));
  advance(run, 60 * SECOND);
  const [then, items] = [luck(run), run.history.items.slice()];
  goto(run, SECOND);
  advance(run, 60 * SECOND);
  assert.equal(luck(run), then);
  assert.deepEqual(run.history.items, items);

  const again = opened();
  again.recipe.hands = run.recipe.hands.slice();
  advance(again, 60 * SECOND);
  assert.equal(luck(again), then);
  assert.deepEqual(again.history.items, items);
});

test("an action during which time passes is repeated, and the run continues after it", () => {
  const run = opened();
  advance(run, 5 * SECOND);
  run.hand(act("move", { takes: 2 * SECOND }));
  assert.equal(run.present.at, 7 * SECOND);
  advance(run, 60 * SECOND);
  const [then, items] = [luck(run), run.history.items.slice()];
  goto(run, 4 * SECOND);
  goto(run, 6 * SECOND);
  assert.equal(run.present.at, 7 * SECOND);
  goto(run, 60 * SECOND);
  assert.equal(luck(run), then);
  assert.deepEqual(run.history.items, items);
});

test("an action in the past removes the recorded future", () => {
  const run = opened();
  advance(run, 10 * SECOND);
  run.hand(act("late"));
  advance(run, 100 * SECOND);
  goto(run, 5 * SECOND);
  assert.ok(run.has_future);
  const past = run.clone();
  run.hand(act("early", { value: 99 }));
  assert.equal(run.end, 5 * SECOND);
  assert.deepEqual(run.recipe.hands.map(({ request }) => request.hand.kind), ["early"]);
  assert.ok(run.history.items.every((item) => item.at <= 5 * SECOND));
  advance(run, 100 * SECOND);
  advance(past, 100 * SECOND);
  assert.notEqual(luck(run), luck(past));
  assert.deepEqual(past.recipe.hands.map(({ request }) => request.hand.kind), ["late"]);
});

test("a restore after the memory has grown uses a new instance of the right size", () => {
  let made = 0;
  const run = opened(() => ((made += 1), instantiate()));
  advance(run, 30 * SECOND);
  const small = run.machine.octets.length;
  const then = luck(run);
  run.hand(act("grow", { pages: 9 }));
  advance(run, 60 * SECOND);
  const large = run.machine.octets.length;
  const later = luck(run);
  assert.equal(large, small + 9 * 65536);
  goto(run, 29 * SECOND);
  assert.equal(run.machine.octets.length, small);
  assert.equal(made, 2);
  goto(run, 60 * SECOND);
  assert.equal(run.machine.octets.length, large);
  assert.equal(luck(run), later);
  const before = opened();
  advance(before, 30 * SECOND);
  assert.equal(luck(before), then);
});

test("a restore between copies of one size uses the same instance", () => {
  let made = 0;
  const run = opened(() => ((made += 1), instantiate()));
  advance(run, 300 * SECOND);
  goto(run, 100 * SECOND);
  goto(run, 250 * SECOND);
  assert.equal(made, 1);
});

test("after a trap, the lab has the state from before, in a new instance", () => {
  const run = opened();
  advance(run, 42 * SECOND);
  const then = luck(run);
  assert.throws(() => run.hand(act("trap")), /the module failed: unreachable/);
  run.recover();
  assert.equal(run.present.at, 42 * SECOND);
  assert.equal(luck(run), then);
  assert.equal(run.recipe.hands.length, 0);
});

test("a refused action is not remembered", () => {
  const run = opened();
  assert.throws(() => run.hand(act("refused")), /this hand is refused/);
  assert.equal(run.recipe.hands.length, 0);
});

test("a run stops at a breakpoint, at the exact event", () => {
  const run = opened();
  const { stopped } = run.advance(100 * SECOND, { budget: Infinity, stops: [{ at: "change", table: "map-cache" }] });
  assert.equal(stopped?.item.kind, "change");
  assert.equal(run.present.at, 25 * 100_000);
});

test("a slice ends with its time", () => {
  const clock = ticking(1);
  const run = new Run(instantiate, { clock });
  run.open({}, 1);
  const start = clock();
  assert.equal(run.advance(1e12, { budget: 10 }).done, false);
  assert.ok(clock() - start < 20);
});
