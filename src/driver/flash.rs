//! The folder of `flash:`, which contains the files of a router.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::console::flash::{File, FileName, Storage};
use crate::private;

/// A folder with the files of one router. The router makes the folder when it writes its first
/// file. Only the user of the router can access the folder and its files ([`private`]). The router
/// never follows a symbolic link to reach a file.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Returns the folder with the path `path`. The folder need not exist.
    pub fn new(path: PathBuf) -> Self {
        Folder(path)
    }

    fn path(&self, name: &FileName) -> PathBuf {
        self.0.join(name.as_str())
    }
}

impl Storage for Folder {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn list(&self) -> Result<Vec<File>, String> {
        private::expect_unspoilt(&self.0).map_err(said)?;
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(said)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(said)?;
            let name =
                entry.file_name().into_string().ok().and_then(|name| FileName::new(&name).ok());
            // If the entry is a symbolic link, `DirEntry::metadata` returns the metadata of the
            // link, and not the metadata of the target.
            let found = entry.metadata().map_err(said)?;
            if let Some(name) = name
                && found.is_file()
            {
                let size = usize::try_from(found.len()).unwrap_or(usize::MAX);
                files.push(File { name, size, modified: modified(&found) });
            }
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    fn read(&self, name: &FileName) -> Result<Vec<u8>, String> {
        private::read(&self.path(name)).map_err(said)
    }

    fn replace(&mut self, name: &FileName, content: &[u8]) -> Result<(), String> {
        private::directory(&self.0).map_err(said)?;
        let path = self.path(name);
        expect_plain(&path)?;
        private::exchange(&path, content).map_err(said)
    }

    fn remove(&mut self, name: &FileName) -> Result<(), String> {
        let path = self.path(name);
        expect_plain(&path)?;
        fs::remove_file(&path).map_err(said)
    }
}

/// Returns an error if `path` is a symbolic link, a folder, or anything else that is not a plain
/// file. A path that does not exist is no error.
fn expect_plain(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(format!("{} is not a plain file", path.display())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(said(error)),
        _ => Ok(()),
    }
}

fn modified(found: &Metadata) -> Option<u64> {
    let at = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(at.as_micros()).ok()
}

#[expect(clippy::needless_pass_by_value, reason = "this is the form that `map_err` takes")]
fn said(error: io::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn name(name: &str) -> FileName {
        FileName::new(name).unwrap()
    }

    #[test]
    fn files_are_written_listed_read_and_removed() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("xTR1.flash");
        let mut folder = Folder::new(path.clone());
        assert_eq!(folder.list(), Ok(Vec::new()));
        assert!(!path.exists(), "a reader makes no folder");
        folder.replace(&name("b"), b"one").unwrap();
        folder.replace(&name("a"), b"two").unwrap();
        folder.replace(&name("b"), b"three").unwrap();
        let listed = folder.list().unwrap();
        let listed: Vec<_> = listed.iter().map(|file| (file.name.as_str(), file.size)).collect();
        assert_eq!(listed, [("a", 3), ("b", 5)]);
        assert_eq!(folder.read(&name("b")).unwrap(), b"three");
        for path in [&path, &path.join("a")] {
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o077, 0, "{}", path.display());
        }
        folder.remove(&name("a")).unwrap();
        assert_eq!(folder.list().unwrap().len(), 1);
    }

    #[test]
    fn a_link_is_no_file_and_is_not_followed() {
        let base = tempfile::tempdir().unwrap();
        let (path, kept) = (base.path().join("flash"), base.path().join("kept"));
        fs::write(&kept, "kept").unwrap();
        let mut folder = Folder::new(path.clone());
        folder.replace(&name("file"), b"x").unwrap();
        symlink(&kept, path.join("link")).unwrap();
        fs::create_dir(path.join("folder")).unwrap();
        assert_eq!(folder.list().unwrap().len(), 1);
        for other in ["link", "folder"] {
            let refused = format!("{} is not a plain file", path.join(other).display());
            assert_eq!(folder.replace(&name(other), b"y"), Err(refused.clone()));
            assert_eq!(folder.remove(&name(other)), Err(refused));
        }
        assert!(folder.read(&name("link")).unwrap_err().ends_with("it is a symbolic link"));
        assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
        // The folder must not be a symbolic link.
        let mut led = Folder::new(base.path().join("led"));
        symlink(&path, base.path().join("led")).unwrap();
        assert!(led.list().unwrap_err().ends_with("it is not a directory"));
        assert!(led.replace(&name("file"), b"y").unwrap_err().ends_with("it is not a directory"));
        assert_eq!(folder.read(&name("file")).unwrap(), b"x");
    }
}
