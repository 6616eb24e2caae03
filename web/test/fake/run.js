// @ts-check
// A fake run of gsmr: the sites register, B pings A, a port goes down, and an SMR is sent.

import { script } from "./script.js";

/** @import {Item, Snapshot} from "../../page/model" */

const S = 1_000_000;

/**
 * Returns the items of the fake run.
 *
 * @param {Snapshot} snapshot the network of gsmr
 * @returns {Item[]}
 */
export function story(snapshot) {
  const play = script(snapshot);
  register(play);
  firstPacket(play);
  noRoute(play);
  return inOrder(play.items);
}

/**
 * Returns the items of some pings and of many messages, as in a long run.
 *
 * @param {Snapshot} snapshot
 * @param {number} pings
 * @returns {Item[]}
 */
export function load(snapshot, pings) {
  const play = script(snapshot);
  for (let i = 0; i < pings; i += 1) {
    const at = 60 * S + i * 100_000;
    play.send(at, "B", "A", "data", `192.168.0.22 > 172.16.0.12 echo request ${i}`, { packet: `load${i}` });
    if (i % 10 > 0) continue;
    const notify = play.message(at, "OldMSMR", "xTR2", "Map-Notify", `round ${i}`, { reason: "A Map-Register asked for it." });
    play.change(notify.at, "xTR2", "reachability", "203.0.113.11", "changed", `round ${i}`);
  }
  return inOrder(play.items).map((/** @type {any} */ item) => renumbered(item, 100_000));
}

/**
 * @param {any} item
 * @param {number} by
 */
function renumbered(item, by) {
  const changed = { ...item, n: item.n + by };
  for (const link of ["sent", "answers", "cause"]) if (typeof item[link] === "number") changed[link] = item[link] + by;
  return changed;
}

/**
 * Sorts items by time, and gives them new numbers.
 *
 * @param {Item[]} items
 */
function inOrder(items) {
  items.sort((a, b) => a.at - b.at);
  const numbers = new Map(items.map((item, index) => [item.n, index + 1]));
  return items.map((/** @type {any} */ item) => {
    const changed = { ...item, n: numbers.get(item.n) };
    for (const link of ["sent", "answers", "cause"]) {
      if (typeof item[link] === "number") changed[link] = numbers.get(item[link]);
    }
    return changed;
  });
}

/** @param {ReturnType<typeof script>} play */
function register(play) {
  for (const [router, prefix] of [["xTR1", "172.16.0.0/24"], ["xTR2", "192.168.0.0/24"]]) {
    for (const server of ["NewMSMR", "OldMSMR"]) {
      const request = play.message(10_000, router, server, "Map-Register", prefix, {
        reason: "The database mapping is new, and the map-server does not have it yet.",
        section: "RFC 9301 section 8.2",
        tcp: server === "NewMSMR",
      });
      play.change(request.at, server, "registrations", prefix, "added", `${prefix} is registered by ${router}.`, {
        reason: "A Map-Register with a valid authentication arrived.",
        section: "RFC 9301 section 8.3",
        cause: request.received,
      });
      play.message(request.at + 50, server, router, "Map-Notify", prefix, {
        reason: "The Map-Register asks for a Map-Notify.",
        section: "RFC 9301 section 8.3",
        answers: request.n,
        tcp: server === "NewMSMR",
      });
    }
  }
}

