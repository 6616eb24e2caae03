// @ts-check
// Draws zones, segments and nodes of a picture.

import { s } from "../dom.js";
import { kindOf, roleNames, shortInterface } from "../format.js";
import { around, border, extent, label, linesOf, pathOf, pointOn } from "./geometry.js";
import { hasEids, sites } from "./layout.js";

/** @import {NodeState, Port, SegmentState, Snapshot} from "../model" */
/** @import {Picture} from "./geometry.js" */

/**
 * Draws the zones: the core, and the sites.
 *
 * @param {Snapshot} snapshot
 * @param {Picture} picture
 */
export function zones(snapshot, picture) {
  const drawn = [];
  const core = snapshot.nodes.filter(({ kind }) => kind === "core").map(({ name }) => name);
  const box = around(core, picture, 10);
  if (box) drawn.push(s("rect", { class: "zone core", ...box, rx: Math.min(30, box.height / 2) }));
  for (const site of sites(snapshot.nodes, snapshot.segments)) {
    if (!site.some(({ kind }) => kind === "host")) continue;
    const zone = around(site.map(({ name }) => name), picture, picture.sizes.roomy ? 10 : 3);
    if (zone) drawn.push(s("rect", { class: hasEids(site) ? "zone site" : "zone outside", ...zone, rx: 16 }));
  }
  return drawn;
}

/**
 * Returns the state of a link's end, for its form: up, down or without a carrier.
 *
 * @param {Port | undefined} port
 */
export function portState(port) {
  if (!port || (port.up && port.carrier)) return "up";
  return port.up ? "dark" : "shut";
}

/**
 * Draws a segment: its lines, its bar, and the ends at the nodes.
 *
 * @param {SegmentState} segment
 * @param {Picture} picture
 * @param {(name: string) => NodeState | undefined} node
 */
export function segmentElement(segment, picture, node) {
  const hub = picture.hubs.get(segment.name);
  const parts = [];
  const lines = linesOf(segment, picture, node);
  const portOf = (/** @type {{node: string, device: string}} */ end) =>
    node(end.node)?.ports.find(({ device }) => device === end.device);
  const down = !segment.up || segment.ports.some((end) => portState(portOf(end)) === "shut");
  for (const { node: end, line } of lines) {
    const d = pathOf(line);
    parts.push(s("path", { class: "hit", d }), s("path", { class: "wire", d, "data-end": end }));
  }
  if (hub) parts.push(s("rect", { class: "bar", x: hub.x - 34, y: hub.y - 2.5, width: 68, height: 5, rx: 2.5 }));
  const center = segment.ports.find((end) => !lines.some((it) => it.node === end.node)) ?? null;
  const ends = lines.flatMap((it) => {
    const far = center && !hub ? [{ ...center, line: { from: it.line.to, via: it.line.via, to: it.line.from } }] : [];
    return [it, ...far];
  });
  for (const end of ends) parts.push(portElement(end, portOf(end), picture, node(end.node)));
  if (lines.length > 0 && (segment.loss > 0 || segment.delay_us >= 5000)) {
    const { x, y } = pointOn(lines[0].line, 0.5);
    const loss = segment.loss > 0 ? `loss ${segment.loss} %` : "";
    const delay = segment.delay_us >= 5000 ? `${segment.delay_us / 1000} ms` : "";
    parts.push(s("text", { class: "trouble", x: x + 6, y: y - 4 }, [delay, loss].filter(Boolean).join(", ")));
  }
  const ports = segment.ports.map((port) => port.node).join(", ");
  return s(
    "g",
    {
      class: `segment${down ? " down" : ""}`,
      "data-segment": segment.name,
      role: "button",
      tabindex: -1,
      "aria-label": `${segment.kind === "lan" ? "LAN" : "link"} ${segment.name}: ${ports}${down ? ", down" : ""}`,
    },
    parts,
  );
}

/**
 * Draws the port at one end of a line.
 *
 * @param {{node: string, line: import("./geometry.js").Line}} end
 * @param {Port | undefined} port
 * @param {Picture} picture
 * @param {NodeState | undefined} owner
 */
