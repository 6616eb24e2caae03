//! The path of a packet from kernel to kernel: routes, links, and neighbours.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::cause::{Cause, Loss};
use super::explorer::Explorer;
use super::journey::{Verdict, What};
use crate::addr::Family;
use crate::lab::asked::running_config;
use crate::lab::failure::Failure;
use crate::lab::file::{Node, Port};
use crate::lab::kernel::{LinkState, Route, RouteQuery};
use crate::router::config::StaticTarget;
use crate::router::io::LISP_DEVICE;

/// The maximum number of nodes on the path of one packet. A packet starts with this number as its
/// TTL.
const MOST_HOPS: usize = 64;

/// An IP packet that is followed through the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub size: u32,
    pub df: bool,
}

/// The place from which a packet starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The node itself sends the packet, and the kernel chooses the source address.
    Own,
    /// The node itself sends the packet, and has already chosen the source address.
    Bound,
    /// The node receives the packet on this device.
    Input(String),
}

/// The result of a packet's path through the kernels of the lab.
pub(super) enum Landing {
    /// The packet arrives at this node, which has the destination address.
    Arrived(String),
    /// The packet goes into the tunnel device of this router: the router decides.
    Tunnel(String),
    /// The packet is lost.
    Lost(Loss),
}

/// The owner of an address on a link. The two strings are a node and a device of this node.
enum Owner {
    /// This node has the address, or answers in place of the node that has it. The node receives
    /// the packet on this device.
    Answers(String, String),
    /// This node has the address, but the device is down.
    Down(String, String),
    /// No running node has the address. This router on the link is stopped, and perhaps has the
    /// address.
    Stopped(String),
    /// No node has the address.
    Missing,
}

