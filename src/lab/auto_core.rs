//! `core = "auto"` in a lab file: chooses those addresses and static routes of the core that the
//! lab file and the configurations do not have.
//!
//! A link belongs to the core if no host is on it. A LAN belongs to the core if it has a plain node
//! and no host. The addresses and routes in the files stay as they are. The missing ones are chosen
//! by these rules:
//!
//! - If a port of a link has an address in the files, the link has the network of this address.
//!   Each other link gets its own network: link 7 of the file is 100.64.7.0/24 and
//!   2001:db8:c:7::/64.
//! - Each port without an address gets an address of its link's network. Plain nodes get the first
//!   addresses, and routers get the next addresses, in the order of the file.
//! - Plain nodes get a route to each network of the core, and to each loopback address, along the
//!   shortest path. A path leads through a router only if there is no other path.
//! - Routers get the same routes. If all routes of a router have the same next hop, a default route
//!   replaces these routes.
//!
//! If [`complete`] is called again for a completed lab, the lab stays the same.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::file::{LabFile, Node, Port};
use super::texts::{Texts, overlaid};
use crate::addr::{Family, is_link_local};
use crate::console::read_config;
use crate::router::config::Config;

/// The costs of a plain node and of a router on a path.
const THROUGH_NODE: u32 = 1;
const THROUGH_ROUTER: u32 = 1_000;
/// The remark in a configuration before the lines that this module adds.
const REMARK: &str = "! The line core = \"auto\" in lab.toml adds the lines below.";

/// The addresses and routes that [`complete`] has chosen for the nodes of a lab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The addresses of each port, by node and Linux device.
    pub addresses: BTreeMap<(String, String), Vec<IpNet>>,
    /// The routes of each node: the destination and the next hop of each.
    pub routes: BTreeMap<String, BTreeMap<IpNet, IpAddr>>,
    /// Whether the configuration of a router got more lines than its file has.
    pub has_changed_configs: bool,
}

/// A link or LAN of the core. `number` is its number in the file: the links are counted first, then
/// the LANs. In `ports`, the ports of plain nodes are before the ports of routers.
struct Segment {
    number: usize,
    ports: Vec<Port>,
}

/// The addresses of the ports of the core, by node and device.
type Addresses = BTreeMap<(String, String), Vec<IpNet>>;

fn key(port: &Port) -> (String, String) {
    (port.node.clone(), port.device.clone())
}

/// Adds the missing addresses and routes of the core to the plain nodes of `file`, and to the
/// configurations of the routers in `texts`. Returns the added addresses and routes.
pub fn complete(file: &mut LabFile, texts: &mut Texts) -> Chosen {
    let configs: BTreeMap<String, Config> = file
        .routers()
        .filter_map(|(node, path)| {
            let text = texts.get(path)?.as_ref().ok()?;
            Some((node.to_owned(), read_config(path, text).config))
        })
        .collect();
    let segments = segments(file);
    let mut addresses: Addresses =
        file.ports().map(|port| (key(port), written(file, &configs, port))).collect();
    let mut chosen = Chosen::default();
    for family in families(&segments, &addresses) {
        number(&segments, family, &mut addresses, &mut chosen);
        let core = Routing { file, configs: &configs, segments: &segments, addresses: &addresses };
        for (node, routes) in core.routes(family) {
            chosen.routes.entry(node).or_default().extend(routes);
        }
    }
    apply(file, texts, &configs, &mut chosen);
    chosen
}

/// Returns the links and LANs of the core.
fn segments(file: &LabFile) -> Vec<Segment> {
    let is_host = |port: &Port| matches!(file.nodes[&port.node], Node::Host(_));
    let is_plain = |port: &Port| matches!(file.nodes[&port.node], Node::Forwarder { .. });
    let links = file.links.iter().map(|link| (&link.ends[..], true));
    let lans = file.lans.iter().map(|lan| (&lan.ports[..], false));
    let numbered = (1..).zip(links.chain(lans));
    let core = numbered.filter(|(_, (ports, is_link))| {
        !ports.iter().any(is_host) && (*is_link || ports.iter().any(is_plain))
    });
    core.map(|(number, (ports, _))| {
        let mut ports = ports.to_vec();
        ports.sort_by_key(|port| !is_plain(port));
        Segment { number, ports }
    })
    .collect()
}

