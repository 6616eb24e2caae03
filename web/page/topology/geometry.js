// @ts-check
// Makes the picture from a layout: sizes, lines, zones, and points on lines.

/** @import {Layout} from "./layout.js" */
/** @import {NodeState, SegmentState} from "../model" */

/** @typedef {{x: number, y: number}} Point */
/**
 * @typedef {{from: Point, via: Point | null, to: Point}} Line a straight line, or a curve with the
 * control point `via`
 */

/**
 * @typedef {object} Sizes
 * @property {number} width   of a router
 * @property {number} height  of a router
 * @property {number} font
 * @property {boolean} roomy  there is room for addresses
 * @property {boolean} ports  there is room for the names of interfaces
 */

/**
 * @typedef {object} Picture
 * @property {Map<string, Point>} at       the centre of each node
 * @property {Map<string, Point>} hubs
 * @property {Sizes} sizes
 * @property {number} width
 * @property {number} height
 */

/**
 * The width of the narrowest cell in which a name can be read. If there is less room, the picture
 * is larger than the stage.
 */
const NARROWEST = 66;
/** The largest distances between neighbours, and between rows. */
const WIDEST = 210;
const TALLEST = 150;
const TOP = 50;
const BOTTOM = 46;

/**
 * Fits a layout into a stage.
 *
 * @param {Layout} layout
 * @param {number} width
 * @param {number} height
 * @returns {Picture}
 */
export function fit(layout, width, height) {
  const wide = Math.max(width, layout.columns * NARROWEST + 24);
  const tall = Math.max(height, 280);
  const cell = closest(layout, wide);
  const sizes = sizesFor(cell);
  const marginX = sizes.width / 2 + 22;
  const spanX = Math.min(wide - 2 * marginX, (WIDEST * (wide - 110)) / Math.max(cell, 1));
  const spanY = Math.min(tall - TOP - BOTTOM, layout.rows * TALLEST);
  const left = (wide - spanX) / 2;
  const upper = TOP + (tall - TOP - BOTTOM - spanY) / 2;
  const place = (/** @type {Point} */ { x, y }) => ({
    x: Math.round(left + x * spanX),
    y: Math.round(upper + y * spanY),
  });
  const at = new Map([...layout.places].map(([name, point]) => [name, place(point)]));
  const hubs = new Map([...layout.hubs].map(([name, point]) => [name, place(point)]));
  return { at, hubs, sizes, width: wide, height: tall };
}

/**
 * Returns the smallest distance between neighbours of one row.
 *
 * @param {Layout} layout
 * @param {number} width
 */
function closest(layout, width) {
  let least = width;
  /** @type {Map<number, number[]>} */
  const rows = new Map();
  for (const { x, y } of layout.places.values()) {
    const key = Math.round(y * 100);
    rows.set(key, [...(rows.get(key) ?? []), x]);
  }
  for (const row of rows.values()) {
    row.sort((a, b) => a - b);
    for (let i = 1; i < row.length; i += 1) least = Math.min(least, (row[i] - row[i - 1]) * (width - 110));
  }
  return least;
}

/**
 * @param {number} cell
 * @returns {Sizes}
 */
function sizesFor(cell) {
  if (cell >= 108) return { width: 98, height: 50, font: 13, roomy: true, ports: true };
  if (cell >= 84) return { width: 80, height: 48, font: 12, roomy: true, ports: false };
  const width = Math.max(44, Math.min(70, Math.floor(cell) - 10));
  return { width, height: 46, font: width < 52 ? 10.5 : 11.5, roomy: false, ports: false };
}

/**
 * Returns the half extents of a node's shape.
 *
 * @param {NodeState["kind"]} kind
 * @param {Sizes} sizes
 */
export function extent(kind, { width, height }) {
  if (kind === "router") return { rx: width / 2, ry: height / 2 };
  if (kind === "core") return { rx: Math.min(width * 0.46, 36), ry: 16 };
  return { rx: Math.min(width / 2, 34), ry: 14 };
}

/** The smallest size of the letters of a name. */
const SMALLEST = 9.5;

/**
 * Returns about the width of a bold text in letters of size 1.
 *
 * @param {string} text
 */
export function breadth(text) {
  return text.length * 0.62 + (text.match(/[A-Z]/g)?.length ?? 0) * 0.14;
}

/**
 * Fits a name into a width: with smaller letters, and if they become too small, without its middle. Names of
 * many nodes have the same beginning or the same end.
 *
 * @param {string} name
 * @param {number} width
 * @param {number} font  the largest size of the letters
 */
export function label(name, width, font) {
  const size = Math.max(SMALLEST, Math.min(font, width / breadth(name)));
  let text = name;
  for (let kept = name.length - 2; breadth(text) * size > width + 0.01 && kept >= 3; kept -= 1) {
    const tail = Math.floor(kept / 2);
    text = `${name.slice(0, kept - tail)}…${name.slice(name.length - tail)}`;
  }
  return { text, size };
}

/**
 * Returns the point where a line from a node's centre leaves its shape.
 *
 * @param {Point} center
 * @param {Point} toward
 * @param {{rx: number, ry: number}} half
 * @returns {Point}
 */
export function border(center, toward, { rx, ry }) {
  const dx = toward.x - center.x;
  const dy = toward.y - center.y;
  const scale = Math.max(Math.abs(dx) / rx, Math.abs(dy) / ry);
  if (scale <= 1) return center;
  return { x: center.x + dx / scale, y: center.y + dy / scale };
}

/**
 * Returns the lines of a segment, one for each of its ports.
 *
 * @param {SegmentState} segment
 * @param {Picture} picture
 * @param {(name: string) => NodeState | undefined} node
 * @returns {{node: string, device: string, line: Line}[]}
 */
