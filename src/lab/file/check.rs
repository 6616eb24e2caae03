//! Reads the text of a lab file into a [`LabFile`]. First, serde checks the grammar. Then this
//! module checks the rules that concern several parts of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use toml::Spanned;

use super::name;
use super::{Core, Host, LabError, LabFile, Lan, Link, Mac, Node, Places, Port, Span};
use crate::addr::Family;
use crate::lab::impairment::{Delay, Impairment, MTUS, Percent, Rate};
use crate::router::config::EmulatedHost;
use crate::router::config::InterfaceName;

/// The maximum number of programs that a host runs.
const MOST_PROGRAMS: usize = 16;

// The comments of the fields below are the descriptions in the JSON schema of a lab file. Editors
// show these descriptions.

/// A lab file of Eidway, `lab.toml`: the nodes of a lab and the links between them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LabFile")]
struct RawLab {
    /// The name of the lab: letters, digits, _ and -, at most 24.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// The subject of the lab in one line.
    title: Option<String>,
    /// `auto`: if the files do not have all addresses and static routes of the core, the program
    /// chooses the missing ones.
    #[serde(default)]
    core: Core,
    /// The nodes of the lab by their names: letters, digits and _, at most 24.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RawNode>")]
    nodes: BTreeMap<Spanned<String>, RawNode>,
    /// The cables between two ports.
    #[serde(default)]
    links: Vec<RawLink>,
    /// The bridges with any number of ports.
    #[serde(default)]
    lans: Vec<RawLan>,
}

/// The kind of a node.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "NodeKind")]
enum Kind {
    /// An Eidway router.
    Router,
    /// A forwarder without LISP.
    Node,
    /// A host with one interface.
    Host,
}

/// A node of the lab.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LabNode")]
struct RawNode {
    /// The kind of the node.
    kind: Kind,
    /// The configuration file of a router, in the folder of the lab.
    #[schemars(with = "Option<String>")]
    config: Option<Spanned<String>>,
    /// The addresses with the lengths of their prefixes. A host has one list of addresses. A plain
    /// node has a list for each device.
    #[schemars(with = "Option<RawAddresses>")]
    addresses: Option<Spanned<RawAddresses>>,
    /// The static routes of a plain node: the destination and the next hop of each.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    routes: Option<Spanned<BTreeMap<IpNet, IpAddr>>>,
    /// The default gateways of a host: at most one for IPv4 and one for IPv6.
    #[schemars(with = "Option<Vec<IpAddr>>")]
    gateways: Option<Spanned<Vec<IpAddr>>>,
    /// The Ethernet address of a host, for example 02:00:00:00:00:0a.
    #[schemars(with = "Option<String>")]
    mac: Option<Spanned<String>>,
    /// Whether the host is emulated: the router on the LAN of the host runs it, without a
    /// namespace.
    #[schemars(with = "Option<bool>")]
    emulated: Option<Spanned<bool>>,
    /// The programs that run on a host while the lab is up, each as a line for sh.
    #[schemars(with = "Option<Vec<String>>")]
    run: Option<Spanned<Vec<String>>>,
    /// The position of the node in a picture: the distance to the right and the distance down, in
    /// any unit.
    position: Option<[f64; 2]>,
}

