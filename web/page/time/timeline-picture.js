// @ts-check
// The picture of a move or a failure. It contains all its colours, so that it can be saved as a file.

import { s } from "../dom.js";
import { span } from "../format.js";
import { tickStep } from "./track.js";

/** @import {Course, Moment} from "./moments.js" */

const WIDTH = 960;
const LEFT = 110;
const RIGHT = 24;
const LABELS = 3;

/** @typedef {Record<"ink"|"soft"|"line"|"surface"|"good"|"lost"|"control"|"accent"|"changed", string>} Colors */

/**
 * Returns the colours of the page's theme.
 *
 * @param {Element} element
 * @returns {Colors}
 */
export function themeColors(element) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    ink: of("--ink"),
    soft: of("--soft"),
    line: of("--line"),
    surface: of("--surface"),
    good: of("--good"),
    lost: of("--lost"),
    control: of("--control"),
    accent: of("--accent"),
    changed: of("--changed-edge"),
  };
}

/**
 * Returns the time that the picture shows. It begins a little before the first event and ends a little after the last.
 *
 * @param {Course} course
 * @param {{at: number, end: number}} place
 */
export function scope({ moments, lost, last, first }, { at, end }) {
  const instants = [at, ...moments.map((moment) => moment.at), ...lost.map((packet) => packet.last)];
  if (last !== null) instants.push(last);
  if (first !== null) instants.push(first);
  const [low, high] = [Math.min(...instants), Math.min(end, Math.max(...instants))];
  const margin = Math.max(5_000, (high - low) * 0.06);
  return { from: Math.max(0, low - margin), to: high + margin };
}

/**
 * Returns the picture.
 *
 * @param {Course} course
 * @param {object} about
 * @param {number} about.at
 * @param {number} about.from
 * @param {number} about.to
 * @param {string} about.title
 * @param {Colors} about.colors
 * @param {(moment: Moment) => void} [about.pick]
 */
export function picture(course, { at, from, to, title, colors, pick }) {
  const x = (/** @type {number} */ time) => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const rows = { title: 22, labels: 44, control: 44 + LABELS * 16 + 16, packets: 44 + LABELS * 16 + 62, axis: 44 + LABELS * 16 + 100 };
  const height = rows.axis + 26;
  const svg = s("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: "group",
    "aria-label": title,
    "font-family": "system-ui, sans-serif",
    "font-size": 12,
  });
  const text = (/** @type {number} */ left, /** @type {number} */ top, /** @type {string} */ words, more = {}) =>
    s("text", { x: left, y: top, fill: colors.ink, ...more }, words);
  svg.append(
    s("title", {}, title),
    s("rect", { width: WIDTH, height, fill: colors.surface }),
    text(12, rows.title, title, { "font-size": 14, "font-weight": 650 }),
    text(WIDTH - RIGHT, rows.title, inFigures(course), { "text-anchor": "end", fill: colors.soft }),
    text(LEFT - 12, rows.control + 4, "routers", { "text-anchor": "end", fill: colors.soft }),
    text(LEFT - 12, rows.packets + 4, course.flow ? "packets" : "no packets", { "text-anchor": "end", fill: colors.soft }),
    line(LEFT, rows.control, WIDTH - RIGHT, rows.control, colors.line),
    line(LEFT, rows.packets, WIDTH - RIGHT, rows.packets, colors.line),
    ...gap(course, { x, rows, colors }),
    line(x(at), rows.labels - 8, x(at), rows.axis, colors.accent, "4 3"),
    ...course.packets.filter((packet) => packet.at >= from && packet.at <= to).map((packet) => packetMark(packet, { x, rows, colors })),
    ...axis({ from, to, at, x, top: rows.axis, colors }),
    ...labels(course.moments, { x, rows, colors, pick }),
  );
  return svg;
}

