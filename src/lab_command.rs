//! `eidway lab ...`: reads the arguments of the command line and calls the functions of the
//! library.

mod on_lab;

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use eidway::addr::Family;
use eidway::driver::{self, recording, simulated::Pace};
use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::lab::running::Plugging;
use eidway::lab::scenario::run::run as play_scenario;
use eidway::lab::scenario::stage::Evidence;
use eidway::lab::scenario::{LinkChange, Place, Scenario, library};
use eidway::lab::verbs::router;
use eidway::netns::inside::Capture;
use eidway::netns::plan::Options;
use eidway::netns::running::running;
use eidway::netns::stage::Namespaces;
use eidway::netns::{open, paths, plan, run, scenario_file, verbs};
use eidway::rng::Seed;
use eidway::sim::stage::Simulated;
use eidway::{private, sim};

use super::Outcome;
use on_lab::EchoArgs;

/// The lab that a command is about.
#[derive(Args)]
pub struct Which {
    /// A directory with a lab.toml, a name under ./lab, a lab that is up, or a built-in lab
    lab: String,
    /// The name that the lab runs under, instead of its own
    #[arg(long)]
    name: Option<String>,
}

impl Which {
    fn open(&self) -> Result<Lab, Failure> {
        open::open(&self.lab, self.name.as_deref())
    }
}

/// A lab for a command: it is up in namespaces, or it is simulated only for this command.
#[derive(Args)]
pub struct Target {
    #[command(flatten)]
    which: Which,
    /// On the simulator, from power-on: needs no root and no time
    #[arg(long)]
    sim: bool,
}

/// The new state of a link: up or down.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    Up,
    Down,
}

