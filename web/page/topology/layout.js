// @ts-check
// Finds a place for each node: the core in the middle, sites above it, map-servers, proxies and all other nodes below.
// If there are many sites, some are below too. Dagre orders the nodes so that few links cross.

import dagre from "@dagrejs/dagre";

/** @import {NodeState, SegmentState} from "../model" */

/**
 * @typedef {object} Place
 * @property {number} x     between 0 and 1
 * @property {number} y     between 0 and 1
 * @property {number} side  -1 above the core, 0 in it, 1 below it
 * @property {string} group the name of the site: its first node
 */

/**
 * @typedef {object} Layout
 * @property {Map<string, Place>} places
 * @property {Map<string, {x: number, y: number}>} hubs  the bars of LANs with more than one router
 * @property {number} columns the maximum number of nodes side by side
 * @property {number} rows     the distances between rows
 */

/** The maximum number of sites above the core. Further sites are below. */
const MOST_ABOVE = 7;

/** @param {NodeState} node */
const isCore = (node) => node.kind === "core";

/**
 * Returns the connected parts of a lab without its core.
 *
 * @param {NodeState[]} nodes
 * @param {SegmentState[]} segments
 * @returns {NodeState[][]}
 */
export function sites(nodes, segments) {
  const outside = new Map(nodes.filter((node) => !isCore(node)).map((node) => [node.name, node]));
  const passes = segments.filter(({ ports }) => ports.every(({ node }) => outside.has(node)));
  /** @type {Set<string>} */
  const seen = new Set();
  const found = [];
  for (const first of outside.values()) {
    if (seen.has(first.name)) continue;
    const site = [first];
    seen.add(first.name);
    for (const here of site) {
      for (const { ports } of passes) {
        if (!ports.some(({ node }) => node === here.name)) continue;
        for (const { node } of ports) {
          if (seen.has(node)) continue;
          seen.add(node);
          site.push(/** @type {NodeState} */ (outside.get(node)));
        }
      }
    }
    found.push(site);
  }
  return found;
}

/**
 * Whether a part of a lab has EIDs: a router that is ITR or ETR.
 *
 * @param {NodeState[]} site
 */
export function hasEids(site) {
  return site.some(({ roles }) => roles.includes("itr") || roles.includes("etr"));
}

/** @param {NodeState[]} site */
function width(site) {
  const hosts = site.filter(({ kind }) => kind === "host").length;
  return Math.max(1, hosts, site.length - hosts);
}

/**
 * Returns the side of each node: above or below the core.
 *
 * @param {NodeState[]} nodes
 * @param {SegmentState[]} segments
 * @returns {Map<string, {side: number, group: string}>}
 */
function sides(nodes, segments) {
  const all = sites(nodes, segments);
  const total = (/** @type {NodeState[][]} */ list) => list.reduce((sum, site) => sum + width(site), 0);
  const above = all.filter(hasEids);
  const below = all.filter((site) => !hasEids(site));
  while (total(above) > MOST_ABOVE && total(above) > total(below) + 1) {
    below.unshift(/** @type {NodeState[]} */ (above.pop()));
  }
  const result = new Map();
  for (const site of all) {
    const side = above.includes(site) ? -1 : 1;
    for (const { name } of site) result.set(name, { side, group: site[0].name });
  }
  return result;
}

/**
 * Whether a segment is drawn as a bar: more than one router or core node is on it.
 *
 * @param {SegmentState} segment
 * @param {Map<string, NodeState>} byName
 */
export function isBar(segment, byName) {
  const routers = segment.ports.filter(({ node }) => byName.get(node)?.kind !== "host");
  return segment.ports.length > 2 && routers.length > 1;
}

/**
 * Returns the layout of a lab.
 *
 * @param {NodeState[]} nodes
 * @param {SegmentState[]} segments
 * @returns {Layout}
 */
export function arrange(nodes, segments) {
  const where = sides(nodes, segments);
  const given = nodes.length > 0 && nodes.every(({ position }) => position);
  const found = given ? placed(nodes, segments) : ordered(nodes, segments, where);
  const places = new Map();
  for (const { name } of nodes) {
    const point = /** @type {{x: number, y: number}} */ (found.points.get(name));
    places.set(name, { ...point, ...(where.get(name) ?? { side: 0, group: "" }) });
  }
  return { places, hubs: found.hubs, columns: found.columns, rows: found.rows };
}

/**
 * Uses the positions of lab.toml.
 *
 * @param {NodeState[]} nodes
 * @param {SegmentState[]} segments
 */
