//! The lab file, `lab.toml`: the nodes of a lab and the links between them.
//!
//! ```toml
//! name = "tiny"
//! core = "auto"                          # optional: see `auto_core`
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
//! position = [0, 0]                    # in a picture of the lab: x to the right, y down
//! addresses = ["172.16.0.12/24", "2001:db8:a::12/64"]
//! gateways = ["172.16.0.1", "2001:db8:a::1"]
//! run = ["python3 -m http.server 80"]  # programs of this machine, while the lab is up
//!
//! [nodes.C]
//! kind = "host"
//! emulated = true                      # the router on its LAN runs it, without a namespace
//! addresses = ["172.16.0.13/24"]
//!
//! [[links]]                            # a cable between two ports
//! endpoints = ["xTR1:Ethernet0/0", "Core1:eth0"]
//! delay = "20ms"                       # its impairments: see `impairment`
//! loss = "1%"
//!
//! [[lans]]                             # a bridge with any number of ports
//! name = "site1"
//! ports = ["A:eth0", "xTR1:Ethernet1/0"]
//! ```
//!
//! In the lab file, the interfaces of a router have names in the form of IOS: `Ethernet0/0`, but
//! also `GigabitEthernet0/0/1`, `Vlan10`, or `Gi0/0.100` for a subinterface. A subinterface has a
//! link of its own. [`InterfaceName::device`](crate::router::config::InterfaceName::device) returns
//! the name of the Linux device. [`check`] reads the text into the types of this module. [`error`]
//! shows each error with the file, the line and a caret.

pub mod check;
pub mod error;
pub mod name;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::addr::Family;
use crate::console::machine::HostNames;
use crate::lab::impairment::Impairment;
pub use error::{LabError, Span};

/// A lab file that was checked. Every port exists only once, and the kernel accepts every name.
#[derive(Clone, Debug)]
pub struct LabFile {
    /// The path of the file, for messages.
    pub path: String,
    /// The text of the file. Messages use it to show the position of a [`Span`].
    pub text: String,
    /// The name of the lab. It is a part of the names of the lab's namespaces.
    pub name: String,
    /// The title of the lab: its subject in one line.
    pub title: Option<String>,
    /// `core`: the origin of the addresses and routes of the core.
    pub core: Core,
    /// The nodes of the lab by their names.
    pub nodes: BTreeMap<String, Node>,
    /// The cables between two ports, in the order of the file.
    pub links: Vec<Link>,
    /// The bridges, in the order of the file.
    pub lans: Vec<Lan>,
    /// `position`: the position of each node in a picture of the lab. The first number is the
    /// distance to the right, and the second number is the distance down, in any unit. A picture
    /// scales these distances to its size.
    pub positions: BTreeMap<String, [f64; 2]>,
    /// The positions of some items in the text of the file.
    pub places: Places,
}

/// The positions of some items in the text of a lab file. The items are each port (by node and
/// device), the addresses of each node, the path of each router's configuration file, and the name
/// of the lab. If a check compares several files and finds an error, the error message points at
/// one of these positions.
#[derive(Clone, Debug, Default)]
pub struct Places {
    ports: BTreeMap<(String, String), Span>,
    addresses: BTreeMap<String, Span>,
    configs: BTreeMap<String, Span>,
    name: Span,
}

impl Places {
    /// Returns the position of the lab's name, including the quotation marks.
    pub fn name(&self) -> Span {
        self.name.clone()
    }
}

/// The origin of the addresses and routes of the core: the key `core`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Core {
    /// The files of the lab have all addresses and routes.
    #[default]
    #[serde(skip)]
    Written,
    /// The program adds the addresses and routes that the files do not have.
    Auto,
}

/// The kind of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An Eidway router: `kind = "router"`.
    Router {
        /// The path of the router's configuration file, relative to the directory of the lab.
        config: String,
    },
    /// A plain forwarder without LISP: `kind = "node"`.
    Forwarder {
        /// The addresses of each device, each with the prefix length of its network.
        addresses: BTreeMap<String, Vec<IpNet>>,
        /// The static routes: the destination and the next hop of each.
        routes: BTreeMap<IpNet, IpAddr>,
    },
    /// A host: `kind = "host"`.
    Host(Host),
}

/// A host with one interface. The interface has addresses, and the host has a gateway for each of
/// its default routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The device of the host's only interface.
    pub device: String,
    /// The addresses of the host, each with the prefix length of its network. There is at least
    /// one.
    pub addresses: Vec<IpNet>,
    /// The gateways of the default routes: at most one for each family.
    pub gateways: Vec<IpAddr>,
    /// The Ethernet address of the host, if the lab file has one.
    pub mac: Option<Mac>,
    /// `run`: the programs that run on the host while the lab is up, each as a line for `sh`.
    pub run: Vec<String>,
    /// Whether the host is emulated in a lab in namespaces. An emulated host runs in the process of
    /// the router on its LAN. On the simulator, every host is emulated.
    pub emulated: bool,
}

impl Host {
    /// Returns the host's first address of `family`.
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter().map(IpNet::addr);
        addresses.find(|&address| Family::of(address) == family)
    }

    /// Returns the host's gateway of `family`.
    pub fn gateway(&self, family: Family) -> Option<IpAddr> {
        let mut gateways = self.gateways.iter().copied();
        gateways.find(|&gateway| Family::of(gateway) == family)
    }
}

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    /// Writes the address in this form: `02:00:00:00:00:0a`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl std::str::FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not an Ethernet address: write it like 02:00:00:00:00:0a");
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

