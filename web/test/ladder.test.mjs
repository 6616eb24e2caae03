// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "../page/format.js";
import { createRows, HEIGHTS, lifelineOrder, lifelines, subject } from "../page/ladder/rows.js";
import { createStore } from "../page/store.js";
import { gsmr } from "./fake/lab.js";
import { story } from "./fake/run.js";

const FILTER = { changes: true, logs: false, node: "" };

/** @param {Partial<typeof FILTER>} filter */
function ladder(filter = {}) {
  const store = createStore((run) => run());
  const snapshot = gsmr();
  store.receive({ event: "reset", now: 0, n: -1, snapshot });
  store.receive({ event: "items", now: 9e7, items: story(snapshot), snapshot: null });
  const rows = createRows();
  rows.update(store.state.items, { ...FILTER, ...filter }, store.owner);
  return { rows, store };
}

test("a message that was sent and received is one row", () => {
  const { rows, store } = ladder();
  const sent = store.state.items.filter((item) => item.kind === "message" && item.direction === "sent");
  const messages = rows.rows.filter((row) => row.kind === "message");
  assert.equal(messages.length, sent.length);
});

test("a message that did not arrive has the router of its destination and no arrival", () => {
  const { rows } = ladder();
  const lost = rows.rows.filter((row) => row.kind === "message" && row.arrives === null);
  assert.equal(lost.length, 2);
  assert.ok(lost.every((row) => row.kind === "message" && row.to === "OldMSMR"));
});

test("a pause is a gap, and the tops of the rows add up", () => {
  const { rows } = ladder();
  let top = 0;
  rows.rows.forEach((row, i) => {
    assert.equal(rows.top(i), top);
    top += HEIGHTS[row.kind];
  });
  assert.equal(rows.height, top);
  assert.ok(rows.rows.some((row) => row.kind === "gap" && row.span > 15e6));
});

test("the row at a height is the row that is drawn at this height", () => {
  const { rows } = ladder();
  for (let y = 0; y < rows.height; y += 7) {
    const i = rows.at(y);
    assert.ok(rows.top(i) <= y && y < rows.top(i) + HEIGHTS[rows.rows[i].kind]);
  }
});

test("items that come in parts make the same rows", () => {
  const { rows, store } = ladder();
  const parts = createRows();
  for (let i = 0; i <= store.state.items.length; i += 3) {
    parts.update(store.state.items.slice(0, i), FILTER, store.owner);
  }
  parts.update(store.state.items, FILTER, store.owner);
  assert.deepEqual(parts.rows, rows.rows);
});

test("a filter keeps the rows of one router", () => {
  const { rows } = ladder({ node: "NewMSMR", changes: false });
  for (const row of rows.rows) {
    if (row.kind === "message") assert.ok(row.from === "NewMSMR" || row.to === "NewMSMR");
    else assert.equal(row.kind, "gap");
  }
});

test("a received message leads to the row of the sent one", () => {
  const { rows, store } = ladder();
  const received = store.state.items.find((item) => item.kind === "message" && item.sent !== null);
  assert.ok(received?.kind === "message");
  assert.equal(rows.rows[rows.indexOf(received)].n, received.sent);
});

test("many lifelines keep a distance that can be read", () => {
  const many = Array.from({ length: 24 }, (_, i) => `r${i}`);
  assert.ok(lifelines(many, 400).step >= 54);
  assert.ok(lifelines(many, 400).width > 400);
  assert.equal(lifelines(["a", "b"], 400).width, 400);
});

test("the port of an address is removed in both families", () => {
  assert.equal(addressOf("203.0.113.11:4342"), "203.0.113.11");
  assert.equal(addressOf("[2001:db8::1]:4342"), "2001:db8::1");
  assert.equal(addressOf("2001:db8::1"), "2001:db8::1");
});

test("lifelines stand in the order of sites, map-servers and proxies, by name", () => {
  const { nodes } = gsmr();
  assert.deepEqual(lifelineOrder([...nodes].reverse()), ["xTR1", "xTR2", "NewMSMR", "OldMSMR", "PxTR1"]);
});

test("a message is for its EIDs: the ladder leaves out the nonce", () => {
  const message = (/** @type {string} */ name, /** @type {string} */ summary) => subject(/** @type {any} */ ({ name, summary }));
  const nonce = "nonce 0xA7F563A5-0x3501C106";
  assert.equal(message("Map-Request", `Map-Request ${nonce} SMR-invoked source-EID 192.168.0.22 ITR-RLOCs 198.51.100.21 for 172.16.0.12/32`), "SMR-invoked, 172.16.0.12/32");
  assert.equal(message("Map-Reply", `Map-Reply ${nonce} for 172.16.0.0/24 TTL 1 natively-forward`), "172.16.0.0/24 TTL 1 natively-forward");
  assert.equal(message("Map-Notify-Ack", `Map-Notify-Ack ${nonce} of all`), "of all");
});
