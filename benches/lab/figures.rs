//! The figures by variant: medians, ratios, a table, JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::variant::Variant;

/// A column of the table.
pub struct Figure {
    /// As JSON spells it.
    pub key: &'static str,
    title: &'static str,
    decimals: usize,
    /// Whether the figure is in the table. Other figures are in the JSON only.
    in_table: bool,
}

const fn column(key: &'static str, title: &'static str, decimals: usize) -> Figure {
    Figure { key, title, decimals, in_table: true }
}

const fn detail(key: &'static str) -> Figure {
    Figure { key, title: "", decimals: 3, in_table: false }
}

/// All figures that are measured. TCP is measured from A to B and from B to A. `tcp1` and `tcp4`
/// are the means of the two directions.
pub const FIGURES: [Figure; 20] = [
    column("tcp1_ab", "TCP, 1 flow, Gbit/s", 2),
    column("tcp1_ba", "back", 2),
    column("tcp4_ab", "TCP, 4 flows, Gbit/s", 2),
    column("tcp4_ba", "back", 2),
    column("udp64_pps", "UDP 64 B, packets/s", 0),
    column("udp512_pps", "512 B", 0),
    column("udp1400_pps", "1,400 B", 0),
    column("udp64_gso_pps", "64 B, sender with GSO", 0),
    column("rtt", "RTT, ms", 3),
    column("cpu_s_per_gib", "CPU s/GiB", 2),
    column("cpu_us_per_packet", "CPU µs/packet", 2),
    detail("tcp1"),
    detail("tcp4"),
    detail("udp64_reordered"),
    detail("udp512_reordered"),
    detail("udp1400_reordered"),
    detail("udp64_gso_reordered"),
    detail("router_cpu_s_per_gib"),
    detail("router_cpu_us_per_packet"),
    detail("disturbance"),
];

/// The figures for which the project has a target: a ratio to VXLAN.
pub const RATIOS: [(&str, &str); 4] =
    [("tcp1", "TCP 1 flow"), ("tcp4", "TCP 4 flows"), ("udp64_pps", "UDP 64 B"), ("rtt", "RTT")];

/// Returns the median: the middle value, or the mean of the two middle values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// The values of every round.
#[derive(Default)]
pub struct Figures {
    values: BTreeMap<(Variant, &'static str), Vec<f64>>,
    /// The reason why figures of a variant are missing.
    pub failures: BTreeMap<Variant, String>,
}

impl Figures {
    pub fn add(&mut self, variant: Variant, key: &'static str, value: f64) {
        self.values.entry((variant, key)).or_default().push(value);
    }

    pub fn median(&self, variant: Variant, key: &'static str) -> Option<f64> {
        median(self.values.get(&(variant, key))?)
    }

    /// Returns the median of a variant divided by the median of another variant.
    pub fn ratio(&self, variant: Variant, to: Variant, key: &'static str) -> Option<f64> {
        let (over, under) = (self.median(variant, key)?, self.median(to, key)?);
        (under > 0.0).then(|| over / under)
    }

    /// The variants with figures, in the table's order.
    pub fn variants(&self) -> Vec<Variant> {
        let mut variants: Vec<Variant> = self.values.keys().map(|(variant, _)| *variant).collect();
        variants.dedup();
        variants
    }

    /// Returns a table in Markdown: the medians, and below them the ratios to VXLAN.
    pub fn table(&self) -> String {
        let columns: Vec<&Figure> = FIGURES.iter().filter(|figure| figure.in_table).collect();
        let mut table = String::from("| data path |");
        columns.iter().for_each(|figure| _ = write!(table, " {} |", figure.title));
        table += "\n|---|";
        columns.iter().for_each(|_| table += "---:|");
        for variant in self.variants() {
            _ = write!(table, "\n| {} |", variant.title());
            for figure in &columns {
                match self.median(variant, figure.key) {
                    Some(value) => _ = write!(table, " {} |", number(value, figure.decimals)),
                    None => table += " - |",
                }
            }
        }
        table += "\n\n| over kernel VXLAN |";
        RATIOS.iter().for_each(|(_, title)| _ = write!(table, " {title} |"));
        table += "\n|---|---:|---:|---:|---:|";
        for variant in self.variants() {
            _ = write!(table, "\n| {} |", variant.title());
            for (key, _) in RATIOS {
                match self.ratio(variant, Variant::Vxlan, key) {
                    Some(ratio) => _ = write!(table, " {ratio:.2} |"),
                    None => table += " - |",
                }
            }
        }
        for (variant, failure) in &self.failures {
            _ = write!(table, "\n\n{}: {failure}", variant.title());
        }
        table + "\n"
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let figures = |variant: Variant| -> Value {
            let of = |figure: &Figure| {
                let all = self.values.get(&(variant, figure.key))?;
                Some((figure.key.to_owned(), json!({ "median": median(all), "all": all })))
            };
            Value::Object(FIGURES.iter().filter_map(of).collect())
        };
        let ratios = |variant, to| -> Value {
            let of = |(key, _): &(&'static str, _)| {
                Some(((*key).to_owned(), self.ratio(variant, to, key)?.into()))
            };
            Value::Object(RATIOS.iter().filter_map(of).collect())
        };
        let by_variant = |of: &dyn Fn(Variant) -> Value| -> Value {
            self.variants().into_iter().map(|variant| (variant.key(), of(variant))).collect()
        };
        let failures = self.failures.iter();
        json!({
            "figures": by_variant(&figures),
            "ratios_to_vxlan": ratios(Variant::Eidway, Variant::Vxlan),
            "ratios_to_vxlan_by_variant": by_variant(&|variant| ratios(variant, Variant::Vxlan)),
            "ratios_to_oor": ratios(Variant::Eidway, Variant::Oor),
            "failures": failures.map(|(v, why)| (v.key(), why.as_str())).collect::<Value>(),
        })
    }
}

/// With thousands apart.
fn number(value: f64, decimals: usize) -> String {
    let plain = format!("{value:.decimals$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}
