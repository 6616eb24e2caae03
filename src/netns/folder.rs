//! Writes the files of a new lab into a new folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lab::failure::Failure;
use crate::private;

/// The directory in which labs are found by their names.
const LABS: &str = "lab";

/// Returns the folder for a new lab: `DIR/NAME`, or `lab/NAME` without `to`.
pub fn place(name: &str, to: Option<&Path>) -> PathBuf {
    to.unwrap_or(Path::new(LABS)).join(name)
}

/// Makes the folder and writes the files into it: the path of each below the folder, and its text.
/// If an operation fails, the folder is removed again.
///
/// # Errors
/// The folder exists already, a path leads out of it, or there is an error of the file system.
pub fn write<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), Failure> {
    if let Some(above) = folder.parent().filter(|above| !above.exists()) {
        private::new_directory(above).map_err(Failure::new)?;
    }
    private::new_directory(folder).map_err(Failure::new)?;
    let write = |(name, text): (&str, &str)| {
        let path = Path::new(name);
        private::directory_below(folder, path.parent().unwrap_or(Path::new("")))?;
        private::write(&folder.join(path), text)
    };
    let written = files.into_iter().try_for_each(write);
    if written.is_err() {
        // The first error has the cause.
        let _ = fs::remove_dir_all(folder);
    }
    written.map_err(Failure::new)
}
