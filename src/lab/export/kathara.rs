//! The files of a network scenario of Kathará: `lab.conf`, a startup script for each device, and
//! the files of the routers.
//!
//! Kathará allows only small letters in the names of devices. The interfaces of a device are
//! `eth0`, `eth1` and so on: the startup script gives them the names of the lab.

use std::collections::BTreeMap;

use super::containerlab::{COMMAND, CONFIG, FORWARDING, HOST_NAMES, SYSCTLS};
use super::{Files, ROUTER_IMAGE, add, commands, common, dockerfile};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Node, Port};

/// The image of the devices of Kathará. The image of the routers is based on this image.
const BASE_IMAGE: &str = "kathara/base";
/// The working directory of the program of a router.
const DIRECTORY: &str = "/run/eidway";

/// Returns the files of the export: `lab.conf`, the Dockerfile, the startup scripts, and the files
/// of the routers.
///
/// # Errors
/// Two names differ only in capital letters, or a configuration cannot be read.
pub fn export(lab: &Lab) -> Result<Files, Failure> {
    let mut devices: BTreeMap<String, &str> = BTreeMap::new();
    for name in lab.file.nodes.keys() {
        if let Some(other) = devices.insert(name.to_lowercase(), name) {
            return Err(Failure::Other(format!(
                "Kathará allows only small letters in the names of devices, so {other} and {name} \
                 would be one device: rename one of them"
            )));
        }
    }
    let mut files = vec![("lab.conf".to_owned(), lab_conf(lab)), dockerfile(Some(BASE_IMAGE))];
    let (mut hosts, mut configs) = (String::new(), BTreeMap::new());
    for (path, text) in common(lab)? {
        match path.strip_suffix(".conf") {
            Some(router) => drop(configs.insert(router.to_owned(), text)),
            None => hosts = text,
        }
    }
    for (name, node) in &lab.file.nodes {
        let device = name.to_lowercase();
        files.push((format!("{device}.startup"), startup(lab, name, node)));
        if let Some(config) = configs.remove(name) {
            files.push((format!("{device}{CONFIG}"), config));
            files.push((format!("{device}{HOST_NAMES}"), hosts.clone()));
        }
    }
    Ok(files)
}

/// An interface of a node.
struct Attached<'a> {
    /// The collision domain.
    domain: String,
    /// The name of the device in the lab.
    device: &'a str,
    /// The length in octets of the largest IP packet, if the lab file has one.
    mtu: Option<u16>,
}

/// Returns the links and LANs of the lab: the name of the collision domain, the ports and the MTU
/// of each.
fn domains(lab: &Lab) -> impl Iterator<Item = (String, &[Port], Option<u16>)> {
    let links = (1..).zip(&lab.file.links);
    let links =
        links.map(|(number, link): (usize, _)| (format!("link{number}"), &link.ends[..], link.mtu));
    let lans = (1..).zip(&lab.file.lans).map(|(number, lan): (usize, _)| {
        let name: String =
            lan.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        (format!("lan{number}_{name}"), &lan.ports[..], lan.mtu)
    });
    links.chain(lans)
}

/// Returns the interfaces of a node in the order of their numbers.
fn ports<'a>(lab: &'a Lab, node: &'a str) -> impl Iterator<Item = Attached<'a>> {
    domains(lab).flat_map(move |(domain, ports, mtu)| {
        let own = ports.iter().filter(move |port| port.node == node);
        own.map(move |port| Attached { domain: domain.clone(), device: &port.device, mtu })
    })
}

fn lab_conf(lab: &Lab) -> String {
    let mut text = format!(
        "# The lab {name} for Kathara, written by `eidway lab export`.\n\
         #   docker build -t {ROUTER_IMAGE} .\n\
         #   kathara lstart\n\
         LAB_NAME=\"{name}\"\n",
        name = lab.name
    );
    for (name, node) in &lab.file.nodes {
        let device = name.to_lowercase();
        let mut meta = |key: &str, value: &str| {
            add(&mut text, format_args!("{device}[{key}]=\"{value}\""));
        };
        for (number, Attached { domain, .. }) in ports(lab, name).enumerate() {
            meta(&number.to_string(), &domain);
        }
        meta("ipv6", "true");
        let forwarding = match node {
            Node::Host(_) => &[][..],
            Node::Router { .. } | Node::Forwarder { .. } => &FORWARDING,
        };
        for (key, value) in SYSCTLS.iter().chain(forwarding) {
            meta("sysctl", &format!("{key}={value}"));
        }
        if matches!(node, Node::Router { .. }) {
            meta("image", ROUTER_IMAGE);
            meta("privileged", "true");
        }
    }
    text
}

/// Returns the startup script of a node. The script renames the interfaces. Then it runs the
/// commands of a plain node or a host, or starts the program of a router.
fn startup(lab: &Lab, name: &str, node: &Node) -> String {
    let mut lines = Vec::new();
    let devices: Vec<(usize, Attached<'_>)> = ports(lab, name).enumerate().collect();
    if devices.iter().any(|(number, port)| port.device != format!("eth{number}")) {
        // Another interface can have the new name now, so each interface first gets a temporary
        // name.
        for (number, _) in &devices {
            lines.push(format!("ip link set dev eth{number} down"));
            lines.push(format!("ip link set dev eth{number} name port{number}"));
        }
        for (number, Attached { device, .. }) in &devices {
            lines.push(format!("ip link set dev port{number} name {device}"));
            lines.push(format!("ip link set dev {device} up"));
        }
    }
    lines.extend(devices.iter().filter_map(|(_, Attached { device, mtu, .. })| {
        Some(format!("ip link set dev {device} mtu {}", (*mtu)?))
    }));
    lines.extend(commands(node));
    if matches!(node, Node::Router { .. }) {
        lines.push(format!("mkdir -p {DIRECTORY} && cd {DIRECTORY}"));
        lines.push(format!("/usr/bin/eidway {COMMAND} >/var/log/eidway.log 2>&1 </dev/null &"));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
