//! Reads the files of scenarios, overlays and lessons that are not in the directory of a lab.

use std::collections::BTreeMap;
use std::path::Path;

use super::text;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::lesson::{self, Lesson};
use crate::lab::scenario::library::{self, ENDING, INCLUDE};
use crate::lab::scenario::{Scenario, parse};

/// Returns the scenario for `name`. `name` is the path of a file, or a name as in
/// [`library::find`]. A path has a slash or ends with `.scenario`.
pub fn find(lab: &Lab, name: &str) -> Result<Scenario, Failure> {
    match name.contains('/') || name.ends_with(ENDING) {
        true => read_file(lab, Path::new(name)),
        false => library::find(lab, name),
    }
}

/// Reads a scenario for `lab` from any file. A file that the scenario includes is searched first in
/// the directory of `path`, and then in the directory of the lab's scenarios.
fn read_file(lab: &Lab, path: &Path) -> Result<Scenario, Failure> {
    let text = text::read(path).map_err(Failure::io(path.display()))?;
    let beside = |name: &str| beside(lab, path, name);
    Ok(parse(&path.display().to_string(), &text, &lab.file, &beside)?)
}

/// Returns the text of the file `name`. The file is searched first in the directory of `path`, and
/// then in the directory of the lab's scenarios.
fn beside(lab: &Lab, path: &Path, name: &str) -> Result<String, Failure> {
    let file = path.with_file_name(name);
    match file.exists() {
        true => text::read(&file).map_err(Failure::io(file.display())),
        false => library::beside(lab, name),
    }
}

/// Returns the lesson for `name`. `name` is the path of a file, or a name as in [`lesson::find`]. A
/// path has a slash or ends with `.lesson`.
pub fn lesson(lab: &Lab, name: &str) -> Result<Lesson, Failure> {
    if !name.contains('/') && !name.ends_with(lesson::ENDING) {
        return lesson::find(lab, name);
    }
    let path = Path::new(name);
    let text = text::read(path).map_err(Failure::io(path.display()))?;
    Ok(lesson::parse(name, &text, &lab.file, &|file| beside(lab, path, file))?)
}

/// Returns the overlays for `name`. `name` is the path of a file, or a name as in
/// [`library::overlays`].
pub fn overlays(lab: &Lab, name: &str) -> Result<BTreeMap<String, String>, Failure> {
    match name.contains('/') || name.ends_with(ENDING) || name.ends_with(INCLUDE) {
        true => library::overlays_of(read_file(lab, Path::new(name))?),
        false => library::overlays(lab, name),
    }
}
