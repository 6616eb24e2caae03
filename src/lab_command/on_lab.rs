//! The verbs that work on a lab that is up, or on a lab that is simulated for one command.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use eidway::addr::Family;
use eidway::driver::progress::Progress;
use eidway::lab::explain::explain;
use eidway::lab::explain::journey::Question;
use eidway::lab::failure::Failure;
use eidway::lab::ping::{self, Echos};
use eidway::lab::plugging::Plugging;
use eidway::lab::running::RunningLab;
use eidway::lab::verbs::{self, move_host, status};
use eidway::lab::{Lab, check};
use eidway::netns::inside;
use eidway::netns::running::expect_up;
use eidway::netns::stage::Namespaces;
use eidway::netns::{self, paths};
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};

use super::super::Outcome;
use super::{Target, laid_over};

/// The seed for a simulated lab.
const SEED: u64 = 1;
/// The time for which a simulated lab continues to run after a change. A capture on the simulator
/// continues for this time after all routers are registered.
pub const AFTERWARDS: Duration = Duration::from_secs(60);

/// The line of progress while a simulated lab starts.
pub const STARTS: &str = "the lab starts on the simulator";

/// The echos of `ping` and `pingall`.
#[derive(Args)]
pub struct EchoArgs {
    /// The number of echos
    #[arg(short, default_value_t = 5)]
    count: u32,
    /// The size of each IP packet in octets
    #[arg(short, default_value_t = 100, value_parser = clap::value_parser!(u16).range(36..))]
    size: u16,
    /// Set the don't-fragment bit of the packets
    #[arg(long)]
    df: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl EchoArgs {
    fn echos(&self) -> Echos {
        Echos { count: self.count, size: self.size, df: self.df }
    }
}

/// The settings for a lab that is simulated for one command.
pub fn options() -> Options {
    Options::new(Seed::from_number(SEED))
}

impl Target {
    /// Returns the lab that is up. With `--sim`, returns a simulated lab, which ends when the
    /// returned value is dropped. If `is_quiet` is true, prints no line of progress.
    pub fn running(&self, lab: &Lab, is_quiet: bool) -> Result<Box<dyn RunningLab>, Failure> {
        if self.sim {
            let _progress = Progress::begin(STARTS, is_quiet);
            return Ok(Box::new(Simulated::up(lab.clone(), options())?));
        }
        expect_up(lab)?;
        Ok(Box::new(Namespaces::attach(lab.clone())))
    }

    /// Calls `change` on the lab. A simulated lab ends when this command ends. So, with `--sim`,
    /// the lab then runs for another minute, and the states of its nodes are printed.
    pub fn change(
        &self,
        change: impl FnOnce(&Lab, &mut dyn RunningLab) -> Result<(), Failure>,
    ) -> Outcome {
        let lab = self.which.open()?;
        let mut running = self.running(&lab, false)?;
        change(&lab, &mut *running)?;
        if self.sim {
            let progress = Progress::begin("one minute passes on the simulator", false);
            running.pass(AFTERWARDS)?;
            drop(progress);
            print!("{}", status::table(&lab, &status::status(&lab, &mut *running)));
        }
        Ok(true)
    }

    pub fn check(&self, json: bool) -> Outcome {
        let lab = self.which.open()?;
        let findings = if self.sim { check::check(&lab) } else { netns::check::check(&lab) };
        if json {
            println!("{}", serde_json::to_string(&findings)?);
        } else {
            for finding in &findings {
                match &finding.problem {
                    None => println!("ok    {}", finding.what),
                    Some(problem) => println!("WRONG {}\n{problem}", finding.what),
                }
            }
        }
        Ok(findings.iter().all(|finding| finding.problem.is_none()))
    }

