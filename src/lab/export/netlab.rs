//! The topology file of netlab, for its provider `clab`.
//!
//! netlab makes the containers and links, and configures nothing. Commands in the containers set
//! the addresses and routes of the hosts and the plain nodes. The routers configure themselves.

use super::containerlab::{COMMAND, CONFIG, FORWARDING, HOST_NAMES, MTU, SYSCTLS};
use super::{
    Files, HOSTS, PLAIN_IMAGE, ROUTER_IMAGE, add, commands, common, dockerfile, quoted, scalar,
};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Node, Port};

/// The length of the longest name of a node in netlab.
const LONGEST_NAME: usize = 16;

/// Returns the files of the export: `topology.yml`, the Dockerfile, and the files of the routers.
///
/// # Errors
/// netlab does not allow the name of a node, or a configuration cannot be read.
pub fn export(lab: &Lab) -> Result<Files, Failure> {
    if let Some(name) = lab.file.nodes.keys().find(|name| name.len() > LONGEST_NAME) {
        return Err(Failure::Other(format!(
            "netlab does not allow {name} as the name of a node: it is longer than {LONGEST_NAME} \
             characters"
        )));
    }
    let mut files = vec![("topology.yml".to_owned(), topology(lab))];
    files.push(dockerfile(Some(PLAIN_IMAGE)));
    files.extend(common(lab)?);
    Ok(files)
}

fn topology(lab: &Lab) -> String {
    let name = &lab.name;
    let mut text = format!(
        "# The lab {name} for netlab, written by `eidway lab export`.\n\
         #   docker build -t {ROUTER_IMAGE} .\n\
         #   netlab up\n\
         name: {}\nprovider: clab\ndefaults.device: linux\nnodes:\n",
        scalar(name)
    );
    for (name, node) in &lab.file.nodes {
        self::node(&mut text, name, node);
    }
    text.push_str("links:\n");
    for link in &lab.file.links {
        wire(&mut text, &link.ends, link.mtu);
    }
    for lan in lab.file.lans.iter().filter(|lan| !lan.ports.is_empty()) {
        wire(&mut text, &lan.ports, lan.mtu);
        add(&mut text, format_args!("  name: {}", quoted(&lan.name)));
    }
    text
}

fn node(text: &mut String, name: &str, node: &Node) {
    let is_router = matches!(node, Node::Router { .. });
    let image = if is_router { ROUTER_IMAGE } else { PLAIN_IMAGE };
    add(text, format_args!("  {}:\n    image: {image}", scalar(name)));
    text.push_str("    skip_config: [ initial ]\n    clab:\n      network-mode: none\n");
    if is_router {
        add(text, format_args!("      binds:\n        {name}.conf: {CONFIG}"));
        add(
            text,
            format_args!("        {HOSTS}: {HOST_NAMES}\n      cmd: /usr/bin/eidway {COMMAND}"),
        );
    }
    let forwarding = match node {
        Node::Host(_) => &[][..],
        Node::Router { .. } | Node::Forwarder { .. } => &FORWARDING,
    };
    text.push_str("      exec:\n");
    for (key, value) in SYSCTLS.iter().chain(forwarding) {
        add(text, format_args!("        - sysctl -w {key}={value}"));
    }
    for command in commands(node) {
        add(text, format_args!("        - {}", quoted(&command)));
    }
}

fn wire(text: &mut String, ports: &[Port], mtu: Option<u16>) {
    for (number, Port { node, device, .. }) in ports.iter().enumerate() {
        let dash = if number == 0 { "-" } else { " " };
        add(text, format_args!("{dash} {}: {{ ifname: {} }}", scalar(node), quoted(device)));
    }
    add(text, format_args!("  prefix: false\n  mtu: {}", mtu.unwrap_or(MTU)));
}
