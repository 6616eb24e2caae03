//! The lab file, `lab.toml`: the nodes of a lab and the links between them.
//!
//! ```toml
//! name = "tiny"
//!
//! [nodes.xTR1]
//! kind = "router"                      # its .conf has the interfaces, addresses and routes
//! config = "xTR1.conf"
//!
//! [nodes.Core1]
//! kind = "node"                        # a plain kernel forwarder
//! addresses.eth0 = ["203.0.113.1/24", "2001:db8:c:1::1/64"]
//! routes = { "198.51.100.0/24" = "203.0.113.9" }
//!
//! [nodes.A]
//! kind = "host"                        # a plain kernel host with one interface
//! addresses = ["172.16.0.12/24", "2001:db8:a::12/64"]
//! gateways = ["172.16.0.1", "2001:db8:a::1"]
//!
//! [nodes.C]
//! kind = "host"
//! emulated = true                      # the router on its LAN runs it, without a namespace
//! addresses = ["172.16.0.13/24"]
//!
//! [[links]]                            # a cable between two ports
//! endpoints = ["xTR1:Ethernet0/0", "Core1:eth0"]
//!
//! [[lans]]                             # a bridge with any number of ports
//! name = "site1"
//! ports = ["A:eth0", "xTR1:Ethernet1/0"]
//! ```
//!
//! The lab file spells a router's interface as IOS does.
//! [`InterfaceName::device`](crate::router::config::InterfaceName::device) gives the name of the
//! Linux device. [`check`] turns the text into the types here, and [`error`] shows errors with
//! file, line and caret.

pub mod check;
pub mod error;
pub mod name;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::addr::Family;
pub use error::{LabError, Span};

/// A checked lab file: every port exists once, and the kernel accepts every name.
#[derive(Clone, Debug)]
pub struct LabFile {
    /// The path of the file, as messages name it.
    pub path: String,
    /// The text itself, for messages that show the position of a [`Span`].
    pub text: String,
    /// The lab's name, which is a part of the names of its namespaces.
    pub name: String,
    /// The subject of the lab, in one line.
    pub title: Option<String>,
    /// The nodes by name.
    pub nodes: BTreeMap<String, Node>,
    /// The cables between two ports, in the file's order.
    pub links: Vec<Link>,
    /// The bridges, in the file's order.
    pub lans: Vec<Lan>,
    /// The positions of each port (by node and device) and of each node's addresses in the text.
    pub places: Places,
}

/// Positions in the text of a lab file: errors of checks across several files point at them.
#[derive(Clone, Debug, Default)]
pub struct Places {
    ports: BTreeMap<(String, String), Span>,
    addresses: BTreeMap<String, Span>,
    configs: BTreeMap<String, Span>,
}

/// The kind of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An Eidway router: `kind = "router"`.
    Router {
        /// Its configuration file, relative to the lab's directory.
        config: String,
    },
    /// A plain forwarder without LISP: `kind = "node"`.
    Forwarder {
        /// The addresses of each device, with the length of their network.
        addresses: BTreeMap<String, Vec<IpNet>>,
        /// Static routes: destination and next hop.
        routes: BTreeMap<IpNet, IpAddr>,
    },
    /// A host: `kind = "host"`.
    Host(Host),
}

/// A host: one interface, its addresses and the gateways of its default routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The device at the end of its only link.
    pub device: String,
    /// Its addresses, with the length of their network; at least one.
    pub addresses: Vec<IpNet>,
    /// At most one gateway for each family.
    pub gateways: Vec<IpAddr>,
    /// Its Ethernet address, if the lab file gives one.
    pub mac: Option<Mac>,
    /// True if, in namespaces, the process of the router on its LAN runs this host. On the
    /// simulator, every host runs in this way.
    pub emulated: bool,
}

impl Host {
    /// The host's first address of `family`.
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter().map(IpNet::addr);
        addresses.find(|&address| Family::of(address) == family)
    }

    /// The host's gateway of `family`.
    pub fn gateway(&self, family: Family) -> Option<IpAddr> {
        let mut gateways = self.gateways.iter().copied();
        gateways.find(|&gateway| Family::of(gateway) == family)
    }
}

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    /// `02:00:00:00:00:0a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl std::str::FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no Ethernet address such as 02:00:00:00:00:0a");
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2);
            *octet = u8::from_str_radix(part.ok_or_else(wrong)?, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() || octets[0] & 1 == 1 {
            return Err(wrong());
        }
        Ok(Mac(octets))
    }
}

