//! `eidway lab run`.

use std::path::PathBuf;

use clap::Args;
use eidway::lab::scenario::run::How;
use eidway::netns::user::Need;

use super::super::Outcome;
use super::{Which, list_scenarios, run_scenario};

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
    /// Record the inputs and outputs of each router in DIR/ROUTER.record, for eidway replay
    #[arg(long, value_name = "DIR", requires = "sim")]
    record: Option<PathBuf>,
    /// Play the scenario to its middle, then kill this map-server and start it again. Check
    /// that all registrations return, that no old entry is left, and that pings are answered
    /// again
    #[arg(long, value_name = "ROUTER")]
    kill: Option<String>,
    /// Explain each ping as lab explain does; a ping with an unexpected result is always explained
    #[arg(long)]
    explain: bool,
    /// The routers forward packet by packet, even if the kernel has segmentation offload
    #[arg(long, conflicts_with = "sim")]
    no_offload: bool,
}

impl RunCommand {
    /// The need of the command for the namespaces of an ordinary user.
    pub fn need(&self) -> Need {
        if self.sim || self.scenario.is_none() { Need::None } else { Need::Always }
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let RunCommand { which, scenario, sim, seed, record, kill, explain, no_offload } = self;
        let Some(name) = scenario else {
            return list_scenarios(&which.open()?);
        };
        let how = How { kill: kill.as_deref(), explains: explain };
        let seed = sim.then_some(seed);
        run_scenario(which, &name, seed, record.as_deref(), how, no_offload)
    }
}
