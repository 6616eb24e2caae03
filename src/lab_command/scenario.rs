//! `eidway lab run`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use eidway::driver::progress::Progress;
use eidway::driver::recording;
use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::lab::impairment::Impairment;
use eidway::lab::scenario::run::{How, run as play_scenario};
use eidway::lab::scenario::stage::Evidence;
use eidway::lab::scenario::{Scenario, library};
use eidway::netns::plan::Options;
use eidway::netns::stage::Namespaces;
use eidway::netns::user::Need;
use eidway::netns::{paths, scenario_file};
use eidway::rng::Seed;
use eidway::sim::stage::Simulated;
use eidway::{private, sim};

use super::super::Outcome;
use super::Which;
use super::data_path::DataPathArgs;

/// The arguments of `eidway lab run`.
#[derive(Args)]
pub struct RunCommand {
    #[command(flatten)]
    which: Which,
    /// The scenario: its name, the beginning of its name, or the path of its file. Without this
    /// argument, the command lists all scenarios of the lab
    scenario: Option<String>,
    /// Use the simulator: it needs no root and no other program, and does not wait in real time
    #[arg(long)]
    sim: bool,
    /// The seed of the random numbers of the simulator
    #[arg(long, default_value_t = 1, requires = "sim")]
    seed: u64,
    /// Play the scenario this number of times. On the simulator, the first seed is --seed, and each
    /// next seed is one larger. Only the transcripts of failures are printed
    #[arg(long, value_name = "N", conflicts_with = "record")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    repeat: Option<u64>,
    /// Record the inputs and outputs of each router in DIR/ROUTER.record, for eidway replay
    #[arg(long, value_name = "DIR", requires = "sim")]
    record: Option<PathBuf>,
    /// Play the scenario to its middle, then kill this map-server and start it again. Check that
    /// all registrations are restored, that no old entry is left, and that pings are answered again
    #[arg(long, value_name = "ROUTER")]
    kill: Option<String>,
    /// Impair all links of the lab. These impairments replace the impairments in its lab.toml.
    /// WORDS are the words of the scenario statement impair, for example "delay 5ms jitter 2ms
    /// duplicate 1%"
    #[arg(long, value_name = "WORDS")]
    impair: Option<Impairment>,
    /// Explain each ping as lab explain does; a ping with an unexpected result is always explained
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    data_path: DataPathArgs,
}

impl RunCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        if self.sim || self.scenario.is_none() { Need::None } else { Need::Always }
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let RunCommand { which, scenario, sim, seed, repeat, record, .. } = self;
        let (kill, options) = (self.kill, self.data_path.options());
        let lab = which.open()?;
        let Some(scenario) = scenario else {
            return list_scenarios(&lab);
        };
        let scenario = scenario_file::find(&lab, &scenario)?;
        let how = How { kill: kill.as_deref(), impairment: self.impair, explains: self.explain };
        let play = |seed, out: &mut dyn Write| match sim {
            true => play_simulated(&lab, &scenario, how, seed, record.as_deref(), out),
            false => play(lab.clone(), which.name.clone(), &scenario, how, options, out),
        };
        match repeat {
            None => {
                let progress = Progress::begin(format!("playing {}", scenario.path), false);
                play(seed, &mut progress.around(io::stdout()))
            }
            Some(times) => repeated(times, seed, sim, play),
        }
    }
}

/// Plays a scenario several times and prints the transcript of each failure. The outcome is true if
/// all results were as expected each time.
fn repeated(
    times: u64,
    first: u64,
    sim: bool,
    play: impl Fn(u64, &mut dyn Write) -> Outcome,
) -> Outcome {
    let mut failed = 0;
    for (number, seed) in (1..=times).zip(first..) {
        let mut transcript = Vec::new();
        let progress = Progress::begin(format!("run {number} of {times}"), false);
        let is_right = play(seed, &mut transcript)?;
        drop(progress);
        let which = if sim { format!(" with --seed {seed}") } else { String::new() };
        if !is_right {
            failed += 1;
            io::stdout().write_all(&transcript)?;
        }
        let outcome = if is_right { "as expected" } else { "NOT AS EXPECTED" };
        println!("run {number} of {times}{which}: {outcome}");
    }
    println!("{} of {times} runs as expected", times - failed);
    Ok(failed == 0)
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
    how: How<'_>,
    options: Options,
    out: &mut dyn Write,
) -> Outcome {
    name_for_namespaces(&mut lab, name, scenario)?;
    let up = |lab| Namespaces::up(lab, options);
    Ok(play_scenario(&lab, scenario, how, up, out)?)
}

/// Sets the name of a lab for a scenario that is played in namespaces. Without `name`, the lab gets
/// a unique name.
///
/// # Errors
/// The scenario runs only on the simulator, or a program is missing.
pub fn name_for_namespaces(
    lab: &mut Lab,
    name: Option<String>,
    scenario: &Scenario,
) -> Result<(), Failure> {
    library::expect_namespaces(scenario, &scenario.path)?;
    Namespaces::expect_programs()?;
    let end = std::process::id().to_string();
    lab.name = name.unwrap_or_else(|| library::lab_name_for(scenario, &end));
    Ok(())
}

fn play_simulated(
    lab: &Lab,
    scenario: &Scenario,
    how: How<'_>,
    seed: u64,
    record: Option<&Path>,
    out: &mut dyn Write,
) -> Outcome {
    let name = format!("{}-{}", lab.name, library::lab_name_for(scenario, "sim"));
    let options = sim::stage::Options {
        records: record.map(recording::of_routers).transpose()?,
        watch: None,
        keep: Box::new(move |files| keep(&name, files)),
        ..sim::stage::Options::new(Seed::from_number(seed))
    };
    let up = |lab| Simulated::up(lab, options);
    Ok(play_scenario(lab, scenario, how, up, out)?)
}

/// Writes files into a new directory and returns its path.
fn keep(name: &str, files: &[Evidence]) -> Result<String, Failure> {
    let directory = paths::kept(name)?;
    for (name, octets) in files {
        private::write(&directory.join(name), octets).map_err(Failure::new)?;
    }
    Ok(directory.display().to_string())
}
