//! The chart, as SVG: the ratio of each variant to the kernel's VXLAN for the main figures.

use std::fmt::Write;

use crate::figures::{Figures, RATIOS};
use crate::variant::Variant;

const WIDTH: f64 = 760.0;
const LABEL: f64 = 150.0;
const BAR: f64 = 14.0;
const GAP: f64 = 26.0;
/// The position of the ratio 1. The next constant is the longest bar.
const UNIT: f64 = 130.0;
const LONGEST: f64 = WIDTH - LABEL - 70.0;

fn colour(variant: Variant) -> &'static str {
    match variant {
        Variant::Plain => "#9aa5b1",
        Variant::Vxlan => "#52606d",
        Variant::Eidway => "#0b7285",
        Variant::EidwayKernel => "#1098ad",
        Variant::EidwayUser => "#3bc9db",
        Variant::EidwayNoOffload => "#66a8b5",
        Variant::Oor => "#c9a227",
    }
}

/// Returns a chart with a group of bars for each figure. `caption` is the line under the title.
pub fn svg(figures: &Figures, caption: &str) -> String {
    let variants = figures.variants();
    let group = variants.len() as f64 * BAR + GAP;
    let (top, height) = (64.0, 64.0 + RATIOS.len() as f64 * group + 30.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"22\" font-size=\"16\">Over kernel VXLAN (RTT: shorter is better)</text>\n\
         <text x=\"10\" y=\"42\" fill=\"#52606d\">{caption}</text>\n"
    );
    for (index, (key, title)) in RATIOS.iter().enumerate() {
        let mut y = top + index as f64 * group;
        let middle = y + variants.len() as f64 * BAR / 2.0 + 4.0;
        _ = writeln!(svg, "<text x=\"10\" y=\"{middle}\">{title}</text>");
        for &variant in &variants {
            if let Some(ratio) = figures.ratio(variant, Variant::Vxlan, key) {
                bar(&mut svg, y, ratio, variant);
            }
            y += BAR;
        }
    }
    let (x, end) = (LABEL + UNIT, height - 30.0);
    _ = writeln!(svg, "<path d=\"M{x} {top}V{end}\" stroke=\"#52606d\" stroke-dasharray=\"3\"/>");
    let mut x = 10.0;
    for variant in variants {
        let (fill, y) = (colour(variant), height - 20.0);
        _ = writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"10\" height=\"10\" fill=\"{fill}\"/>");
        let (text, y) = (x + 14.0, height - 11.0);
        _ = writeln!(svg, "<text x=\"{text}\" y=\"{y}\">{}</text>", variant.title());
        x += 150.0;
    }
    svg + "</svg>\n"
}

fn bar(svg: &mut String, y: f64, ratio: f64, variant: Variant) {
    let (width, height, fill) = ((ratio * UNIT).min(LONGEST), BAR - 2.0, colour(variant));
    _ = writeln!(
        svg,
        "<rect x=\"{LABEL}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{fill}\"/>"
    );
    let (x, y) = (LABEL + width + 4.0, y + 10.0);
    _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" font-size=\"10\">{ratio:.2}</text>");
}
