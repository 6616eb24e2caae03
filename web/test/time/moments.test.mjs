// @ts-check
import assert from "node:assert/strict";
import test from "node:test";

import { course } from "../../page/time/moments.js";
import { ends, flows, packets, tally } from "../../page/time/packets.js";
import { tickStep } from "../../page/time/track.js";

const A = "172.16.0.12";
const B = "192.168.0.22";
const nodeOf = (/** @type {string} */ address) => ({ [A]: "A", [B]: "B" })[address];

const hex = (/** @type {string} */ address) => address.split(".").map((part) => Number(part).toString(16).padStart(2, "0")).join("");
const ip = (/** @type {string} */ from, /** @type {string} */ to, protocol = "01", payload = "0800") =>
  `450000540000400040${protocol}0000${hex(from)}${hex(to)}${payload}`;

let n = 0;
/** @returns {any} */
const hop = (/** @type {number} */ at, /** @type {string} */ packet, /** @type {string} */ from, /** @type {string} */ to, more = {}) => ({
  n: (n += 1), at, kind: "hop", class: "native", fate: "carried", segment: "s", from, to: [to], arrives: at + 1000, packet, summary: packet, octets: ip(B, A), ...more,
});
/** @returns {any} */
const message = (/** @type {number} */ at, /** @type {string} */ node, /** @type {string} */ name, direction = "sent", more = {}) => ({
  n: (n += 1), at, kind: "message", direction, node, name, summary: `${name} of ${node}`, sent: null, ...more,
});

test("the ends of a packet are those of the innermost packet", () => {
  const inner = ip(B, A);
  const outer = ip("198.51.100.21", "203.0.113.11", "11", `d34310f500200000${"80aabbcc00000001"}${inner}`);
  assert.deepEqual(ends(outer), { source: B, destination: A });
  const six = `60000000000000ff${"20010db8000a00000000000000000012"}${"20010db8000b00000000000000000022"}8000`;
  assert.deepEqual(ends(`${six}`.replace("00ff", "3aff")), { source: "2001:db8:a::12", destination: "2001:db8:b::22" });
  assert.equal(ends(""), null);
});

test("a packet has its way, and arrives at its destination host", () => {
  const [packet] = packets([hop(0, "p", "B", "xTR2"), hop(2000, "p", "xTR2", "xTR1", { class: "data" }), hop(4000, "p", "xTR1", "A")], nodeOf);
  assert.deepEqual(packet.way, ["B", "xTR2", "xTR1", "A"]);
  assert.equal(packet.arrived, 5000);
  const [lost] = packets([hop(0, "q", "B", "xTR2"), { n: 9, at: 1500, kind: "decision", node: "xTR2", packet: "q", verdict: "drop", summary: "" }], nodeOf);
  assert.equal(lost.arrived, null);
  assert.equal(lost.lost?.kind, "decision");
});

/** Ten packets a second. Packets between `off` and `on` are lost. Later packets go through xTR2. */
function flow(/** @type {number} */ off, /** @type {number} */ on) {
  const items = [];
  for (let at = 0; at < 3_000_000; at += 100_000) {
    const packet = `p${at}`;
    items.push(hop(at, packet, "B", "xTR2"));
    if (at < off) items.push(hop(at + 2000, packet, "xTR2", "xTR1"), hop(at + 4000, packet, "xTR1", "A"));
    else if (at >= on) items.push(hop(at + 2000, packet, "xTR2", "A"));
    else items.push(hop(at + 2000, packet, "xTR2", "xTR1"), { n: (n += 1), at: at + 3000, kind: "decision", node: "xTR1", packet, verdict: "drop", summary: "" });
  }
  return items;
}

test("the result for a move has the losses, the interruption and the moments in order", () => {
  const at = 1_000_000;
  /** @type {any[]} */
  const items = [
    ...flow(at, at + 500_000),
    message(at - 300_000, "xTR2", "Map-Register"),
    { at: at + 100_000, kind: "change", node: "xTR2", table: "dynamic-eids", key: A, text: "A is here" },
    message(at + 110_000, "xTR2", "Registration"),
    message(at + 120_000, "xTR2", "Registration-Ack", "received"),
    message(at + 250_000, "xTR1", "SMR"),
    message(at + 260_000, "xTR2", "SMR", "received"),
    message(at + 270_000, "xTR2", "Map-Request"),
    message(at + 280_000, "xTR2", "Map-Reply", "received"),
  ];
  items.sort((a, b) => a.at - b.at).forEach((item, index) => (item.n = index));
  const found = course(items, { at, end: 2_900_000, nodeOf });
  assert.deepEqual(found.flow, { source: B, destination: A });
  assert.equal(found.lost.length, 5);
  assert.equal(found.last, 905_000);
  assert.equal(found.first, 1_503_000);
  assert.equal(found.interruption, 598_000);
  assert.deepEqual(found.moments.map(({ name }) => name), [
    "Last packet, old way", "Detection", "Registration", "Notify", "SMR", "Request", "Reply", "First packet, new way",
  ]);
});

test("without a loss, the result has the first packet on the new way", () => {
  const found = course(flow(1_000_000, 1_000_000), { at: 950_000, end: 2_900_000, nodeOf });
  assert.equal(found.lost.length, 0);
  assert.equal(found.last, 905_000);
  assert.equal(found.first, 1_003_000);
});

test("a flow counts what arrived, what was lost, and its longest silence", () => {
  const [only] = flows(packets(flow(1_000_000, 1_500_000), nodeOf), 3_000_000);
  assert.deepEqual(only, { source: B, destination: A, sent: 30, arrived: 25, lost: 5, longest: 598_000 });
});

test("a tally counts each message once, at its sender", () => {
  const { messages } = tally([message(1, "xTR1", "SMR"), message(2, "xTR2", "SMR", "received"), message(3, "xTR2", "Map-Request")], 9);
  assert.deepEqual(messages, { SMR: 1, "Map-Request": 1 });
});

test("the steps of the ruler are round numbers", () => {
  for (const [least, step] of [[0.4, 1], [3, 5], [12_000, 20_000], [900_000, 1e6], [6e6, 10e6], [11e6, 15e6], [70e6, 120e6], [4e9, 7.2e9]]) {
    assert.equal(tickStep(least), step);
  }
});
