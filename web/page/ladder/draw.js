// @ts-check
// Draws one row of the ladder.

import { s } from "../dom.js";
import { clock, span } from "../format.js";
import { HEIGHTS, subject, TIME_WIDTH } from "./rows.js";

/** @import {MessageRow, NoteRow, Row} from "./rows.js" */
/** @import {Item} from "../model" */

/** @typedef {{x: Map<string, number>, width: number, step: number}} Lifelines */

/**
 * Returns the drawing of a row.
 *
 * @param {Row} row
 * @param {number} top
 * @param {Lifelines} lines
 * @param {string} state  "chosen", "related" or empty
 * @param {Row} [before] the row above
 */
export function rowElement(row, top, lines, state, before) {
  const height = HEIGHTS[row.kind];
  const parts =
    row.kind === "message" ? message(row, lines) : row.kind === "note" ? note(row, lines) : gap(row.span, lines);
  if (row.kind === "gap") return s("g", { class: "row gap", transform: `translate(0 ${top})`, "aria-hidden": "true" }, parts);
  return s(
    "g",
    {
      class: `row ${row.kind} ${state}`,
      transform: `translate(0 ${top})`,
      role: "option",
      id: `row-${row.n}`,
      "data-n": row.n,
      "aria-selected": String(state === "chosen"),
      "aria-label": `${clock(row.at)}: ${words(row)}`,
    },
    s("rect", { class: "band", width: lines.width, height }),
    s("text", { class: "time", x: TIME_WIDTH - 2, y: row.kind === "message" ? 21 : 15, "text-anchor": "end" }, timeText(row, before)),
    parts,
  );
}

/**
 * Returns the time of a row. This is its instant. For a row less than a millisecond after the row above, it is the time
 * between the two rows.
 *
 * @param {Row} row
 * @param {Row | undefined} before
 */
export function timeText(row, before) {
  const since = before && before.kind !== "gap" ? row.at - before.at : Infinity;
  if (since >= 1000) return clock(row.at);
  return since > 0 ? `+ ${span(since)}` : "";
}

/**
 * Returns a row in words.
 *
 * @param {Row} row
 */
export function words(row) {
  if (row.kind === "gap") return span(row.span);
  if (row.kind === "note") return `${row.node}: ${textOf(row.item)}`;
  const to = row.to ?? row.item.destination;
  return `${row.from ?? row.item.source} to ${to}: ${row.item.summary}${row.arrives === null ? ", not received" : ""}`;
}

/**
 * @param {MessageRow} row
 * @param {Lifelines} lines
 */
function message(row, lines) {
  const { item } = row;
  const from = lines.x.get(row.from ?? "") ?? TIME_WIDTH + 8;
  const end = lines.x.get(row.to ?? "") ?? lines.width - 6;
  const arrived = row.arrives !== null;
  const to = arrived ? end : from + (end - from) * 0.55;
  const way = Math.sign(end - from) || 1;
  const kind = item.transport === "tcp" ? "tcp" : item.name === "SMR" ? "control smr" : "control";
  const y1 = 19;
  const y2 = arrived ? 28 : 24;
  const head = arrived
    ? s("path", { class: "head", d: `M${to} ${y2}l${-8 * way}-5.2l${1.2 * way} 8.6z` })
    : s("path", { class: "cross", d: `M${to - 4} ${y2 - 4}l8 8m0-8l-8 8` });
  return [
    s("line", { class: `arrow ${kind}`, x1: from, y1, x2: arrived ? to - 5 * way : to, y2: arrived ? y2 - 0.6 : y2 }),
    s("g", { class: `ends ${kind}` }, head, s("circle", { cx: from, cy: y1, r: 2.6 })),
    label(item, Math.min(from, end), Math.max(from, end), lines.width),
  ];
}

/**
 * @param {import("../model").MessageItem} item
 * @param {number} left
 * @param {number} right
 * @param {number} width
 */
