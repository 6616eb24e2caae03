//! Tests of the pictures.

use std::collections::BTreeMap;

use super::*;
use crate::lab::built_in;

fn lab(name: &str) -> Lab {
    built_in::find(name).unwrap().unwrap()
}

#[test]
fn the_text_formats_have_each_node_and_each_cable_once() {
    for (text, cable) in [(mermaid(&lab("gsmr")), " ---"), (dot(&lab("gsmr")), " -- ")] {
        for name in lab("gsmr").file.nodes.keys() {
            let ends = ["\"", "<br/>", "\\n"].map(|end| format!("\"{name}{end}"));
            let shown = text.lines().filter(|line| ends.iter().any(|end| line.contains(end)));
            assert_eq!(shown.count(), 1, "{name} in\n{text}");
        }
        // Four links, the five LANs of sites, and three ports on the LAN of the map-servers.
        assert_eq!(text.matches(cable).count(), 4 + 5 + 3, "{text}");
        assert!(text.contains("172.16.0.12") && text.contains("Ethernet0/0"), "{text}");
    }
}

#[test]
fn a_title_with_quotation_marks_ends_no_text() {
    let mut lab = lab("two-sites");
    lab.file.title = Some("a \"b\" \\ <c>".to_owned());
    assert!(dot(&lab).contains("label=\"a \\\"b\\\" \\\\ <c>\""));
    assert!(svg(&lab).contains("<title>a &quot;b&quot; \\ &lt;c&gt;</title>"));
}

/// Returns the centre of each rectangle in the picture.
fn centres(picture: &str) -> Vec<(f64, f64)> {
    let number = |line: &str, key: &str| -> f64 {
        let (_, rest) = line.split_once(&format!(" {key}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let rects = picture.lines().filter(|line| line.starts_with("<rect"));
    rects
        .map(|line| {
            let middle = |at, size| number(line, at) + number(line, size) / 2.0;
            (middle("x", "width"), middle("y", "height"))
        })
        .collect()
}

#[test]
fn no_two_nodes_of_a_picture_stand_in_the_same_place() {
    for name in ["gsmr", "two-sites"] {
        let picture = svg(&lab(name));
        let centres = centres(&picture);
        assert!(centres.len() >= lab(name).file.nodes.len());
        for (index, (x, y)) in centres.iter().enumerate() {
            for (other_x, other_y) in &centres[..index] {
                let apart = (x - other_x).abs() > 40.0 || (y - other_y).abs() > 40.0;
                assert!(apart, "{name}: {centres:?}");
            }
        }
        assert_eq!(picture.matches("<line").count(), Graph::of(&lab(name)).lines.len());
    }
}

#[test]
fn positions_of_the_lab_file_are_kept_and_others_stand_below() {
    let mut lab = lab("gsmr");
    let order = |lab: &Lab| -> BTreeMap<String, (i64, i64)> {
        let names = lab.file.nodes.keys().cloned();
        names.zip(centres(&svg(lab)).into_iter().map(|(x, y)| (x as i64, y as i64))).collect()
    };
    let places = order(&lab);
    // xTR1 is at [1, 1], xTR2 at [5, 1], and Core1 at [2, 2].
    assert_eq!(places["xTR1"].1, places["xTR2"].1);
    assert!(places["xTR1"].0 < places["Core1"].0 && places["Core1"].0 < places["xTR2"].0);
    assert!(places["xTR1"].1 < places["Core1"].1);
    lab.file.positions.remove("xTR1");
    let without = order(&lab);
    let lowest = without.iter().max_by_key(|(_, (_, y))| *y).unwrap();
    assert_eq!(lowest.0, "xTR1");
}
