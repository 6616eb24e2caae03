//! The topology file of containerlab.
//!
//! - A link of the lab becomes a link of the topology, and its interfaces have the names of the
//!   Linux devices. A LAN of two ports becomes a link too. Any other LAN becomes a node `lan-NAME`
//!   with a bridge.
//! - No node has a management network: its `eth0` is a port of the lab.
//! - Some keys of the lab file do not exist in containerlab. They become labels of the nodes and
//!   variables of the links.
//!
//! `lab import` can read the file. Each node has its own `group`, one of [`Group`], and its own
//! `image`, because clabernetes does not read the section `groups`.

use std::fmt::Write;

use toml::{Table, Value};

use super::{
    Files, HOSTS, PLAIN_IMAGE, ROUTER_IMAGE, add, commands, common, dockerfile, quoted, scalar,
};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Host, Lan, Link, Node, Port};

/// The path of a router's configuration inside its container.
pub const CONFIG: &str = "/etc/eidway/router.conf";
/// The path of the file with the names of the hosts, inside the container of a router.
pub const HOST_NAMES: &str = "/etc/eidway/hosts";
/// The arguments of the program of a router. Relative paths are below `/run/eidway`, the working
/// directory of the image.
pub const COMMAND: &str = "router /etc/eidway/router.conf --hosts /etc/eidway/hosts \
                           --console router.sock --nonces nonces --startup startup.conf --flash flash";
/// The first part of the name of a node that is a LAN. The name of no other node has a dash.
pub const LAN: &str = "lan-";
/// The name of the bridge of a LAN inside its container.
pub const BRIDGE: &str = "lan";
/// The label with the title of the lab.
pub const TITLE: &str = "eidway-title";
/// The label with the position of a node in a picture: two numbers.
pub const POSITION: &str = "eidway-position";
/// The label of a host that is emulated in namespaces.
pub const EMULATED: &str = "eidway-emulated";
/// The variable with the name of the LAN. Only a link that is a LAN of two ports has it.
pub const LAN_OF_TWO: &str = "lan";
/// The size in octets of the largest IP packet on a link for which the lab file has no value.
pub const MTU: u16 = 1500;

/// The sysctls of all nodes, as the verb `node-add` sets them.
pub const SYSCTLS: [(&str, u8); 10] = [
    ("net.ipv4.conf.all.rp_filter", 0),
    ("net.ipv4.conf.default.rp_filter", 0),
    ("net.ipv6.conf.all.disable_ipv6", 0),
    ("net.ipv6.conf.default.disable_ipv6", 0),
    ("net.ipv6.conf.all.accept_dad", 0),
    ("net.ipv6.conf.default.accept_dad", 0),
    ("net.ipv6.conf.all.keep_addr_on_down", 1),
    ("net.ipv6.conf.default.keep_addr_on_down", 1),
    ("net.ipv6.conf.all.accept_ra", 0),
    ("net.ipv6.conf.default.accept_ra", 0),
];

/// The sysctls of routers and plain nodes, which forward packets.
pub const FORWARDING: [(&str, u8); 4] = [
    ("net.ipv4.ip_forward", 1),
    ("net.ipv6.conf.all.forwarding", 1),
    ("net.ipv4.conf.all.send_redirects", 0),
    ("net.ipv4.conf.default.send_redirects", 0),
];

/// The kind of a node, which is its `group` in the topology file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// A router of Eidway.
    Router,
    /// A plain node.
    Node,
    /// A host.
    Host,
    /// A bridge: a LAN with more or fewer than two ports.
    Lan,
}

impl Group {
    /// All kinds.
    pub const ALL: [Group; 4] = [Group::Router, Group::Node, Group::Host, Group::Lan];

    /// Returns the value of `group` in the file.
    pub fn name(self) -> &'static str {
        match self {
            Group::Router => "router",
            Group::Node => "node",
            Group::Host => "host",
            Group::Lan => "lan",
        }
    }

    fn of(node: &Node) -> Self {
        match node {
            Node::Router { .. } => Group::Router,
            Node::Forwarder { .. } => Group::Node,
            Node::Host(_) => Group::Host,
        }
    }
}

