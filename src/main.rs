//! The command line of Eidway. This file has only the arguments, the start of the log, and the exit
//! codes.

mod config_command;
mod extcap_command;
mod lab_command;
mod replay_command;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use eidway::console::machine::{HostNames, read_host_names};
use eidway::console::{self, Reading};
use eidway::driver::clock::Clock;
use eidway::driver::flash::Folder;
use eidway::driver::log_queue::LogQueue;
use eidway::driver::machine::RouterFiles;
use eidway::driver::telnet::TelnetServer;
use eidway::driver::udp::UdpChecksum;
use eidway::driver::{self, DataPathChoice};
use eidway::lab::file::{check, name};
use eidway::netns::paths::{expect_own_sockets, sockets_of};
use eidway::netns::{links, text, user};
use eidway::private;
use eidway::watch::schema;

/// A LISP (RFC 9300/9301) virtual router for labs.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one router in this network namespace until a signal stops it
    Router {
        /// The configuration file of the router, in the style of IOS. A line that is wrong is
        /// logged, and the other lines are applied
        config: PathBuf,
        /// Do not start if a line of the configuration file is wrong
        #[arg(long)]
        strict: bool,
        /// Open the console of the router on this Unix socket
        #[arg(long, value_name = "SOCKET")]
        console: Option<PathBuf>,
        /// The data path, which forwards the packets: `kernel` is the kernel, `user` is this
        /// process. `auto` is the kernel if the machine and the privileges permit it, and otherwise
        /// this process
        #[arg(long, value_name = "auto|kernel|user", default_value_t)]
        data_path: DataPathChoice,
        /// Forward packet by packet, even if the kernel has segmentation offload
        #[arg(long)]
        no_offload: bool,
        /// The UDP checksums of encapsulated packets. With `zero`, no packet has a checksum. With
        /// `on`, each packet has a checksum. With `auto`, packets have checksums only if the router
        /// hands several packets to the kernel together
        #[arg(
            long,
            value_name = "zero|on|auto",
            default_value = "auto",
            hide_default_value = true
        )]
        #[arg(value_parser = udp_checksum)]
        udp_checksum: UdpChecksum,
        /// Record all inputs and outputs of the router for eidway replay. The record contains the
        /// keys of the configuration. The FILE of an earlier run is renamed to FILE.old
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// Store the last nonces of Map-Registers in this file. The router reads them again after a
        /// restart. With these nonces, a map-server detects replays of old messages, and an xTR can
        /// register after its clock was set back
        #[arg(long, value_name = "FILE")]
        nonces: Option<PathBuf>,
        /// The file to which write memory writes the configuration. If the FILE exists when the
        /// router starts, the router reads the FILE instead of the configuration file. Without this
        /// option, write memory writes to the configuration file
        #[arg(long, value_name = "FILE")]
        startup: Option<PathBuf>,
        /// Store the files of flash: in this folder. The router makes the folder, and no other
        /// router may use it. Without this option, the router has no files for | redirect, copy and
        /// dir
        #[arg(long, value_name = "DIR")]
        flash: Option<PathBuf>,
        /// Read the names of hosts from this file, which has the form of /etc/hosts. The console
        /// commands ping, traceroute and lig accept these names, and show hosts lists them
        #[arg(long, value_name = "FILE")]
        hosts: Option<PathBuf>,
        /// Write the log to this file. When the FILE reaches 4 MiB, it is renamed to FILE.1, and a
        /// new FILE begins. An earlier FILE.1 is deleted. If another program has moved the FILE, a
        /// SIGHUP also begins a new FILE
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
    },
    /// Play the record of a router: check that the same inputs give the same outputs
    Replay(replay_command::ReplayCommand),
    /// Open the console of a router, which works like the console of an IOS router
    Console {
        /// The router: LAB/NODE, or the path of the console socket of the router
        router: String,
        /// Run this command and print its output; the option may be repeated
        #[arg(short, long = "command", value_name = "CMD")]
        commands: Vec<String>,
    },
    /// Print the completions of this command line for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of this program, for `man -l -`
    Man,
    /// Print the JSON schema of one output: the output of `show ... json` at a console, or the
    /// output of a command of this program with `--json`. `eidway schema lab` prints the schema of
    /// lab.toml, for editors
    Schema {
        /// The name of the output. Without a NAME, all names are listed, each with the command that
        /// prints this output
        name: Option<String>,
        /// Print one schema with all outputs. It has a property for each output
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
    /// Serve the consoles of routers by telnet on 127.0.0.1, until a signal stops this command
    Telnet {
        /// The port of the first router; the next router has the next port
        port: u16,
        /// The routers: LAB/NODE, or the path of the console socket of the router
        #[arg(required = true)]
        routers: Vec<String>,
        /// Write the ports and the names of the routers to this file when all ports are open
        #[arg(long, value_name = "FILE")]
        ports: Option<PathBuf>,
    },
    /// Check configuration files
    #[command(subcommand)]
    Config(config_command::ConfigCommand),
    /// Bring up labs in network namespaces, and work with these labs
    #[command(subcommand)]
    Lab(lab_command::LabCommand),
    /// Show the ports of running labs in the list of interfaces of Wireshark
    Extcap(extcap_command::ExtcapCommand),
    /// Delay, lose and duplicate packets of impaired links. The scripts of labs run this command
    #[command(subcommand, hide = true)]
    Links(LinksCommand),
    /// Hold the namespaces of a user who is not root, while labs are up in these namespaces.
    /// `eidway lab` starts this command
    #[command(name = user::COMMAND, hide = true)]
    Holder {
        /// The directory for the files of the user's labs
        directory: PathBuf,
    },
}

