//! A lab in namespaces with and without its live page: a flow, and the way from an event to its
//! picture.
//!
//! `benches/live.sh` builds and calls this. A round measures all sides in turn, in one lab. Needs
//! root and Chromium.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../lab/batch.rs"]
mod batch;
#[path = "../lab/cpu.rs"]
mod cpu;
#[path = "../lab/flow.rs"]
mod flow;
#[path = "../lab/namespace.rs"]
mod namespace;
mod page;

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use flow::{Flow, Trial};
use namespace::inside;
use page::{Browser, Reader, Server};

/// A result, with an error for people to read.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The lab, the receiver of the flow with its address, the sender, and the routers on the way.
const LAB: &str = "gsmr";
const RECEIVER: &str = "A";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 12);
const SENDER: &str = "B";
const ROUTERS: [&str; 2] = ["xTR2", "xTR1"];
/// The node whose port goes down and up: an event that the page shows. The flow does not use it.
const EVENTFUL: &str = "N";
const PORT: u16 = 9000;
/// The time after which a side is steady: consoles watched, taps open, the share of packets found.
const STEADY: Duration = Duration::from_secs(2);
/// The events whose way to the page is measured, at rest and under the flow.
const EVENTS: usize = 11;
/// The time between two events.
const PAUSE: Duration = Duration::from_millis(200);

/// Measure a lab with and without its live page
#[derive(Parser)]
#[command(name = "benches/live.sh")]
struct Cli {
    /// Rounds; the table has the medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each flow
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Datagrams a second that the flow has
    #[arg(long, default_value_t = 100_000.0)]
    rate: f64,
    /// Octets of payload of a datagram
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// Only these sides
    #[arg(long, value_enum, value_delimiter = ',', default_value = "alone,read,page")]
    side: Vec<Side>,
    /// The lab's name; live.sh removes the lab of this name in every case
    #[arg(long, hide = true)]
    lab: String,
    /// The program
    #[arg(long, hide = true)]
    program: PathBuf,
    /// `cargo bench` adds this
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    /// Without `eidway lab web`
    Alone,
    /// With `eidway lab web`, and a reader of its events that draws nothing
    Read,
    /// With the page in Chromium
    Page,
}

impl Side {
    fn title(self) -> &'static str {
        match self {
            Side::Alone => "no page",
            Side::Read => "the events are read, not drawn",
            Side::Page => "the page is open in Chromium",
        }
    }
}

/// The figures of one side in one round.
struct Figures {
    trial: Trial,
    /// CPU seconds of the programs of the two routers, and of the server of the page.
    routers: f64,
    server: f64,
    /// The milliseconds from events to their pictures, at rest and under the flow.
    at_rest: Vec<f64>,
    under_flow: Vec<f64>,
    /// The words of the page about its sample, under the flow.
    said: String,
}