function label(item, left, right, width) {
  const about = subject(item);
  const room = Math.floor((width - TIME_WIDTH - 12) / 6.5) - item.name.length;
  const short = about.length > room ? `${about.slice(0, Math.max(0, room - 1))}…` : about;
  const middle = (left + right) / 2;
  const half = (item.name.length * 7 + short.length * 6.2 + 4) / 2;
  const x = Math.max(TIME_WIDTH + 6 + half, Math.min(width - 6 - half, middle));
  return s(
    "text",
    { class: "label", x, y: 12, "text-anchor": "middle" },
    s("title", {}, item.summary),
    s("tspan", { class: "what" }, item.name),
    s("tspan", { class: "about", dx: 4 }, short),
  );
}

/**
 * @param {NoteRow} row
 * @param {Lifelines} lines
 */
function note(row, lines) {
  const { item } = row;
  const x = lines.x.get(row.node) ?? TIME_WIDTH + 8;
  const text = textOf(row.item);
  const leftHalf = x < (TIME_WIDTH + lines.width) / 2;
  const room = Math.floor((leftHalf ? lines.width - x - 14 : x - TIME_WIDTH - 14) / 6.1);
  const short = text.length > room ? `${text.slice(0, Math.max(1, room - 1))}…` : text;
  return [
    s("g", { class: `mark ${markOf(row.item)}`, transform: `translate(${x} 11)` }, form(row.item)),
    s("text", { class: "noted", x: leftHalf ? x + 10 : x - 10, y: 15, "text-anchor": leftHalf ? "start" : "end" }, s("title", {}, item.kind === "change" ? item.text : text), short),
  ];
}

/** @param {Item} item */
function textOf(item) {
  if (item.kind === "change") return `${item.table} ${item.key}${item.change === "added" ? "" : ` ${item.change}`}`;
  if (item.kind === "decision") return `dropped ${item.summary}`;
  return item.kind === "log" ? item.text : "";
}

/** @param {Item} item */
function markOf(item) {
  if (item.kind === "change") return item.change;
  return item.kind === "decision" ? "dropped" : "line";
}

/** @param {Item} item the form of a note: plus, minus, dot or cross */
function form(item) {
  const mark = markOf(item);
  if (mark === "dropped") return s("path", { d: "M-4-4L4 4M4-4L-4 4" });
  if (mark === "line") return s("circle", { r: 2.4 });
  const sign = { added: "M-3 0H3M0-3V3", removed: "M-3 0H3", changed: "M-3-1.6H3M-3 1.6H3" }[mark] ?? "";
  return [s("circle", { r: 6 }), s("path", { d: sign })];
}

/**
 * @param {number} pause
 * @param {Lifelines} lines
 */
function gap(pause, lines) {
  return [
    s("line", { class: "pause", x1: TIME_WIDTH, x2: lines.width, y1: 12, y2: 12 }),
    s("text", { class: "time", x: TIME_WIDTH - 2, y: 16, "text-anchor": "end" }, `+ ${span(pause)}`),
  ];
}

/**
 * Draws the lifelines between two heights.
 *
 * @param {Lifelines} lines
 * @param {number} top
 * @param {number} bottom
 */
export function lifelineElements(lines, top, bottom) {
  return [...lines.x.values()].map((x) => s("line", { class: "lifeline", x1: x, x2: x, y1: top, y2: bottom }));
}

/**
 * Draws the names over the lifelines.
 *
 * @param {Lifelines} lines
 */
export function nameElements(lines) {
  const room = Math.max(5, Math.floor(lines.step / 7));
  return [...lines.x].map(([name, x], i) =>
    s(
      "text",
      { class: "router", x, y: lines.step < 74 && i % 2 ? 14 : 29, "text-anchor": "middle", "data-node": name },
      s("title", {}, name),
      name.length > room * 1.7 ? `${name.slice(0, room)}…` : name,
    ),
  );
}
