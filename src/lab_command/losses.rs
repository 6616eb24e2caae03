//! `eidway lab losses`.

use clap::Args;
use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::lab::scenario::losses::{ScenarioLosses, has_flows, measure};
use eidway::lab::scenario::{Scenario, library};
use eidway::netns::stage::Namespaces;
use eidway::netns::user::Need;
use eidway::rng::Seed;
use eidway::sim;
use eidway::sim::stage::Simulated;

use super::super::Outcome;
use super::data_path::DataPathArgs;
use super::scenario::name_for_namespaces;
use super::{Which, say};

/// The arguments of `eidway lab losses`.
#[derive(Args)]
pub struct LossesCommand {
    #[command(flatten)]
    which: Which,
    /// The scenario: its name, or the beginning of its name. Without this argument, all scenarios
    /// with flows are played
    scenario: Option<String>,
    /// Use the simulator: it needs no root and no other program, and does not wait in real time
    #[arg(long)]
    sim: bool,
    /// The seed of the random numbers of the simulator
    #[arg(long, default_value_t = 1, requires = "sim")]
    seed: u64,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data_path: DataPathArgs,
}

impl LossesCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        if self.sim { Need::None } else { Need::Always }
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let lab = self.which.open()?;
        let mut tables = Vec::new();
        for (name, scenario) in scenarios(&lab, self.scenario.as_deref(), self.sim)? {
            say(&format!("{name}: {}", scenario.title));
            let losses = self.measure(lab.clone(), (name, &scenario))?;
            if !self.json {
                print!("{losses}");
            }
            tables.push(losses);
        }
        if self.json {
            println!("{}", serde_json::to_string(&tables)?);
        }
        Ok(tables.iter().all(|table| table.unexpected.is_none()))
    }

    fn measure(
        &self,
        mut lab: Lab,
        (name, scenario): (&str, &Scenario),
    ) -> Result<ScenarioLosses, Failure> {
        if self.sim {
            let options = sim::stage::Options::new(Seed::from_number(self.seed));
            return measure(&lab, (name, scenario), |lab| Simulated::up(lab, options));
        }
        name_for_namespaces(&mut lab, self.which.name.clone(), scenario)?;
        let up = |lab| Namespaces::up(lab, self.data_path.options());
        measure(&lab, (name, scenario), up)
    }
}

/// Returns the scenarios to play, each with its name. If `wanted` is given, the result is this one
/// scenario. If not, the result has all scenarios with flows. In namespaces, it does not have the
/// scenarios that wait too long for real time.
fn scenarios<'lab>(
    lab: &'lab Lab,
    wanted: Option<&str>,
    sim: bool,
) -> Result<Vec<(&'lab str, Scenario)>, Failure> {
    let names = match wanted {
        Some(wanted) => vec![library::find_name(lab, wanted)?],
        None => library::names(lab),
    };
    let mut scenarios = Vec::new();
    for name in names {
        let scenario = library::read(lab, name)?;
        if has_flows(&scenario) && (sim || wanted.is_some() || !scenario.only_simulated) {
            scenarios.push((name, scenario));
        }
    }
    match (scenarios.is_empty(), wanted) {
        (false, _) => Ok(scenarios),
        (true, Some(name)) => Err(Failure::Other(format!("the scenario {name} has no flow"))),
        (true, None) => Err(Failure::Other(format!("no scenario of lab {} has a flow", lab.name))),
    }
}