/// The commands of the forwarder of impaired links.
#[derive(Subcommand)]
enum LinksCommand {
    /// Run as the forwarder of a lab
    Serve {
        /// The socket for requests
        socket: PathBuf,
    },
    /// Impair the packets of a device, and print the name of the TAP device that receives these
    /// packets
    Impair {
        /// The socket of the forwarder
        socket: PathBuf,
        /// The namespace of the device
        namespace: String,
        /// The device
        device: String,
        /// The impairment: `none`, or words with their values
        words: Vec<String>,
    },
}

impl LinksCommand {
    fn run(self) -> Outcome {
        match self {
            LinksCommand::Serve { socket } => links::forwarder::serve(&socket)?,
            LinksCommand::Impair { socket, namespace, device, words } => {
                let tap = links::ask_to_impair(&socket, &namespace, &device, &words)?;
                println!("{}", tap.unwrap_or_default());
            }
        }
        Ok(true)
    }
}

/// The maximum time that the program waits at its end until all log lines are written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The result of a command. `true` is success. `false` means that the answer is "no" (exit code 1).
type Outcome = Result<bool, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    // A process with two threads cannot enter a user namespace, and the log starts a thread.
    single_threaded(&command).unwrap_or_else(|| run(command))
}

/// Runs a command that enters the namespaces of a user who is not root, and returns the exit code
/// of the command. For any other command, returns `None`.
fn single_threaded(command: &Command) -> Option<ExitCode> {
    let enter = |need| match user::enter(need) {
        Ok(code) => code.map(ExitCode::from),
        Err(error) => {
            eprintln!("eidway: {error}");
            Some(ExitCode::FAILURE)
        }
    };
    match command {
        Command::Lab(command) => enter(command.need()),
        Command::Extcap(command) => enter(command.need()),
        Command::Holder { directory } => Some(match user::holder::run(directory) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // A process has started this holder, and that process shows the error to the user.
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }),
        _ => None,
    }
}