/// The addresses of a node. A host has one list of addresses; a plain node has a list for each
/// device.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NodeAddresses")]
#[serde(
    untagged,
    expecting = "addresses must be [\"ADDRESS/LENGTH\"] for a host, and { eth0 = [..] } for a node"
)]
enum RawAddresses {
    /// The addresses of a host.
    OfHost(#[schemars(with = "Vec<String>")] Vec<IpNet>),
    /// The addresses of each device of a plain node.
    OfDevices(#[schemars(with = "BTreeMap<String, Vec<String>>")] BTreeMap<String, Vec<IpNet>>),
}

/// A cable between two ports.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LabLink")]
struct RawLink {
    /// The two ports, each as NODE:INTERFACE. The interfaces of a router have the names of IOS.
    #[schemars(with = "[String; 2]")]
    endpoints: Spanned<Vec<Spanned<String>>>,
    /// The length in octets of the largest IP packet: 1280 to 9216.
    #[schemars(with = "Option<u16>", range(min = 1280, max = 9216))]
    mtu: Option<Spanned<u16>>,
    /// Whether the kernel may offload transmit checksums. Captures then show wrong checksums.
    #[serde(default)]
    offload: bool,
    /// The delay of each packet, for example 20ms.
    #[serde(default)]
    delay: Delay,
    /// The largest difference between the delay of a packet and `delay`, for example 5ms.
    #[serde(default)]
    jitter: Delay,
    /// The percentage of packets that are lost, for example 1%.
    #[serde(default)]
    loss: Percent,
    /// The percentage of packets that arrive twice.
    #[serde(default)]
    duplicate: Percent,
    /// The percentage of packets that are sent without the delay. These packets overtake the
    /// delayed packets.
    #[schemars(with = "Option<Percent>")]
    reorder: Option<Spanned<Percent>>,
    /// The maximum rate of the frames, for example 10Mbit.
    rate: Option<Rate>,
}

/// A bridge with any number of ports.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Lan")]
struct RawLan {
    /// The name of the bridge, at most 15 characters.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// The ports, each as NODE:INTERFACE.
    #[schemars(with = "Vec<String>")]
    ports: Vec<Spanned<String>>,
    /// The length in octets of the largest IP packet: 1280 to 9216.
    #[schemars(with = "Option<u16>", range(min = 1280, max = 9216))]
    mtu: Option<Spanned<u16>>,
    /// Whether the kernel may offload transmit checksums. Captures then show wrong checksums.
    #[serde(default)]
    offload: bool,
}

/// Returns the JSON schema (draft 2020-12) of lab files. A file that fits the schema can still
/// break a rule that concerns several parts of the file. [`LabFile::parse`] refuses such a file.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.into_generator().into_root_schema_for::<RawLab>()
}

impl LabFile {
    /// Reads and checks the text of a lab file. `path` is the path of the file in messages.
    pub fn parse(path: &str, text: &str) -> Result<LabFile, LabError> {
        let raw: RawLab = toml::from_str(text)
            .map_err(|error| LabError::new(path, text, error.span(), error.message(), ""))?;
        let check = Check { path, text };
        check.name(name::lab(raw.name.get_ref()), raw.name.span())?;
        for node in raw.nodes.keys() {
            check.name(name::node(node.get_ref()), node.span())?;
        }
        let (links, lans, ports) = check.wires(&raw)?;
        let mut places = Places { ports, name: raw.name.span(), ..Places::default() };
        let mut nodes = BTreeMap::new();
        let mut positions = BTreeMap::new();
        let mut emulated = Vec::new();
        for (name, node) in raw.nodes {
            positions.extend(node.position.map(|position| (name.get_ref().clone(), position)));
            if let Some(key) = &node.emulated {
                emulated.push((name.get_ref().clone(), key.span()));
            }
            if let Some(config) = &node.config {
                places.configs.insert(name.get_ref().clone(), config.span());
            }
            if let Some(addresses) = &node.addresses {
                places.addresses.insert(name.get_ref().clone(), addresses.span());
            }
            let of_node = places.ports.keys().filter(|(owner, _)| owner == name.get_ref());
            let devices: Vec<String> = of_node.map(|(_, device)| device.clone()).collect();
            let checked = check.node(&name, node, &devices)?;
            nodes.insert(name.into_inner(), checked);
        }
        let file = LabFile {
            path: path.to_owned(),
            text: text.to_owned(),
            name: raw.name.into_inner(),
            title: raw.title,
            core: raw.core,
            nodes,
            links,
            lans,
            positions,
            places,
        };
        emulated.into_iter().try_for_each(|(name, span)| emulated_host(&file, &name, span))?;
        Ok(file)
    }
}

/// Returns an error if the host is emulated but no router can run it. For example, the host's LAN
/// has no router, or has more than one router.
fn emulated_host(file: &LabFile, name: &str, span: Span) -> Result<(), LabError> {
    let Some(Node::Host(host)) =
        file.nodes.get(name).filter(|node| matches!(node, Node::Host(host) if host.emulated))
    else {
        return Ok(());
    };
    let most = EmulatedHost::LONGEST_NAME;
    let problem = if file.home(name).is_none() {
        format!(
            "host {name} is emulated, so its LAN must have exactly one router, which runs the host"
        )
    } else if EmulatedHost::device(name) != format!("{name}.{}", host.device) {
        format!("host {name} is emulated, so its device must be eth0, not {}", host.device)
    } else if name.len() > most {
        format!("host {name} is emulated, so its name must have at most {most} characters")
    } else {
        return Ok(());
    };
    Err(file.error(span, problem, ""))
}

/// The ports of links and LANs, by node and device, and their positions in the text.
type Ports = BTreeMap<(String, String), Span>;

/// The text that is checked, and the path of its file.
struct Check<'a> {
    path: &'a str,
    text: &'a str,
}