/// One end of a link: `xTR1:Ethernet0/0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The node's name.
    pub node: String,
    /// The interface as the lab file names it (an interface of a router as IOS spells it).
    pub interface: String,
    /// The name of the interface's Linux device.
    pub device: String,
}

impl Port {
    /// The device at the other end of a LAN port, in the lab's switch: `A.eth0`.
    pub fn switch_device(&self) -> String {
        format!("{}.{}", self.node, self.device)
    }
}

impl fmt::Display for Port {
    /// `xTR1:Ethernet0/0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.node, self.interface)
    }
}

/// A cable between two ports.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its two ends.
    pub ends: [Port; 2],
    /// The largest IP packet that fits, in octets; 1500 when the file has no value.
    pub mtu: Option<u16>,
    /// Leaves transmit checksum offload on: faster, but captures show wrong checksums.
    pub offload: bool,
    /// The impairment of packets on the link; the same in both directions.
    pub impairment: Impairment,
    /// The keys that only the simulator supports, with their positions.
    pub simulator_only: Vec<(&'static str, Span)>,
}

/// The impairment of packets on a link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Impairment {
    /// `delay_ms`: the delay of each packet.
    pub delay: Duration,
    /// `jitter_ms`: the largest amount by which the delay is shorter or longer.
    pub jitter: Duration,
    /// `loss`: lost packets, in percent.
    pub loss: f64,
    /// `duplicate`: packets that arrive twice, in percent.
    pub duplicate: f64,
    /// `reorder`: packets that overtake others, in percent.
    pub reorder: f64,
}

/// A bridge and the devices in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lan {
    /// The bridge's name in the lab's switch.
    pub name: String,
    /// Its ports.
    pub ports: Vec<Port>,
    /// The largest IP packet that fits, in octets; 1500 when the file has no value.
    pub mtu: Option<u16>,
    /// Leaves transmit checksum offload on.
    pub offload: bool,
}

impl LabFile {
    /// The lab's hosts by name.
    pub fn hosts(&self) -> impl Iterator<Item = (&str, &Host)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Host(host) => Some((name.as_str(), host)),
            _ => None,
        })
    }

    /// The lab's routers by name, with their configuration files.
    pub fn routers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Router { config } => Some((name.as_str(), config.as_str())),
            _ => None,
        })
    }

    /// This file for a copy of the lab. In the copy, the configuration of each router is
    /// `NODE.conf` beside the lab file, also if the lab has it elsewhere: a copy is never written
    /// through a path that leads out of its directory.
    ///
    /// # Errors
    /// None, because this file is already checked.
    pub fn with_configs_beside(&self) -> Result<LabFile, LabError> {
        let mut text = self.text.clone();
        let mut configs: Vec<_> = self.places.configs.iter().collect();
        // From the end of the text, so that the positions before it stay correct.
        configs.sort_by_key(|(_, place)| std::cmp::Reverse(place.start));
        for (node, place) in configs {
            text.replace_range(place.clone(), &format!("\"{node}.conf\""));
        }
        LabFile::parse(&self.path, &text)
    }

    /// The home of an emulated host: its LAN, and the only router there.
    pub fn home(&self, host: &str) -> Option<(&Lan, &Port)> {
        let lan = self.lans.iter().find(|lan| lan.ports.iter().any(|port| port.node == host))?;
        let is_router = |port: &&Port| matches!(self.nodes[&port.node], Node::Router { .. });
        let mut routers = lan.ports.iter().filter(is_router);
        let port = routers.next()?;
        routers.next().is_none().then_some((lan, port))
    }

    /// Every port of a link or a LAN: links first, in the file's order.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        let links = self.links.iter().flat_map(|link| &link.ends);
        links.chain(self.lans.iter().flat_map(|lan| &lan.ports))
    }

    /// The position of a port in the text.
    pub fn place_of(&self, port: &Port) -> Span {
        let key = (port.node.clone(), port.device.clone());
        self.places.ports.get(&key).cloned().unwrap_or_default()
    }

    /// The position of a node's addresses in the text.
    pub fn addresses_of(&self, node: &str) -> Span {
        self.places.addresses.get(node).cloned().unwrap_or_default()
    }

    /// An error that points at a position in this file.
    pub fn error(&self, span: Span, message: impl Into<String>, label: &str) -> LabError {
        LabError::new(&self.path, &self.text, Some(span), message, label)
    }
}