fn main() -> ExitCode {
    match measure(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benches/live.sh: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(cli: &Cli) -> Outcome<()> {
    run(Command::new(&cli.program).args(["lab", "up", LAB, "--name", &cli.lab]))?;
    let namespace = |node: &str| format!("eidway-{}-{node}", cli.lab);
    let to = (ADDRESS, PORT).into();
    let sink = inside(&namespace(RECEIVER), || flow::sink(PORT))?;
    let generator = inside(&namespace(SENDER), || flow::generator(to))?;
    let flow = Flow::new(generator, sink, cli.size, 1)?;
    // The first packets are resolved before anything is measured.
    run(Command::new(&cli.program).args(["lab", "ping", &cli.lab, SENDER, RECEIVER, "-c", "3"]))?;
    let mut all: Vec<(Side, Vec<Figures>)> =
        cli.side.iter().map(|side| (*side, Vec::new())).collect();
    for round in 1..=cli.rounds {
        for (side, figures) in &mut all {
            eprintln!("round {round} of {}: {}", cli.rounds, side.title());
            figures.push(turn(cli, *side, &flow)?);
        }
    }
    run(Command::new(&cli.program).args(["lab", "down", &cli.lab]))?;
    println!("{}", table(cli, &all));
    Ok(())
}

/// Measures a side once.
fn turn(cli: &Cli, side: Side, flow: &Flow) -> Outcome<Figures> {
    eprintln!("  the machine is busy to {:.0} % with others", 100.0 * cpu::disturbance()?);
    let server =
        (side != Side::Alone).then(|| Server::start(&cli.program, &cli.lab)).transpose()?;
    let url = server.as_ref().map(|server| server.url.clone()).unwrap_or_default();
    let _reader = (side == Side::Read).then(|| Reader::start(&url)).transpose()?;
    let mut browser = (side == Side::Page).then(|| Browser::start(&url)).transpose()?;
    thread::sleep(STEADY);
    let events = |browser: &mut Option<Browser>| match browser {
        Some(browser) => pictures(cli, browser),
        None => Ok(Vec::new()),
    };
    let at_rest = events(&mut browser)?;

    // The flow is on its way before it is measured.
    flow.trial(Some(cli.rate), STEADY)?;
    let seconds = || -> Outcome<(f64, f64)> {
        let routers: Outcome<f64> =
            ROUTERS.iter().map(|router| cpu::of_process(pid(&cli.lab, router)?)).sum();
        let server = server.as_ref().map_or(Ok(0.0), |server| cpu::of_process(server.pid()));
        Ok((routers?, server?))
    };
    let before = seconds()?;
    let trial = flow.trial(Some(cli.rate), Duration::try_from_secs_f64(cli.seconds)?)?;
    let after = seconds()?;

    // The events are not measured together with the rate: they cost a program each.
    let mut said = String::new();
    let under_flow = thread::scope(|scope| {
        let span = STEADY + PAUSE * 2 * EVENTS as u32;
        let running = scope.spawn(move || flow.trial(Some(cli.rate), span));
        thread::sleep(STEADY);
        if let Some(browser) = &mut browser {
            said = browser.said()?;
        }
        let found = events(&mut browser);
        running.join().map_err(|_| "the flow panicked")??;
        found
    })?;
    let (routers, server) = (after.0 - before.0, after.1 - before.1);
    let Trial { reordered, .. } = trial;
    eprintln!("  {:.0} packets/s of {:.0}, {reordered} reordered; {said}", trial.rate(), cli.rate);
    Ok(Figures { trial, routers, server, at_rest, under_flow, said })
}

/// Returns the milliseconds from some events to their pictures.
fn pictures(cli: &Cli, browser: &mut Browser) -> Outcome<Vec<f64>> {
    let namespace = format!("eidway-{}-{EVENTFUL}", cli.lab);
    let mut found = Vec::new();
    for number in 0..EVENTS {
        let state = if number % 2 == 0 { "down" } else { "up" };
        let begin = Instant::now();
        let watch = browser.watch(&format!("eth0 is {state}"))?;
        run(Command::new("ip").args(["-n", &namespace, "link", "set", "eth0", state]))?;
        found.push(watch.milliseconds()?);
        thread::sleep(PAUSE.saturating_sub(begin.elapsed()));
    }
    run(Command::new("ip").args(["-n", &namespace, "link", "set", "eth0", "up"]))?;
    Ok(found)
}

fn table(cli: &Cli, all: &[(Side, Vec<Figures>)]) -> String {
    let mut lines = vec![
        format!("A flow of {:.0} packets of {} octets a second; medians of {} rounds", cli.rate, cli.size, cli.rounds),
        String::new(),
        "| side | sent a second | received a second | lost | CPU of the routers, us a packet | CPU of `lab web` | machine busy |".to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for (side, rounds) in all {
        let of = |figure: &dyn Fn(&Figures) -> f64| median(rounds.iter().map(figure).collect());
        let sent = of(&|it| it.trial.sent as f64 / it.trial.seconds);
        let received = of(&|it| it.trial.rate());
        let lost = of(&|it| 100.0 * it.trial.lost() as f64 / it.trial.sent.max(1) as f64);
        let routers = of(&|it| 1e6 * it.routers / it.trial.received.max(1) as f64);
        let server = of(&|it| 100.0 * it.server / it.trial.seconds);
        let busy = of(&|it| 100.0 * it.trial.usage.share());
        lines.push(format!(
            "| {} | {sent:.0} | {received:.0} | {lost:.2} % | {routers:.2} | {server:.1} % | {busy:.0} % |",
            side.title()
        ));
    }
    lines.push(String::new());
    let pages = all.iter().filter(|(side, _)| *side == Side::Page).flat_map(|(_, rounds)| rounds);
    let (mut at_rest, mut under_flow, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for figures in pages {
        at_rest.extend(&figures.at_rest);
        under_flow.extend(&figures.under_flow);
        said.push(figures.said.clone());
    }
    for (name, times) in [("at rest", at_rest), ("under the flow", under_flow)] {
        if !times.is_empty() {
            let most = times.iter().copied().fold(0.0, f64::max);
            let least = times.iter().copied().fold(f64::MAX, f64::min);
            let middle = median(times);
            lines.push(format!(
                "From an event to its picture, {name}: {middle:.0} ms ({least:.0} to {most:.0})"
            ));
        }
    }
    said.dedup();
    lines.extend(said.iter().map(|said| format!("The page says: {said}")));
    lines.join("\n")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The process of a router.
fn pid(lab: &str, router: &str) -> Outcome<u32> {
    let pids = run(Command::new("ip").args(["netns", "pids", &format!("eidway-{lab}-{router}")]))?;
    let first = pids.lines().next().ok_or_else(|| format!("{router} does not run"))?;
    Ok(first.trim().parse()?)
}

/// Runs a command to its end and returns its output; if it failed, its error messages.
fn run(command: &mut Command) -> Outcome<String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}", complaint.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
