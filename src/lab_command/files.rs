//! The verbs of `eidway lab` that work on the files of a lab. The lab need not be up.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use eidway::lab::failure::Failure;
use eidway::lab::file::name;
use eidway::lab::graph::{dot, mermaid, svg};
use eidway::lab::report::report;
use eidway::lab::starter::Parts;
use eidway::lab::verbs::show;
use eidway::netns::folder::{self, Copied};
use eidway::netns::open;
use eidway::netns::user::Need;

use super::super::Outcome;
use super::export::{ExportCommand, ImportCommand};
use super::{Which, laid_over};

/// The commands on the files of labs.
#[derive(Subcommand)]
pub enum FilesCommand {
    /// Write the files of a new lab, with comments in them. The lab has sites around a core, and a
    /// map-server. In the same current directory, `eidway lab up NAME` finds the lab
    New(NewCommand),
    /// Copy the files of a lab into a new folder, under another name
    Copy(CopyCommand),
    /// Show the addresses and static routes of all nodes, also those that core = "auto" has chosen
    Show(ShowCommand),
    /// Draw a lab for a document, in the language of Mermaid or Graphviz, or as SVG. In an SVG, the
    /// nodes are at the positions that the lab.toml has
    Graph(GraphCommand),
    /// Describe a lab in Markdown: the picture, the nodes, the routers with their roles, the
    /// mappings and sites, the addresses and routes. The description comes from the files of the
    /// lab, but without the keys in these files
    Report {
        #[command(flatten)]
        which: Which,
    },
    /// Write the files of a lab for another program that runs labs
    Export(ExportCommand),
    /// Make the folder of a lab from a topology file of containerlab that has nodes of Eidway. If a
    /// part of this file is not possible in a lab, the command fails and prints the line of this
    /// part
    Import(ImportCommand),
}

impl FilesCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        match self {
            FilesCommand::New(_) | FilesCommand::Import(_) => Need::None,
            FilesCommand::Copy(_)
            | FilesCommand::Show(_)
            | FilesCommand::Graph(_)
            | FilesCommand::Report { .. }
            | FilesCommand::Export(_) => Need::IfUp,
        }
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        match self {
            FilesCommand::New(command) => command.run(),
            FilesCommand::Copy(command) => command.run(),
            FilesCommand::Show(command) => command.run(),
            FilesCommand::Graph(command) => command.run(),
            FilesCommand::Report { which } => {
                print!("{}", report(&which.open()?));
                Ok(true)
            }
            FilesCommand::Export(command) => command.run(),
            FilesCommand::Import(command) => command.run(),
        }
    }
}

/// The arguments of `lab new`.
#[derive(Args)]
pub struct NewCommand {
    /// The name of the lab
    name: String,
    /// The number of LISP sites, each with an xTR
    #[arg(long, default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=i64::from(Parts::MOST_SITES)))]
    sites: u16,
    /// The number of hosts of each site
    #[arg(long, default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=i64::from(Parts::MOST_HOSTS)))]
    hosts: u8,
    /// The number of routers that are both map-server and map-resolver
    #[arg(long, default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=i64::from(Parts::MOST_RESOLVERS)))]
    resolvers: u8,
    /// Add a proxy xTR and a host outside of LISP
    #[arg(long)]
    proxy: bool,
    /// Also give IPv6 addresses to the hosts and the core
    #[arg(long)]
    ipv6: bool,
    /// Make the folder of the lab in this directory instead of ./lab
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

impl NewCommand {
    fn run(self) -> Outcome {
        let NewCommand { name, sites, hosts, resolvers, proxy, ipv6, to } = self;
        name::lab(&name).map_err(Failure::new)?;
        let place = folder::place(&name, to.as_deref());
        let files = Parts { name, sites, hosts, resolvers, proxy, ipv6 }.files();
        folder::write(&place, files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())))?;
        println!("{}: {} files; begin with lab.toml", place.display(), files.len());
        Ok(true)
    }
}

/// The arguments of `lab copy`.
#[derive(Args)]
pub struct CopyCommand {
    /// The directory of a lab, or the name of a lab that is under ./lab, up, or built in
    lab: String,
    /// The name of the copy
    new: String,
    /// Make the folder of the copy in this directory instead of ./lab
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

impl CopyCommand {
    fn run(self) -> Outcome {
        let CopyCommand { lab, new, to } = self;
        name::lab(&new).map_err(Failure::new)?;
        let lab = open::open(&lab, None)?;
        let place = folder::place(&new, to.as_deref());
        let Copied { files, mentions } = folder::copy(&lab, &new, &place)?;
        println!("{}: {files} files of {}", place.display(), lab.file.name);
        for mention in mentions {
            super::say(&format!("{mention} still contains the old name {}", lab.file.name));
        }
        Ok(true)
    }
}

/// The arguments of `lab show`.
#[derive(Args)]
pub struct ShowCommand {
    #[command(flatten)]
    which: Which,
    /// Add this overlay to the configurations of the lab. OVERLAY is the name of a scenario, or the
    /// name of a file that scenarios include. The option may be repeated
    #[arg(long, value_name = "OVERLAY")]
    with: Vec<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl ShowCommand {
    fn run(self) -> Outcome {
        let shown = show::show(&laid_over(self.which.open()?, &self.with)?);
        match self.json {
            true => println!("{}", serde_json::to_string(&shown)?),
            false => print!("{shown}"),
        }
        Ok(true)
    }
}

/// The language of a picture.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Mermaid, for Markdown
    Mermaid,
    /// Graphviz
    Dot,
    /// An image, for a browser
    Svg,
}

/// The arguments of `lab graph`.
#[derive(Args)]
pub struct GraphCommand {
    #[command(flatten)]
    which: Which,
    /// The language of the picture
    #[arg(long, value_enum, default_value = "mermaid")]
    format: GraphFormat,
}

impl GraphCommand {
    fn run(self) -> Outcome {
        let draw = match self.format {
            GraphFormat::Mermaid => mermaid,
            GraphFormat::Dot => dot,
            GraphFormat::Svg => svg,
        };
        print!("{}", draw(&self.which.open()?));
        Ok(true)
    }
}
