// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { journey, outcome, recentPackets } from "../page/journey/steps.js";
import { createPlanner, hopTime } from "../page/topology/schedule.js";
import { gsmr } from "./fake/lab.js";
import { story } from "./fake/run.js";

const items = story(gsmr());
const isHost = (/** @type {string} */ name) => name.length === 1;

test("a packet goes from node to node and arrives", () => {
  const steps = journey(items, "echo1", isHost);
  const nodes = steps.flatMap((step) => (step.kind === "node" ? [step.name] : []));
  assert.deepEqual(nodes, ["B", "xTR2", "Core2", "Core1", "xTR1", "A"]);
  assert.deepEqual(outcome(steps), { text: "arrived at A", bad: false });
});

test("each node has its decisions, in their order", () => {
  const steps = journey(items, "echo1", isHost);
  const step = steps.find((it) => it.kind === "node" && it.name === "xTR2");
  assert.ok(step?.kind === "node");
  assert.deepEqual(step.decisions.map(({ verdict }) => verdict), ["hold", "encapsulate"]);
});

test("a dropped packet ends where it was dropped", () => {
  assert.deepEqual(outcome(journey(items, "echo2", isHost)), { text: "dropped at xTR1", bad: true });
});

test("a packet that a link lost ends on the link", () => {
  const cut = items.filter((item) => !("packet" in item) || item.packet === "echo1");
  const first = cut.findIndex((item) => item.kind === "hop" && item.class === "data");
  const lost = cut.slice(0, first + 1).map((item, i) => (i === first ? { ...item, fate: "lost", arrives: null } : item));
  const steps = journey(/** @type {any} */ (lost), "echo1", isHost);
  assert.deepEqual(outcome(steps), { text: "lost", bad: true });
});

test("the last packets come first, and each packet is listed once", () => {
  const recent = recentPackets(items, 10);
  assert.deepEqual(recent.map(({ packet }) => packet), ["echo2", "echo1"]);
  assert.deepEqual(recent.map(({ lost }) => lost), [true, false]);
});

test("on the screen, no packet leaves a node before its cause has arrived there", () => {
  const hops = /** @type {any[]} */ (items.filter((item) => item.kind === "hop" && item.packet === "echo1"));
  const rides = createPlanner().plan(hops, 1000, 300);
  for (let i = 1; i < rides.length; i += 1) assert.ok(rides[i].start >= rides[i - 1].end);
  assert.equal(rides[0].start, 1000);
});

test("packets that do not depend on each other are drawn at the same time", () => {
  const hop = (/** @type {string} */ from, /** @type {string} */ to) => /** @type {any} */ ({ kind: "hop", at: 0, arrives: 10, from, to: [to] });
  const rides = createPlanner().plan([hop("a", "b"), hop("c", "d")], 0, 300);
  assert.deepEqual(rides.map(({ start }) => start), [0, 0]);
});

test("in slow motion, a hop is drawn for the time that it takes on the link, within bounds", () => {
  const hop = /** @type {any} */ ({ at: 0, arrives: 1000 });
  assert.equal(hopTime({ playing: true, pace: 0.002 }, [hop]), 500);
  assert.equal(hopTime({ playing: true, pace: 1 }, [hop]), 140);
  assert.equal(hopTime({ playing: false, pace: 1 }, [hop]), 420);
});