/// Returns the files of the export: the topology file `LAB.clab.yml`, the Dockerfile, and the files
/// of the routers.
///
/// # Errors
/// Containerlab does not allow the name of the lab or of a node, or a configuration cannot be read.
pub fn export(lab: &Lab) -> Result<Files, Failure> {
    for (name, what) in lab.file.nodes.keys().map(|node| (node, "node")).chain([(&lab.name, "lab")])
    {
        if name.starts_with('_') {
            return Err(Failure::Other(format!(
                "containerlab does not allow {name} as the name of a {what}: the name must begin \
                 with a letter or a digit"
            )));
        }
    }
    let mut files = vec![(format!("{}.clab.yml", lab.name), topology(lab)?)];
    files.push(dockerfile(None));
    files.extend(common(lab)?);
    Ok(files)
}

fn topology(lab: &Lab) -> Result<String, Failure> {
    let name = &lab.name;
    let mut text = format!(
        "# The lab {name} for containerlab, written by `eidway lab export`.\n\
         #   docker build -t {ROUTER_IMAGE} .\n\
         #   containerlab deploy -t {name}.clab.yml\n"
    );
    if let Some((router, _)) = lab.file.routers().next() {
        add(
            &mut text,
            format_args!("#   docker exec -it clab-{name}-{router} eidway console router.sock"),
        );
    }
    add(&mut text, format_args!("name: {}\ntopology:\n  defaults:", scalar(name)));
    text.push_str("    kind: linux\n    network-mode: none\n");
    sysctls(&mut text, 4, &SYSCTLS);
    if let Some(title) = &lab.file.title {
        add(&mut text, format_args!("    labels:\n      {TITLE}: {}", quoted(title)));
    }
    text.push_str("  nodes:\n");
    for (name, node) in &lab.file.nodes {
        self::node(&mut text, lab, name, node);
    }
    for lan in lab.file.lans.iter().filter(|lan| lan.ports.len() != 2) {
        bridge(&mut text, lan);
    }
    links(&mut text, lab)?;
    Ok(text)
}

fn sysctls(text: &mut String, indent: usize, all: &[(&str, u8)]) {
    add(text, format_args!("{:indent$}sysctls:", ""));
    for (key, value) in all {
        add(text, format_args!("{:indent$}  {key}: {value}", ""));
    }
}

fn node(text: &mut String, lab: &Lab, name: &str, node: &Node) {
    let group = Group::of(node);
    let image = if group == Group::Router { ROUTER_IMAGE } else { PLAIN_IMAGE };
    add(text, format_args!("    {}:\n      group: {}", scalar(name), group.name()));
    add(text, format_args!("      image: {image}"));
    if matches!(group, Group::Router | Group::Node) {
        sysctls(text, 6, &FORWARDING);
    }
    labels(text, lab, name, node);
    if group == Group::Router {
        add(text, format_args!("      binds:\n        - {name}.conf:{CONFIG}:ro"));
        add(text, format_args!("        - {HOSTS}:{HOST_NAMES}:ro\n      cmd: {COMMAND}"));
    }
    exec(text, &commands(node));
}

fn labels(text: &mut String, lab: &Lab, name: &str, node: &Node) {
    let mut labels = Vec::new();
    if let Some([x, y]) = lab.file.positions.get(name) {
        labels.push((POSITION, format!("{x} {y}")));
    }
    if matches!(node, Node::Host(Host { emulated: true, .. })) {
        labels.push((EMULATED, "true".to_owned()));
    }
    if !labels.is_empty() {
        text.push_str("      labels:\n");
    }
    for (key, value) in labels {
        add(text, format_args!("        {key}: {}", quoted(&value)));
    }
}

fn exec(text: &mut String, commands: &[String]) {
    if !commands.is_empty() {
        text.push_str("      exec:\n");
    }
    for command in commands {
        // Commands other than `ip` can contain characters that have a meaning in YAML.
        let is_plain = command.starts_with("ip ");
        let command = if is_plain { command.clone() } else { quoted(command) };
        add(text, format_args!("        - {command}"));
    }
}

