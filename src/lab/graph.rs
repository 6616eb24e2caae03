//! `lab graph`: a picture of a lab for documents, as Mermaid, Graphviz or SVG.
//!
//! A link, or a LAN with two ports, is a line between two nodes. A LAN with another number of ports
//! is also a node of the picture.

mod svg;
#[cfg(test)]
mod tests;
mod text;

use super::Lab;
use super::file::{Node, Port};
use super::verbs::show::{LabAddress, show};

pub use svg::svg;
pub use text::{dot, mermaid};

/// The kind of a node in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Router,
    Forwarder,
    Host,
    Lan,
}

/// A node of the picture.
#[derive(Clone, Debug)]
struct Shape {
    name: String,
    kind: Kind,
    /// The addresses that stand below the name, without prefix lengths.
    addresses: Vec<String>,
}

/// A line between two nodes of the picture. `ends` has the indexes of the nodes, and `labels` has
/// the names of the ports.
#[derive(Clone, Debug)]
struct Line {
    ends: [usize; 2],
    labels: [String; 2],
    /// The name of the LAN, if the line is a LAN.
    name: Option<String>,
}

/// The nodes and lines of the picture.
#[derive(Clone, Debug)]
struct Graph {
    title: String,
    shapes: Vec<Shape>,
    lines: Vec<Line>,
}

impl Graph {
    fn of(lab: &Lab) -> Self {
        let shown = show(lab).addresses;
        let shape = |(name, node): (&String, &Node)| {
            let kind = match node {
                Node::Router { .. } => Kind::Router,
                Node::Forwarder { .. } => Kind::Forwarder,
                Node::Host(_) => Kind::Host,
            };
            Shape { name: name.clone(), kind, addresses: addresses(&shown, name, kind) }
        };
        let mut shapes: Vec<Shape> = lab.file.nodes.iter().map(shape).collect();
        let index = |port: &Port| lab.file.nodes.keys().position(|name| *name == port.node);
        let mut lines = Vec::new();
        let mut add = |ports: [&Port; 2], name: Option<String>| {
            if let [Some(one), Some(other)] = ports.map(index) {
                let labels = ports.map(|port| port.interface.clone());
                lines.push(Line { ends: [one, other], labels, name });
            }
        };
        for link in &lab.file.links {
            add(link.ends.each_ref(), None);
        }
        let (cables, lans): (Vec<_>, Vec<_>) =
            lab.file.lans.iter().partition(|lan| lan.ports.len() == 2);
        for lan in cables {
            add([&lan.ports[0], &lan.ports[1]], Some(lan.name.clone()));
        }
        for lan in lans {
            let hub = shapes.len();
            shapes.push(Shape { name: lan.name.clone(), kind: Kind::Lan, addresses: Vec::new() });
            for port in &lan.ports {
                let labels = [port.interface.clone(), String::new()];
                let ends = index(port).map(|end| [end, hub]);
                lines.extend(ends.map(|ends| Line { ends, labels, name: None }));
            }
        }
        let title = lab.file.title.clone().unwrap_or_else(|| lab.name.clone());
        Graph { title, shapes, lines }
    }
}

/// Returns the addresses that are shown below the name of a node. For a host, these are all of its
/// addresses. For a router, these are its IPv4 addresses, or its IPv6 addresses if it has no IPv4
/// address. For a plain node or a LAN, there are none.
fn addresses(shown: &[LabAddress], node: &str, kind: Kind) -> Vec<String> {
    let own = shown.iter().filter(|row| row.node == node);
    let own: Vec<String> =
        own.map(|row| row.address.split('/').next().unwrap_or_default().to_owned()).collect();
    let (v6, v4): (Vec<String>, Vec<String>) =
        own.into_iter().partition(|address| address.contains(':'));
    match kind {
        Kind::Host => v4.into_iter().chain(v6).collect(),
        Kind::Router if v4.is_empty() => v6,
        Kind::Router => v4,
        Kind::Forwarder | Kind::Lan => Vec::new(),
    }
}