impl Check<'_> {
    fn error(&self, span: Span, message: impl Into<String>, label: &str) -> LabError {
        LabError::new(self.path, self.text, Some(span), message, label)
    }

    fn name(&self, found: Result<(), String>, span: Span) -> Result<(), LabError> {
        found.map_err(|problem| self.error(span, problem, ""))
    }

    fn wires(&self, raw: &RawLab) -> Result<(Vec<Link>, Vec<Lan>, Ports), LabError> {
        let mut used = BTreeMap::new();
        let mut links = Vec::new();
        for link in &raw.links {
            links.push(self.link(raw, link, &mut used)?);
        }
        let mut lans: Vec<Lan> = Vec::new();
        for lan in &raw.lans {
            if lans.iter().any(|other| other.name == *lan.name.get_ref()) {
                let message = format!("two LANs have the name {:?}", lan.name.get_ref());
                return Err(self.error(lan.name.span(), message, ""));
            }
            lans.push(self.lan(raw, lan, &mut used)?);
        }
        Ok((links, lans, used))
    }

    fn link(&self, raw: &RawLab, link: &RawLink, used: &mut Ports) -> Result<Link, LabError> {
        let [a, b] = link.endpoints.get_ref().as_slice() else {
            let message = "a link must have two endpoints; use a [[lans]] entry for more endpoints";
            return Err(self.error(link.endpoints.span(), message, "expected two"));
        };
        let impairment = Impairment {
            delay: link.delay.0,
            jitter: link.jitter.0,
            loss: link.loss.0,
            duplicate: link.duplicate.0,
            reorder: link.reorder.as_ref().map_or(0.0, |reorder| reorder.get_ref().0),
            rate: link.rate,
            mtu: None,
        };
        let place = || link.reorder.as_ref().map_or(link.endpoints.span(), Spanned::span);
        impairment.check().map_err(|problem| self.error(place(), problem, ""))?;
        Ok(Link {
            ends: [self.port(raw, a, used)?, self.port(raw, b, used)?],
            mtu: self.mtu(&link.mtu)?,
            offload: link.offload,
            impairment,
        })
    }

    fn lan(&self, raw: &RawLab, lan: &RawLan, used: &mut Ports) -> Result<Lan, LabError> {
        self.name(name::device(lan.name.get_ref(), "a LAN's bridge"), lan.name.span())?;
        let mut ports = Vec::new();
        for text in &lan.ports {
            let port = self.port(raw, text, used)?;
            let what = "the device of this port in the namespace `switch`";
            self.name(name::device(&port.switch_device(), what), text.span())?;
            ports.push(port);
        }
        Ok(Lan {
            name: lan.name.get_ref().clone(),
            ports,
            mtu: self.mtu(&lan.mtu)?,
            offload: lan.offload,
        })
    }

    fn mtu(&self, mtu: &Option<Spanned<u16>>) -> Result<Option<u16>, LabError> {
        match mtu {
            Some(mtu) if !MTUS.contains(mtu.get_ref()) => {
                let (low, high) = (MTUS.start(), MTUS.end());
                let message = format!("an MTU must be from {low} to {high} octets");
                Err(self.error(mtu.span(), message, ""))
            }
            mtu => Ok(mtu.as_ref().map(|mtu| *mtu.get_ref())),
        }
    }

    fn port(
        &self,
        raw: &RawLab,
        text: &Spanned<String>,
        used: &mut Ports,
    ) -> Result<Port, LabError> {
        let wrong = |message: String, label: &str| self.error(text.span(), message, label);
        let Some((node, interface)) = text.get_ref().split_once(':') else {
            let message = format!("{:?} is not a port", text.get_ref());
            return Err(wrong(message, "expected NODE:INTERFACE"));
        };
        let Some((_, found)) = raw.nodes.iter().find(|(name, _)| name.get_ref() == node) else {
            let message = format!("the lab has no node {node:?}");
            return Err(wrong(message, "unknown node"));
        };
        let (interface, device) = match found.kind {
            Kind::Router => {
                let name: InterfaceName = interface.parse().map_err(|m| wrong(m, ""))?;
                if name.device() == "lo" {
                    let message = "a loopback interface cannot have a link".to_owned();
                    return Err(wrong(message, ""));
                }
                (name.to_string(), name.device())
            }
            Kind::Node | Kind::Host => (interface.to_owned(), interface.to_owned()),
        };
        self.name(name::device(&device, "a device"), text.span())?;
        if used.insert((node.to_owned(), device.clone()), text.span()).is_some() {
            let message = format!("the port {node}:{interface} is used twice");
            return Err(wrong(message, "used before"));
        }
        Ok(Port { node: node.to_owned(), interface, device })
    }

    fn node(
        &self,
        name: &Spanned<String>,
        raw: RawNode,
        devices: &[String],
    ) -> Result<Node, LabError> {
        let only = |span: Option<Span>, key: &str, kinds: &str| match span {
            None => Ok(()),
            Some(span) => Err(self.error(span, format!("only {kinds} can have the key {key}"), "")),
        };
        if raw.kind != Kind::Router {
            let config = raw.config.as_ref().map(Spanned::span);
            only(config, "config", "a router")?;
        }
        if raw.kind == Kind::Router {
            let addresses = raw.addresses.as_ref().map(Spanned::span);
            only(
                addresses,
                "addresses",
                "hosts and plain nodes (a router has its addresses in its .conf)",
            )?;
        }
        if raw.kind != Kind::Node {
            let routes = raw.routes.as_ref().map(Spanned::span);
            only(routes, "routes", "plain nodes (a router has its routes in its .conf)")?;
        }
        if raw.kind != Kind::Host {
            only(raw.gateways.as_ref().map(Spanned::span), "gateways", "a host")?;
            only(raw.mac.as_ref().map(Spanned::span), "mac", "a host")?;
            only(raw.emulated.as_ref().map(Spanned::span), "emulated", "a host")?;
            only(raw.run.as_ref().map(Spanned::span), "run", "a host")?;
        }
        match raw.kind {
            Kind::Router => match raw.config {
                Some(config) => Ok(Node::Router { config: config.into_inner() }),
                None => {
                    let message =
                        format!("the router {} has no configuration file", name.get_ref());
                    Err(self.error(name.span(), message, "config = \"FILE.conf\" is missing"))
                }
            },
            Kind::Node => self.forwarder(name, raw, devices),
            Kind::Host => self.host(name, raw, devices),
        }
    }

    fn forwarder(
        &self,
        name: &Spanned<String>,
        raw: RawNode,
        devices: &[String],
    ) -> Result<Node, LabError> {
        let span = raw.addresses.as_ref().map_or(name.span(), Spanned::span);
        let addresses = match raw.addresses.map(Spanned::into_inner) {
            None => BTreeMap::new(),
            Some(RawAddresses::OfDevices(addresses)) => addresses,
            Some(RawAddresses::OfHost(_)) => {
                let message = "the addresses of a plain node must be listed by device";
                return Err(self.error(span, message, "expected { eth0 = [..], .. }"));
            }
        };
        for device in addresses.keys().filter(|&device| device != "lo") {
            if !devices.contains(device) {
                let message = format!("the device {}:{device} has no link", name.get_ref());
                return Err(self.error(span, message, ""));
            }
        }
        let routes = raw.routes.map(Spanned::into_inner).unwrap_or_default();
        Ok(Node::Forwarder { addresses, routes })
    }

    fn host(
        &self,
        name: &Spanned<String>,
        raw: RawNode,
        devices: &[String],
    ) -> Result<Node, LabError> {
        let [device] = devices else {
            let message = format!(
                "a host must have exactly one link, but {} has {}",
                name.get_ref(),
                devices.len()
            );
            return Err(self.error(name.span(), message, ""));
        };
        let span = raw.addresses.as_ref().map_or(name.span(), Spanned::span);
        let addresses = match raw.addresses.map(Spanned::into_inner) {
            Some(RawAddresses::OfHost(addresses)) if !addresses.is_empty() => addresses,
            _ => {
                let message = format!("the host {} must have a list of addresses", name.get_ref());
                return Err(self.error(span, message, "addresses = [\"ADDRESS/LENGTH\", ..]"));
            }
        };
        let mut gateways = Vec::new();
        if let Some(list) = raw.gateways {
            let span = list.span();
            gateways = list.into_inner();
            let families: BTreeSet<_> = gateways.iter().map(|&a| Family::of(a)).collect();
            if families.len() < gateways.len() {
                let message = "a host can have at most one gateway for IPv4 and one for IPv6";
                return Err(self.error(span, message, ""));
            }
        }
        let mac = match raw.mac {
            Some(mac) => Some(
                mac.get_ref()
                    .parse::<Mac>()
                    .map_err(|message| self.error(mac.span(), message, ""))?,
            ),
            None => None,
        };
        let emulated = raw.emulated.is_some_and(Spanned::into_inner);
        let run = self.programs(raw.run, emulated)?;
        let device = device.clone();
        Ok(Node::Host(Host { device, addresses, gateways, mac, run, emulated }))
    }

    fn programs(
        &self,
        run: Option<Spanned<Vec<String>>>,
        emulated: bool,
    ) -> Result<Vec<String>, LabError> {
        let Some(run) = run else { return Ok(Vec::new()) };
        let refuse = |message: &str| Err(self.error(run.span(), message, ""));
        match run.get_ref() {
            all if all.len() > MOST_PROGRAMS => {
                refuse(&format!("a host can have at most {MOST_PROGRAMS} programs"))
            }
            all if all.iter().any(|command| command.trim().is_empty()) => {
                refuse("a program must have a command")
            }
            all if emulated && !all.is_empty() => {
                refuse("an emulated host has no namespace, so it cannot run programs")
            }
            _ => Ok(run.into_inner()),
        }
    }
}