/// Returns the addresses of a port in the files of the lab, without link-local addresses.
fn written(file: &LabFile, configs: &BTreeMap<String, Config>, port: &Port) -> Vec<IpNet> {
    let all = match &file.nodes[&port.node] {
        Node::Forwarder { addresses, .. } => addresses.get(&port.device).cloned(),
        Node::Host(host) => Some(host.addresses.clone()),
        Node::Router { .. } => configs.get(&port.node).and_then(|config| {
            let mut interfaces = config.interfaces.iter();
            let found = interfaces.find(|(name, _)| name.device() == port.device);
            found.map(|(_, interface)| interface.addresses.clone())
        }),
    };
    let all = all.unwrap_or_default().into_iter();
    all.filter(|net| !is_link_local(net.addr())).collect()
}

/// Returns the families of the core: the families of its addresses in the files. If the files have
/// no address of the core, the family is IPv4.
fn families(segments: &[Segment], addresses: &Addresses) -> Vec<Family> {
    let ports = segments.iter().flat_map(|segment| &segment.ports);
    let used: BTreeSet<Family> =
        ports.flat_map(|port| &addresses[&key(port)]).map(|net| Family::of(net.addr())).collect();
    if used.is_empty() { vec![Family::Ipv4] } else { used.into_iter().collect() }
}

/// Chooses an address of `family` for each port of the core that has no address of this family.
fn number(segments: &[Segment], family: Family, addresses: &mut Addresses, chosen: &mut Chosen) {
    let mut taken: BTreeMap<usize, IpNet> = BTreeMap::new();
    for segment in segments {
        let mut written = segment.ports.iter().flat_map(|port| &addresses[&key(port)]);
        let net = written.find(|net| Family::of(net.addr()) == family);
        taken.extend(net.map(|net| (segment.number, net.trunc())));
    }
    // The chosen networks must not overlap with networks outside of the core.
    let elsewhere: Vec<IpNet> =
        addresses.values().flatten().map(IpNet::trunc).filter(|net| net.prefix_len() > 0).collect();
    let last = segments.iter().map(|segment| segment.number).max().unwrap_or_default();
    for segment in segments {
        let net = taken.get(&segment.number).copied().unwrap_or_else(|| {
            let mut numbers = (segment.number..).step_by(last);
            let free = |net: &IpNet| !elsewhere.iter().any(|other| overlap(net, other));
            let first = pool(family, segment.number);
            numbers.by_ref().take(POOL / last).map(|n| pool(family, n)).find(free).unwrap_or(first)
        });
        let mut used: BTreeSet<IpAddr> =
            segment.ports.iter().flat_map(|port| &addresses[&key(port)]).map(IpNet::addr).collect();
        for (index, port) in segment.ports.iter().enumerate() {
            let own = addresses.entry(key(port)).or_default();
            if own.iter().any(|net| Family::of(net.addr()) == family) {
                continue;
            }
            if let Some(address) = host(&net, index, &used) {
                used.insert(address.addr());
                own.push(address);
                chosen.addresses.entry(key(port)).or_default().push(address);
            }
        }
    }
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// The number of networks of each family that can be chosen.
const POOL: usize = 1 << 14;

/// Returns the network with this number: a /24 of 100.64.0.0/10 (RFC 6598), or a /64 of
/// 2001:db8:c::/48.
fn pool(family: Family, number: usize) -> IpNet {
    let number = u16::try_from(number % POOL).unwrap_or_default();
    let [high, low] = number.to_be_bytes();
    match family {
        Family::Ipv4 => IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(100, 64 + high, low, 0), 24)),
        Family::Ipv6 => {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0xc, number, 0, 0, 0, 0);
            IpNet::V6(Ipv6Net::new_assert(address, 64))
        }
    }
}

/// Returns the address number `index` + 1 of the network. If another port has this address, returns
/// the first free address.
fn host(net: &IpNet, index: usize, used: &BTreeSet<IpAddr>) -> Option<IpNet> {
    // The first address of an IPv6 network is the anycast address of its routers (RFC 4291, 2.6.1).
    let anycast = usize::from(net.addr().is_ipv6());
    let is_free = |address: &IpAddr| !used.contains(address);
    let wished = net.hosts().nth(index + anycast).filter(is_free);
    let address = wished.or_else(|| net.hosts().skip(anycast).find(is_free))?;
    IpNet::new(address, net.prefix_len()).ok()
}