/** @param {ReturnType<typeof script>} play */
function firstPacket(play) {
  const echo = "192.168.0.22 > 172.16.0.12 echo request 1";
  const at = 2 * S;
  const there = play.send(at, "B", "xTR2", "native", echo, { packet: "echo1" });
  play.decision(there, "xTR2", "echo1", echo, "hold", "No mapping for 172.16.0.12 yet: the packet waits for the Map-Reply.", {
    line: { table: "map-cache", prefix: "0.0.0.0/0" },
    section: "RFC 9301 section 4",
  });
  const request = play.message(there, "xTR2", "OldMSMR", "Map-Request", "172.16.0.12/32", {
    reason: "A packet to 172.16.0.12 matches 0.0.0.0/0, send-map-request.",
    section: "RFC 9301 section 4",
  });
  const forwarded = play.message(request.at + 40, "OldMSMR", "xTR1", "Map-Request", "172.16.0.12/32", {
    reason: "172.16.0.0/24 is registered by xTR1, and it answers for itself.",
    section: "RFC 9301 section 8.4",
  });
  const reply = play.message(forwarded.at + 40, "xTR1", "xTR2", "Map-Reply", "172.16.0.0/24", {
    reason: "The Map-Request asks for an EID of the database mapping 172.16.0.0/24.",
    section: "RFC 9301 section 5.4",
    answers: request.n,
  });
  play.change(reply.at, "xTR2", "map-cache", "172.16.0.0/24", "added", "172.16.0.0/24 is reached by 203.0.113.11.", {
    reason: "A Map-Reply with a known nonce arrived.",
    section: "RFC 9301 section 5.4",
    cause: reply.received,
  });
  play.decision(reply.at, "xTR2", "echo1", echo, "encapsulate", "172.16.0.0/24 has the usable locator 203.0.113.11.", {
    line: { table: "map-cache", prefix: "172.16.0.0/24" },
    section: "RFC 9300 section 5.3",
    locator: "203.0.113.11",
  });
  const far = play.send(reply.at, "xTR2", "xTR1", "data", `LISP 203.0.113.11 (${echo})`, { packet: "echo1", octets: FAKE_DATA });
  play.decision(far, "xTR1", "echo1", echo, "deliver", "172.16.0.12 is an EID of this site.", {
    line: { table: "database", prefix: "172.16.0.0/24" },
    section: "RFC 9300 section 5.3",
  });
  play.send(far, "xTR1", "A", "native", echo, { packet: "echo1" });
}

/** @param {ReturnType<typeof script>} play */
function noRoute(play) {
  const at = 20 * S;
  play.log(at, "xTR1", "info", "Ethernet1/0 is administratively down");
  play.change(at, "xTR1", "database", "172.16.0.0/24", "changed", "172.16.0.0/24 has no route.", {
    reason: "Ethernet1/0 went down: the EID prefix has no route any more.",
  });
  play.change(at, "xTR1", "away", "172.16.0.0/24", "added", "172.16.0.0/24 is away.", {
    reason: "A local EID prefix lost its route.",
  });
  const echo = "192.168.0.22 > 172.16.0.12 echo request 2";
  const far = play.send(at + S, "B", "xTR2", "native", echo, { packet: "echo2" });
  const there = play.send(far, "xTR2", "xTR1", "data", `LISP 203.0.113.11 (${echo})`, { packet: "echo2", octets: FAKE_DATA });
  play.decision(there, "xTR1", "echo2", echo, "drop", "The local EID prefix 172.16.0.0/24 has no route.", {
    line: { table: "away", prefix: "172.16.0.0/24" },
  });
  const smr = play.message(there, "xTR1", "xTR2", "SMR", "172.16.0.12 to 192.168.0.22/32", {
    reason: "A data packet for the away prefix 172.16.0.0/24 arrived from xTR2: its map-cache is old.",
    section: "RFC 9301 section 6.1",
  });
  for (const wait of [0, S]) {
    play.message(smr.at + wait, "xTR2", "OldMSMR", "Map-Request", "172.16.0.12/32, SMR-invoked", {
      reason: wait ? "No Map-Reply came within a second: the second try." : "An SMR for 172.16.0.12 arrived.",
      section: "RFC 9301 section 6.1",
      lost: true,
    });
  }
  const retry = play.message(smr.at + 3 * S, "xTR2", "NewMSMR", "Map-Request", "172.16.0.12/32, SMR-invoked", {
    reason: "OldMSMR answered neither of two tries: the next map-resolver.",
    section: "RFC 9301 section 6.1",
  });
  const negative = play.message(retry.at + 30, "NewMSMR", "xTR2", "Map-Reply", "172.16.0.0/24 natively-forward", {
    reason: "No ETR has 172.16.0.0/24 registered.",
    section: "RFC 9301 section 8.1",
    answers: retry.n,
  });
  play.change(negative.at, "xTR2", "map-cache", "172.16.0.0/24", "changed", "172.16.0.0/24 is forward-native for a minute.", {
    reason: "A negative Map-Reply arrived.",
    section: "RFC 9301 section 8.1",
    cause: negative.received,
  });
}

const FAKE_DATA =
  "4500008800004000401100 00c6336415cb00710bc00110f500740000".replaceAll(" ", "") +
  "88a5b21b00000001" +
  "45000064000040003f010000c0a80016ac10000c0800f7ff00010001" +
  "abcd".repeat(36);
