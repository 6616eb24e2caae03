//! The picture of a lab as SVG.
//!
//! A node stands at its `position` in the lab file. If no node has a position, the nodes stand in
//! four rows: hosts, routers with hosts, plain nodes, other routers. If some nodes have a position,
//! the other nodes stand below them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Graph, Kind, Line, Shape};
use crate::lab::Lab;
use crate::lab::page::escaped;

/// The smallest distances between the centres of two nodes, across and down, and the space around
/// all nodes. All three are in pixels.
const ACROSS: f64 = 170.0;
const DOWN: f64 = 120.0;
const MARGIN: f64 = 90.0;
/// The largest distance between two nodes, across or down, in pixels. If the positions would make
/// it larger, the picture is made smaller.
const WIDEST: f64 = 4_000.0;
/// The height of a line of text in a node, in pixels.
const TEXT: f64 = 15.0;

const STYLE: &str = "<style>\n\
    svg { font: 12px system-ui, sans-serif; color-scheme: light dark; background: Canvas }\n\
    text { text-anchor: middle; fill: CanvasText }\n\
    line { stroke: GrayText; stroke-width: 1.5 }\n\
    rect, ellipse { fill: Canvas; stroke: CanvasText; stroke-width: 1.5 }\n\
    .forwarder { stroke-dasharray: 5 3 } .name { font-weight: 600 } .port { font-size: 10px }\n\
    .port, .lan { paint-order: stroke; stroke: Canvas; stroke-width: 3px }\n\
    </style>\n";

/// Returns the picture as a complete SVG document. It uses the colours of the viewer, light or
/// dark.
pub fn svg(lab: &Lab) -> String {
    let graph = Graph::of(lab);
    let places = places(lab, &graph);
    let across = places.iter().map(|[x, _]| *x).fold(0.0, f64::max) + MARGIN;
    let down = places.iter().map(|[_, y]| *y).fold(0.0, f64::max) + MARGIN;
    let title = escaped(&graph.title);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {across:.0} {down:.0}\" \
         width=\"{across:.0}\" height=\"{down:.0}\" role=\"img\">\n<title>{title}</title>\n{STYLE}"
    );
    for Line { ends: [one, other], .. } in &graph.lines {
        let ([x1, y1], [x2, y2]) = (places[*one], places[*other]);
        // A write into a `String` has no error.
        let _ =
            writeln!(text, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
    }
    for (shape, place) in graph.shapes.iter().zip(&places) {
        node(&mut text, shape, *place);
    }
    for Line { ends: [one, other], labels: [near, far], name } in &graph.lines {
        let (from, to) = (places[*one], places[*other]);
        write(&mut text, "port", between(from, to, 0.33), near);
        write(&mut text, "port", between(to, from, 0.33), far);
        write(&mut text, "lan", between(from, to, 0.5), name.as_deref().unwrap_or_default());
    }
    text.push_str("</svg>\n");
    text
}

/// Returns a point between two points. `share` is 0 at the first point and 1 at the second.
fn between([x1, y1]: [f64; 2], [x2, y2]: [f64; 2], share: f64) -> [f64; 2] {
    [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share]
}

