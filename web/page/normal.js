// @ts-check
// Brings the JSON of a source into the one form that the page uses.

/** @import {NodeState, Role, SegmentState, Snapshot} from "./model" */

/** @type {Record<string, Role>} */
const ROLES = { "proxy-itr": "pitr", "proxy-etr": "petr" };

/**
 * Returns a snapshot with all members of the model.
 *
 * @param {any} snapshot
 * @returns {Snapshot}
 */
export function normalSnapshot(snapshot) {
  return {
    lab: { name: String(snapshot.lab?.name ?? "lab"), title: String(snapshot.lab?.title ?? "") },
    now: snapshot.now ?? 0,
    nodes: (snapshot.nodes ?? []).map(normalNode),
    segments: (snapshot.segments ?? []).map(normalSegment),
    flows: snapshot.flows ?? [],
  };
}

/**
 * @param {any} node
 * @returns {NodeState}
 */
function normalNode(node) {
  return {
    ...node,
    kind: node.kind === "node" ? "core" : node.kind,
    roles: (node.roles ?? []).map((/** @type {string} */ role) => ROLES[role] ?? role),
    position: node.position ?? null,
    runs: node.runs !== false,
    addresses: node.addresses ?? [],
    counts: { mappings: 0, registrations: 0, away: 0, ...node.counts },
    ports: node.ports ?? [],
  };
}

/**
 * @param {any} segment
 * @returns {SegmentState}
 */
function normalSegment(segment) {
  return {
    ...segment,
    kind: segment.kind ?? (segment.is_lan ? "lan" : "link"),
    up: segment.up !== false,
    delay_us: segment.delay_us ?? 0,
    loss: segment.loss ?? 0,
    ports: segment.ports ?? [],
  };
}