/// Runs a command in this process.
fn run(command: Command) -> ExitCode {
    let log = match start_log_of(&command) {
        Ok(log) => log,
        Err(error) => return exit_code(Err(error)),
    };
    let outcome = match command {
        Command::Router {
            config,
            strict,
            console,
            data_path,
            no_offload,
            udp_checksum,
            record,
            nonces,
            startup: copy,
            flash,
            hosts,
            ..
        } => {
            let (offload, log) = (!no_offload, Some(log.clone()));
            let flash = flash.map(Folder::new);
            let files = RouterFiles { started_with: Some(config), copy, flash };
            let host_names = HostNames::new();
            let options = driver::Options {
                data_path,
                offload,
                udp_checksum,
                record,
                nonces,
                files,
                host_names,
                log,
            };
            router(strict, console.as_deref(), hosts.as_deref(), options)
        }
        Command::Config(command) => {
            let code = command.run();
            log.finish(LAST_LINES);
            return code;
        }
        Command::Completions { shell } => completions(shell),
        Command::Man => manual(),
        Command::Schema { name, all } => print_schema(name.as_deref(), all),
        Command::Console { router, commands } => talk(&router, &commands),
        Command::Telnet { port, routers, ports } => telnet(port, &routers, ports.as_deref()),
        Command::Replay(command) => command.run(),
        Command::Lab(command) => command.run(),
        Command::Links(command) => command.run(),
        Command::Extcap(command) => command.run(),
        // This command has run before the log was started.
        Command::Holder { .. } => Ok(true),
    };
    log.finish(LAST_LINES);
    exit_code(outcome)
}

