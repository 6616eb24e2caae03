//! Reads the nodes of a topology file, and adds them to the text of the lab file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_saphyr::Spanned;

use super::commands::{self, Command};
use super::lab_text::{LabText, key, string};
use super::source::Source;
use super::topology::{Node, Topology, place};
use crate::console::read_config;
use crate::lab::export::PLAIN_IMAGE;
use crate::lab::export::containerlab::{
    COMMAND, CONFIG, EMULATED, FORWARDING, Group, HOST_NAMES, LAN, POSITION,
};
use crate::lab::failure::Failure;
use crate::lab::file::Span;
use crate::netns::text;
use crate::router::config::Config;

/// A node, with its kind and its commands.
pub(super) struct Known<'a> {
    name: &'a Spanned<String>,
    node: &'a Node,
    /// The kind of the node.
    pub(super) group: Group,
    /// The commands of the node, with their positions.
    pub(super) commands: Vec<(Command, Span)>,
    /// The text of a router's configuration file, and the position of the path of this file in the
    /// topology file.
    config: Option<(String, Span)>,
    /// The parsed configuration of a router.
    parsed: Option<Config>,
    /// The only device of a host.
    device: Option<String>,
}

impl Known<'_> {
    /// The position of the name of the node.
    pub(super) fn place(&self) -> Span {
        place(self.name)
    }

    /// The name of the LAN, for a node that is a LAN.
    pub(super) fn lan_name(&self) -> &str {
        self.name.value.strip_prefix(LAN).unwrap_or(&self.name.value)
    }

    /// Returns the interfaces of a router as text for an error. For each interface, the text has
    /// the form `NAME (DEVICE)`: its name and its Linux device.
    fn interfaces(&self) -> String {
        let interfaces = self.parsed.iter().flat_map(|config| config.interfaces.keys());
        let names = interfaces.filter(|name| !name.is_loopback());
        names.map(|name| format!("{name} ({})", name.device())).collect::<Vec<_>>().join(", ")
    }
}

/// The nodes of a topology file. The key is the name of the node.
pub(super) struct Nodes<'a>(BTreeMap<&'a str, Known<'a>>);

impl<'a> Nodes<'a> {
    /// Reads and checks the nodes. The configurations of the routers are read from `directory`.
    pub(super) fn read(
        source: &Source<'_>,
        topology: &'a Topology,
        directory: &Path,
    ) -> Result<Self, Failure> {
        let mut nodes = BTreeMap::new();
        for (name, node) in &topology.topology.nodes.0 {
            let mut known = source.node(topology, name, node)?;
            if known.group == Group::Router {
                let (path, span) = source.config_path(name, node)?;
                let file = directory.join(&path);
                let text = text::read(&file).map_err(|error| {
                    source.error(span.clone(), format!("{}: {error}", file.display()), "")
                })?;
                known.parsed = Some(read_config(&path, &text).config);
                known.config = Some((text, span));
            }
            if known.group == Group::Host {
                let ends = topology.topology.links.iter().flat_map(|link| &link.endpoints.value);
                let mut devices = ends.filter_map(|end| {
                    let (node, device) = end.value.split_once(':')?;
                    (node == name.value).then(|| device.to_owned())
                });
                known.device = devices.next();
            }
            nodes.insert(name.value.as_str(), known);
        }
        Ok(Nodes(nodes))
    }

