//! The verbs of `eidway lab` that work on the files of a lab, which need not be up.

use clap::{Args, Subcommand};
use eidway::lab::verbs::show;

use super::super::Outcome;
use super::Which;

/// The commands on the files of labs.
#[derive(Subcommand)]
pub enum FilesCommand {
    /// Show the addresses and static routes of all nodes, also those that core = "auto" has chosen
    Show(ShowCommand),
}

impl FilesCommand {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        match self {
            FilesCommand::Show(command) => command.run(),
        }
    }
}

/// The arguments of `lab show`.
#[derive(Args)]
pub struct ShowCommand {
    #[command(flatten)]
    which: Which,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl ShowCommand {
    fn run(self) -> Outcome {
        let shown = show::show(&self.which.open()?);
        match self.json {
            true => println!("{}", serde_json::to_string(&shown)?),
            false => print!("{shown}"),
        }
        Ok(true)
    }
}
