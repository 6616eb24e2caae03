//! `eidway lab ...`: reads the arguments of the command line and calls the functions of the
//! library.

mod capture;
mod data_path;
mod events;
mod explain;
mod export;
mod files;
mod impair;
mod learn;
mod losses;
mod on_lab;
mod page;
mod save;
mod scenario;
mod test;
mod web;

use clap::{Args, Subcommand, ValueEnum};
use eidway::addr::Family;
use eidway::console::parse_config;
use eidway::console::show::system::host_name;
use eidway::driver::{self, progress::Progress, simulated::Pace};
use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::lab::impairment::Delay;
use eidway::lab::plugging::Plugging;
use eidway::lab::scenario::{Flap, LinkChange, Place};
use eidway::lab::testbed::{self, Device};
use eidway::lab::verbs::list::LabList;
use eidway::lab::verbs::{self as verbs_of_labs, router};
use eidway::netns::plan::Options;
use eidway::netns::running::running;
use eidway::netns::user::Need;
use eidway::netns::{self, open, paths, plan, run, scenario_file, verbs};
use eidway::rng::Seed;
use eidway::sim;

use super::Outcome;
use data_path::DataPathArgs;
use on_lab::EchoArgs;

/// The lab on which a command works.
#[derive(Args)]
pub struct Which {
    /// The directory of a lab, or the name of a lab that is under ./lab, up, or built in
    lab: String,
    /// Another name for the running lab, instead of the name in its lab.toml
    #[arg(long)]
    name: Option<String>,
}

impl Which {
    fn open(&self) -> Result<Lab, Failure> {
        open::open(&self.lab, self.name.as_deref())
    }
}

/// The lab on which a command works: it is up in namespaces, or simulated for this command only.
#[derive(Args)]
pub struct Target {
    #[command(flatten)]
    which: Which,
    /// Use the simulator: it starts a new copy of the lab, needs no root and does not wait in real
    /// time
    #[arg(long)]
    sim: bool,
}

impl Target {
    fn need(&self) -> Need {
        if self.sim { Need::None } else { Need::IfUp }
    }
}

/// The new state of a link.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    Up,
    Down,
    /// Down and up again, several times
    Flap,
}

/// The options of a flap.
#[derive(Args)]
pub struct FlapArgs {
    /// The number of times that the interface goes down in a flap, 3 by default
    #[arg(long, value_name = "N")]
    count: Option<u32>,
    /// The time for which the interface is down in a flap, 200ms by default
    #[arg(long, value_name = "TIME")]
    down: Option<Delay>,
    /// The time for which the interface is up before it goes down again, 1s by default
    #[arg(long, value_name = "TIME")]
    up: Option<Delay>,
}

impl FlapArgs {
    fn flap(&self) -> Flap {
        let FlapArgs { count, down, up } = self;
        let default = Flap::default();
        Flap {
            count: count.unwrap_or(default.count),
            down: down.map_or(default.down, |down| down.0),
            up: up.map_or(default.up, |up| up.0),
        }
    }

    fn are_given(&self) -> bool {
        self.count.is_some() || self.down.is_some() || self.up.is_some()
    }
}

/// The program that reads a testbed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestbedFormat {
    /// A testbed of pyATS, in YAML
    Pyats,
    /// An inventory of Ansible, in YAML
    Ansible,
    /// The devices of netmiko, in JSON
    Netmiko,
}