/// The core with all addresses. It is used to search for paths.
struct Routing<'a> {
    file: &'a LabFile,
    configs: &'a BTreeMap<String, Config>,
    segments: &'a [Segment],
    addresses: &'a Addresses,
}

impl<'a> Routing<'a> {
    /// Returns the routes of each node of the core: the destination and the next hop of each.
    fn routes(&self, family: Family) -> BTreeMap<String, BTreeMap<IpNet, IpAddr>> {
        let neighbours = self.neighbours(family);
        let networks = self.networks(family);
        let is_router = |node: &str| matches!(self.file.nodes[node], Node::Router { .. });
        let only_neighbour = |node: &str| {
            let all = &neighbours[node];
            all.first_key_value().filter(|_| all.len() == 1).map(|(&node, &hop)| (node, hop))
        };
        let routes_of = |node: &'a str| -> BTreeMap<IpNet, IpAddr> {
            let remote = networks.iter().filter(|(_, owners)| !owners.contains(node));
            // If a router has only one neighbour, a default route later replaces all of its routes.
            // So one of these routes is sufficient here. If all of them were computed, the time
            // would grow with the square of the number of routers.
            if let (true, Some((neighbour, hop))) = (is_router(node), only_neighbour(node)) {
                let is_adjacent = |(_, owners): &(_, &BTreeSet<&str>)| owners.contains(neighbour);
                if let Some((net, _)) = remote.clone().find(is_adjacent) {
                    return [(*net, hop)].into();
                }
            }
            let paths = self.paths(node, &neighbours);
            let routes = remote.filter_map(|(net, owners)| {
                let nearest = owners.iter().filter_map(|owner| paths.get(owner)).min();
                nearest.map(|(_, hop)| (*net, *hop))
            });
            routes.collect()
        };
        let nodes = neighbours.keys();
        nodes
            .map(|&node| (node.to_owned(), self.shortened(node, family, routes_of(node))))
            .collect()
    }

    /// Returns the neighbours of each node, each with its address on the link to this node.
    fn neighbours(&self, family: Family) -> BTreeMap<&'a str, BTreeMap<&'a str, IpAddr>> {
        let mut neighbours: BTreeMap<&str, BTreeMap<&str, IpAddr>> = BTreeMap::new();
        for segment in self.segments {
            for own in &segment.ports {
                let known = neighbours.entry(&own.node).or_default();
                for port in segment.ports.iter().filter(|port| port.node != own.node) {
                    let mut all = self.addresses[&key(port)].iter().map(IpNet::addr);
                    let address = all.find(|&address| Family::of(address) == family);
                    if let Some(address) = address {
                        known.entry(&port.node).or_insert(address);
                    }
                }
            }
        }
        neighbours
    }

    /// Returns the networks of the core and the loopback addresses, each with the nodes that have
    /// an address in this network.
    fn networks(&self, family: Family) -> BTreeMap<IpNet, BTreeSet<&'a str>> {
        let mut networks: BTreeMap<IpNet, BTreeSet<&str>> = BTreeMap::new();
        let of_ports = self.segments.iter().flat_map(|segment| &segment.ports);
        let of_ports = of_ports.flat_map(|port| {
            self.addresses[&key(port)].iter().map(|net| (port.node.as_str(), *net))
        });
        let of_routers = self.configs.iter().flat_map(|(node, config)| {
            let loopbacks = config.interfaces.iter().filter(|(name, _)| name.is_loopback());
            loopbacks.flat_map(|(_, it)| it.addresses.iter().map(|net| (node.as_str(), *net)))
        });
        let of_nodes = self.file.nodes.iter().filter_map(|(node, found)| match found {
            Node::Forwarder { addresses, .. } => {
                let all = addresses.get("lo")?.iter();
                Some(all.map(|net| (node.as_str(), *net)))
            }
            _ => None,
        });
        for (node, net) in of_ports.chain(of_routers).chain(of_nodes.flatten()) {
            if Family::of(net.addr()) == family {
                networks.entry(net.trunc()).or_default().insert(node);
            }
        }
        networks
    }

    /// Returns the cost of the path from `start` to each node, and the next hop of `start` on this
    /// path.
    fn paths(
        &self,
        start: &'a str,
        neighbours: &BTreeMap<&'a str, BTreeMap<&'a str, IpAddr>>,
    ) -> BTreeMap<&'a str, (u32, IpAddr)> {
        let mut paths: BTreeMap<&str, (u32, IpAddr)> = BTreeMap::new();
        let mut open = BinaryHeap::new();
        for (&node, &address) in &neighbours[start] {
            open.push(Reverse((1, node, address)));
        }
        while let Some(Reverse((cost, node, hop))) = open.pop() {
            if node == start || paths.contains_key(node) {
                continue;
            }
            paths.insert(node, (cost, hop));
            let through = match self.file.nodes[node] {
                Node::Forwarder { .. } => THROUGH_NODE,
                _ => THROUGH_ROUTER,
            };
            for &next in neighbours[node].keys() {
                open.push(Reverse((cost.saturating_add(through), next, hop)));
            }
        }
        paths
    }

    /// If all routes of a router have the same next hop, replaces them by a default route. Removes
    /// the routes that the files already have. Returns the remaining routes.
    fn shortened(
        &self,
        node: &str,
        family: Family,
        mut routes: BTreeMap<IpNet, IpAddr>,
    ) -> BTreeMap<IpNet, IpAddr> {
        let written: BTreeSet<IpNet> = match &self.file.nodes[node] {
            Node::Forwarder { routes, .. } => routes.keys().copied().collect(),
            Node::Router { .. } => {
                let hops: BTreeSet<IpAddr> = routes.values().copied().collect();
                if let (Some(&hop), 1) = (hops.first(), hops.len()) {
                    routes = [(family.default_prefix(), hop)].into();
                }
                let config = self.configs.get(node);
                let all = config.into_iter().flat_map(|config| config.static_routes.iter());
                all.map(|route| route.prefix).collect()
            }
            Node::Host(_) => BTreeSet::new(),
        };
        routes.retain(|prefix, _| !written.contains(prefix));
        routes
    }
}

