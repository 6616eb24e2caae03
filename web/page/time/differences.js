// @ts-check
// The differences of two runs.

import { flows, packets, tally } from "./packets.js";

/** @import {Item, NodeState} from "../model" */
/** @import {Flow, Packet} from "./packets.js" */

/** @typedef {{at: number, request: any, command?: string}} Deed */

/**
 * A figure of both runs.
 * @typedef {object} Figure
 * @property {string} name
 * @property {number} one
 * @property {number} other
 * @property {"count"|"span"} unit
 * @property {boolean} isBad  whether less is better
 */

/**
 * Returns the first instant at which the actions of two runs differ, or null.
 *
 * @param {Deed[]} one
 * @param {Deed[]} other
 */
export function firstDifference(one, other) {
  const key = (/** @type {Deed|undefined} */ deed) => JSON.stringify(deed && [deed.at, deed.request]);
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    if (key(one[index]) === key(other[index])) continue;
    return Math.min(one[index]?.at ?? Infinity, other[index]?.at ?? Infinity);
  }
  return null;
}

/**
 * Returns the first instant at which the routers of two runs do different things, or null. The items of
 * both runs begin at the same instant.
 *
 * @param {Item[]} one
 * @param {Item[]} other
 */
export function firstEffect(one, other) {
  const [a, b] = [one.filter(isOfRouter), other.filter(isOfRouter)];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    if (a[index] && b[index] && inKey(a[index]) === inKey(b[index])) continue;
    return Math.min(a[index]?.at ?? Infinity, b[index]?.at ?? Infinity);
  }
  return null;
}

/** Returns whether a router did this. Of the decisions, only drops count, because a fast run records no others. @param {Item} item */
const isOfRouter = (item) => item.kind === "message" || item.kind === "change" || (item.kind === "decision" && item.verdict === "drop");

/** Returns the members that are equal if an item is in both runs. @param {any} item */
const inKey = ({ at, kind, node, direction, name, octets, table, key, change, verdict, summary }) =>
  JSON.stringify([at, kind, node, direction, name, octets, table, key, change, verdict, summary]);

/**
 * Returns the figures of two runs: losses and longest interruptions of each flow, and the numbers of messages and
 * changes by name.
 *
 * @param {Item[]} one
 * @param {Item[]} other
 * @param {{nodeOf: (address: string) => string|undefined, nameOf: (address: string) => string, now: number}} names
 * @returns {Figure[]}
 */
export function figures(one, other, { nodeOf, nameOf, now }) {
  const [a, b] = [tally(one, now, nodeOf), tally(other, now, nodeOf)];
  const key = (/** @type {Flow} */ { source, destination }) => `${nameOf(source)} to ${nameOf(destination)}`;
  /** @param {Flow[]} list */
  const byKey = (list) => new Map(list.map((flow) => [key(flow), flow]));
  const [flowsA, flowsB] = [byKey(a.flows), byKey(b.flows)];
  /** @type {Figure[]} */
  const found = [];
  for (const name of new Set([...flowsA.keys(), ...flowsB.keys()])) {
    const of = (/** @type {"sent"|"lost"|"longest"} */ member) => ({ one: flowsA.get(name)?.[member] ?? 0, other: flowsB.get(name)?.[member] ?? 0 });
    found.push({ name: `${name}: packets sent`, ...of("sent"), unit: "count", isBad: false });
    found.push({ name: `${name}: packets lost`, ...of("lost"), unit: "count", isBad: true });
    found.push({ name: `${name}: longest silence`, ...of("longest"), unit: "span", isBad: true });
  }
  found.push(...counts("", a.messages, b.messages), ...counts("changes of ", a.changes, b.changes));
  return found;
}

/**
 * @param {string} before
 * @param {Record<string, number>} one
 * @param {Record<string, number>} other
 * @returns {Figure[]}
 */
function counts(before, one, other) {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
  return names.map((name) => ({ name: `${before}${name}`, one: one[name] ?? 0, other: other[name] ?? 0, unit: "count", isBad: false }));
}

/**
 * Finds the flow that lost most packets in the two runs together. Returns its packets in each run.
 *
 * @param {Item[]} one
 * @param {Item[]} other
 * @param {number} now
 * @param {(address: string) => string|undefined} nodeOf
 * @returns {{flow: Flow|null, one: Packet[], other: Packet[]}}
 */
export function worstFlow(one, other, now, nodeOf) {
  const [a, b] = [packets(one, nodeOf), packets(other, nodeOf)];
  const all = flows([...a, ...b], now);
  const flow = all.sort((x, y) => y.lost - x.lost || y.sent - x.sent)[0] ?? null;
  const own = (/** @type {Packet[]} */ list) =>
    list.filter(({ source, destination }) => source === flow?.source && destination === flow.destination);
  return { flow, one: own(a), other: own(b) };
}

/**
 * Returns the actions before a run in which the ITRs ignore SMRs: the lines for each router, at the start.
 *
 * @param {NodeState[]} nodes
 * @returns {Deed[]}
 */
export function withoutSmrs(nodes) {
  const routers = nodes.filter(({ roles }) => roles.includes("itr") || roles.includes("pitr"));
  return routers.flatMap(({ name }) =>
    IGNORE.map((line) => ({ at: 0, request: { op: "console", node: name, line }, command: `${name}# ${line}` })),
  );
}

const IGNORE = ["configure terminal", "router lisp", "ipv4 solicit-map-request ignore", "ipv6 solicit-map-request ignore", "end"];

/**
 * The manners in which a host moves to another LAN, each with the words for it.
 *
 * @type {[string, string][]}
 */
export const MANNERS = [
  ["atomic", "at once"],
  ["make-before-break", "make before break"],
  ["break-before-make", "break before make"],
];

/**
 * Returns the actions that can replace an action.
 *
 * @param {any} request
 * @returns {{name: string, request: any}[]}
 */
export function variants(request) {
  const without = { name: "without it", request: null };
  const hand = request.hand;
  const as = (/** @type {string} */ name, /** @type {any} */ change) => ({ name, request: { ...request, hand: { ...hand, ...change } } });
  switch (hand?.kind) {
    case "move":
      return [...MANNERS.filter(([how]) => how !== (hand.how ?? "atomic")).map(([how, name]) => as(name, { how })), without];
    case "stop": return [as("killed, without a last message", { kind: "kill" }), without];
    case "kill": return [as("stopped, with a last message", { kind: "stop" }), without];
    default: return [without];
  }
}
