//! The state of a lab at one time: its nodes, links and ports.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addr::Family;
use crate::lab::file::{LabFile, Node as LabNode, Port as LabPort};
use crate::router::Router;
use crate::router::config::Config;

/// The state of a lab at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The lab.
    pub lab: LabName,
    /// The time in microseconds since the start of the lab.
    pub now: u64,
    /// The nodes, in the order of their names.
    pub nodes: Vec<Node>,
    /// The links and LANs, in the order of the lab file.
    pub segments: Vec<Segment>,
}

/// The name and the title of a lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabName {
    /// The name.
    pub name: String,
    /// The subject of the lab in one line.
    pub title: Option<String>,
}

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A LISP router.
    Router,
    /// A plain router of the core.
    Core,
    /// A host.
    Host,
}

/// A node of the lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: NodeKind,
    /// The position of the node in the picture, if the lab file has a position: x to the right, y
    /// down.
    pub position: Option<[f64; 2]>,
    /// Whether the node runs. A plain router and a host always run.
    pub runs: bool,
    /// The addresses of a host or of a plain router. Empty for a LISP router.
    pub addresses: Vec<String>,
    /// The state of a running router. For any other node, the state is empty.
    #[serde(flatten)]
    pub state: RouterState,
    /// The ports of the node in the lab file.
    pub ports: Vec<Port>,
}

/// The number of entries of each table of a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// The number of entries of the map-cache.
    pub mappings: usize,
    /// The number of prefixes that are registered at this map-server.
    pub registrations: usize,
    /// The number of entries of the away table.
    pub away: usize,
}

/// A port of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    /// The Linux device.
    pub device: String,
    /// The name of the interface in the lab file.
    pub interface: String,
    /// The link or LAN into which the port is plugged.
    pub segment: Option<String>,
    /// Whether the port is administratively up.
    pub up: bool,
    /// Whether the link of the port is up.
    pub carrier: bool,
}

/// A link or a LAN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// The name.
    pub name: String,
    /// Whether this is a LAN with any number of ports. Otherwise it is a link between two ports.
    pub is_lan: bool,
    /// Whether the segment works.
    pub up: bool,
    /// The delay in microseconds.
    pub delay_us: u64,
    /// The percentage of the packets that are lost.
    pub loss: f64,
    /// The ports that are plugged in now, each with its node.
    pub ports: Vec<PluggedPort>,
}

/// A port that is plugged into a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluggedPort {
    /// The node.
    pub node: String,
    /// The device of the node.
    pub device: String,
}

/// The state of a port, from the kernel of its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortState {
    /// Whether the port is administratively up.
    pub up: bool,
    /// Whether the link of the port is up.
    pub carrier: bool,
}

/// The state of a running router.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouterState {
    /// The roles, with their names in IOS: `itr`, `etr`, `proxy-itr`, `proxy-etr`, `map-server`,
    /// `map-resolver`.
    pub roles: Vec<String>,
    /// The number of entries of each table of the router.
    pub counts: Counts,
}

impl RouterState {
    /// Reads the state of a router.
    pub fn of(router: &Router) -> Self {
        let registered = router.map_server().entries().iter();
        let registered = registered.filter(|(_, entry)| !entry.registrations.is_empty());
        let counts = Counts {
            mappings: router.map_cache().entries().len(),
            registrations: registered.count(),
            away: router.away().entries().len(),
        };
        RouterState { roles: roles(router.config()), counts }
    }
}

/// The part of a snapshot that is not in the lab file.
pub trait Ground {
    /// Returns the state of a port.
    fn port(&self, node: &str, device: &str) -> PortState;

    /// Returns the links and LANs with their ports.
    fn segments(&self) -> Vec<Segment>;

    /// Returns the state of the router `node`. Returns `None` if the router does not run.
    fn router(&self, node: &str) -> Option<RouterState>;
}

impl Snapshot {
    /// Takes the snapshot of a lab at the time `now`.
    pub fn of(file: &LabFile, name: &str, ground: &dyn Ground, now: u64) -> Self {
        let segments = ground.segments();
        let mut plugged = BTreeMap::new();
        for segment in &segments {
            for port in &segment.ports {
                plugged.insert((port.node.as_str(), port.device.as_str()), segment.name.as_str());
            }
        }
        let node = |(name, node): (&String, &LabNode)| {
            let ports = file.ports().filter(|port| port.node == *name);
            let port = |port: &LabPort| {
                let PortState { up, carrier } = ground.port(name, &port.device);
                let segment = plugged.get(&(name.as_str(), port.device.as_str()));
                Port {
                    device: port.device.clone(),
                    interface: port.interface.clone(),
                    segment: segment.map(|&segment| segment.to_owned()),
                    up,
                    carrier,
                }
            };
            let router = ground.router(name);
            Node {
                name: name.clone(),
                kind: kind(node),
                position: file.positions.get(name).copied(),
                runs: router.is_some() || !matches!(node, LabNode::Router { .. }),
                addresses: addresses(node),
                state: router.unwrap_or_default(),
                ports: ports.map(port).collect(),
            }
        };
        let nodes = file.nodes.iter().map(node).collect();
        let lab = LabName { name: name.to_owned(), title: file.title.clone() };
        Snapshot { lab, now, nodes, segments }
    }
}

fn kind(node: &LabNode) -> NodeKind {
    match node {
        LabNode::Router { .. } => NodeKind::Router,
        LabNode::Forwarder { .. } => NodeKind::Core,
        LabNode::Host(_) => NodeKind::Host,
    }
}

fn addresses(node: &LabNode) -> Vec<String> {
    match node {
        LabNode::Host(host) => host.addresses.iter().map(ToString::to_string).collect(),
        LabNode::Forwarder { addresses, .. } => {
            addresses.values().flatten().map(ToString::to_string).collect()
        }
        LabNode::Router { .. } => Vec::new(),
    }
}

/// Returns the names of the roles that a configuration has for at least one family.
fn roles(config: &Config) -> Vec<String> {
    let of = Family::BOTH.map(|family| config.roles(family));
    let roles = [
        ("itr", of.iter().any(|roles| roles.itr)),
        ("etr", of.iter().any(|roles| roles.etr)),
        ("proxy-itr", of.iter().any(|roles| roles.proxy_itr)),
        ("proxy-etr", of.iter().any(|roles| roles.proxy_etr)),
        ("map-server", of.iter().any(|roles| roles.map_server)),
        ("map-resolver", of.iter().any(|roles| roles.map_resolver)),
    ];
    roles.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect()
}
