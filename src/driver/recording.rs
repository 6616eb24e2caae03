//! Creates the files for records.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::private;
use crate::sim::Records;

/// Creates a file for a record. Only the owner of the file can read it, because a record contains
/// keys. The record of an earlier run is renamed to `FILE.old`, because the user needs this record
/// if the earlier run has crashed.
///
/// # Errors
/// An error of the file system.
pub fn create(path: &Path) -> io::Result<File> {
    match fs::rename(path, old(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    private::create(path)
}

/// Prepares the records of a simulation. Makes the directory for the records. Only the owner can
/// use the directory. The first record of a router is the file `ROUTER.record`. After the router is
/// started again, the next record is `ROUTER-2.record`. If the file for a router cannot be created,
/// a log line reports this, and there is no record of this router.
///
/// # Errors
/// The directory cannot be created.
pub fn of_routers(directory: &Path) -> io::Result<Records> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let (directory, mut starts) = (directory.to_owned(), BTreeMap::<String, u32>::new());
    Ok(Box::new(move |router, _| {
        let start = starts.entry(router.to_owned()).or_default();
        *start += 1;
        let path = directory.join(match start {
            1 => format!("{router}.record"),
            _ => format!("{router}-{start}.record"),
        });
        match create(&path) {
            Ok(file) => Some(Box::new(file)),
            Err(error) => {
                log::warn!("{error}");
                None
            }
        }
    }))
}

fn old(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".old");
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_record_is_its_owners_and_the_one_before_it_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("xTR1.record");
        drop(create(&path).unwrap());
        fs::write(&path, "first").unwrap();
        drop(create(&path).unwrap());
        assert_eq!(fs::read_to_string(old(&path)).unwrap(), "first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