    /// The node with this name.
    pub(super) fn get(&self, name: &str) -> Option<&Known<'a>> {
        self.0.get(name)
    }

    /// The nodes that are LANs.
    pub(super) fn lans(&self) -> impl Iterator<Item = (&'a str, &Known<'a>)> {
        let all = self.0.iter().map(|(name, known)| (*name, known));
        all.filter(|(_, known)| known.group == Group::Lan)
    }

    /// Returns the configuration files of the routers. For each file: its path in the folder of the
    /// lab, and its text.
    pub(super) fn configs(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().filter_map(|(name, known)| {
            let (text, _) = known.config.as_ref()?;
            Some((format!("{name}.conf"), text.clone()))
        })
    }

    /// Returns the name that the lab file uses for a port of a link. `end` is the port in the
    /// topology file.
    pub(super) fn port(
        &self,
        source: &Source<'_>,
        end: &Spanned<String>,
    ) -> Result<String, Failure> {
        let router = end.value.split_once(':').and_then(|(node, device)| {
            let known = self.get(node).filter(|known| known.group == Group::Router)?;
            Some((node, device, known))
        });
        // A device of a plain node or of a host has the same name in both files. The check of the
        // lab file finds all errors in these names.
        let Some((node, device, known)) = router else { return Ok(end.value.clone()) };
        let mut interfaces = known.parsed.iter().flat_map(|config| config.interfaces.keys());
        match interfaces.find(|name| name.device() == device) {
            Some(name) => Ok(format!("{node}:{name}")),
            None => {
                let message = format!("the configuration of {node} has no interface for {device}");
                let label = format!("it has {}", known.interfaces());
                Err(source.error(place(end), message, &label))
            }
        }
    }

    /// Adds the nodes that are not LANs to the lab file.
    pub(super) fn write(&self, source: &Source<'_>, lab: &mut LabText) -> Result<(), Failure> {
        for known in self.0.values().filter(|known| known.group != Group::Lan) {
            lab.add("\n[nodes.");
            lab.put(key(&known.name.value), known.place());
            lab.add(format!("]\nkind = \"{}\"\n", known.group.name()));
            source.write_labels(known, lab)?;
            match known.group {
                Group::Router => write_router(known, lab),
                Group::Node => source.write_forwarder(known, lab)?,
                Group::Host | Group::Lan => source.write_host(known, lab)?,
            }
        }
        Ok(())
    }
}

fn write_router(known: &Known<'_>, lab: &mut LabText) {
    lab.add("config = ");
    let origin = known.config.as_ref().map_or(known.place(), |(_, span)| span.clone());
    lab.put(string(&format!("{}.conf", known.name.value)), origin);
    lab.add("\n");
}