function portElement(end, port, picture, owner) {
  if (!owner || owner.kind === "host") return null;
  const { from, via, to } = end.line;
  const at = border(from, via ?? to, extent(owner.kind, picture.sizes));
  const state = portState(port);
  const mark =
    state === "shut"
      ? s("path", { class: "port shut", d: `M${at.x - 4} ${at.y - 4}l8 8m0-8l-8 8` })
      : s("circle", { class: `port ${state}`, cx: at.x, cy: at.y, r: 3.2 });
  if (!port || owner.kind === "core" || !picture.sizes.ports) return mark;
  const away = at.y >= from.y ? 13 : -6;
  const beside = (via ?? to).x >= from.x ? 7 : -7;
  const name = s("text", { class: "interface", x: at.x + beside, y: at.y + away, "text-anchor": beside > 0 ? "start" : "end" }, shortInterface(port.interface));
  return [mark, name];
}

/**
 * Draws a node.
 *
 * @param {NodeState} node
 * @param {Picture} picture
 * @param {boolean} below the node is below the core
 */
export function nodeElement(node, picture, below) {
  const { sizes } = picture;
  const { x, y } = /** @type {{x: number, y: number}} */ (picture.at.get(node.name));
  const { rx, ry } = extent(node.kind, sizes);
  const shape =
    node.kind === "core"
      ? s("ellipse", { class: "shape", rx, ry })
      : s("rect", { class: "shape", x: -rx, y: -ry, width: 2 * rx, height: 2 * ry, rx: node.kind === "host" ? ry : 9 });
  const { text: name, size } = label(node.name, 2 * rx - 8, node.kind === "core" ? sizes.font - 1 : sizes.font);
  /** @type {Element[]} */
  const parts = [shape];
  if (node.kind === "router") {
    const counts = countText(node, sizes.width < 76);
    const first = counts ? -ry + 16 : -1;
    parts.push(s("text", { class: "name", y: first, "font-size": size }, name));
    parts.push(s("text", { class: "roles", y: first + 12 }, roleNames(node.roles)));
    parts.push(s("circle", { class: "news", cx: rx - 3, cy: 3 - ry, r: 5 }, s("title", {}, "A table changed in the last step")));
    parts.push(s("text", { class: `counts${node.counts.away ? " away" : ""}`, y: first + 25 }, counts));
  } else {
    parts.push(s("text", { class: "name", y: size * 0.36, "font-size": size }, name));
  }
  if (node.kind === "host" && sizes.roomy && node.addresses[0]) {
    const address = node.addresses[0].split("/")[0];
    parts.push(s("text", { class: "address", y: below ? ry + 13 : -ry - 6 }, address));
  }
  if (!node.runs) parts.push(s("text", { class: "stopped", y: ry + 12 }, "stopped"));
  return s(
    "g",
    {
      class: `node ${node.kind}${node.runs ? "" : " stops"}`,
      transform: `translate(${x} ${y})`,
      "data-node": node.name,
      role: "button",
      tabindex: -1,
      "aria-label": describe(node),
    },
    s("title", {}, describe(node)),
    parts,
  );
}

/**
 * @param {NodeState} node
 * @param {boolean} narrow
 */
function countText({ counts }, narrow) {
  const parts = [];
  if (counts.mappings) parts.push(narrow ? `${counts.mappings}m` : `${counts.mappings} map`);
  if (counts.registrations) parts.push(narrow ? `${counts.registrations}r` : `${counts.registrations} reg`);
  if (counts.away) parts.push(narrow ? `${counts.away}a` : `${counts.away} away`);
  return parts.join(narrow ? " " : " · ");
}

/** @param {NodeState} node */
export function describe(node) {
  const { mappings, registrations, away } = node.counts;
  const counts = [
    mappings && `${mappings} mappings`,
    registrations && `${registrations} registrations`,
    away && `${away} away`,
  ].filter(Boolean);
  const down = node.ports.filter((port) => portState(port) !== "up").map((port) => `${port.interface} down`);
  const parts = [kindOf(node), ...node.addresses.slice(0, 2), ...counts, ...down];
  return `${node.name}: ${parts.join(", ")}${node.runs ? "" : ", stopped"}`;
}
