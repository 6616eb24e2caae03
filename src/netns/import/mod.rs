//! `lab import`: makes the files of a lab from a topology file of containerlab. All nodes of this
//! file must be nodes of Eidway, in the form in which `lab export` writes them.
//!
//! A user may have changed the names, nodes, links, addresses and routes. If a lab file cannot
//! express a part of the topology file, the import fails, and the error shows the file and the
//! line. [`LabFile::parse`] checks the rules for lab files. If it finds an error in a text, the
//! error is shown at the place in the topology file from which this text comes.

mod commands;
mod lab_text;
mod nodes;
mod source;
mod topology;
mod wires;

use std::path::Path;

use super::text;
use crate::lab::failure::Failure;
use crate::lab::file::{LabError, LabFile};
use lab_text::LabText;
use nodes::Nodes;
use source::Source;

/// A lab that was read from a topology file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The name of the lab.
    pub name: String,
    /// The files of the lab. For each file: its path in the folder of the lab, and its text. The
    /// first file is `lab.toml`.
    pub files: Vec<(String, String)>,
}

/// Reads the topology file `path` and the configurations of its routers. The paths of the
/// configurations start at the directory of the topology file.
///
/// # Errors
/// A file cannot be read, the topology file has a part that `lab export` does not write (the error
/// has the line), or the lab breaks a rule for lab files.
pub fn import(path: &Path) -> Result<Imported, Failure> {
    let name = path.display().to_string();
    let text = text::read(path).map_err(Failure::io(&name))?;
    let source = Source { path: &name, text: &text };
    let topology = source.parse()?;
    source.expect_defaults(&topology)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let nodes = Nodes::read(&source, &topology, directory)?;
    let mut lab = LabText::new(&topology);
    nodes.write(&source, &mut lab)?;
    wires::write(&source, &topology, &nodes, &mut lab)?;
    let file =
        LabFile::parse("lab.toml", lab.text()).map_err(|error| moved(&source, error, &lab))?;
    let mut files = vec![("lab.toml".to_owned(), file.text)];
    files.extend(nodes.configs());
    Ok(Imported { name: file.name, files })
}

/// Converts an error in the lab file to an error in the topology file. The new error is at the
/// place from which the wrong text comes.
fn moved(source: &Source<'_>, error: LabError, lab: &LabText) -> Failure {
    let place = error.mark.span.clone().and_then(|span| lab.origin(span.start));
    match place {
        Some(span) => source.error(span, error.message, &error.mark.label),
        None => Failure::Other(format!("{}: {}", source.path, error.message)),
    }
}