    pub fn status(&self, json: bool) -> Outcome {
        let lab = self.which.open()?;
        let mut running: Box<dyn RunningLab> = match self.sim {
            true => self.running(&lab, json)?,
            // `lab status` also works for a lab that is not up.
            false => {
                paths::expect_own_sockets(&lab.name)?;
                Box::new(Namespaces::attach(lab.clone()))
            }
        };
        let mut nodes = status::status(&lab, &mut *running);
        // The ports of a lab in namespaces are not the ports of a simulated lab with the same name.
        let is_other = self.sim && lab.file.nodes.keys().any(|it| paths::has_namespace(&lab, it));
        let ports = if is_other { BTreeMap::new() } else { paths::telnet_ports(&lab.name) };
        for node in &mut nodes {
            node.telnet = ports.get(&node.node).copied();
        }
        match json {
            true => println!("{}", serde_json::to_string(&nodes)?),
            false => print!("{}", status::table(&lab, &nodes)),
        }
        Ok(nodes.iter().all(status::NodeStatus::is_up))
    }

    pub fn exec(&self, node: &str, command: &[String]) -> Outcome {
        let lab = self.which.open()?;
        if self.sim {
            lab.expect_node(node)?;
            let why =
                "a simulated node cannot run programs, so `lab exec` does not work with --sim";
            return Err(why.into());
        }
        inside::exec(&lab, node, command)?;
        Ok(true)
    }

    pub fn ping(
        &self,
        node: &str,
        address: &str,
        family: Option<Family>,
        args: &EchoArgs,
    ) -> Outcome {
        let lab = self.which.open()?;
        lab.expect_node(node)?;
        let address = ping::address(&lab, address, family)?;
        let mut running = self.running(&lab, args.json)?;
        // With `--json`, only the result is printed.
        let (mut nowhere, mut stdout) = (io::sink(), io::stdout());
        let out: &mut dyn Write = if args.json { &mut nowhere } else { &mut stdout };
        let tally = verbs::ping::show(&mut *running, node, address, args.echos(), out)?;
        if args.json {
            println!("{}", serde_json::to_string(&tally)?);
        }
        Ok(tally.is_complete())
    }

    /// Explains the path of a packet. The outcome is true if the packet arrives and its answer
    /// comes back.
    pub fn explain(
        &self,
        (from, to): (&str, &str),
        family: Option<Family>,
        (size, df): (u16, bool),
        json: bool,
    ) -> Outcome {
        let lab = self.which.open()?;
        lab.expect_node(from)?;
        let to = ping::address(&lab, to, family)?;
        let mut running = self.running(&lab, json)?;
        let progress = Progress::begin("the consoles are asked", json);
        let question = Question { from: from.to_owned(), to, size, df };
        let journey = explain(&mut *running, &question)?;
        drop(progress);
        match json {
            true => println!("{}", serde_json::to_string(&journey)?),
            false => println!("{journey}"),
        }
        Ok(journey.returns)
    }

    pub fn pingall(&self, args: &EchoArgs) -> Outcome {
        let lab = self.which.open()?;
        let mut running = self.running(&lab, args.json)?;
        let progress = Progress::begin("each host pings each other host", args.json);
        let matrix = verbs::ping::all(&lab, &mut *running, args.echos())?;
        drop(progress);
        match args.json {
            true => println!("{}", serde_json::to_string(&matrix)?),
            false => print!("{matrix}"),
        }
        Ok(matrix.is_complete())
    }

    pub fn move_host(
        &self,
        (host, to): (&str, &str),
        from: Option<&str>,
        how: Plugging,
        (with, anyway): (&[String], bool),
    ) -> Outcome {
        let lab = laid_over(self.which.open()?, with)?;
        lab.expect_host(host)?;
        let mut running = self.running(&lab, false)?;
        if !anyway {
            move_host::expect_roaming(&lab, &mut *running, host, to)?;
        }
        let progress =
            Progress::begin(format!("{host} moves to {to}, while another host pings it"), false);
        let fared = move_host::measured(&lab, &mut *running, (host, to), from, how)?;
        drop(progress);
        fared.iter().for_each(|each| println!("{each}"));
        Ok(fared.iter().all(|each| each.course.is_back))
    }
}
