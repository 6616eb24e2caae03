//! `eidway lab export` and `eidway lab import`: the files of labs for other programs.

use std::path::PathBuf;

use clap::Args;
use eidway::lab::Lab;
use eidway::lab::export::{self, Files};
use eidway::lab::failure::Failure;
use eidway::netns::{folder, import};

use super::super::Outcome;
use super::{Which, laid_over, say};

/// The arguments of `lab export`.
#[derive(Args)]
pub struct ExportCommand {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    to: To,
    /// Add this overlay to the configurations of the lab. OVERLAY is the name of a scenario, or the
    /// name of a file that scenarios include. The option may be repeated
    #[arg(long, value_name = "OVERLAY")]
    with: Vec<String>,
}

/// The program that runs the exported lab, and the new folder for the files.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct To {
    /// Write a topology file of containerlab, and the files that it needs, into this new folder
    #[arg(long, value_name = "DIR")]
    containerlab: Option<PathBuf>,
    /// Write a topology file of netlab, and the files that it needs, into this new folder
    #[arg(long, value_name = "DIR")]
    netlab: Option<PathBuf>,
    /// Write a network scenario of Kathara into this new folder
    #[arg(long, value_name = "DIR")]
    kathara: Option<PathBuf>,
}

/// A function that makes the files of an export.
type Exporter = fn(&Lab) -> Result<Files, Failure>;

impl ExportCommand {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        let ExportCommand { which, to, with } = self;
        let all: [(Option<PathBuf>, Exporter); 3] = [
            (to.containerlab, export::containerlab::export),
            (to.netlab, export::netlab::export),
            (to.kathara, export::kathara::export),
        ];
        let lab = laid_over(which.open()?, &with)?;
        for (folder, exporter) in all {
            let Some(folder) = folder else { continue };
            let files = exporter(&lab)?;
            let octets = files.iter().map(|(path, text)| (path.as_str(), text.as_bytes()));
            folder::write(&folder, octets)?;
            println!("{}: {} files; begin with {}", folder.display(), files.len(), files[0].0);
            if !folder::write_static_program(&folder.join(export::PROGRAM))? {
                say(&format!(
                    "{}: this program is not static, so it was not copied: build a static program \
                     as the Dockerfile describes, and write it to `{}` beside the Dockerfile",
                    folder.display(),
                    export::PROGRAM
                ));
            }
        }
        Ok(true)
    }
}

/// The arguments of `lab import`.
#[derive(Args)]
pub struct ImportCommand {
    /// A topology file of containerlab that eidway lab export has written; names, addresses and
    /// links may be changed
    file: PathBuf,
    /// Make the folder of the lab in this directory instead of ./lab
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

impl ImportCommand {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        let lab = import::import(&self.file)?;
        let place = folder::place(&lab.name, self.to.as_deref());
        let files = lab.files.iter().map(|(path, text)| (path.as_str(), text.as_bytes()));
        folder::write(&place, files)?;
        println!("{}: {} files; begin with lab.toml", place.display(), lab.files.len());
        Ok(true)
    }
}