/// A port, that is, one end of a link: `xTR1:Ethernet0/0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The name of the node.
    pub node: String,
    /// The name of the interface in the lab file. For a router, it has the form of IOS.
    pub interface: String,
    /// The name of the Linux device of this interface.
    pub device: String,
}

impl Port {
    /// Returns the name of the device at the other end of this port, if the port is on a LAN. An
    /// example is `A.eth0`. This device is in the namespace `switch`, which has the bridges of the
    /// lab.
    pub fn switch_device(&self) -> String {
        format!("{}.{}", self.node, self.device)
    }
}

impl fmt::Display for Port {
    /// Writes the port in this form: `xTR1:Ethernet0/0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.node, self.interface)
    }
}

/// A cable between two ports.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The two ends of the cable.
    pub ends: [Port; 2],
    /// The length in octets of the largest IP packet on the link. It is 1500 if the file has no
    /// value.
    pub mtu: Option<u16>,
    /// Whether the kernel may offload transmit checksums. This is faster, but captures then show
    /// wrong checksums.
    pub offload: bool,
    /// The impairment of packets on the link. It is equal in both directions. The field `mtu` of
    /// this impairment is not used: the MTU of the link is in [`Link::mtu`].
    pub impairment: Impairment,
}

impl Link {
    /// Returns the name of the link: the nodes and the Linux devices of its two ends, in the order
    /// of the lab file. An example is `xTR1:et0-0-Core1:eth0`.
    pub fn name(&self) -> String {
        let [a, b] = &self.ends;
        format!("{}:{}-{}:{}", a.node, a.device, b.node, b.device)
    }
}

/// A LAN: a bridge, with the ports that are connected to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lan {
    /// The name of the LAN's bridge, which is in the namespace `switch` of the lab.
    pub name: String,
    /// The ports on this LAN.
    pub ports: Vec<Port>,
    /// The length in octets of the largest IP packet on the LAN. It is 1500 if the file has no
    /// value.
    pub mtu: Option<u16>,
    /// Whether the kernel may offload transmit checksums.
    pub offload: bool,
}

impl LabFile {
    /// Returns the hosts of the lab, each with its name.
    pub fn hosts(&self) -> impl Iterator<Item = (&str, &Host)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Host(host) => Some((name.as_str(), host)),
            _ => None,
        })
    }

    /// Returns the addresses of the lab's hosts, by the names of the hosts. The consoles of the
    /// routers accept these names.
    pub fn host_names(&self) -> HostNames {
        let addresses = |host: &Host| host.addresses.iter().map(IpNet::addr).collect();
        self.hosts().map(|(name, host)| (name.to_owned(), addresses(host))).collect()
    }

    /// Returns the routers of the lab, each with its name and its configuration file.
    pub fn routers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().filter_map(|(name, node)| match node {
            Node::Router { config } => Some((name.as_str(), config.as_str())),
            _ => None,
        })
    }

    /// Returns this file for a copy of the lab. In the copy, the configuration of each router is
    /// the file `NODE.conf` beside the lab file, even if the lab has its configurations in other
    /// directories. So a copy never writes to a path outside its own directory.
    ///
    /// # Errors
    /// There is never an error, because this file was already checked.
    pub fn with_configs_beside(&self) -> Result<LabFile, LabError> {
        let mut text = self.text.clone();
        let mut configs: Vec<_> = self.places.configs.iter().collect();
        // The positions are sorted from the end of the text to its beginning, so that a replacement
        // does not move the positions that are replaced later.
        configs.sort_by_key(|(_, place)| std::cmp::Reverse(place.start));
        for (node, place) in configs {
            text.replace_range(place.clone(), &format!("\"{node}.conf\""));
        }
        LabFile::parse(&self.path, &text)
    }

    /// Returns the home of an emulated host: its LAN, and the port of the only router on this LAN.
    pub fn home(&self, host: &str) -> Option<(&Lan, &Port)> {
        let lan = self.lans.iter().find(|lan| lan.ports.iter().any(|port| port.node == host))?;
        let is_router = |port: &&Port| matches!(self.nodes[&port.node], Node::Router { .. });
        let mut routers = lan.ports.iter().filter(is_router);
        let port = routers.next()?;
        routers.next().is_none().then_some((lan, port))
    }

    /// Replaces the impairments of all links by `impairment`. If `impairment` has an MTU, it also
    /// replaces the MTU of each link.
    pub fn impair(&mut self, impairment: &Impairment) {
        for link in &mut self.links {
            link.mtu = impairment.mtu.or(link.mtu);
            link.impairment = Impairment { mtu: None, ..*impairment };
        }
    }

    /// Returns all ports: first the ports of the links, then the ports of the LANs, each in the
    /// order of the file.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        let links = self.links.iter().flat_map(|link| &link.ends);
        links.chain(self.lans.iter().flat_map(|lan| &lan.ports))
    }

    /// Returns the position of this port in the text.
    pub fn place_of(&self, port: &Port) -> Span {
        let key = (port.node.clone(), port.device.clone());
        self.places.ports.get(&key).cloned().unwrap_or_default()
    }

    /// Returns the position of a node's addresses in the text.
    pub fn addresses_of(&self, node: &str) -> Span {
        self.places.addresses.get(node).cloned().unwrap_or_default()
    }

    /// Creates an error that points at a position in this file.
    pub fn error(&self, span: Span, message: impl Into<String>, label: &str) -> LabError {
        LabError::new(&self.path, &self.text, Some(span), message, label)
    }
}