/** @param {Course} course */
export function inFigures({ flow, lost, interruption }) {
  if (!flow) return "no packets in this time";
  const flowText = `${flow.source} > ${flow.destination}`;
  const count = `${lost.length} ${lost.length === 1 ? "packet" : "packets"} lost`;
  return `${flowText}: ${count}${interruption === null ? "" : `, ${span(interruption)} without one`}`;
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {string} stroke
 * @param {string} [dashes]
 */
function line(x1, y1, x2, y2, stroke, dashes) {
  return s("line", { x1, y1, x2, y2, stroke, "stroke-dasharray": dashes });
}

/**
 * The time without a packet.
 *
 * @param {Course} course
 * @param {{x: (time: number) => number, rows: any, colors: Colors}} place
 */
function gap({ last, first, interruption }, { x, rows, colors }) {
  if (last === null || first === null || interruption === null) return [];
  const [left, right] = [x(last), x(first)];
  const middle = (left + right) / 2;
  return [
    s("rect", { x: left, y: rows.packets - 14, width: Math.max(1, right - left), height: 28, fill: colors.lost, opacity: 0.12 }),
    s("text", { x: middle, y: rows.packets + 28, fill: colors.lost, "text-anchor": "middle", "font-weight": 600 }, span(interruption)),
  ];
}

/**
 * Draws a packet: a bar if it arrived, a cross if it was lost.
 *
 * @param {import("./packets.js").Packet} packet
 * @param {{x: (time: number) => number, rows: any, colors: Colors}} place
 */
function packetMark(packet, { x, rows, colors }) {
  const title = s("title", {}, `${packet.summary}: ${packet.arrived === null ? "lost" : `arrived by ${packet.way.join(", ")}`}`);
  const at = x(packet.at);
  const y = rows.packets;
  if (packet.arrived !== null) return s("g", {}, title, s("rect", { x: at - 1, y: y - 9, width: 2, height: 18, fill: colors.good }));
  const cross = `M${at - 4},${y - 4} l8,8 M${at + 4},${y - 4} l-8,8`;
  return s("g", {}, title, s("path", { d: cross, stroke: colors.lost, "stroke-width": 2, fill: "none" }));
}

/** @param {{from: number, to: number, at: number, x: (time: number) => number, top: number, colors: Colors}} place */
function axis({ from, to, at, x, top, colors }) {
  const step = tickStep((to - from) / 9);
  /** @type {SVGElement[]} */
  const marks = [line(LEFT, top, WIDTH - RIGHT, top, colors.line)];
  for (let time = Math.ceil((from - at) / step) * step; at + time <= to; time += step) {
    const left = x(at + time);
    const label = time === 0 ? "0" : `${time > 0 ? "+" : "−"}${span(Math.abs(time))}`;
    marks.push(line(left, top, left, top + 4, colors.soft));
    marks.push(s("text", { x: left, y: top + 17, fill: colors.soft, "text-anchor": "middle", "font-size": 11 }, label));
  }
  return marks;
}

/**
 * Draws the names of the moments, in rows, so that they do not cover each other.
 *
 * @param {Moment[]} moments
 * @param {{x: (time: number) => number, rows: any, colors: Colors, pick?: (moment: Moment) => void}} place
 */
function labels(moments, { x, rows, colors, pick }) {
  const ends = new Array(LABELS).fill(-Infinity);
  return moments.map((moment) => {
    const left = x(moment.at);
    const width = moment.name.length * 6.6 + 12;
    const start = Math.min(left, WIDTH - width);
    let row = ends.findIndex((end) => end < start);
    if (row < 0) row = ends.indexOf(Math.min(...ends));
    const shift = Math.max(start, ends[row]);
    ends[row] = shift + width;
    const y = rows.labels + row * 16;
    const color = { packet: colors.good, node: colors.changed, message: colors.control }[moment.form];
    const choose = () => pick?.(moment);
    return s(
      "g",
      {
        tabindex: pick ? 0 : null,
        role: pick ? "button" : null,
        style: pick ? { cursor: "pointer" } : {},
        onclick: choose,
        onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && choose(),
      },
      s("title", {}, `${moment.name}. ${moment.text}`),
      s("path", { d: `M${left},${rows.control} V${y + 4} H${shift + 2}`, stroke: colors.line, fill: "none" }),
      form(moment, left, rows.control, color),
      s("text", { x: shift + 4, y, fill: colors.ink }, moment.name),
    );
  });
}

/**
 * @param {Moment} moment
 * @param {number} x
 * @param {number} y
 * @param {string} fill
 */
function form({ form: kind }, x, y, fill) {
  if (kind === "message") return s("circle", { cx: x, cy: y, r: 5, fill });
  if (kind === "node") return s("rect", { x: x - 4.5, y: y - 4.5, width: 9, height: 9, fill });
  return s("path", { d: `M${x},${y - 6} l6,6 l-6,6 l-6,-6 z`, fill });
}