/// Returns the exit code for an outcome. If the outcome is an error, prints the error.
fn exit_code(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("eidway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the log of a command. The log of a router also has messages of the level `info`. The logs
/// of other commands have only warnings and errors, because a user of a simulated lab must see the
/// messages of the lab, and not the log of every router.
fn start_log_of(command: &Command) -> Result<LogQueue, Box<dyn std::error::Error>> {
    match command {
        Command::Router { log, .. } => start_log("info", true, log.as_deref()),
        // The other commands run no router, or they show the messages of a lab.
        _ => start_log("warn", false, None),
    }
}

/// Starts the log. `RUST_LOG` selects the messages. Without `RUST_LOG`, messages of `level` and
/// more severe messages are written. If `stamped` is true, each line begins with the time, as in
/// IOS. The log is written to `file`. If there is no `file`, the log is written to the standard
/// error. The program never waits for a reader of the log.
fn start_log(
    level: &str,
    stamped: bool,
    file: Option<&Path>,
) -> Result<LogQueue, Box<dyn std::error::Error>> {
    let filter = env_logger::Env::default().default_filter_or(level);
    let mut log = env_logger::Builder::from_env(filter);
    if stamped {
        log.format(|out, record| {
            // A debug line already has a time stamp, because consoles show the same line.
            let stamp = match record.target() {
                "debug" => String::new(),
                _ => Clock::stamp(Clock::wall_clock_micros()),
            };
            let (level, line) = (record.level(), record.args());
            let style = out.default_level_style(level);
            writeln!(out, "[{style}{level:<5}{style:#}] {stamp}{line}")
        });
    }
    let queue = match file {
        Some(path) => LogQueue::to_file(path)?,
        None => LogQueue::to_stderr()?,
    };
    // The log is written through a queue, and env_logger does not treat a queue as a terminal.
    // Therefore colours are turned on here if the standard error is a terminal.
    let is_said =
        ["NO_COLOR", "RUST_LOG_STYLE"].iter().any(|name| std::env::var_os(name).is_some());
    if file.is_none() && io::stderr().is_terminal() && !is_said {
        log.write_style(env_logger::WriteStyle::Always);
    }
    log.target(env_logger::Target::Pipe(Box::new(queue.clone())));
    log.format_target(false).init();
    Ok(queue)
}

fn udp_checksum(word: &str) -> Result<UdpChecksum, &'static str> {
    match word {
        "zero" => Ok(UdpChecksum::Zero),
        "on" => Ok(UdpChecksum::On),
        "auto" => Ok(UdpChecksum::Auto),
        _ => Err("the value must be `zero`, `on` or `auto`"),
    }
}

fn router(
    strict: bool,
    console: Option<&Path>,
    hosts: Option<&Path>,
    mut options: driver::Options,
) -> Outcome {
    if let Some(path) = hosts {
        let text = text::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        options.host_names = read_host_names(&text);
    }
    let path = options.files.to_read().unwrap_or(Path::new(""));
    let name = path.display().to_string();
    let text = text::read(path).map_err(|error| format!("{name}: {error}"))?;
    let Reading { config, report } = console::read_config(&name, &text);
    if strict && report.is_refused() {
        return Err(report.into());
    }
    report.log_lines().iter().for_each(|line| log::warn!("{line}"));
    driver::run(config, console, options)?;
    Ok(true)
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    clap_complete::generate(shell, &mut Cli::command(), "eidway", &mut io::stdout());
    Ok(true)
}

/// Prints the manual page: a page of the program, and then the pages of its commands.
fn manual() -> Outcome {
    let mut command = Cli::command();
    command.build();
    let mut out = io::stdout();
    let mut waiting = vec![command];
    while let Some(command) = waiting.pop() {
        let visible = command
            .get_subcommands()
            .filter(|each| each.get_name() != "help" && !each.is_hide_set());
        let mut below: Vec<_> = visible.cloned().collect();
        below.reverse();
        waiting.extend(below);
        clap_mangen::Man::new(command).render(&mut out)?;
    }
    Ok(true)
}

fn print_schema(name: Option<&str>, all: bool) -> Outcome {
    let schema = match name {
        Some("lab") => check::schema(),
        Some(name) => schema::find(name).map(schema::Document::schema).ok_or_else(|| {
            format!("there is no output {name:?}: `eidway schema` lists the outputs for programs")
        })?,
        None if all => schema::all(),
        None => {
            for document in schema::DOCUMENTS {
                println!("{:22} {}", document.name, document.command);
            }
            return Ok(true);
        }
    };
    println!("{:#}", schema.as_value());
    Ok(true)
}

/// Returns the path of the console socket of a router. `router` is LAB/NODE, or this path itself.
fn socket_of(router: &str) -> Result<PathBuf, Box<dyn std::error::Error>> {
    Ok(match router.split_once('/') {
        Some((lab, node)) if name::lab(lab).is_ok() && name::node(node).is_ok() => {
            expect_own_sockets(lab)?;
            sockets_of(lab).join(format!("{node}.sock"))
        }
        _ => PathBuf::from(router),
    })
}

fn telnet(port: u16, routers: &[String], ports: Option<&Path>) -> Outcome {
    let sockets: Result<Vec<PathBuf>, _> = routers.iter().map(|router| socket_of(router)).collect();
    let server = TelnetServer::bind(port, &sockets?)?;
    match ports {
        Some(path) => private::write(path, server.ports()?)?,
        None => print!("{}", server.ports()?),
    }
    server.run()?;
    Ok(true)
}

fn talk(router: &str, commands: &[String]) -> Outcome {
    let socket = socket_of(router)?;
    let is_there = socket.try_exists();
    if !is_there.map_err(|error| format!("{}: {error}", socket.display()))? {
        if let Some((lab, _)) = router.split_once('/')
            && socket.parent().is_some_and(|directory| !directory.exists())
        {
            return Err(format!(
                "lab {lab} is not up, so router {router} does not run: start the lab with \
                         `eidway lab up {lab}`"
            )
            .into());
        }
        let place = socket.display();
        return Err(format!(
            "router {router} does not run: its console socket {place} does not exist"
        )
        .into());
    }
    Ok(driver::console_client::run(&socket, commands)?)
}