fn write(text: &mut String, class: &str, [x, y]: [f64; 2], words: &str) {
    if !words.is_empty() {
        let words = escaped(words);
        let _ = writeln!(text, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
    }
}

fn node(text: &mut String, Shape { name, kind, addresses }: &Shape, [x, y]: [f64; 2]) {
    let longest = addresses.iter().chain([name]).map(|word| word.chars().count()).max();
    let wide = (longest.unwrap_or_default() as f64 * 7.0 + 20.0).max(60.0);
    let high = (addresses.len() as f64 + 1.0) * TEXT + 12.0;
    let (left, top) = (x - wide / 2.0, y - high / 2.0);
    let (class, round) = match kind {
        Kind::Router => ("router", 6.0),
        Kind::Forwarder => ("forwarder", 0.0),
        Kind::Lan => ("hub", 0.0),
        Kind::Host => ("host", high / 2.0),
    };
    let _ = writeln!(
        text,
        "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" \
         height=\"{high:.1}\" rx=\"{round:.1}\"/>"
    );
    write(text, "name", [x, top + TEXT + 3.0], name);
    for (row, address) in (2..).zip(addresses) {
        write(text, "address", [x, top + TEXT * f64::from(row) + 3.0], address);
    }
}

/// Returns the centre of each node of the picture, in pixels.
fn places(lab: &Lab, graph: &Graph) -> Vec<[f64; 2]> {
    let given = given(lab);
    let mut places: Vec<Option<[f64; 2]>> =
        graph.shapes.iter().map(|shape| given.get(shape.name.as_str()).copied()).collect();
    let below = match given.is_empty() {
        true => MARGIN,
        false => given.values().map(|[_, y]| *y).fold(0.0, f64::max) + DOWN,
    };
    let rows = rows(graph, |index| places[index].is_none());
    let widest = rows.iter().map(Vec::len).max().unwrap_or_default();
    for (row, y) in rows.iter().zip((0..).map(|row| below + DOWN * f64::from(row))) {
        let left = MARGIN + ACROSS * (widest - row.len()) as f64 / 2.0;
        for (column, index) in row.iter().enumerate() {
            places[*index] = Some([left + ACROSS * column as f64, y]);
        }
    }
    // The centre of a LAN is the average of the centres of the nodes on this LAN.
    for (hub, _) in graph.shapes.iter().enumerate().filter(|(_, it)| it.kind == Kind::Lan) {
        let ends = graph.lines.iter().filter(|line| line.ends[1] == hub);
        let ends: Vec<[f64; 2]> = ends.filter_map(|line| places[line.ends[0]]).collect();
        let count = ends.len().max(1) as f64;
        let sum = ends.iter().fold([0.0; 2], |[x, y], end| [x + end[0], y + end[1]]);
        places[hub] = Some([(sum[0] / count).max(MARGIN), (sum[1] / count).max(MARGIN)]);
    }
    places.into_iter().map(Option::unwrap_or_default).collect()
}

/// Returns the positions of the lab file, converted to pixels. The two nearest columns have the
/// distance [`ACROSS`], and the two nearest rows have the distance [`DOWN`]. Both distances are
/// smaller if the picture would be larger than [`WIDEST`].
fn given(lab: &Lab) -> BTreeMap<&str, [f64; 2]> {
    let positions = &lab.file.positions;
    let scaled = |axis: usize, step: f64| {
        let mut all: Vec<f64> = positions.values().map(|position| position[axis]).collect();
        all.sort_by(f64::total_cmp);
        let first = all.first().copied().unwrap_or_default();
        let extent = all.last().map_or(0.0, |last| last - first);
        let gaps = all.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0);
        let nearest = gaps.fold(f64::INFINITY, f64::min);
        let scale = (step / nearest).min(WIDEST / extent);
        move |value: f64| MARGIN + (value - first) * if scale.is_finite() { scale } else { 0.0 }
    };
    let (right, down) = (scaled(0, ACROSS), scaled(1, DOWN));
    positions.iter().map(|(name, [x, y])| (name.as_str(), [right(*x), down(*y)])).collect()
}

/// Returns the rows of the picture. They have only the nodes that `is_free` accepts. The nodes of a
/// row are in the order of their neighbours in the row above.
fn rows(graph: &Graph, is_free: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let kind = |index: usize| graph.shapes[index].kind;
    let neighbours = |index: usize| {
        let ends = graph.lines.iter().map(|line| line.ends);
        ends.filter_map(move |[one, other]| match (one == index, other == index) {
            (true, _) => Some(other),
            (_, true) => Some(one),
            _ => None,
        })
    };
    let has_host = |index: usize| {
        let mut near = neighbours(index).flat_map(|next| match kind(next) {
            Kind::Lan => neighbours(next).collect(),
            _ => vec![next],
        });
        near.any(|next| kind(next) == Kind::Host)
    };
    let row = |index: usize| match kind(index) {
        Kind::Host => Some(0),
        Kind::Router if has_host(index) => Some(1),
        Kind::Forwarder => Some(2),
        Kind::Router => Some(3),
        Kind::Lan => None,
    };
    let mut rows = vec![Vec::new(); 4];
    for index in (0..graph.shapes.len()).filter(|index| is_free(*index)) {
        if let Some(row) = row(index) {
            rows[row].push(index);
        }
    }
    rows.retain(|row| !row.is_empty());
    for lower in 1..rows.len() {
        let (above, below) = rows.split_at_mut(lower);
        let above = &above[lower - 1];
        let column = |index: &usize| {
            let mut columns: Vec<usize> = neighbours(*index)
                .filter_map(|next| above.iter().position(|other| *other == next))
                .collect();
            columns.sort_unstable();
            columns.get(columns.len() / 2).copied().unwrap_or(usize::MAX)
        };
        below[0].sort_by_key(column);
    }
    rows
}
