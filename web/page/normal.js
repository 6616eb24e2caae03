// @ts-check
// Converts the JSON of a source to the form that the page uses.

/** @import {Node, Segment} from "./generated" */
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
 * @param {Node} node
 * @returns {NodeState}
 */
function normalNode(node) {
  return {
    ...node,
    roles: (node.roles ?? []).map((/** @type {string} */ role) => ROLES[role] ?? role),
    position: node.position ?? null,
    runs: node.runs !== false,
    addresses: node.addresses ?? [],
    counts: node.counts ?? { mappings: 0, registrations: 0, away: 0 },
    ports: node.ports ?? [],
  };
}

/**
 * @param {Segment & {kind?: "link" | "lan"}} segment
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