fn bridge(text: &mut String, lan: &Lan) {
    add(text, format_args!("    {LAN}{}:\n      group: {}", lan.name, Group::Lan.name()));
    add(text, format_args!("      image: {PLAIN_IMAGE}"));
    exec(text, &bridge_commands(lan.ports.iter().map(Port::switch_device)));
}

/// Returns the commands that make the bridge of a LAN and connect these devices to it.
pub fn bridge_commands(devices: impl Iterator<Item = String>) -> Vec<String> {
    let mut commands = vec![format!("ip link add name {BRIDGE} type bridge")];
    commands.extend(devices.map(|device| format!("ip link set dev {device} master {BRIDGE}")));
    commands.push(format!("ip link set dev {BRIDGE} up"));
    commands
}

fn links(text: &mut String, lab: &Lab) -> Result<(), Failure> {
    let written: Table = lab.file.text.parse().map_err(Failure::new)?;
    let keys = |list: &str, number: usize| {
        let entry = written.get(list).and_then(|list| list.get(number));
        entry.and_then(Value::as_table).cloned().unwrap_or_default()
    };
    if lab.file.links.is_empty() && lab.file.lans.iter().all(|lan| lan.ports.is_empty()) {
        return Ok(());
    }
    text.push_str("  links:\n");
    for (number, link) in lab.file.links.iter().enumerate() {
        let mut vars = keys("links", number);
        ["endpoints", "mtu"].iter().for_each(|key| drop(vars.remove(*key)));
        impairment(text, lab, link);
        let ends = link.ends.each_ref().map(|end| format!("{}:{}", end.node, end.device));
        self::link(text, ends, link.mtu, &vars);
    }
    for (number, lan) in lab.file.lans.iter().enumerate() {
        let mut vars = keys("lans", number);
        ["name", "ports", "mtu"].iter().for_each(|key| drop(vars.remove(*key)));
        let end = |port: &Port| format!("{}:{}", port.node, port.device);
        if let [a, b] = &lan.ports[..] {
            vars.insert(LAN_OF_TWO.to_owned(), Value::String(lan.name.clone()));
            self::link(text, [end(a), end(b)], lan.mtu, &vars);
            continue;
        }
        for port in &lan.ports {
            let switch = format!("{LAN}{}:{}", lan.name, port.switch_device());
            self::link(text, [end(port), switch], lan.mtu, &vars);
        }
    }
    Ok(())
}

fn link(text: &mut String, [a, b]: [String; 2], mtu: Option<u16>, vars: &Table) {
    add(text, format_args!("    - endpoints: [{}, {}]", quoted(&a), quoted(&b)));
    add(text, format_args!("      mtu: {}", mtu.unwrap_or(MTU)));
    if !vars.is_empty() {
        text.push_str("      vars:\n");
    }
    for (key, value) in vars {
        // Strings, numbers and booleans have one form in JSON and in YAML.
        let value = serde_json::to_string(value).unwrap_or_default();
        add(text, format_args!("        {key}: {value}"));
    }
}

/// Adds comments with the commands that impair a link. The user runs them after the deployment of
/// the lab, because the topology file of containerlab has no keys for impairments.
fn impairment(text: &mut String, lab: &Lab, link: &Link) {
    let impairment = &link.impairment;
    let millis = |span: std::time::Duration| span.as_secs_f64() * 1000.0;
    let mut options = String::new();
    for (option, value, unit) in [
        ("delay", millis(impairment.delay), "ms"),
        ("jitter", millis(impairment.jitter), "ms"),
        ("loss", impairment.loss, ""),
    ] {
        if value > 0.0 {
            let _ = write!(options, " --{option} {value}{unit}");
        }
    }
    for end in link.ends.iter().filter(|_| !options.is_empty()) {
        let (lab, node, device) = (&lab.name, &end.node, &end.device);
        add(
            text,
            format_args!(
                "    # containerlab tools netem set -n clab-{lab}-{node} -i {device}{options}"
            ),
        );
    }
}