/// The commands on labs.
#[derive(Subcommand)]
pub enum LabCommand {
    /// Build a lab and wait until every registration is acknowledged
    Up {
        #[command(flatten)]
        which: Which,
        /// Add this overlay to the configurations of the lab. OVERLAY is the name of a scenario, or
        /// the name of a file that scenarios include. The option may be repeated
        #[arg(long, value_name = "OVERLAY")]
        with: Vec<String>,
        /// Print the commands instead of running them
        #[arg(long)]
        dry_run: bool,
        /// Do not take the lab down after a failure
        #[arg(long)]
        keep: bool,
        #[command(flatten)]
        data_path: DataPathArgs,
        /// Record the inputs and outputs of each router in /run/eidway/LAB/ROUTER.record
        #[arg(long)]
        record: bool,
        /// Serve the consoles of the routers by telnet on 127.0.0.1. The first router has this port
        /// (by default 2001), and each next router has the next port
        #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "2001")]
        telnet: Option<u16>,
        /// Run the lab on the simulator, in the foreground, until Ctrl-C; the routers have consoles
        #[arg(long, conflicts_with_all = ["dry_run", "keep", "record"])]
        sim: bool,
        /// The speed of virtual time on the simulator: 1 for real time, `fast` for the highest
        /// speed
        #[arg(long, default_value = "1", requires = "sim", value_name = "N|fast")]
        pace: Pace,
    },
    /// Take a lab down. The lab may be in any state
    Down {
        /// The lab
        #[arg(required_unless_present = "all")]
        lab: Option<String>,
        /// Another name for the running lab, instead of the name in its lab.toml
        #[arg(long)]
        name: Option<String>,
        /// Take down every lab on this machine
        #[arg(long, conflicts_with_all = ["lab", "name"])]
        all: bool,
        /// This option is refused, because a simulated lab ends when its `eidway lab up` command ends
        #[arg(long, hide = true)]
        sim: bool,
        /// Print the commands instead of running them
        #[arg(long)]
        dry_run: bool,
    },
    /// List the labs that are up and the labs that can be brought up
    List {
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Check that the files of a lab are right and that this machine can run the lab
    Check {
        #[command(flatten)]
        target: Target,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Show the nodes of a lab and the registrations of its routers
    Status {
        #[command(flatten)]
        target: Target,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Write a page for the browser: one HTML file that contains the lab, its routers and the
    /// simulator
    Page(page::PageCommand),
    /// Show a lab in the browser, live, until Ctrl-C. The lab must be up in namespaces. The command
    /// prints the address of the page. The address contains a token, and the server answers no
    /// request without this token
    Web(web::WebCommand),
    /// Print a description of the telnet ports of a lab, for programs that log in to routers. The
    /// lab must be up with --telnet
    Testbed {
        #[command(flatten)]
        which: Which,
        /// The program that reads the description
        #[arg(long, value_enum, default_value = "pyats")]
        format: TestbedFormat,
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
    /// Ping from a node, and print the output of IOS. The exit code is 0 if every echo is answered
    Ping {
        #[command(flatten)]
        target: Target,
        /// The node that sends the echos
        node: String,
        /// The destination: an address, or the name of a host of the lab
        address: String,
        #[command(flatten)]
        echos: EchoArgs,
        /// Ping the IPv6 address of the host
        #[arg(long)]
        ipv6: bool,
    },
    /// Ping from every host to every other host, over IPv4 and IPv6
    Pingall {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        echos: EchoArgs,
    },
    /// Explain the paths of a packet and of its answer, hop by hop, with a reason for each
    /// decision. No packet is sent. The exit code is 0 if the packet arrives and its answer comes
    /// back. Otherwise, the last line has the place of the loss, its cause and the remedy
    Explain(explain::ExplainCommand),
    /// Capture packets at several places until Ctrl-C, to a pcapng file or as lines. If a router
    /// has a reason for a packet, the packet has it as a comment. On the simulator, the capture
    /// lasts from the start of the lab until one minute after all registrations
    Capture(capture::CaptureCommand),
    /// Print the events of a lab until Ctrl-C or the end of the lab: messages, decisions on
    /// packets, changes of tables and lines of logs, each with its reason. On the simulator, the
    /// events are those from the start of the lab until one minute after all registrations
    Events(events::EventsCommand),
    /// Start a router that is stopped
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
    /// Kill a router, so that it cannot send a last message
    Kill {
        #[command(flatten)]
        target: Target,
        /// The router
        node: String,
    },
    #[command(flatten)]
    Files(files::FilesCommand),
    /// Copy configurations to the folder of the lab, and print the changed lines. These are the
    /// configurations that the routers have saved with write memory
    Save(save::SaveCommand),
    /// Bring up a separate lab, play a scenario in it, print the events, and take the lab down
    Run(scenario::RunCommand),
    /// Play each scenario that has flows, and print the losses of each flow as a table. The exit
    /// code is 0 if all results were as expected
    Losses(losses::LossesCommand),
    /// Play all scenarios of all labs below a directory, several at the same time, each in a
    /// separate lab. The results are printed as TAP. The exit code is 0 if no scenario fails
    Test(test::TestCommand),
    /// Do a lesson at the terminal: read its tasks, type commands for the lab, and see which tasks
    /// are done. The exit code is 0 if all tasks are done
    Learn(learn::LearnCommand),
    /// Repeat the commands that eidway lab learn --record has recorded, and print which tasks are
    /// done. The exit code is 0 if all tasks of all files are done
    Grade(learn::GradeCommand),
    /// Move a host to the LAN of a router, while another host pings the moving host more than 100
    /// times a second
    Move {
        #[command(flatten)]
        target: Target,
        /// The host that moves
        host: String,
        /// The new place of the host: ROUTER, or ROUTER:INTERFACE
        #[arg(long, value_name = "ROUTER")]
        to: String,
        /// The host that sends the pings. Without this option, the command chooses a host that gets
        /// answers before the move
        #[arg(long, value_name = "HOST")]
        from: Option<String>,
        /// Connect the host to both LANs for a second
        #[arg(long)]
        make_before_break: bool,
        /// Connect the host to no LAN for a second
        #[arg(long, conflicts_with = "make_before_break")]
        break_before_make: bool,
        /// Add this overlay to the configurations of the lab. OVERLAY is the name of a scenario, or
        /// the name of a file that scenarios include. The option may be repeated
        #[arg(long, value_name = "OVERLAY", requires = "sim")]
        with: Vec<String>,
        /// Move the host even if the router is not configured for the host
        #[arg(long)]
        anyway: bool,
    },
    /// Set an interface of a node up or down, or let it go down and up several times
    Link {
        #[command(flatten)]
        target: Target,
        /// The interface: NODE:INTERFACE
        port: String,
        /// The new state of the interface
        state: State,
        #[command(flatten)]
        flap: FlapArgs,
    },
    /// Impair the packets on a link with delay, jitter, loss, duplication, reordering, a rate or an
    /// MTU. The new impairments replace all impairments that the link had. Without options, print
    /// the impairments of the links and the counters of their packets
    Impair(impair::ImpairCommand),
}

/// Prints a line of progress on standard error, so that standard output has only the result.
fn say(line: &str) {
    eprintln!("{line}");
}

impl LabCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        match self {
            LabCommand::Up { sim: false, dry_run: false, .. } => Need::Always,
            LabCommand::Run(command) => command.need(),
            LabCommand::Losses(command) => command.need(),
            LabCommand::Test(command) => command.need(),
            LabCommand::Learn(command) => command.need(),
            LabCommand::Explain(command) => command.need(),
            LabCommand::Files(command) => command.need(),
            LabCommand::Capture(command) => command.need(),
            LabCommand::Events(command) => command.need(),
            LabCommand::Impair(command) => command.need(),
            LabCommand::Up { .. } | LabCommand::Page(_) | LabCommand::Grade(_) => Need::None,
            LabCommand::Down { .. }
            | LabCommand::List { .. }
            | LabCommand::Web(_)
            | LabCommand::Testbed { .. }
            | LabCommand::Save(_) => Need::IfUp,
            LabCommand::Check { target, .. }
            | LabCommand::Status { target, .. }
            | LabCommand::Exec { target, .. }
            | LabCommand::Ping { target, .. }
            | LabCommand::Pingall { target, .. }
            | LabCommand::Start { target, .. }
            | LabCommand::Stop { target, .. }
            | LabCommand::Restart { target, .. }
            | LabCommand::Kill { target, .. }
            | LabCommand::Move { target, .. }
            | LabCommand::Link { target, .. } => target.need(),
        }
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        match self {
            LabCommand::Up { which, with, sim: true, pace, telnet, .. } => {
                up_simulated(&laid_over(which.open()?, &with)?, pace, telnet)
            }
            LabCommand::Up { which, with, dry_run, keep, data_path, record, telnet, .. } => {
                let lab = laid_over(which.open()?, &with)?;
                up(&lab, dry_run, keep, Options { record, telnet, ..data_path.options() })
            }
            LabCommand::Down { sim: true, .. } => Err(ENDS_BY_ITSELF.into()),
            LabCommand::Down { lab, name, all, dry_run, .. } => {
                down(lab.as_deref(), name.as_deref(), all, dry_run)
            }
            LabCommand::List { json } => list(json),
            LabCommand::Check { target, json } => target.check(json),
            LabCommand::Status { target, json } => target.status(json),
            LabCommand::Page(command) => command.run(),
            LabCommand::Web(command) => command.run(),
            LabCommand::Testbed { which, format } => print_testbed(&which.open()?, format),
            LabCommand::Exec { target, node, command } => target.exec(&node, &command),
            LabCommand::Ping { target, node, address, echos, ipv6 } => {
                target.ping(&node, &address, ipv6.then_some(Family::Ipv6), &echos)
            }
            LabCommand::Explain(command) => command.run(),
            LabCommand::Pingall { target, echos } => target.pingall(&echos),
            LabCommand::Capture(command) => command.run(),
            LabCommand::Events(command) => command.run(),
            LabCommand::Start { target, node } => {
                target.change(|lab, running| router::start(lab, running, &node, &mut say))
            }
            LabCommand::Stop { target, node } => stop(target, &node, false),
            LabCommand::Kill { target, node } => stop(target, &node, true),
            LabCommand::Restart { target, node } => restart(target, &node),
            LabCommand::Files(command) => command.run(),
            LabCommand::Save(command) => command.run(),
            LabCommand::Run(command) => command.run(),
            LabCommand::Losses(command) => command.run(),
            LabCommand::Test(command) => command.run(),
            LabCommand::Learn(command) => command.run(),
            LabCommand::Grade(command) => command.run(),
            LabCommand::Move {
                target,
                host,
                to,
                from,
                make_before_break,
                break_before_make,
                with,
                anyway,
            } => {
                let how = plugging(make_before_break, break_before_make);
                target.move_host((&host, &to), from.as_deref(), how, (&with, anyway))
            }
            LabCommand::Link { target, port, state, flap } => link(target, &port, state, &flap),
            LabCommand::Impair(command) => command.run(),
        }
    }
}

/// Sets a port up or down, or lets it flap.
fn link(target: Target, port: &str, state: State, flap: &FlapArgs) -> Outcome {
    let port = place(port)?;
    let change = match state {
        State::Flap => {
            return target
                .change(|_, running| verbs_of_labs::link::flap(running, &port, flap.flap()));
        }
        _ if flap.are_given() => {
            return Err("--count, --down and --up are options of `flap`".into());
        }
        State::Up => LinkChange::Up,
        State::Down => LinkChange::Down,
    };
    target.change(|_, running| running.link(&port, change))
}

/// The error for `lab down --sim`.
const ENDS_BY_ITSELF: &str = "a simulated lab ends when its `eidway lab up` command ends: press \
                              Ctrl-C in the terminal of that command";

/// Stops a router. If `kill` is true, the process of the router is killed.
fn stop(target: Target, node: &str, kill: bool) -> Outcome {
    target.change(|_, running| running.stop(node, kill, &mut say))
}

/// Stops a router and starts it again.
fn restart(target: Target, node: &str) -> Outcome {
    target.change(|lab, running| {
        running.stop(node, false, &mut say)?;
        router::start(lab, running, node, &mut say)
    })
}

fn plugging(make_before_break: bool, break_before_make: bool) -> Plugging {
    match (make_before_break, break_before_make) {
        (true, _) => Plugging::MakeBeforeBreak,
        (_, true) => Plugging::BreakBeforeMake,
        (false, false) => Plugging::Atomic,
    }
}

/// Reads a port in the form `NODE:INTERFACE`.
fn place(port: &str) -> Result<Place, Failure> {
    let Some((node, interface)) = port.split_once(':') else {
        return Err(Failure::Other(format!("{port:?} is not a port: write NODE:INTERFACE")));
    };
    Ok(Place { node: node.to_owned(), interface: interface.to_owned() })
}

/// Adds the overlays `with` to the lab, one after the other, and returns the lab.
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

fn up_simulated(lab: &Lab, pace: Pace, telnet: Option<u16>) -> Outcome {
    let progress = Progress::begin(on_lab::STARTS, false);
    let sim = sim::ping::lab_up(lab, Seed::from_number(1))?;
    drop(progress);
    let directory = paths::simulated_run(&lab.name);
    let name = &lab.name;
    say(&format!(
        "{name}: the simulated lab runs until Ctrl-C; `eidway console {name}/ROUTER` opens the \
         console of a router"
    ));
    let ports = telnet.into_iter().flat_map(|first| first..=u16::MAX);
    for (port, (router, _)) in ports.zip(sim.routers()) {
        say(&format!("{name}: `telnet 127.0.0.1 {port}` opens the console of {router}"));
    }
    driver::simulated::run(sim, &directory, pace, telnet)?;
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

fn print_testbed(lab: &Lab, format: TestbedFormat) -> Outcome {
    paths::expect_own_sockets(&lab.name)?;
    let ports = paths::telnet_ports(&lab.name);
    if ports.is_empty() {
        let (name, asked_for) = (&lab.name, &lab.asked_for);
        return Err(format!(
            "lab {name} has no telnet ports: start it with `eidway lab up {asked_for} --telnet`"
        )
        .into());
    }
    let mut devices = Vec::new();
    for (node, port) in ports {
        let socket = paths::sockets_of(&lab.name).join(format!("{node}.sock"));
        let running = netns::console::ask(&socket, "show running-config")?;
        let config = parse_config(&node, &running)?;
        let hostname = host_name(&config.hostname).to_owned();
        let password = config.vty_lines.required_password().unwrap_or_default().to_owned();
        devices.push(Device { node, hostname, port, password });
    }
    let format = match format {
        TestbedFormat::Pyats => testbed::Format::Pyats,
        TestbedFormat::Ansible => testbed::Format::Ansible,
        TestbedFormat::Netmiko => testbed::Format::Netmiko,
    };
    print!("{}", testbed::testbed(&lab.name, &devices, format));
    Ok(true)
}

fn list(json: bool) -> Outcome {
    let (running, available) = (running(), open::available());
    if json {
        let available = available.into_iter().map(|(name, _)| name).collect();
        println!("{}", serde_json::to_string(&LabList { running, available })?);
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
