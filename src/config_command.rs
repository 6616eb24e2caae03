//! The command `eidway config ...`: checks configuration files that belong to no lab.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use eidway::console::{FileCheck, Reading, read_config};
use eidway::netns::text;

/// The exit code if a line of a file is refused.
const REFUSED: u8 = 1;
/// The exit code if a file cannot be read.
const UNREADABLE: u8 = 2;

/// The commands for configuration files.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Check the configuration files of routers: list each line that a router does not apply, and
    /// the reason. The exit code is 0 if no line is refused, 1 if a line is refused, and 2 if a file
    /// cannot be read
    Check {
        /// The configuration files, in the style of IOS
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print JSON: an array with an object for each file
        #[arg(long)]
        json: bool,
    },
}

impl ConfigCommand {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let ConfigCommand::Check { files, json } = self;
        let (mut code, mut results) = (0, Vec::new());
        for path in files {
            let file = path.display().to_string();
            let (error, problems, more) = match text::read(&path) {
                Ok(text) => {
                    let Reading { report, .. } = read_config(&file, &text);
                    match (json, report.is_empty()) {
                        (true, _) => {}
                        (false, true) => println!("ok    {file}"),
                        (false, false) => {
                            println!("{}\n", report.render(io::stdout().is_terminal()));
                        }
                    }
                    code = code.max(if report.is_refused() { REFUSED } else { 0 });
                    (None, report.problems, report.more)
                }
                Err(error) => {
                    let error = error.to_string();
                    if !json {
                        eprintln!("eidway: {file}: {error}");
                    }
                    code = UNREADABLE;
                    (Some(error), Vec::new(), 0)
                }
            };
            results.push(FileCheck { file, error, problems, more });
        }
        if json {
            match serde_json::to_string(&results) {
                Ok(text) => println!("{text}"),
                Err(error) => eprintln!("eidway: {error}"),
            }
        }
        ExitCode::from(code)
    }
}
