// @ts-check
// Finds the moments of a move or a failure in the items of a run: the last packet on the old way, the actions of the
// routers after that, and the first packet on the new way.

import { flows, isLost, packets } from "./packets.js";

/** @import {Item} from "../model" */
/** @import {Flow, Packet} from "./packets.js" */

/**
 * A moment of the picture.
 * @typedef {object} Moment
 * @property {string} name
 * @property {number} at
 * @property {string} text the node and its action, in a sentence
 * @property {number|null} n  the item
 * @property {"packet"|"node"|"message"} form
 */

/**
 * The sequence of events after a move or a failure.
 * @typedef {object} Course
 * @property {{source: string, destination: string}|null} flow
 * @property {Flow[]} flows all flows in this time
 * @property {Packet[]} packets  those of the flow
 * @property {Packet[]} lost
 * @property {number|null} interruption the time between the last arrival before and the first arrival after
 * @property {number|null} last the last arrival on the old way
 * @property {number|null} first the first arrival on the new way
 * @property {Moment[]} moments
 */

const REGISTRATION = ["Map-Register", "Registration"];
const NOTIFY = ["Map-Notify", "Registration-Ack", "Mapping-Notification"];
const DETECTION = ["dynamic-eids", "database", "away"];

/**
 * Returns the sequence of events after an instant.
 *
 * @param {Item[]} items
 * @param {object} place
 * @param {number} place.at   the move or the failure
 * @param {number} place.end  the end of the picture
 * @param {(address: string) => string|undefined} place.nodeOf
 * @param {{source: string, destination: string}|null} [place.flow]  by default the flow that lost most
 * @returns {Course}
 */
export function course(items, { at, end, nodeOf, flow = null }) {
  const all = packets(items, nodeOf);
  const chosen = flow ?? worst(all.filter((packet) => packet.at <= end), at);
  const own = all.filter(
    ({ source, destination }) => source === chosen?.source && destination === chosen.destination,
  );
  const { last, first, lost } = interruption(own, at, end);
  const moments = [...packetMoments(last, first), ...control(items, at, end)].sort((a, b) => a.at - b.at);
  return {
    flow: chosen,
    flows: flows(all, end),
    packets: own,
    lost,
    last: last?.arrived ?? null,
    first: first?.arrived ?? null,
    interruption: last?.arrived && first?.arrived ? first.arrived - last.arrived : null,
    moments,
  };
}

/**
 * Returns the flow that lost most packets after an instant. If no flow lost a packet, returns the largest flow.
 *
 * @param {Packet[]} list
 * @param {number} at
 */
function worst(list, at) {
  /** @type {Map<string, {flow: {source: string, destination: string}, weight: number}>} */
  const flows = new Map();
  for (const { source, destination, arrived, at: sent } of list) {
    const name = `${source} ${destination}`;
    const entry = flows.get(name) ?? { flow: { source, destination }, weight: 0 };
    entry.weight += arrived === null && sent >= at ? 1000 : 1;
    flows.set(name, entry);
  }
  const best = [...flows.values()].sort((a, b) => b.weight - a.weight)[0];
  return best?.flow ?? null;
}

/**
 * @param {Packet[]} list  the packets of one flow
 * @param {number} at
 * @param {number} end
 */
function interruption(list, at, end) {
  const before = list.filter((packet) => packet.arrived !== null && packet.arrived <= at);
  const way = before.at(-1)?.way.join();
  const isOld = (/** @type {Packet} */ packet) => way === undefined || packet.way.join() === way;
  let last = before.at(-1) ?? null;
  let first = null;
  const lost = [];
  for (const packet of list) {
    if (packet.at > end || (packet.arrived !== null && packet.arrived <= at)) continue;
    if (isLost(packet, end)) {
      if (packet.last >= at || packet.at >= at) lost.push(packet);
    } else if (packet.arrived === null) continue;
    else if (lost.length === 0 && isOld(packet)) last = packet;
    else if (!first) first = packet;
  }
  return { last, first, lost };
}

/**
 * @param {Packet|null} last
 * @param {Packet|null} first
 * @returns {Moment[]}
 */
function packetMoments(last, first) {
  const by = (/** @type {Packet} */ packet) => `${packet.source} to ${packet.destination}, by ${packet.way.join(", ")}`;
  return [
    ...(last ? [moment("Last packet, old way", last.arrived ?? last.at, by(last), null, "packet")] : []),
    ...(first ? [moment("First packet, new way", first.arrived ?? first.at, by(first), null, "packet")] : []),
  ];
}

/**
 * @param {string} name
 * @param {number} at
 * @param {string} text
 * @param {number|null} n
 * @param {Moment["form"]} form
 * @returns {Moment}
 */
function moment(name, at, text, n, form) {
  return { name, at, text, n, form };
}

/**
 * Returns the moments of routers. Each moment is the first item of its kind that the previous moment can have caused.
 *
 * @param {Item[]} items
 * @param {number} at
 * @param {number} end
 * @returns {Moment[]}
 */
function control(items, at, end) {
  const later = items.filter((item) => item.at >= at && item.at <= end);
  /**
   * @param {(item: any) => boolean} wanted
   * @param {Item|undefined} after
   * @returns {any}
   */
  const next = (wanted, after) => later.find((item) => (!after || item.n > after.n) && wanted(item));
  const sent = (/** @type {string[]} */ names) => (/** @type {any} */ item) =>
    item.kind === "message" && item.direction === "sent" && names.includes(item.name);
  const received = (/** @type {string[]} */ names) => (/** @type {any} */ item) =>
    item.kind === "message" && item.direction === "received" && names.includes(item.name);

  const detection = next((item) => item.kind === "change" && DETECTION.includes(item.table), undefined);
  const registration =
    detection && next((item) => sent(REGISTRATION)(item) && item.node === detection.node, detection);
  const notify =
    registration && next((item) => received(NOTIFY)(item) && item.node === registration.node, registration);
  const smr = next(sent(["SMR"]), undefined);
  const told = smr && next((item) => received(["SMR"])(item) && (item.sent === smr.n || item.sent == null), smr);
  const request = told && next((item) => sent(["Map-Request"])(item) && item.node === told.node, told);
  const reply = request && next((item) => received(["Map-Reply"])(item) && item.node === request.node, request);
  /** @type {[string, any, Moment["form"]][]} */
  const found = [
    ["Detection", detection, "node"],
    ["Registration", registration, "message"],
    ["Notify", notify, "message"],
    ["SMR", smr, "message"],
    ["Request", request, "message"],
    ["Reply", reply, "message"],
  ];
  return found
    .filter(([, item]) => item)
    .map(([name, item, form]) => moment(name, item.at, `${item.node}: ${item.text ?? item.summary}`, item.n, form));
}
