//! `eidway lab test`.

use std::path::PathBuf;
use std::thread::available_parallelism;

use clap::Args;
use eidway::driver::progress::Progress;
use eidway::lab::verdicts::{Outcome as Result, junit, tap_head};
use eidway::netns::test_run;
use eidway::netns::user::Need;
use eidway::private;

use super::super::Outcome;

/// The arguments of `lab test`.
#[derive(Args)]
pub struct TestCommand {
    /// The directory. All labs in it and below it are tested
    directory: PathBuf,
    /// Use the simulator: it needs no root and does not wait in real time
    #[arg(long)]
    sim: bool,
    /// Also write the results to this file, in the format of JUnit
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The number of scenarios that are played at the same time; without this option, the number of
    /// processors
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

impl TestCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        if self.sim { Need::None } else { Need::Always }
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let cases = test_run::cases(&self.directory, self.sim)?;
        print!("{}", tap_head(cases.len()));
        let processors = available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.map_or(processors, usize::from);
        let progress = Progress::begin(format!("{} scenarios are left", cases.len()), false);
        let mut left = cases.len();
        let verdicts = test_run::play(&cases, (jobs, self.sim), &mut |number, verdict| {
            progress.aside(|| print!("{}", verdict.tap(number)));
            left -= 1;
            progress.set(format!("{left} scenarios are left"));
        })?;
        drop(progress);
        if let Some(file) = &self.junit {
            private::write(file, junit(&verdicts))?;
        }
        Ok(!verdicts.iter().any(|verdict| matches!(verdict.outcome, Result::Failed(_))))
    }
}