export function linesOf(segment, picture, node) {
  const ends = segment.ports.filter((port) => picture.at.has(port.node));
  const hub = picture.hubs.get(segment.name);
  const center = (/** @type {string} */ name) => /** @type {Point} */ (picture.at.get(name));
  if (hub) {
    return ends.map((port) => {
      const bar = { x: Math.max(hub.x - 26, Math.min(hub.x + 26, center(port.node).x)), y: hub.y };
      return { ...port, line: { from: center(port.node), via: null, to: bar } };
    });
  }
  const main = ends.find((port) => node(port.node)?.kind !== "host") ?? ends[0];
  const rest = ends.filter((port) => port !== main);
  return rest.map((port) => ({
    ...port,
    line: bowed(center(port.node), center(main.node), picture, [port.node, main.node]),
  }));
}

/**
 * Returns a line that curves around the nodes between its ends.
 *
 * @param {Point} from
 * @param {Point} to
 * @param {Picture} picture
 * @param {string[]} ends
 * @returns {Line}
 */
function bowed(from, to, picture, ends) {
  const inTheWay = [...picture.at].some(([name, point]) => !ends.includes(name) && near(point, from, to, 22));
  if (!inTheWay) return { from, via: null, to };
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  // A horizontal line curves downward. A vertical line curves to the right.
  const sign = dx < 0 ? -1 : 1;
  const by = sign * Math.min(96, 44 + length * 0.1);
  const via = { x: (from.x + to.x) / 2 - (dy / length) * by, y: (from.y + to.y) / 2 + (dx / length) * by };
  return { from, via, to };
}

/**
 * Whether a point lies closer than a distance to the line between two others.
 *
 * @param {Point} point
 * @param {Point} a
 * @param {Point} b
 * @param {number} distance
 */
function near(point, a, b, distance) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const t = ((point.x - a.x) * dx + (point.y - a.y) * dy) / (dx * dx + dy * dy || 1);
  if (t <= 0.04 || t >= 0.96) return false;
  return Math.hypot(a.x + t * dx - point.x, a.y + t * dy - point.y) < distance;
}

/**
 * Returns the point at a part of a line, from 0 to 1.
 *
 * @param {Line} line
 * @param {number} t
 * @returns {Point}
 */
export function pointOn({ from, via, to }, t) {
  const u = 1 - t;
  if (!via) return { x: u * from.x + t * to.x, y: u * from.y + t * to.y };
  return {
    x: u * u * from.x + 2 * u * t * via.x + t * t * to.x,
    y: u * u * from.y + 2 * u * t * via.y + t * t * to.y,
  };
}

/**
 * Returns the `d` of a path.
 *
 * @param {Line} line
 */
export function pathOf({ from, via, to }) {
  const round = (/** @type {Point} */ { x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return via ? `M${round(from)}Q${round(via)} ${round(to)}` : `M${round(from)}L${round(to)}`;
}

/**
 * Returns the way of a packet over a segment: one line, or two lines that meet at a bar or at a shared router.
 *
 * @param {SegmentState} segment
 * @param {string} from
 * @param {string} to
 * @param {Picture} picture
 * @param {(name: string) => NodeState | undefined} node
 * @returns {Line[]}
 */
export function way(segment, from, to, picture, node) {
  const lines = linesOf(segment, picture, node);
  const reversed = (/** @type {Line} */ line) => ({ from: line.to, via: line.via, to: line.from });
  const out = lines.find((it) => it.node === from)?.line;
  const back = lines.find((it) => it.node === to)?.line;
  /** @type {Line[]} */
  const found = [];
  if (out) found.push(out);
  const hub = picture.hubs.get(segment.name);
  if (hub && out && back) found.push({ from: out.to, via: null, to: back.to });
  if (back) found.push(reversed(back));
  if (found.length > 0) return found;
  const [a, b] = [picture.at.get(from), picture.at.get(to)];
  return a && b ? [{ from: a, via: null, to: b }] : [];
}

/**
 * Returns a rectangle around nodes.
 *
 * @param {string[]} names
 * @param {Picture} picture
 * @param {number} padding
 */
export function around(names, picture, padding) {
  const points = names.map((name) => picture.at.get(name)).filter((point) => point !== undefined);
  if (points.length === 0) return null;
  const { width, height } = picture.sizes;
  const left = Math.min(...points.map(({ x }) => x)) - width / 2 - padding;
  const right = Math.max(...points.map(({ x }) => x)) + width / 2 + padding;
  const top = Math.min(...points.map(({ y }) => y)) - height / 2 - padding;
  const bottom = Math.max(...points.map(({ y }) => y)) + height / 2 + padding;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/**
 * Returns a free place for a host that moved to another LAN: beside the hosts of that LAN.
 *
 * @param {Picture} picture
 * @param {Point} beside the place of the LAN's first host, or of its router
 * @param {string} host
 * @returns {Point}
 */
export function freePlace(picture, beside, host) {
  const step = Math.max(picture.sizes.width, 60) + 8;
  const taken = [...picture.at].filter(([name]) => name !== host).map(([, point]) => point);
  const free = (/** @type {Point} */ { x, y }) =>
    taken.every((point) => Math.abs(point.x - x) > step * 0.7 || Math.abs(point.y - y) > 34);
  for (let i = 1; i < 12; i += 1) {
    for (const sign of [1, -1]) {
      const point = { x: beside.x + sign * i * step * 0.8, y: beside.y };
      if (point.x > 30 && point.x < picture.width - 30 && free(point)) return point;
    }
  }
  return { x: beside.x, y: beside.y - 40 };
}
