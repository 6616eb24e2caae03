// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { BUDGET } from "../../page/worker/checkpoints.js";
import { Session } from "../../page/worker/session.js";
import { createStore } from "../../page/store.js";
import { instantiate } from "./fake-module.js";

const SECOND = 1_000_000;

/** A session that is connected to the real store of the page. */
async function page() {
  /** @type {Map<number, any>} */
  const answers = new Map();
  /** @type {any[]} */
  const events = [];
  const store = createStore((run) => run());
  let last = 0;
  const session = new Session({
    make: instantiate,
    defer: (work) => setImmediate(work),
    post(message) {
      const data = structuredClone(message);
      if (data.event) {
        events.push(data);
        store.receive(data);
      } else answers.set(data.id, data);
    },
  });
  const ask = async (/** @type {string} */ op, fields = {}) => {
    const id = (last += 1);
    await session.receive({ id, op, ...fields });
    const answer = answers.get(id);
    if (!answer.ok) throw new Error(answer.error);
    return answer.result;
  };
  await ask("open", { files: { "lab.toml": "" }, seed: 3 });
  return { session, store, events, ask };
}

/** @param {any} at */
const secondsOf = (at) => at * SECOND;

test("the page has the items until the present, at every instant to which it goes", async () => {
  const { session, store, ask } = await page();
  for (const at of [10, 200, 50, 51, 199, 3, 250].map(secondsOf)) {
    await ask("goto", { at });
    assert.equal(store.state.now, at);
    assert.equal(store.state.items.at(-1)?.n, session.run.history.last_until(at), `at ${at}`);
    const numbers = store.state.items.map(({ n }) => n);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  }
});

test("a step goes to the next message, and back to the previous message", async () => {
  const { ask } = await page();
  const first = await ask("step", { to: "message" });
  const second = await ask("step", { to: "message" });
  const third = await ask("step", { to: "message" });
  assert.deepEqual([first.now, second.now, third.now], [1, 2, 3].map(secondsOf));
  assert.deepEqual(await ask("back", { to: "message" }), { now: second.now, n: second.n });
  assert.deepEqual(await ask("back", { to: "message" }), { now: first.now, n: first.n });
  const change = await ask("step", { to: "change" });
  assert.equal(change.stopped.item.kind, "change");
  const before = await ask("back", { to: "event" });
  assert.equal(before.now, change.now - 100_000);
  const drop = await ask("step", { to: "drop" });
  assert.equal(drop.stopped.item.verdict, "drop");
});

test("a pause is answered between two slices of a long goto, and ends the goto", async () => {
  const { session, ask } = await page();
  const far = ask("goto", { at: secondsOf(10_000_000) });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = session.run.present.at;
  const { now } = await ask("pause");
  assert.equal(now, before);
  assert.equal((await far).done, false);
  // The last seconds are computed again with all items. After that, the present is the same.
  await session.arrived;
  assert.equal(session.run.present.at, now);
});

