//! Writes the files of a new lab, or of a copy of a lab, into a new folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::run;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::rename;
use crate::private;

/// The directory in which labs are found by their names.
const LABS: &str = "lab";
/// The lab file.
const LAB_FILE: &str = "lab.toml";
/// The maximum number of files in a copy, and the maximum depth of its directories.
const MOST_FILES: usize = 10_000;
const DEEPEST: usize = 16;

/// Returns the folder for a new lab: the folder `name` in the directory `to`. If `to` is `None`,
/// the directory is `lab`.
pub fn place(name: &str, to: Option<&Path>) -> PathBuf {
    to.unwrap_or(Path::new(LABS)).join(name)
}

/// Makes the folder and writes `files` into it. Each item of `files` is the path of a file below
/// the folder, and the content of the file. If a file cannot be written, the folder is removed
/// again.
///
/// # Errors
/// The folder exists already, a path leads out of the folder, or the file system reports an error.
pub fn write<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), Failure> {
    let is_missing = |above: &&Path| !above.as_os_str().is_empty() && !above.exists();
    if let Some(above) = folder.parent().filter(is_missing) {
        private::new_directory(above).map_err(Failure::new)?;
    }
    private::new_directory(folder).map_err(Failure::new)?;
    let write = |(name, octets): (&str, &[u8])| {
        let path = Path::new(name);
        private::directory_below(folder, path.parent().unwrap_or(Path::new("")))?;
        private::write(&folder.join(path), octets)
    };
    let written = files.into_iter().try_for_each(write);
    if written.is_err() {
        // The removal can fail too. Its error is ignored, because the first error has the cause.
        let _ = fs::remove_dir_all(folder);
    }
    written.map_err(Failure::new)
}

/// Writes a copy of this program to `path` if the program is static. A container image that
/// contains no other file can run such a program. Returns whether the program is static.
///
/// # Errors
/// The file of this program cannot be read, or the file system reports an error.
pub fn write_static_program(path: &Path) -> Result<bool, Failure> {
    if !cfg!(target_feature = "crt-static") {
        return Ok(false);
    }
    let program = run::program()?;
    let octets = fs::read(&program).map_err(Failure::io(program.display()))?;
    private::write_program(path, octets).map_err(Failure::new)?;
    Ok(true)
}

/// The result of [`copy`].
#[derive(Debug)]
pub struct Copied {
    /// The number of files in the new folder.
    pub files: usize,
    /// The lines that still have the old name, as `FILE:LINE`. In these lines, the name is not part
    /// of a command, so it was not replaced.
    pub mentions: Vec<String>,
}

/// Copies the files of `lab` into the new folder `folder`. The copy of the lab has the name `new`.
/// The old name is replaced in the lab file, and in the commands in all other text files.
///
/// # Errors
/// A configuration of the lab is outside of the folder of the lab, or the files of the lab cannot
/// be read or are too many. Also the errors of [`write`].
pub fn copy(lab: &Lab, new: &str, folder: &Path) -> Result<Copied, Failure> {
    for (node, config) in lab.file.routers() {
        let is_inside = Path::new(config).components().all(|it| matches!(it, Component::Normal(_)));
        if !is_inside {
            return Err(Failure::Other(format!(
                "the configuration of {node}, {config}, is outside of the folder of the lab, so \
                 the copy would use the same file: move the file into the folder first"
            )));
        }
    }
    let mut files = match &lab.directory {
        Some(directory) => files_of(directory)?,
        None => lab.texts().map(|(path, text)| (path.to_owned(), text.into())).collect(),
    };
    let mut mentions = Vec::new();
    for (path, octets) in &mut files {
        if let Ok(text) = str::from_utf8(octets) {
            let text = match path == LAB_FILE {
                true => rename::lab_file(&lab.file, new),
                false => rename::in_commands(text, &lab.file.name, new),
            };
            let lines = rename::lines_with(&text, &lab.file.name);
            mentions.extend(lines.iter().map(|line| format!("{path}:{line}")));
            *octets = text.into_bytes();
        }
    }
    write(folder, files.iter().map(|(path, octets)| (path.as_str(), &octets[..])))?;
    Ok(Copied { files: files.len(), mentions })
}

/// Returns the files in a directory and in the directories below it. The key is the path of the
/// file in `directory`. Hidden files, hidden directories, symbolic links and special files are left
/// out.
fn files_of(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut files = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let here = directory.join(&below);
        for entry in fs::read_dir(&here).map_err(Failure::io(here.display()))? {
            let entry = entry.map_err(Failure::io(here.display()))?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type().map_err(Failure::io(path.display()))?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if is_hidden || !(kind.is_dir() || kind.is_file()) {
                continue;
            }
            if files.len() >= MOST_FILES || path.components().count() > DEEPEST {
                let place = directory.display();
                return Err(Failure::Other(format!("{place} has too many files for a lab")));
            }
            if kind.is_dir() {
                open.push(path);
                continue;
            }
            let octets = fs::read(entry.path()).map_err(Failure::io(entry.path().display()))?;
            let name = path.to_str().ok_or_else(|| {
                Failure::Other(format!("{}: this name is not UTF-8", path.display()))
            })?;
            files.insert(name.to_owned(), octets);
        }
    }
    Ok(files)
}