/// Writes the chosen addresses and routes into the nodes and the configurations.
fn apply(
    file: &mut LabFile,
    texts: &mut Texts,
    configs: &BTreeMap<String, Config>,
    chosen: &mut Chosen,
) {
    chosen.routes.retain(|_, routes| !routes.is_empty());
    let interfaces: BTreeMap<(String, String), String> =
        file.ports().map(|port| (key(port), port.interface.clone())).collect();
    for (name, node) in &mut file.nodes {
        let own = chosen.addresses.iter().filter(|((node, _), _)| node == name);
        let routes = chosen.routes.get(name);
        match node {
            Node::Forwarder { addresses, routes: known } => {
                for ((_, device), nets) in own {
                    addresses.entry(device.clone()).or_default().extend(nets);
                }
                known.extend(routes.into_iter().flatten());
            }
            Node::Router { config: path } if configs.contains_key(name) => {
                let own = own.map(|(port, nets)| (interfaces[port].as_str(), &nets[..]));
                let lines = lines(own, routes.into_iter().flatten());
                if let (Some(Ok(text)), false) = (texts.get_mut(path), lines.is_empty()) {
                    *text = overlaid(text, &format!("!\n{REMARK}\n{lines}"));
                    chosen.has_changed_configs = true;
                }
            }
            Node::Router { .. } | Node::Host(_) => {}
        }
    }
}

/// Returns lines of configuration with these addresses and routes.
fn lines<'a>(
    interfaces: impl Iterator<Item = (&'a str, &'a [IpNet])>,
    routes: impl Iterator<Item = (&'a IpNet, &'a IpAddr)>,
) -> String {
    let mut text = String::new();
    // A write into a `String` has no error.
    for (interface, nets) in interfaces {
        let _ = writeln!(text, "interface {interface}");
        for net in nets {
            let _ = match net {
                IpNet::V4(net) => writeln!(text, " ip address {} {}", net.addr(), net.netmask()),
                IpNet::V6(net) => writeln!(text, " ipv6 address {net}"),
            };
        }
        text.push_str("!\n");
    }
    for (prefix, hop) in routes {
        let _ = match prefix {
            IpNet::V4(net) => writeln!(text, "ip route {} {} {hop}", net.addr(), net.netmask()),
            IpNet::V6(net) => writeln!(text, "ipv6 route {net} {hop}"),
        };
    }
    text
}

#[cfg(test)]
mod tests;