impl Explorer<'_> {
    /// Follows a packet from a node until it arrives, goes into a tunnel device, or is lost.
    pub(super) fn carry(
        &mut self,
        start: &str,
        origin: Origin,
        flight: &Flight,
    ) -> Result<Landing, Failure> {
        let (mut node, mut origin) = (start.to_owned(), origin);
        let mut seen = BTreeSet::new();
        for _ in 0..MOST_HOPS {
            let input = match &origin {
                Origin::Input(device) => Some(device.clone()),
                Origin::Own | Origin::Bound => None,
            };
            if !seen.insert((node.clone(), input.clone())) {
                let because = format!("the packet to {} comes back to {node}", flight.destination);
                return Ok(self.lost(What::Route, &node, Cause::RoutingLoop, because));
            }
            let source = (origin != Origin::Own).then_some(flight.source);
            let query = RouteQuery { destination: flight.destination, source, input };
            let (device, gateway) = match self.route(&node, query)? {
                Route::Local => {
                    let because = format!("{} is an address of {node}", flight.destination);
                    self.note(&node, What::Receive, Verdict::Arrives, because);
                    return Ok(Landing::Arrived(node));
                }
                Route::Out { device, gateway, prefix, .. } => {
                    self.note_route(&node, &device, gateway, prefix);
                    (device, gateway)
                }
                other => {
                    let loss = self.without_route(&node, &other, flight)?;
                    return Ok(Landing::Lost(self.lose(What::Route, loss)));
                }
            };
            if let Some(loss) = self.at_device(&node, &device, flight)? {
                return Ok(Landing::Lost(self.lose(What::Route, loss)));
            }
            if device == LISP_DEVICE {
                return Ok(Landing::Tunnel(node));
            }
            let next_hop = gateway.unwrap_or(flight.destination);
            match self.neighbour(&node, &device, next_hop)? {
                Ok((next, on)) => (node, origin) = (next, Origin::Input(on)),
                Err(loss) => return Ok(Landing::Lost(self.lose(What::Neighbour, loss))),
            }
        }
        let because = format!("the TTL of the packet to {} reaches 0", flight.destination);
        Ok(self.lost(What::Route, &node, Cause::RoutingLoop, because))
    }

    fn lost(&mut self, what: What, node: &str, cause: Cause, because: String) -> Landing {
        Landing::Lost(self.lose(what, Loss::new(node, cause, because)))
    }

    fn note_route(
        &mut self,
        node: &str,
        device: &str,
        gateway: Option<IpAddr>,
        prefix: Option<IpNet>,
    ) {
        let route = match prefix {
            Some(prefix) if prefix.prefix_len() == 0 => "the default route".to_owned(),
            Some(prefix) => format!("the route {prefix}"),
            None => "a route".to_owned(),
        };
        let because = match gateway {
            Some(gateway) => format!("{route} leads to the gateway {gateway} on {device}"),
            None if device == LISP_DEVICE => {
                format!("{route} leads into {device}, so LISP decides")
            }
            None => format!("{route} leads to the link of {device}"),
        };
        self.note(node, What::Route, Verdict::Passes, because);
    }

    /// Returns the loss of a packet for which the node has no route.
    fn without_route(
        &mut self,
        node: &str,
        route: &Route,
        flight: &Flight,
    ) -> Result<Loss, Failure> {
        let to = flight.destination;
        if let Some(loss) = self.route_of_dead_link(node, to)? {
            return Ok(loss);
        }
        let is_stopped = self.is_router(node) && !self.runs(node);
        let (cause, because) = match route {
            Route::Blackhole => (Cause::Blackhole, format!("a route drops packets to {to}")),
            Route::Unreachable => {
                (Cause::UnreachableRoute, format!("a route rejects packets to {to}"))
            }
            Route::NotForwarding => {
                (Cause::NotForwarding, format!("{node} does not forward the packet to {to}"))
            }
            _ if is_stopped => {
                let why = format!("the router does not run, and its kernel has no route to {to}");
                (Cause::RouterStopped, why)
            }
            _ if self.lab.expect_host(node).is_ok() => (
                Cause::NoDefaultGateway,
                format!("{node} has no default gateway, and {to} is not on its link"),
            ),
            _ => (Cause::NoRoute, format!("{node} has no route to {to}")),
        };
        Ok(Loss::new(node, cause, because))
    }

    /// If the route to `to` leads through a dead link of the node, returns the loss at this link. A
    /// dead link is down or has no carrier. The kernel itself does not use the routes of such a
    /// link.
    fn route_of_dead_link(&mut self, node: &str, to: IpAddr) -> Result<Option<Loss>, Failure> {
        let mut hops = vec![to];
        let runs = self.runs(node);
        match self.lab.file.nodes.get(node) {
            Some(Node::Host(host)) => hops.extend(&host.gateways),
            Some(Node::Forwarder { routes, .. }) => {
                let covering = routes.iter().filter(|(prefix, _)| prefix.contains(&to));
                hops.extend(covering.map(|(_, gateway)| *gateway));
            }
            Some(Node::Router { .. }) if runs => {
                let running = &mut *self.running;
                let config = running_config(node, &mut |line| running.console(node, line))?;
                let covering = config.static_routes.iter().filter(|it| it.prefix.contains(&to));
                hops.extend(covering.filter_map(|route| match route.target {
                    StaticTarget::NextHop(gateway) => Some(gateway),
                    _ => None,
                }));
            }
            _ => {}
        }
        // A device that is down has no IPv6 addresses, so the addresses in the lab file are used
        // too.
        let declared = self.declared(node);
        let ports: Vec<String> = self.ports(node).map(|port| port.device.clone()).collect();
        let leads = |link: &&LinkState| {
            let of_file = declared.iter().filter(|(device, _)| *device == link.device);
            let nets = link.addresses.iter().chain(of_file.map(|(_, net)| net));
            let is_port = ports.contains(&link.device);
            is_port && !link.is_running() && nets.into_iter().any(|net| reaches(net, &hops))
        };
        let found = self.links(node)?.iter().find(leads).cloned();
        Ok(found.map(|link| dead_link(node, &link)))
    }

    /// Returns the addresses of a node in the lab file, each with its device.
    fn declared(&self, node: &str) -> Vec<(String, IpNet)> {
        match self.lab.file.nodes.get(node) {
            Some(Node::Host(host)) => {
                host.addresses.iter().map(|net| (host.device.clone(), *net)).collect()
            }
            Some(Node::Forwarder { addresses, .. }) => {
                let of_device = addresses.iter();
                let pairs =
                    of_device.flat_map(|(device, nets)| nets.iter().map(move |net| (device, net)));
                pairs.map(|(device, net)| (device.clone(), *net)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn ports(&self, node: &str) -> impl Iterator<Item = &Port> {
        self.lab.file.ports().filter(move |port| port.node == node)
    }

    /// Returns the loss of a packet that cannot leave through its device.
    fn at_device(
        &mut self,
        node: &str,
        device: &str,
        flight: &Flight,
    ) -> Result<Option<Loss>, Failure> {
        let link = self.links(node)?.iter().find(|link| link.device == device).cloned();
        let Some(link) = link else { return Ok(None) };
        if !link.is_running() && device != LISP_DEVICE {
            return Ok(Some(dead_link(node, &link)));
        }
        if flight.size <= link.mtu {
            return Ok(None);
        }
        let LinkState { mtu, .. } = link;
        let size = flight.size;
        if flight.df || flight.destination.is_ipv6() {
            let because = format!("the packet has {size} octets, but the MTU of {device} is {mtu}");
            return Ok(Some(Loss::new(node, Cause::TooBig, because)));
        }
        let because = format!(
            "{size} octets are sent in fragments, because the MTU of {device} is \
                               {mtu}"
        );
        self.note(node, What::Route, Verdict::Passes, because);
        Ok(None)
    }

    /// Finds the neighbour with the address `next_hop` on the link of a device.
    pub(super) fn neighbour(
        &mut self,
        node: &str,
        device: &str,
        next_hop: IpAddr,
    ) -> Result<Result<(String, String), Loss>, Failure> {
        let link = self.links(node)?.iter().find(|link| link.device == device);
        let entry =
            link.and_then(|link| link.neighbours.iter().find(|it| it.address == next_hop).cloned());
        let protocol = match Family::of(next_hop) {
            Family::Ipv4 => "ARP",
            Family::Ipv6 => "neighbour discovery",
        };
        Ok(match self.owner(node, device, next_hop)? {
            Owner::Answers(owner, on) => {
                let because = match entry {
                    Some(entry) if entry.is_known => {
                        format!("{next_hop} is {owner}: a neighbour on {device} ({})", entry.state)
                    }
                    _ => format!("{next_hop} is {owner}: {protocol} finds it on {device}"),
                };
                self.note(node, What::Neighbour, Verdict::Passes, because);
                Ok((owner, on))
            }
            Owner::Down(owner, on) => {
                let because = format!(
                    "{owner} has {next_hop}, but its device {on} is down, so {owner} does not \
                     answer {protocol}"
                );
                let to_do = format!("set {owner}:{on} up");
                Err(Loss::new(node, Cause::NeighbourDown, because).with_remedy(Some(to_do)))
            }
            Owner::Stopped(router) => {
                let because = format!("no node on the link of {device} has {next_hop}");
                let root = format!("the router {router} on the link does not run");
                let root = Loss::new(&router, Cause::RouterStopped, root);
                Err(Loss::new(node, Cause::NoNeighbour, because).with_root(Some(root)))
            }
            Owner::Missing => {
                let because = format!(
                    "no node on the link of {device} has {next_hop}, so no node answers {protocol}"
                );
                Err(Loss::new(node, Cause::NoNeighbour, because))
            }
        })
    }

    fn owner(&mut self, node: &str, device: &str, address: IpAddr) -> Result<Owner, Failure> {
        let mut down = None;
        let peers = self.peers(node, device)?;
        for (peer, on) in &peers {
            let is_declared = self.declared(peer).iter().any(|(_, net)| net.addr() == address);
            let links = self.links(peer)?;
            let Some(link) = links.iter().find(|link| link.device == *on) else { continue };
            // Linux answers ARP requests for every address of the node. It answers neighbour
            // discovery only for the addresses of the device.
            let has = match Family::of(address) {
                Family::Ipv4 => links.iter().any(|link| link.has(address)),
                Family::Ipv6 => link.has(address),
            };
            if has && link.is_running() {
                return Ok(Owner::Answers(peer.clone(), on.clone()));
            }
            if (has || is_declared) && !link.is_running() {
                down = Some((peer.clone(), on.clone()));
            }
        }
        if let Some((peer, on)) = down {
            return Ok(Owner::Down(peer, on));
        }
        for (peer, on) in &peers {
            if self.is_proxied(peer, on, address)? {
                return Ok(Owner::Answers(peer.clone(), on.clone()));
            }
        }
        let stopped = peers.into_iter().find(|(peer, _)| self.is_router(peer) && !self.runs(peer));
        Ok(stopped.map_or(Owner::Missing, |(peer, _)| Owner::Stopped(peer)))
    }

    /// Whether a node answers ARP or neighbour discovery for `address` on this device, although
    /// another node has the address.
    fn is_proxied(&mut self, node: &str, device: &str, address: IpAddr) -> Result<bool, Failure> {
        let links = self.links(node)?;
        let Some(link) = links.iter().find(|link| link.device == device) else { return Ok(false) };
        let is_host = link.proxies.contains(&address);
        let (is_running, proxy_arp) = (link.is_running(), link.proxy_arp);
        if !is_running || address.is_ipv6() || !(is_host || proxy_arp) {
            return Ok(is_running && is_host);
        }
        let query = RouteQuery { destination: address, source: None, input: None };
        let route = self.route(node, query)?;
        Ok(matches!(route, Route::Out { device: out, .. } if out != device))
    }

    /// Returns the other ports on the link of a device: the node and the device of each.
    pub(super) fn peers(
        &mut self,
        node: &str,
        device: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let is_this = |port: &Port| port.node == node && port.device == device;
        let pair = |port: &Port| (port.node.clone(), port.device.clone());
        let cable = self.lab.file.links.iter().find(|link| link.ends.iter().any(is_this));
        if let Some(cable) = cable {
            return Ok(cable.ends.iter().filter(|port| !is_this(port)).map(pair).collect());
        }
        let lan = self.lan(node, device)?;
        let Some(lan) = lan else { return Ok(Vec::new()) };
        let ports = self.lab.file.lans.iter().flat_map(|lan| &lan.ports);
        let others: Vec<_> = ports.filter(|port| !is_this(port)).map(pair).collect();
        let mut peers = Vec::new();
        for (other, on) in others {
            if self.lan(&other, &on)?.as_ref() == Some(&lan) {
                peers.push((other, on));
            }
        }
        Ok(peers)
    }

    fn lan(&mut self, node: &str, device: &str) -> Result<Option<String>, Failure> {
        let link = self.links(node)?.iter().find(|link| link.device == device);
        Ok(link.and_then(|link| link.lan.clone()))
    }
}

/// Whether one of these addresses is in a network.
fn reaches(net: &IpNet, hops: &[IpAddr]) -> bool {
    hops.iter().any(|hop| net.contains(hop))
}

/// Returns the loss at a link that is down or has no carrier.
pub(super) fn dead_link(node: &str, link: &LinkState) -> Loss {
    let device = &link.device;
    match link.up {
        false => Loss::new(node, Cause::LinkDown, format!("{device} is down")),
        true => {
            let because = format!("{device} has no carrier: the other end of its link is down");
            Loss::new(node, Cause::NoCarrier, because)
        }
    }
}