/// The commands on labs.
#[derive(Subcommand)]
pub enum LabCommand {
    /// Build a lab and wait until every registration is acknowledged
    Up {
        #[command(flatten)]
        which: Which,
        /// Lay the configuration of a scenario, or of a file that scenarios include, over the lab's;
        /// may be repeated
        #[arg(long, value_name = "OVERLAY")]
        with: Vec<String>,
        /// Print the commands instead of running them
        #[arg(long)]
        dry_run: bool,
        /// Keep the lab as far as it was built when something fails
        #[arg(long)]
        keep: bool,
        /// Its routers forward packet by packet, even if the kernel has segmentation offload
        #[arg(long)]
        no_offload: bool,
        /// Record the inputs and outputs of each router: /run/eidway/LAB/ROUTER.record
        #[arg(long)]
        record: bool,
        /// On the simulator, in the foreground until Ctrl-C, with the consoles of its routers
        #[arg(long, conflicts_with_all = ["dry_run", "keep", "no_offload", "record"])]
        sim: bool,
        /// How fast the simulator's time goes: 1 is real time, fast is as fast as possible
        #[arg(long, default_value = "1", requires = "sim", value_name = "N|fast")]
        pace: Pace,
    },
    /// Take a lab down, in any state
    Down {
        /// The lab
        #[arg(required_unless_present = "all")]
        lab: Option<String>,
        /// The name that the lab runs under, instead of its own
        #[arg(long)]
        name: Option<String>,
        /// Every lab on this machine
        #[arg(long, conflicts_with_all = ["lab", "name"])]
        all: bool,
        /// Refused: a simulated lab ends with the command that brought it up
        #[arg(long, hide = true)]
        sim: bool,
        /// Print the commands instead of running them
        #[arg(long)]
        dry_run: bool,
    },
    /// The labs that are up, and those that could be
    List {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Whether a lab's files are right and this machine can run it
    Check {
        #[command(flatten)]
        target: Target,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// The nodes of a lab and the registrations of its routers
    Status {
        #[command(flatten)]
        target: Target,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Run a command in a node
    Exec {
        #[command(flatten)]
        target: Target,
        /// The node
        node: String,
        /// The command and its arguments
        #[arg(required = true, last = true)]
        command: Vec<String>,
    },
    /// Ping from a node, as IOS does; succeeds if every echo is answered
    Ping {
        #[command(flatten)]
        target: Target,
        /// The sender
        node: String,
        /// An address, or a host of the lab
        address: String,
        #[command(flatten)]
        echos: EchoArgs,
        /// The target's IPv6 address
        #[arg(long)]
        ipv6: bool,
    },
    /// Ping from every host to every other, IPv4 and IPv6
    Pingall {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        echos: EchoArgs,
    },
    /// Watch the packets of a node with tshark; on the simulator, from power-on until a minute after all
    /// is registered
    Capture {
        #[command(flatten)]
        target: Target,
        /// NODE for all of its devices, or NODE:INTERFACE
        place: String,
        /// The packets to capture, in tcpdump's language: udp port 4342
        filter: Vec<String>,
        /// The packets to show, in Wireshark's language: lisp.mreq.flags.smr == 1
        #[arg(short = 'Y', long)]
        display: Option<String>,
        /// Write pcapng to this file instead, or to standard output: -; the simulator writes pcap
        #[arg(short, long, value_name = "FILE", conflicts_with = "display")]
        write: Option<String>,
        /// End after so many packets
        #[arg(short, long)]
        count: Option<u64>,
    },
    /// Start a router that does not run
    Start {
        #[command(flatten)]
        target: Target,
        /// The router
        node: String,
    },
    /// Stop a router
    Stop {
        #[command(flatten)]
        target: Target,
        /// The router
        node: String,
    },
    /// Stop a router and start it again
    Restart {
        #[command(flatten)]
        target: Target,
        /// The router
        node: String,
    },
    /// Kill a router: it sends no last message
    Kill {
        #[command(flatten)]
        target: Target,
        /// The router
        node: String,
    },
    /// Play a scenario in a lab of its own, print the events, and take the lab down
    Run {
        #[command(flatten)]
        which: Which,
        /// The scenario: its name, the beginning of its name, or the path of its file; without one: list
        /// them
        scenario: Option<String>,
        /// On the simulator: needs no root, no other program and no time
        #[arg(long)]
        sim: bool,
        /// Where the simulator's luck comes from
        #[arg(long, default_value_t = 1, requires = "sim")]
        seed: u64,
        /// Record the inputs and outputs of each router: DIR/ROUTER.record, for eidway replay
        #[arg(long, value_name = "DIR", requires = "sim")]
        record: Option<PathBuf>,
        /// Play to the scenario's middle, then kill this map-server, start it again and check that
        /// all is registered, nothing stale is left and pings heal
        #[arg(long, value_name = "ROUTER")]
        kill: Option<String>,
        /// Its routers forward packet by packet, even if the kernel has segmentation offload
        #[arg(long, conflicts_with = "sim")]
        no_offload: bool,
    },
    /// Plug a host into a router's LAN while another host pings it 100 times a second
    Move {
        #[command(flatten)]
        target: Target,
        /// The host
        host: String,
        /// ROUTER, or ROUTER:INTERFACE
        #[arg(long, value_name = "ROUTER")]
        to: String,
        /// The host that pings it; otherwise a host that gets answers before the move
        #[arg(long, value_name = "HOST")]
        from: Option<String>,
        /// Be in both LANs for a moment
        #[arg(long)]
        make_before_break: bool,
        /// Lay the configuration of a scenario, or of a file that scenarios include, over the lab's;
        /// may be repeated
        #[arg(long, value_name = "OVERLAY", requires = "sim")]
        with: Vec<String>,
        /// Plug it in even where the router is not configured for it
        #[arg(long)]
        anyway: bool,
    },
    /// Take a node's interface up or down
    Link {
        #[command(flatten)]
        target: Target,
        /// NODE:INTERFACE
        port: String,
        /// Which way
        state: State,
    },
}

/// Prints a line of progress on standard error, so that a pipe gets only the result.
fn say(line: &str) {
    eprintln!("{line}");
}

impl LabCommand {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        match self {
            LabCommand::Up { which, with, sim: true, pace, .. } => {
                up_simulated(&laid_over(which.open()?, &with)?, pace)
            }
            LabCommand::Up { which, with, dry_run, keep, no_offload, record, .. } => {
                let lab = laid_over(which.open()?, &with)?;
                up(&lab, dry_run, keep, Options { no_offload, record })
            }
            LabCommand::Down { sim: true, .. } => Err(ENDS_BY_ITSELF.into()),
            LabCommand::Down { lab, name, all, dry_run, .. } => {
                down(lab.as_deref(), name.as_deref(), all, dry_run)
            }
            LabCommand::List { json } => list(json),
            LabCommand::Check { target, json } => target.check(json),
            LabCommand::Status { target, json } => target.status(json),
            LabCommand::Exec { target, node, command } => target.exec(&node, &command),
            LabCommand::Ping { target, node, address, echos, ipv6 } => {
                target.ping(&node, &address, ipv6.then_some(Family::Ipv6), &echos)
            }
            LabCommand::Pingall { target, echos } => target.pingall(&echos),
            LabCommand::Capture { target, place, filter, display, write, count } => {
                let filter = (!filter.is_empty()).then(|| filter.join(" "));
                target.capture(&place, &Capture { filter, display, write, count })
            }
            LabCommand::Start { target, node } => {
                target.change(|lab, running| router::start(lab, running, &node, &mut say))
            }
            LabCommand::Stop { target, node } => {
                target.change(|_, running| running.stop(&node, false, &mut say))
            }
            LabCommand::Kill { target, node } => {
                target.change(|_, running| running.stop(&node, true, &mut say))
            }
            LabCommand::Restart { target, node } => target.change(|lab, running| {
                running.stop(&node, false, &mut say)?;
                router::start(lab, running, &node, &mut say)
            }),
            LabCommand::Run { which, scenario: None, .. } => list_scenarios(&which.open()?),
            LabCommand::Run {
                which,
                scenario: Some(name),
                sim,
                seed,
                record,
                kill,
                no_offload,
            } => {
                let seed = sim.then_some(seed);
                run_scenario(which, &name, seed, record.as_deref(), kill.as_deref(), no_offload)
            }
            LabCommand::Move { target, host, to, from, make_before_break, with, anyway } => {
                let how = plugging(make_before_break);
                target.move_host((&host, &to), from.as_deref(), how, (&with, anyway))
            }
            LabCommand::Link { target, port, state } => {
                let port = place(&port)?;
                let change = if state == State::Up { LinkChange::Up } else { LinkChange::Down };
                target.change(|_, running| running.link(&port, change))
            }
        }
    }
}

/// The answer to `lab down --sim`.
const ENDS_BY_ITSELF: &str = "a simulated lab ends when its `eidway lab up` command ends: press \
                              Ctrl-C in the terminal of that command";

/// Plays a scenario. If a seed is given, the scenario is played on the simulator.
fn run_scenario(
    which: Which,
    scenario: &str,
    seed: Option<u64>,
    record: Option<&Path>,
    kill: Option<&str>,
    no_offload: bool,
) -> Outcome {
    let lab = which.open()?;
    let scenario = scenario_file::find(&lab, scenario)?;
    match seed {
        Some(seed) => play_simulated(&lab, &scenario, kill, seed, record),
        None => play(lab, which.name, &scenario, kill, no_offload),
    }
}

fn plugging(make_before_break: bool) -> Plugging {
    if make_before_break { Plugging::MakeBeforeBreak } else { Plugging::Atomic }
}

/// Reads a port in the form `NODE:INTERFACE`.
fn place(port: &str) -> Result<Place, Failure> {
    let Some((node, interface)) = port.split_once(':') else {
        return Err(Failure::Other(format!("{port:?} is not a port: write NODE:INTERFACE")));
    };
    Ok(Place { node: node.to_owned(), interface: interface.to_owned() })
}

/// Returns the lab with all of these overlays. Each overlay is added after the previous one.
fn laid_over(mut lab: Lab, with: &[String]) -> Result<Lab, Failure> {
    for name in with {
        lab = lab.with_overlay(name, &scenario_file::overlays(&lab, name)?)?;
    }
    Ok(lab)
}

fn up(lab: &Lab, dry_run: bool, keep: bool, options: Options) -> Outcome {
    if dry_run {
        let steps = plan::up(lab, &std::env::current_exe()?, options)?;
        print!("{}", verbs::transcript(&steps));
        return Ok(true);
    }
    let name = &lab.name;
    let mut progress = |line: &str| say(&format!("{name}: {line}"));
    let took = run::up(lab, keep, options, &mut progress)?;
    println!("{name}: up in {:.1} s", took.as_secs_f64());
    Ok(true)
}

fn up_simulated(lab: &Lab, pace: Pace) -> Outcome {
    let sim = sim::ping::lab_up(lab, Seed::from_number(1))?;
    let directory = paths::simulated_run(&lab.name);
    let name = &lab.name;
    say(&format!(
        "{name}: the simulated lab runs until Ctrl-C; `eidway console {name}/ROUTER` opens the \
         console of a router"
    ));
    driver::simulated::run(sim, &directory, pace)?;
    Ok(true)
}

fn down(lab: Option<&str>, name: Option<&str>, all: bool, dry_run: bool) -> Outcome {
    let labs = match lab {
        Some(lab) if !all => vec![open::name_of(lab, name)?],
        _ => running(),
    };
    for lab in labs {
        match dry_run {
            true => print!("{}", verbs::transcript(&[plan::down(&lab)])),
            false => run::down(&lab, &mut say)?,
        }
    }
    Ok(true)
}

fn list_scenarios(lab: &Lab) -> Outcome {
    for name in library::names(lab) {
        let scenario = library::read(lab, name)?;
        let where_played = if scenario.only_simulated { " (only simulated)" } else { "" };
        println!("{name:28} {}{where_played}", scenario.title);
    }
    Ok(true)
}

/// Plays a scenario. Without `name`, the lab gets a unique name, so that several scenarios can run
/// at the same time.
fn play(
    mut lab: Lab,
    name: Option<String>,
    scenario: &Scenario,
    kill: Option<&str>,
    no_offload: bool,
) -> Outcome {
    if scenario.only_simulated {
        let path = &scenario.path;
        let why = "waits too long to run in real time: run it on the simulator with `eidway lab \
                   run --sim`";
        return Err(format!("{path} {why}").into());
    }
    Namespaces::expect_programs()?;
    let end = std::process::id().to_string();
    lab.name = name.unwrap_or_else(|| library::lab_name_for(scenario, &end));
    let up = |lab| Namespaces::up(lab, Options { no_offload, record: false });
    Ok(play_scenario(&lab, scenario, kill, up, &mut io::stdout())?)
}

fn play_simulated(
    lab: &Lab,
    scenario: &Scenario,
    kill: Option<&str>,
    seed: u64,
    record: Option<&Path>,
) -> Outcome {
    let name = format!("{}-{}", lab.name, library::lab_name_for(scenario, "sim"));
    let options = sim::stage::Options {
        seed: Seed::from_number(seed),
        records: record.map(recording::of_routers).transpose()?,
        keep: Box::new(move |files| keep(&name, files)),
    };
    let up = |lab| Simulated::up(lab, options);
    Ok(play_scenario(lab, scenario, kill, up, &mut io::stdout())?)
}

/// Writes files into a new directory and returns its path.
fn keep(name: &str, files: &[Evidence]) -> Result<String, Failure> {
    let directory = paths::kept(name)?;
    for (name, octets) in files {
        private::write(&directory.join(name), octets).map_err(Failure::new)?;
    }
    Ok(directory.display().to_string())
}

fn list(json: bool) -> Outcome {
    let (running, available) = (running(), open::available());
    if json {
        let available: Vec<_> = available.iter().map(|(name, _)| name).collect();
        let labs = serde_json::json!({ "running": running, "available": available });
        println!("{labs}");
        return Ok(true);
    }
    println!("{:24} {:8} About", "Lab", "State");
    for (name, title) in &available {
        let state = if running.contains(name) { "up" } else { "" };
        println!("{name:24} {state:8} {title}");
    }
    let known = |name: &String| available.iter().any(|(known, _)| known == name);
    for name in running.iter().filter(|&name| !known(name)) {
        println!("{name:24} up");
    }
    Ok(true)
}
