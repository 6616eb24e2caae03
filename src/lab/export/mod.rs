//! `lab export`: the files of a lab for other programs that run labs.
//!
//! The routers run this program from an image. The hosts and the plain nodes are Linux containers
//! with the addresses and routes of the lab. An emulated host becomes a container too.
//!
//! The files of [`containerlab`] have all parts of a lab, so that `lab import` can make the lab
//! from them again. The files of [`netlab`] and [`kathara`] have the nodes, the links, the
//! addresses and the routes.

pub mod containerlab;
pub mod kathara;
pub mod netlab;

use std::fmt::Write;
use std::net::IpAddr;

use super::Lab;
use super::failure::Failure;
use super::file::{Host, Node};
use crate::addr::{Family, is_ipv6_link_local};

/// The files of an export: the path of each in its folder, and its text.
pub type Files = Vec<(String, String)>;

/// Returns the Dockerfile of the routers' image. If `base` is given, the routers' image also has
/// the programs of the image `base`, and has no entry point. If not, the routers' image has only
/// the static program.
fn dockerfile(base: Option<&str>) -> (String, String) {
    let from = base.unwrap_or("scratch");
    let entry = if base.is_none() { "ENTRYPOINT [\"/usr/bin/eidway\"]\n" } else { "" };
    let text = format!(
        "# The image of the routers. `{PROGRAM}` beside this file is the static program:\n\
         #   cargo build --release --target x86_64-unknown-linux-musl\n\
         FROM {from}\nCOPY {PROGRAM} /usr/bin/eidway\nWORKDIR /run/eidway\n{entry}"
    );
    ("Dockerfile".to_owned(), text)
}

/// The image of the routers. The Dockerfile of the export makes it.
pub const ROUTER_IMAGE: &str = "eidway";
/// The image of all other nodes. It has the program `ip`.
pub const PLAIN_IMAGE: &str = "alpine:3";

/// The name of the program in the folder of an export. The Dockerfile copies it into the image.
pub const PROGRAM: &str = "eidway";

/// The file with the names of the lab's hosts, in the form of /etc/hosts.
const HOSTS: &str = "hosts";

/// Returns the files of the routers: the names of the hosts, and the configuration of each router
/// as `NODE.conf`.
///
/// # Errors
/// A configuration cannot be read.
fn common(lab: &Lab) -> Result<Files, Failure> {
    let mut files = vec![(HOSTS.to_owned(), host_names(lab))];
    for (node, config) in lab.file.routers() {
        files.push((format!("{node}.conf"), lab.text(config)?.to_owned()));
    }
    Ok(files)
}

fn host_names(lab: &Lab) -> String {
    let names = lab.file.host_names().into_iter();
    let lines = names.flat_map(|(name, addresses)| {
        addresses.into_iter().map(move |address| format!("{address} {name}\n"))
    });
    lines.collect()
}

/// Returns the commands of iproute2 and of busybox that configure a plain node or a host: its
/// Ethernet address, its addresses, its routes and its programs. For a router there are none.
fn commands(node: &Node) -> Vec<String> {
    match node {
        Node::Router { .. } => Vec::new(),
        Node::Forwarder { addresses, routes } => {
            let addresses = addresses.iter().flat_map(|(device, nets)| {
                nets.iter().map(move |net| format!("ip address add {net} dev {device}"))
            });
            let routes = routes.iter().map(|(net, via)| route(&net.to_string(), *via, ""));
            addresses.chain(routes).collect()
        }
        Node::Host(host) => of_host(host),
    }
}

fn of_host(host: &Host) -> Vec<String> {
    let Host { device, addresses, gateways, mac, run, .. } = host;
    let mac = mac.map(|mac| format!("ip link set dev {device} address {mac}"));
    let addresses = addresses.iter().map(|net| format!("ip address add {net} dev {device}"));
    let routes = gateways.iter().map(|via| {
        // A link-local address exists on every link, so the route also needs the name of the
        // device.
        let device =
            if is_ipv6_link_local(*via) { format!(" dev {device}") } else { String::new() };
        route("default", *via, &device)
    });
    let programs = (1..).zip(run).map(|(number, command)| program(number, command));
    mac.into_iter().chain(addresses).chain(routes).chain(programs).collect()
}

/// Returns the command that starts program number `number` of a host and does not wait for its end.
fn program(number: usize, command: &str) -> String {
    let command = command.replace('\'', r"'\''");
    format!("sh -c '({command}) >/tmp/run-{number}.log 2>&1 </dev/null &'")
}

/// Reads a line with the command that starts a program of a host, in the form that this module
/// writes. Returns the program, or `None` for any other line.
pub fn read_program(line: &str) -> Option<String> {
    let (command, end) = line.strip_prefix("sh -c '(")?.rsplit_once(") >/tmp/run-")?;
    let number = end.strip_suffix(".log 2>&1 </dev/null &'")?;
    number.parse::<usize>().ok()?;
    Some(command.replace(r"'\''", "'"))
}

fn route(prefix: &str, via: IpAddr, device: &str) -> String {
    let family = if Family::of(via) == Family::Ipv6 { "-6 " } else { "" };
    format!("ip {family}route add {prefix} via {via}{device}")
}

/// Adds a line. A write into a `String` has no error.
fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

/// Returns a text as a scalar of YAML: between quotation marks, in the form of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// Returns a name as a scalar of YAML. If YAML could read the name as another type, it has
/// quotation marks.
fn scalar(name: &str) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_word = words.contains(&name.to_lowercase().as_str());
    match name.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_word {
        true => name.to_owned(),
        false => quoted(name),
    }
}