test("playing follows the frames at its pace, and stops at a breakpoint", async () => {
  const { store, events, ask } = await page();
  await ask("play", { pace: 10 });
  for (let frame = 0; frame < 10; frame += 1) {
    await ask("frame", { elapsed: 16 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(store.state.now, 1_600_000);
  assert.equal(store.state.clock.playing, true);
  await ask("breakpoints", { stops: [{ at: "change" }] });
  for (let frame = 0; frame < 10; frame += 1) await ask("frame", { elapsed: 16 });
  assert.equal(store.state.now, 2_500_000);
  assert.equal(store.state.clock.playing, false);
  assert.equal(events.filter(({ event }) => event === "stopped").length, 1);
});

test("an action in the past begins another future, and the old future is the other run", async () => {
  const { session, events, ask } = await page();
  await ask("goto", { at: secondsOf(10) });
  const { command } = await ask("act", { hand: { kind: "stop" } });
  assert.equal(command, "eidway lab stop");
  await ask("goto", { at: secondsOf(60) });
  await ask("goto", { at: secondsOf(5) });
  await ask("console", { node: "R", line: "show version" });
  assert.equal(session.other, null);
  await ask("act", { hand: { kind: "kill" } });
  assert.equal(events.filter(({ event }) => event === "branched").length, 1);
  const status = await ask("status");
  assert.deepEqual(status.hands.map((/** @type {any} */ hand) => hand.request.hand.kind), ["kill"]);
  assert.deepEqual(status.other.hands.map((/** @type {any} */ hand) => hand.request.hand.kind), ["stop"]);
  assert.equal(status.other.end, secondsOf(60));
  await ask("swap");
  assert.equal((await ask("status")).end, secondsOf(60));
});

test("a run is exported as its actions and its seed, and repeated", async () => {
  const one = await page();
  await one.ask("goto", { at: secondsOf(7) });
  await one.ask("console", { node: "R", line: "configure terminal" });
  await one.ask("act", { hand: { kind: "port" } });
  await one.ask("goto", { at: secondsOf(20) });
  await one.ask("goto", { at: secondsOf(12) });
  const run = await one.ask("export");
  assert.ok(JSON.stringify(run).length < 1000);
  const two = await page();
  const result = await two.ask("import", { run });
  assert.equal(result.warning, null);
  assert.equal(result.now, secondsOf(12));
  assert.equal(result.end, secondsOf(20));
  const events = (/** @type {{session: Session}} */ { session }) => session.run.history.items.filter(({ kind }) => kind !== "hop");
  assert.deepEqual(events(two), events(one));
  await assert.rejects(two.ask("import", { run: { ...run, hands: [{ at: -1 }] } }), /"hands\[0\].at" is no time/);
  await assert.rejects(two.ask("import", { run: { format: "x" } }), /this is not a run/);
});

test("a scenario is a run from its first statement, until an action of the user", async () => {
  const { ask, store } = await page();
  await ask("act", { hand: { kind: "port" } });
  const played = await ask("scenario", { name: "x" });
  assert.deepEqual([played.statements.length, played.until, played.refusals.length], [2, null, 0]);
  const before = await ask("status");
  assert.deepEqual([before.now, before.end, before.done, before.hands.length], [secondsOf(5), secondsOf(10), 1, 2]);
  const logs = () => store.state.items.filter(({ kind }) => kind === "log").map(({ at }) => at);
  assert.deepEqual(logs(), [secondsOf(5)]);
  await ask("goto", { at: secondsOf(9) });
  assert.deepEqual(logs(), [secondsOf(5), secondsOf(8)]);
  await ask("goto", { at: secondsOf(6) });
  await ask("act", { hand: { kind: "port" } });
  assert.equal((await ask("script")).until, secondsOf(6));
  const again = await page();
  await again.ask("import", { run: await ask("export") });
  assert.deepEqual(await again.ask("script"), await ask("script"));
  assert.equal((await again.ask("status")).hands.length, 2);
});

test("the effect of one changed action is shown in the other run", async () => {
  const { ask } = await page();
  await ask("goto", { at: secondsOf(10) });
  await ask("act", { hand: { kind: "move", value: 1 } });
  await ask("goto", { at: secondsOf(30) });
  await ask("vary", { hand: 0, request: { op: "act", hand: { kind: "move", value: 2 } } });
  const [shown, other] = [await ask("snapshot"), await ask("snapshot", { run: "other" })];
  assert.equal(shown.now, other.now);
  assert.notEqual(shown.luck, other.luck);
  const { items } = await ask("items", { run: "other", from: secondsOf(10), kinds: ["log"] });
  assert.equal(items.length, 1);
});

test("after a jump, the page has all items of the last seconds", async () => {
  const { store, ask } = await page();
  const last = (/** @type {number} */ at) => store.state.items.filter((item) => item.at > at - secondsOf(2) && item.at <= at);
  await ask("goto", { at: secondsOf(500) });
  const seen = last(secondsOf(500));
  assert.equal(seen.filter(({ kind }) => kind === "hop").length, 20);
  await ask("goto", { at: secondsOf(900) });
  await ask("goto", { at: secondsOf(500) });
  assert.deepEqual(last(secondsOf(500)), seen);
  await ask("play", { pace: 1000 });
  while (store.state.now < secondsOf(700)) {
    await ask("frame", { elapsed: 16 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ask("pause");
  await ask("status");
  const { now } = store.state;
  assert.equal(last(now).filter(({ kind }) => kind === "hop").length, 20);
});

test("after a trap, the page is told, and the lab goes on", async () => {
  const { ask, store } = await page();
  await ask("goto", { at: secondsOf(10) });
  await assert.rejects(ask("act", { hand: { kind: "trap" } }), /the module failed/);
  assert.equal(store.state.now, secondsOf(10));
  await ask("goto", { at: secondsOf(11) });
  assert.equal(store.state.now, secondsOf(11));
});

test("a long run is bounded in copies, items and posts", async () => {
  const { session, store, events, ask } = await page();
  await ask("goto", { at: secondsOf(20_000) });
  const { copies, items } = await ask("status");
  assert.ok(copies.octets <= BUDGET);
  assert.ok(items <= 60_000);
  assert.ok(store.state.items.length <= 60_000);
  const most = Math.max(...events.filter(({ event }) => event === "items").map((event) => event.items.length));
  assert.ok(most <= 4000, `${most} in a post`);
  assert.equal(session.run.present.at, secondsOf(20_000));
  await ask("goto", { at: secondsOf(16_400) });
  assert.equal(store.state.now, secondsOf(16_400));
});
