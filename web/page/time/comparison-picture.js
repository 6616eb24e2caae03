// @ts-check
// The picture of two runs with one time axis. This run is above the middle line, the other run is below it.

import { s } from "../dom.js";
import { span } from "../format.js";
import { isLost } from "./packets.js";
import { tickStep } from "./track.js";

/** @import {Item} from "../model" */
/** @import {Flow, Packet} from "./packets.js" */
/** @import {Colors} from "./timeline-picture.js" */

const WIDTH = 960;
const LEFT = 110;
const RIGHT = 24;
const MIDDLE = 98;
const HEIGHT = 196;

/**
 * @typedef {object} Place
 * @property {number} from
 * @property {number} to
 * @property {number|null} at   the first difference
 * @property {Colors} colors
 * @property {Flow|null} flow
 * @property {Packet[]} one
 * @property {Packet[]} other
 */

/**
 * Returns the picture.
 *
 * @param {{one: Item[], other: Item[]}} items
 * @param {Place} place
 * @param {{nameOf: (address: string) => string}} names
 */
export function comparison(items, place, { nameOf }) {
  const { from, to, at, colors, flow } = place;
  const x = (/** @type {number} */ time) => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const title = flow ? `Packets from ${nameOf(flow.source)} to ${nameOf(flow.destination)}, and messages` : "Messages";
  const text = (/** @type {number} */ left, /** @type {number} */ top, /** @type {string} */ words, more = {}) =>
    s("text", { x: left, y: top, fill: colors.soft, ...more }, words);
  const svg = s(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}, in both runs`, "font-family": "system-ui, sans-serif", "font-size": 12 },
    s("rect", { width: WIDTH, height: HEIGHT, fill: colors.surface }),
    text(12, 20, title, { fill: colors.ink, "font-weight": 650, "font-size": 14 }),
    key(colors),
    text(LEFT - 12, MIDDLE - 26, "this run", { "text-anchor": "end", fill: colors.ink }),
    text(LEFT - 12, MIDDLE + 34, "other run", { "text-anchor": "end", fill: colors.ink }),
    s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: MIDDLE, y2: MIDDLE, stroke: colors.soft }),
    at === null ? null : s("line", { x1: x(at), x2: x(at), y1: 30, y2: HEIGHT - 24, stroke: colors.accent, "stroke-dasharray": "4 3" }),
    lane(place.one, items.one, { x, way: -1, colors, from, to }),
    lane(place.other, items.other, { x, way: 1, colors, from, to }),
    ruler({ from, to, at: at ?? from, x, colors }),
  );
  return svg;
}

/**
 * Draws the packets and messages of a run. Packets are next to the middle line. Messages are farther from it.
 *
 * @param {Packet[]} packets
 * @param {Item[]} items
 * @param {{x: (time: number) => number, way: 1|-1, colors: Colors, from: number, to: number}} place
 */
function lane(packets, items, { x, way, colors, from, to }) {
  const arrived = [];
  const lost = [];
  for (const packet of packets) {
    if (packet.at < from || packet.at > to) continue;
    const left = x(packet.at).toFixed(1);
    if (packet.arrived !== null) arrived.push(`M${left},${MIDDLE + way * 3} v${way * 16}`);
    else if (isLost(packet, to)) lost.push(`M${Number(left) - 4},${MIDDLE + way * 11 - 4} l8,8 m0,-8 l-8,8`);
  }
  const messages = items.filter((item) => item.kind === "message" && item.direction === "sent");
  const dots = messages.map((item) => {
    const special = item.kind === "message" && item.name === "SMR";
    const left = x(item.at);
    const y = MIDDLE + way * 36;
    const shape = special
      ? s("path", { d: `M${left},${y - 6} l6,6 l-6,6 l-6,-6 z`, fill: colors.changed })
      : s("circle", { cx: left, cy: y, r: 3, fill: colors.control });
    shape.append(s("title", {}, /** @type {any} */ (item).summary));
    return shape;
  });
  const count = packets.filter((packet) => isLost(packet, to)).length;
  return s(
    "g",
    {},
    s("path", { d: arrived.join(" "), stroke: colors.good, "stroke-width": 2, fill: "none" }),
    s("path", { d: lost.join(" "), stroke: colors.lost, "stroke-width": 2, fill: "none" }),
    dots,
    s("text", { x: LEFT - 12, y: MIDDLE + (way < 0 ? -11 : 19), "text-anchor": "end", fill: count > 0 ? colors.lost : colors.soft }, `${count} lost`),
  );
}

/** Returns the meanings of the forms. @param {Colors} colors */
function key(colors) {
  const entry = (/** @type {number} */ x, /** @type {Element} */ form, /** @type {string} */ words) =>
    s("g", { transform: `translate(${WIDTH - RIGHT - x} 16)` }, form, s("text", { x: 10, y: 4, "font-size": 11, fill: colors.soft }, words));
  return s(
    "g",
    {},
    entry(268, s("path", { d: "M0,-6 v12", stroke: colors.good, "stroke-width": 2 }), "arrived"),
    entry(206, s("path", { d: "M-4,-4 l8,8 m0,-8 l-8,8", stroke: colors.lost, "stroke-width": 2 }), "lost"),
    entry(162, s("path", { d: "M0,-6 l6,6 l-6,6 l-6,-6 z", fill: colors.changed }), "SMR"),
    entry(114, s("circle", { r: 3, fill: colors.control }), "other message"),
  );
}

/** @param {{from: number, to: number, at: number, x: (time: number) => number, colors: Colors}} place */
function ruler({ from, to, at, x, colors }) {
  const step = tickStep((to - from) / 9);
  const marks = [];
  for (let time = Math.ceil((from - at) / step) * step; at + time <= to; time += step) {
    const label = time === 0 ? "0" : `${time > 0 ? "+" : "−"}${span(Math.abs(time))}`;
    marks.push(s("text", { x: x(at + time), y: HEIGHT - 8, "text-anchor": "middle", "font-size": 11, fill: colors.soft }, label));
  }
  return s("g", {}, marks);
}
