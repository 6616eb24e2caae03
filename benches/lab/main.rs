//! Compares Eidway with plain routing, the kernel's VXLAN and OpenOverlayRouter, on one topology
//! and in one run.
//!
//! `benches/lab.sh` builds and calls this. A round measures every variant in turn, so that a
//! disturbance of the machine affects all variants. The table has the medians of the rounds. Needs
//! root.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

mod batch;
mod chart;
mod control;
mod cpu;
mod figures;
mod flow;
mod machine;
mod namespace;
mod oor;
mod ping;
mod tcp;
mod topology;
mod udp;
mod variant;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use figures::Figures;
use serde_json::Value;
use variant::{Setting, Variant};

/// A result. The error is a text for the user.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Measure Eidway beside plain routing, kernel VXLAN and OpenOverlayRouter
#[derive(Parser)]
#[command(name = "benches/lab.sh")]
struct Cli {
    /// Rounds; the table has the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each TCP figure and of each rate's confirmation
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Only these variants
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Variant>,
    /// Only these figures
    #[arg(long, value_enum, value_delimiter = ',', default_value = "tcp,udp,rtt,control")]
    measure: Vec<Measure>,
    /// Percent of the packets that xTR2 loses on arrival from the core, in --measure whole
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Write all figures, and the ratios to VXLAN
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the ratios to VXLAN
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Put the table into README.md
    #[arg(long)]
    readme: bool,
    /// The lab's name; lab.sh removes the lab of this name in every case
    #[arg(long, hide = true, default_value = "bench")]
    lab: String,
    /// Where configurations and logs go: a directory that lab.sh makes
    #[arg(long, hide = true)]
    scratch: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// Throughput of one and of four flows, both directions
    Tcp,
    /// The highest rate of datagrams of 64, 512 and 1,400 octets with under 0.1 % lost
    Udp,
    /// Round-trip time
    Rtt,
    /// Registrations and requests a second of a running map-server (with Eidway)
    Control,
    /// 1 GiB over TCP, each octet of it looked at; not by default
    Whole,
}

/// For each figure: two names, the number of octets of payload, and the number of datagrams that
/// the sender passes to its kernel together.
const DATAGRAMS: [(&str, &str, usize, usize); 4] = [
    ("udp64_pps", "udp64_reordered", 64, 1),
    ("udp512_pps", "udp512_reordered", 512, 1),
    ("udp1400_pps", "udp1400_reordered", 1400, 1),
    ("udp64_gso_pps", "udp64_gso_reordered", 64, 16),
];
const PINGS: u32 = 200;
const GIB: u64 = 1 << 30;

