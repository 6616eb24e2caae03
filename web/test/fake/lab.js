// @ts-check
// Fake labs in the form of `page/model.d.ts`: the network of gsmr, and a network of 50 nodes.

/** @import {NodeState, Port, SegmentState, Snapshot} from "../../page/model" */

/**
 * Returns a node without ports.
 *
 * @param {string} name
 * @param {NodeState["kind"]} kind
 * @param {string[]} addresses
 * @param {NodeState["roles"]} [roles]
 * @returns {NodeState}
 */
function node(name, kind, addresses, roles = []) {
  const counts = { mappings: 0, registrations: 0, away: 0 };
  return { name, kind, roles, position: null, runs: true, addresses, counts, ports: [] };
}

/**
 * Connects ports, given as "node:interface", and returns the segment.
 *
 * @param {NodeState[]} nodes
 * @param {string} name
 * @param {SegmentState["kind"]} kind
 * @param {string[]} ends
 * @returns {SegmentState}
 */
function segment(nodes, name, kind, ends) {
  const ports = ends.map((end) => {
    const [owner, interface_] = end.split(":");
    const device = interface_.replace(/^Ethernet/, "et").replace("/", "-");
    /** @type {Port} */
    const port = { device, interface: interface_, up: true, carrier: true, segment: name };
    nodes.find((candidate) => candidate.name === owner)?.ports.push(port);
    return { node: owner, device };
  });
  return { name, kind, up: true, delay_us: 100, loss: 0, ports };
}

/**
 * Returns the network of Cisco's document.
 *
 * @returns {Snapshot}
 */
export function gsmr() {
  const nodes = [
    node("xTR1", "router", ["203.0.113.11"], ["itr", "etr"]),
    node("xTR2", "router", ["198.51.100.21"], ["itr", "etr"]),
    node("NewMSMR", "router", ["209.165.201.31"], ["map-server", "map-resolver"]),
    node("OldMSMR", "router", ["209.165.201.41"], ["map-server", "map-resolver"]),
    node("PxTR1", "router", ["192.0.2.51"], ["pitr", "petr"]),
    node("Core1", "core", ["203.0.113.1/24", "100.64.0.1/30", "209.165.201.1/24"]),
    node("Core2", "core", ["198.51.100.1/24", "100.64.0.2/30", "192.0.2.1/24"]),
    node("A", "host", ["172.16.0.12/24", "2001:db8:a::12/64"]),
    node("B", "host", ["192.168.0.22/24", "2001:db8:b::22/64"]),
    node("C", "host", ["10.10.10.10/24", "2001:db8:a10::10/64"]),
    node("D", "host", ["10.20.20.20/24", "2001:db8:a20::20/64"]),
    node("N", "host", ["10.0.0.99/8", "2001:db8:10::99/64"]),
  ];
  const segments = [
    segment(nodes, "link1", "link", ["xTR1:Ethernet0/0", "Core1:eth0"]),
    segment(nodes, "link2", "link", ["xTR2:Ethernet0/0", "Core2:eth0"]),
    segment(nodes, "link3", "link", ["Core1:eth1", "Core2:eth1"]),
    segment(nodes, "msmr", "lan", ["Core1:eth2", "NewMSMR:Ethernet0/0", "OldMSMR:Ethernet0/0"]),
    segment(nodes, "link4", "link", ["PxTR1:Ethernet0/0", "Core2:eth2"]),
    segment(nodes, "siteA", "lan", ["A:eth0", "xTR1:Ethernet1/0"]),
    segment(nodes, "siteC", "lan", ["C:eth0", "xTR1:Ethernet2/0"]),
    segment(nodes, "siteD", "lan", ["D:eth0", "xTR1:Ethernet3/0"]),
    segment(nodes, "siteB", "lan", ["B:eth0", "xTR2:Ethernet1/0"]),
    segment(nodes, "outside", "lan", ["N:eth0", "PxTR1:Ethernet1/0"]),
  ];
  const title = "LISP Generalized SMR: two sites, two MSMRs, a proxy xTR in front of 10.0.0.0/8";
  return { lab: { name: "gsmr", title }, now: 0, nodes, segments, flows: [] };
}

/**
 * Returns a lab of 50 nodes: 20 sites with a router and a host each, six core nodes, three
 * map-servers and a proxy xTR.
 *
 * @returns {Snapshot}
 */
export function fifty() {
  /** @type {NodeState[]} */
  const nodes = [];
  /** @type {SegmentState[]} */
  const segments = [];
  for (let i = 1; i <= 6; i += 1) nodes.push(node(`P${i}`, "core", [`100.64.${i}.1/24`]));
  for (let i = 1; i <= 6; i += 1) {
    segments.push(segment(nodes, `core${i}`, "link", [`P${i}:eth${i}`, `P${(i % 6) + 1}:eth9`]));
  }
  for (let i = 1; i <= 20; i += 1) {
    nodes.push(node(`xTR${i}`, "router", [`203.0.113.${i}`], ["itr", "etr"]));
    nodes.push(node(`H${i}`, "host", [`172.16.${i}.10/24`]));
    const core = `P${((i - 1) % 6) + 1}`;
    segments.push(segment(nodes, `up${i}`, "link", [`xTR${i}:Ethernet0/0`, `${core}:eth${10 + i}`]));
    segments.push(segment(nodes, `lan${i}`, "lan", [`H${i}:eth0`, `xTR${i}:Ethernet1/0`]));
  }
  for (let i = 1; i <= 3; i += 1) {
    nodes.push(node(`MS${i}`, "router", [`209.165.201.${i}`], ["map-server", "map-resolver"]));
    segments.push(segment(nodes, `ms${i}`, "link", [`MS${i}:Ethernet0/0`, `P${i * 2}:eth50`]));
  }
  nodes.push(node("PxTR", "router", ["192.0.2.51"], ["pitr", "petr"]));
  segments.push(segment(nodes, "px", "link", ["PxTR:Ethernet0/0", "P1:eth51"]));
  return { lab: { name: "fifty", title: "Fifty nodes" }, now: 0, nodes, segments, flows: [] };
}