function placed(nodes, segments) {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const points = new Map(
    nodes.map(({ name, position }) => [name, { x: position?.[0] ?? 0, y: position?.[1] ?? 0 }]),
  );
  const hubs = new Map();
  for (const segment of segments.filter((it) => isBar(it, byName))) {
    const ends = segment.ports.map(({ node }) => points.get(node)).filter((end) => end !== undefined);
    const mean = (/** @type {"x" | "y"} */ axis) =>
      ends.reduce((sum, end) => sum + end[axis], 0) / ends.length;
    hubs.set(segment.name, { x: mean("x"), y: mean("y") });
  }
  unit([points, hubs]);
  return { points, hubs, columns: Math.ceil(Math.sqrt(nodes.length)), rows: 9 };
}

/**
 * Orders the nodes in tiers: hosts, routers, core, routers, hosts.
 *
 * @param {NodeState[]} nodes
 * @param {SegmentState[]} segments
 * @param {Map<string, {side: number}>} where
 */
function ordered(nodes, segments, where) {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const tier = (/** @type {string} */ name) => {
    const depth = byName.get(name)?.kind === "host" ? 2 : 1;
    return (where.get(name)?.side ?? 0) * depth;
  };
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 16, ranksep: 30, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name, kind } of nodes) graph.setNode(`n:${name}`, { width: kind === "core" ? 76 : 92, height: 40 });
  for (const segment of segments) connect(graph, segment, byName, tier);
  dagre.layout(graph);

  const points = new Map();
  const hubs = new Map();
  const columns = new Map();
  for (const { name } of nodes) {
    const row = tier(name);
    points.set(name, { x: graph.node(`n:${name}`).x, y: row * 2 });
    columns.set(row, (columns.get(row) ?? 0) + 1);
  }
  for (const segment of segments) {
    if (!isBar(segment, byName)) continue;
    const rows = segment.ports.map(({ node }) => tier(node));
    const [low, high] = [Math.min(...rows), Math.max(...rows)];
    const y = low === high ? low * 2 + (low < 0 ? 1 : -1) : low + high;
    hubs.set(segment.name, { x: graph.node(`s:${segment.name}`).x, y });
  }
  unit([points, hubs]);
  // The first node of the lab is on the left.
  if ((points.get(nodes[0]?.name)?.x ?? 0) > 0.5) {
    for (const point of [...points.values(), ...hubs.values()]) point.x = 1 - point.x;
  }
  const tiers = [...columns.keys()];
  const rows = tiers.length > 0 ? Math.max(...tiers) - Math.min(...tiers) : 1;
  return { points, hubs, columns: Math.max(1, ...columns.values()), rows };
}

/**
 * Adds the links of a segment to the graph.
 *
 * @param {any} graph
 * @param {SegmentState} segment
 * @param {Map<string, NodeState>} byName
 * @param {(name: string) => number} tier
 */
function connect(graph, segment, byName, tier) {
  const ends = segment.ports.map(({ node }) => node).filter((name) => byName.has(name));
  const hub = `s:${segment.name}`;
  if (isBar(segment, byName)) {
    graph.setNode(hub, { width: 40, height: 10 });
    const middle = ends.reduce((sum, end) => sum + tier(end), 0) / ends.length;
    for (const end of ends) {
      if (tier(end) <= middle) graph.setEdge(`n:${end}`, hub, { minlen: 1, weight: 2 }, end);
      else graph.setEdge(hub, `n:${end}`, { minlen: 1, weight: 2 }, end);
    }
    return;
  }
  const center = ends.find((end) => byName.get(end)?.kind !== "host") ?? ends[0];
  for (const end of ends.filter((it) => it !== center)) {
    const [a, b] = tier(end) < tier(center) ? [end, center] : [center, end];
    if (tier(a) === tier(b)) {
      // A point below two nodes of one tier keeps them side by side.
      graph.setNode(hub, { width: 1, height: 1 });
      graph.setEdge(`n:${a}`, hub, { minlen: 1, weight: 3 }, "a");
      graph.setEdge(`n:${b}`, hub, { minlen: 1, weight: 3 }, "b");
    } else {
      graph.setEdge(`n:${a}`, `n:${b}`, { minlen: 2, weight: 2 }, segment.name);
    }
  }
}

/**
 * Scales points, in place, to the range from 0 to 1 on both axes.
 *
 * @param {Map<string, {x: number, y: number}>[]} maps
 */
function unit(maps) {
  const all = maps.flatMap((map) => [...map.values()]);
  for (const axis of /** @type {("x" | "y")[]} */ (["x", "y"])) {
    const low = Math.min(...all.map((point) => point[axis]));
    const high = Math.max(...all.map((point) => point[axis]));
    for (const point of all) point[axis] = high === low ? 0.5 : (point[axis] - low) / (high - low);
  }
}
