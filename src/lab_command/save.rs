//! `eidway lab save`: copies the saved configurations of a running lab to the folder of the lab.

use std::path::PathBuf;

use clap::Args;
use eidway::netns::save;

use super::super::Outcome;
use super::Which;

/// The arguments of `lab save`.
#[derive(Args)]
pub struct SaveCommand {
    #[command(flatten)]
    which: Which,
    /// Save only the configuration of this router
    node: Option<String>,
    /// Write the files into this directory instead of the folder of the lab
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Only print the changed lines
    #[arg(long)]
    dry_run: bool,
    /// This option is refused, because a simulated lab has no files
    #[arg(long, hide = true)]
    sim: bool,
}

/// The error for `lab save --sim`.
const HAS_NO_FILES: &str = "a simulated lab has no files, because its configurations are only in \
                            memory: copy the output of `show running-config` instead";

impl SaveCommand {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        if self.sim {
            return Err(HAS_NO_FILES.into());
        }
        let lab = self.which.open()?;
        let saved = save::save(&lab, self.node.as_deref(), self.to.as_deref(), self.dry_run)?;
        saved.iter().for_each(|each| print!("{each}"));
        Ok(saved.iter().any(|each| each.is_written))
    }
}
