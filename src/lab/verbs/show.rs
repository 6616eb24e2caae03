//! `lab show`: the addresses and static routes of all nodes, each with the name of the file from
//! which it comes.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Serialize;

use crate::addr::Family;
use crate::console::read_config;
use crate::lab::Lab;
use crate::lab::file::{Node, Port};
use crate::router::config::{Config, StaticTarget};

/// The origin of an address or a route that no file has. The line `core = "auto"` has chosen it.
const AUTO: &str = "auto";

/// The addresses and routes of a lab, from its files. The lab need not be up.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LabAddresses {
    /// The addresses, sorted by nodes and interfaces.
    pub addresses: Vec<LabAddress>,
    /// The static routes and the gateways of hosts, sorted by nodes.
    pub routes: Vec<LabRoute>,
}

/// An address of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct LabAddress {
    /// The name of the node.
    pub node: String,
    /// The interface as the lab file names it.
    pub interface: String,
    /// The address with the prefix length of its network.
    pub address: String,
    /// The other ports on the link or LAN.
    pub to: Vec<String>,
    /// The file that has the address, or `auto` if `core = "auto"` has chosen it.
    pub origin: String,
}

/// A static route of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct LabRoute {
    /// The name of the node.
    pub node: String,
    /// The destination prefix.
    pub prefix: String,
    /// The address of the next hop, an interface, or `Null0`.
    pub via: String,
    /// The file that has the route, or `auto` if `core = "auto"` has chosen it.
    pub origin: String,
}

/// Returns the addresses and routes of `lab`.
pub fn show(lab: &Lab) -> LabAddresses {
    let configs: BTreeMap<&str, (&str, Config)> = lab
        .file
        .routers()
        .filter_map(|(node, path)| {
            Some((node, (path, read_config(path, lab.text(path).ok()?).config)))
        })
        .collect();
    let mut shown = LabAddresses { addresses: Vec::new(), routes: Vec::new() };
    for port in lab.file.ports() {
        let (nets, origin) = of_port(lab, &configs, port);
        let chosen = lab.chosen.addresses.get(&(port.node.clone(), port.device.clone()));
        shown.addresses.extend(nets.into_iter().map(|net| LabAddress {
            node: port.node.clone(),
            interface: port.interface.clone(),
            address: net.to_string(),
            to: others(lab, port),
            origin: if chosen.is_some_and(|all| all.contains(&net)) { AUTO } else { origin }.into(),
        }));
    }
    for (node, (path, config)) in &configs {
        let loopbacks = config.interfaces.iter().filter(|(name, _)| name.is_loopback());
        for (name, interface) in loopbacks {
            shown.addresses.extend(interface.addresses.iter().map(|net| LabAddress {
                node: (*node).to_owned(),
                interface: name.to_string(),
                address: net.to_string(),
                to: Vec::new(),
                origin: (*path).to_owned(),
            }));
        }
    }
    for (node, kind) in &lab.file.nodes {
        let config = configs.get(node.as_str());
        shown.routes.extend(of_node(lab, node, kind, config));
    }
    shown.addresses.sort();
    shown
}

/// Returns the addresses of a port, and the file that contains them. This file does not contain the
/// addresses that `core = "auto"` has chosen.
fn of_port<'a>(
    lab: &Lab,
    configs: &BTreeMap<&str, (&'a str, Config)>,
    port: &Port,
) -> (Vec<IpNet>, &'a str) {
    match lab.file.nodes.get(&port.node) {
        Some(Node::Forwarder { addresses, .. }) => {
            (addresses.get(&port.device).cloned().unwrap_or_default(), "lab.toml")
        }
        Some(Node::Host(host)) => (host.addresses.clone(), "lab.toml"),
        _ => match configs.get(port.node.as_str()) {
            Some((path, config)) => {
                let mut interfaces = config.interfaces.iter();
                let found = interfaces.find(|(name, _)| name.device() == port.device);
                (found.map(|(_, it)| it.addresses.clone()).unwrap_or_default(), path)
            }
            None => (Vec::new(), ""),
        },
    }
}

/// Returns the other ports on the link or LAN of a port.
fn others(lab: &Lab, port: &Port) -> Vec<String> {
    let links = lab.file.links.iter().map(|link| &link.ends[..]);
    let mut wires = links.chain(lab.file.lans.iter().map(|lan| &lan.ports[..]));
    let ports = wires.find(|ports| ports.contains(port)).unwrap_or_default();
    ports.iter().filter(|other| *other != port).map(ToString::to_string).collect()
}

fn of_node(lab: &Lab, node: &str, kind: &Node, config: Option<&(&str, Config)>) -> Vec<LabRoute> {
    let row = |(prefix, via): (IpNet, String), origin: &str| {
        let chosen = lab.chosen.routes.get(node).is_some_and(|routes| routes.contains_key(&prefix));
        let origin = if chosen { AUTO } else { origin };
        LabRoute { node: node.into(), prefix: prefix.to_string(), via, origin: origin.into() }
    };
    match (kind, config) {
        (Node::Forwarder { routes, .. }, _) => {
            routes.iter().map(|(net, hop)| row((*net, hop.to_string()), "lab.toml")).collect()
        }
        (Node::Host(host), _) => {
            let default = |hop: &IpAddr| Family::of(*hop).default_prefix();
            let gateways = host.gateways.iter();
            gateways.map(|hop| row((default(hop), hop.to_string()), "lab.toml")).collect()
        }
        (Node::Router { .. }, Some((path, config))) => {
            let via = |target: &StaticTarget| match target {
                StaticTarget::NextHop(hop) => hop.to_string(),
                StaticTarget::Interface(name) => name.to_string(),
                StaticTarget::Null => "Null0".to_owned(),
            };
            let routes = config.static_routes.iter();
            routes.map(|route| row((route.prefix, via(&route.target)), path)).collect()
        }
        (Node::Router { .. }, None) => Vec::new(),
    }
}

impl fmt::Display for LabAddresses {
    /// Writes two tables for a person: the addresses, and the routes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:12} {:16} {:28} {:14} Link to", "Node", "Interface", "Address", "Origin")?;
        for LabAddress { node, interface, address, to, origin } in &self.addresses {
            let to = to.join(", ");
            let row = format!("{node:12} {interface:16} {address:28} {origin:14} {to}");
            writeln!(f, "{}", row.trim_end())?;
        }
        writeln!(f, "\n{:12} {:28} {:28} Origin", "Node", "Route to", "Via")?;
        for LabRoute { node, prefix, via, origin } in &self.routes {
            writeln!(f, "{node:12} {prefix:28} {via:28} {origin}")?;
        }
        Ok(())
    }
}