fn main() -> ExitCode {
    match measure(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benches/lab.sh: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(cli: &Cli) -> Outcome<()> {
    let machine = machine::describe()?;
    eprintln!("{machine}");
    let mut figures = Figures::default();
    let mut control = None;
    for round in 1..=cli.rounds {
        for &variant in Variant::value_variants() {
            if !cli.only.is_empty() && !cli.only.contains(&variant) {
                continue;
            }
            eprintln!("round {round} of {}: {}", cli.rounds, variant.title());
            if let Err(error) = turn(cli, variant, &mut figures, &mut control) {
                eprintln!("  {error}");
                figures.failures.insert(variant, error.to_string());
            }
        }
    }
    report(cli, &machine, &figures, control)
}

/// Measures a variant once.
fn turn(
    cli: &Cli,
    variant: Variant,
    figures: &mut Figures,
    control: &mut Option<Value>,
) -> Outcome<()> {
    let span = Duration::try_from_secs_f64(cli.seconds)?;
    figures.add(variant, "disturbance", cpu::disturbance()?);
    let setting = Setting::new(variant, &cli.lab, &cli.scratch)?;
    for measure in &cli.measure {
        match measure {
            Measure::Tcp => streams(&setting, variant, span, figures)?,
            Measure::Udp => datagrams(&setting, variant, span, figures)?,
            Measure::Rtt => {
                let rtt = ping::round_trip(&setting.topology, PINGS)?;
                eprintln!("  RTT {rtt:.3} ms");
                figures.add(variant, "rtt", rtt);
            }
            Measure::Control if variant == Variant::Eidway => {
                *control = Some(control::rates(&setting, span)?);
            }
            Measure::Control => {}
            Measure::Whole => whole(&setting, cli.loss)?,
        }
    }
    Ok(())
}

fn streams(
    setting: &Setting,
    variant: Variant,
    span: Duration,
    figures: &mut Figures,
) -> Outcome<()> {
    for (flows, ab, ba, mean) in
        [(1, "tcp1_ab", "tcp1_ba", "tcp1"), (4, "tcp4_ab", "tcp4_ba", "tcp4")]
    {
        let before = setting.routers_seconds()?;
        let there = tcp::throughput(&setting.topology, "A", flows, span)?;
        let routers = setting.routers_seconds()? - before;
        let back = tcp::throughput(&setting.topology, "B", flows, span)?;
        let rates = [there, back].map(|transfer| transfer.gbit_per_second());
        eprintln!("  TCP, {flows} flows: {:.2} and {:.2} Gbit/s", rates[0], rates[1]);
        figures.add(variant, ab, rates[0]);
        figures.add(variant, ba, rates[1]);
        figures.add(variant, mean, (rates[0] + rates[1]) / 2.0);
        if flows == 1 && there.octets > 0 {
            figures.add(variant, "cpu_s_per_gib", there.usage.busy / there.gib());
            // The CPU time of the routers includes the warm-up. So it is divided by the time with
            // the warm-up.
            let warm = span.as_secs_f64() / (span + tcp::WARM_UP).as_secs_f64();
            figures.add(variant, "router_cpu_s_per_gib", routers * warm / there.gib());
        }
    }
    Ok(())
}

fn datagrams(
    setting: &Setting,
    variant: Variant,
    span: Duration,
    figures: &mut Figures,
) -> Outcome<()> {
    for (rate, reordered, size, segments) in DATAGRAMS {
        let path = udp::Path::open(setting, "A", size, segments)?;
        let (trial, routers) = match path.highest_rate(span) {
            Ok(found) => found,
            Err(error) => {
                eprintln!("  UDP {size} B: {error}");
                figures.failures.insert(variant, format!("UDP {size} B: {error}"));
                continue;
            }
        };
        eprintln!(
            "  UDP {size} B{}: {:.0} packets/s, {} of {} lost, {} reordered",
            if segments > 1 { " with GSO" } else { "" },
            trial.rate(),
            trial.lost(),
            trial.sent,
            trial.reordered
        );
        figures.add(variant, rate, trial.rate());
        figures.add(variant, reordered, trial.reordered as f64);
        if (size, segments) == (64, 1) {
            let per_packet = 1e6 / trial.received as f64;
            figures.add(variant, "cpu_us_per_packet", trial.usage.busy * per_packet);
            figures.add(variant, "router_cpu_us_per_packet", routers * per_packet);
        }
    }
    Ok(())
}

/// Sends 1 GiB in each direction through a path that may lose packets.
fn whole(setting: &Setting, loss: f64) -> Outcome<()> {
    if loss > 0.0 {
        let hundredths = format!("{:.0}", loss * 100.0);
        setting.topology.verb("link-loss", &["xTR2", "et0-0", &hundredths])?;
    }
    for host in ["A", "B"] {
        let transfer = tcp::whole(&setting.topology, host, GIB)?;
        let rate = transfer.gbit_per_second();
        println!("  1 GiB from {host} arrived whole with {loss} % loss, at {rate:.2} Gbit/s");
    }
    Ok(())
}

fn report(cli: &Cli, machine: &str, figures: &Figures, control: Option<Value>) -> Outcome<()> {
    let mut table = format!("{machine}, {} rounds\n\n{}", cli.rounds, figures.table());
    if let Some(control) = &control {
        table += &format!("\n{}\n", control::sentence(control));
    }
    println!("{table}");
    if let Some(path) = &cli.json {
        let mut all = figures.json();
        all["machine"] = machine.into();
        all["rounds"] = cli.rounds.into();
        all["seconds"] = cli.seconds.into();
        all["control"] = control.unwrap_or_default();
        write(path, &(serde_json::to_string_pretty(&all)? + "\n"))?;
    }
    if let Some(path) = &cli.svg {
        write(path, &chart::svg(figures, machine))?;
    }
    if cli.readme {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let text = fs::read_to_string(&path)?;
        write(&path, &machine::with_table(&text, &table)?)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    Ok(fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?)
}
