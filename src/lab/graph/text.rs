//! The picture of a lab in the languages of Mermaid and Graphviz.

use std::fmt::Write;

use super::{Graph, Kind, Line, Shape};
use crate::lab::Lab;

/// Returns the picture in the language of Mermaid. Many viewers of Markdown draw this language.
pub fn mermaid(lab: &Lab) -> String {
    let Graph { shapes, lines, .. } = Graph::of(lab);
    let mut text = String::from("graph TD\n");
    // A write into a `String` has no error.
    for (index, Shape { name, kind, addresses }) in shapes.iter().enumerate() {
        let label = label(name, addresses, "<br/>");
        let (open, close) = match kind {
            Kind::Router => ("[", "]"),
            Kind::Forwarder => ("{{", "}}"),
            Kind::Host => ("([", "])"),
            Kind::Lan => ("[[", "]]"),
        };
        let _ = writeln!(text, "  n{index}{open}\"{label}\"{close}");
    }
    for Line { ends: [one, other], labels, name } in &lines {
        let mut words: Vec<&str> = labels.iter().map(String::as_str).collect();
        words.extend(name.as_deref());
        words.retain(|word| !word.is_empty());
        let _ = writeln!(text, "  n{one} ---|\"{}\"| n{other}", words.join(" - "));
    }
    text
}

/// Returns the picture in the language of Graphviz.
pub fn dot(lab: &Lab) -> String {
    let Graph { title, shapes, lines } = Graph::of(lab);
    let mut text = format!(
        "graph \"{}\" {{\n  label=\"{}\"\n  node [fontname=\"sans-serif\"]\n  edge [fontname=\"sans-serif\", \
         fontsize=9]\n",
        quoted(&lab.name),
        quoted(&title)
    );
    for (index, Shape { name, kind, addresses }) in shapes.iter().enumerate() {
        let shape = match kind {
            Kind::Router => "box",
            Kind::Forwarder => "hexagon",
            Kind::Host => "ellipse",
            Kind::Lan => "underline",
        };
        let label = label(name, addresses, "\\n");
        let _ = writeln!(text, "  n{index} [label=\"{label}\", shape={shape}]");
    }
    for Line { ends: [one, other], labels: [tail, head], name } in &lines {
        let name = quoted(name.as_deref().unwrap_or_default());
        let _ = writeln!(
            text,
            "  n{one} -- n{other} [taillabel=\"{tail}\", headlabel=\"{head}\", label=\"{name}\"]"
        );
    }
    text.push_str("}\n");
    text
}

/// Returns a text with the name and the addresses of a node. The names of nodes, ports and LANs
/// have no character with a special meaning in these languages.
fn label(name: &str, addresses: &[String], between: &str) -> String {
    let words: Vec<&str> =
        std::iter::once(name).chain(addresses.iter().map(String::as_str)).collect();
    words.join(between)
}

/// Returns a text in the form that Graphviz requires between quotation marks.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