impl Source<'_> {
    /// Checks that a node has all parts that its kind must have, and no part that its kind must not
    /// have. Reads the commands of the node.
    fn node<'a>(
        &self,
        topology: &Topology,
        name: &'a Spanned<String>,
        node: &'a Node,
    ) -> Result<Known<'a>, Failure> {
        self.expect_linux(node.kind.as_ref())?;
        let label = "expected router, node, host or lan, as eidway lab export writes it";
        let Some(group) = &node.group else {
            let message = format!("{} is not a node of Eidway: it has no group", name.value);
            return Err(self.error(place(name), message, label));
        };
        let Some(kind) = Group::ALL.into_iter().find(|kind| kind.name() == group.value) else {
            let message = format!("{} is not a node of Eidway", name.value);
            return Err(self.error(place(group), message, label));
        };
        if topology.topology.defaults.kind.is_none() && node.kind.is_none() {
            return Err(self.error(place(name), "the kind of this node is missing", "kind: linux"));
        }
        let forwards = matches!(kind, Group::Router | Group::Node);
        self.expect_sysctls(&node.sysctls, if forwards { &FORWARDING } else { &[] })?;
        if kind == Group::Router {
            self.expect_router(name, node)?;
        } else {
            self.expect_plain(kind, node)?;
        }
        Ok(Known {
            name,
            node,
            group: kind,
            commands: commands::read(self, &node.exec)?,
            config: None,
            parsed: None,
            device: None,
        })
    }

    fn expect_router(&self, name: &Spanned<String>, node: &Node) -> Result<(), Failure> {
        match &node.cmd {
            Some(command) if command.value == COMMAND => {}
            other => {
                let span = other.as_ref().map_or_else(|| place(name), place);
                let message = format!("{} does not have the command of a router", name.value);
                return Err(self.error(span, message, &format!("expected cmd: {COMMAND}")));
            }
        }
        match node.exec.first() {
            Some(line) => {
                let message = "a router cannot have `exec`: its configuration file has its \
                               addresses and routes";
                Err(self.error(place(line), message, ""))
            }
            None => Ok(()),
        }
    }

    /// Checks a node that is not a router: it must not have a command, files or an image of its
    /// own.
    fn expect_plain(&self, kind: Group, node: &Node) -> Result<(), Failure> {
        let kind = kind.name();
        if let Some(value) = node.cmd.as_ref().or(node.binds.first()) {
            let message = format!("a {kind} of a lab cannot have a command or files");
            return Err(self.error(place(value), message, ""));
        }
        match node.image.as_ref().filter(|image| image.value != PLAIN_IMAGE) {
            Some(image) => {
                let message = format!("a {kind} of a lab cannot have another image");
                Err(self.error(place(image), message, &format!("expected {PLAIN_IMAGE}")))
            }
            None => Ok(()),
        }
    }

    /// Returns the path of a router's configuration, and the position of this path in the topology
    /// file.
    fn config_path(&self, name: &Spanned<String>, node: &Node) -> Result<(String, Span), Failure> {
        let mut found = None;
        for bind in &node.binds {
            let (file, inside) = bind.value.split_once(':').unwrap_or((&bind.value, ""));
            match inside.strip_suffix(":ro").unwrap_or(inside) {
                CONFIG => found = Some((file.to_owned(), place(bind))),
                HOST_NAMES => {}
                _ => {
                    let message = format!("a router cannot have the file {inside:?}");
                    return Err(self.error(place(bind), message, ""));
                }
            }
        }
        found.ok_or_else(|| {
            let message = format!("the router {} has no configuration file", name.value);
            let label = format!("binds: [{}.conf:{CONFIG}:ro] is missing", name.value);
            self.error(place(name), message, &label)
        })
    }

    fn write_labels(&self, known: &Known<'_>, lab: &mut LabText) -> Result<(), Failure> {
        for (label, value) in &known.node.labels.0 {
            match label.value.as_str() {
                POSITION => {
                    let numbers: Vec<f64> =
                        value.value.split(' ').filter_map(|word| word.parse().ok()).collect();
                    let [x, y] = numbers[..] else {
                        let message = format!("{:?} is not a position", value.value);
                        return Err(self.error(place(value), message, "expected two numbers"));
                    };
                    lab.add("position = ");
                    lab.put(format!("[{x}, {y}]"), place(value));
                    lab.add("\n");
                }
                EMULATED if known.group == Group::Host && value.value == "true" => {
                    lab.add("emulated = ");
                    lab.put("true", place(value));
                    lab.add("\n");
                }
                _ => return Err(self.unknown_label(label)),
            }
        }
        Ok(())
    }

    fn write_forwarder(&self, known: &Known<'_>, lab: &mut LabText) -> Result<(), Failure> {
        let mut addresses: BTreeMap<&str, Vec<(String, Span)>> = BTreeMap::new();
        let mut routes = Vec::new();
        for (command, span) in &known.commands {
            match command {
                Command::Address { address, device } => {
                    addresses.entry(device).or_default().push((string(address), span.clone()));
                }
                Command::Route { prefix, via } => routes.push((prefix, via, span)),
                _ => {
                    let why = "a plain node can have only addresses and routes";
                    return Err(self.out_of_place(span, why));
                }
            }
        }
        for (device, addresses) in addresses {
            lab.add(format!("addresses.{} = ", key(device)));
            lab.put_list(addresses);
            lab.add("\n");
        }
        if !routes.is_empty() {
            lab.add("routes = { ");
            for (number, (prefix, via, span)) in routes.into_iter().enumerate() {
                lab.add(if number > 0 { ", " } else { "" });
                lab.put(format!("{} = {}", string(prefix), string(via)), span.clone());
            }
            lab.add(" }\n");
        }
        Ok(())
    }

    fn write_host(&self, known: &Known<'_>, lab: &mut LabText) -> Result<(), Failure> {
        let (mut addresses, mut gateways, mut run) = (Vec::new(), Vec::new(), Vec::new());
        for (command, span) in &known.commands {
            match command {
                Command::Address { device, .. } | Command::Mac { device, .. }
                    if known.device.as_ref().is_some_and(|own| own != device) =>
                {
                    let message = format!("{} has no link at {device}", known.name.value);
                    return Err(self.error(span.clone(), message, ""));
                }
                Command::Address { address, .. } => {
                    addresses.push((string(address), span.clone()));
                }
                Command::Route { prefix, via } if prefix == "default" => {
                    gateways.push((string(via), span.clone()));
                }
                Command::Program(command) => run.push((string(command), span.clone())),
                Command::Mac { mac, .. } => {
                    lab.add("mac = ");
                    lab.put(string(mac), span.clone());
                    lab.add("\n");
                }
                _ => {
                    let why = "a host can have only addresses, default routes, a hardware address \
                               and programs";
                    return Err(self.out_of_place(span, why));
                }
            }
        }
        for (word, list) in [("addresses", addresses), ("gateways", gateways), ("run", run)] {
            if !list.is_empty() {
                lab.add(format!("{word} = "));
                lab.put_list(list);
                lab.add("\n");
            }
        }
        Ok(())
    }

    /// Returns the error about a command that a node of this kind cannot have.
    pub(super) fn out_of_place(&self, span: &Span, why: &str) -> Failure {
        self.error(span.clone(), format!("a lab file cannot have this command here: {why}"), "")
    }
}
