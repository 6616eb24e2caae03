//! A lock that only processes of this user can hold. The file of the lock names its holder.

use std::cell::Cell;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use super::{FILE_MODE, expect_ours, named, refused};

/// The maximum number of attempts to take a lock. An attempt fails if another process removes the
/// file of the lock at the same time.
const TRIES: usize = 100;
/// The maximum number of octets that are read from a lock file.
const LONGEST: u64 = 256;
/// The lowest number of a file descriptor that [`Lock::lend`] returns. The program that inherits
/// the descriptor needs the lower numbers for its own files.
const LENT_FROM: i32 = 10;

/// A lock that this process holds. The lock is released when this value is dropped, or when the
/// process ends. But after [`Lock::lend`], the lock is released only when all programs that have
/// inherited its descriptor have ended.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    is_lent: Cell<bool>,
}

/// The holder of a lock, as text. An example is `process 7, which builds lab x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(String);

impl Lock {
    /// Takes the lock with the file `path`, or returns the holder if another process holds the
    /// lock. Creates the file if it does not exist. `purpose` names the reason for which this
    /// process holds the lock, for example `builds lab x`. Other processes can read this reason
    /// while the lock is held.
    ///
    /// # Errors
    /// Another user can open the file, or the file system returns an error.
    pub fn try_take(path: &Path, purpose: &str) -> io::Result<Result<Self, Holder>> {
        for _ in 0..TRIES {
            let mut file = open(path)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(Err(Holder::read(&mut file))),
                Err(TryLockError::Error(error)) => return Err(named(path)(error)),
                Ok(()) => {}
            }
            // After this process has opened the file, the former holder of the lock may have
            // removed the file. Then there is no file with this name any more, or a new file has
            // this name.
            let there = fs::symlink_metadata(path).ok();
            let file_number = file.metadata().map_err(named(path))?.ino();
            if there.is_none_or(|there| there.ino() != file_number) {
                continue;
            }
            let text = format!("process {}, which {purpose}\n", std::process::id());
            file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(named(path))?;
            return Ok(Ok(Lock { file, path: path.to_owned(), is_lent: Cell::new(false) }));
        }
        Err(refused(path, "other processes remove this file again and again"))
    }

    /// Returns a file descriptor of the lock. The number of the descriptor is 10 or more. A program
    /// that is started before the descriptor is dropped inherits the descriptor. The lock is held
    /// until all programs that have inherited the descriptor have ended.
    ///
    /// # Errors
    /// No file descriptor is free.
    pub fn lend(&self) -> io::Result<OwnedFd> {
        let lent = fcntl_dupfd_cloexec(&self.file, LENT_FROM)?;
        fcntl_setfd(&lent, FdFlags::empty())?;
        self.is_lent.set(true);
        Ok(lent)
    }

    /// Releases the lock and removes its file.
    pub fn remove(self) {
        // The file is removed before the lock is released. So no other process holds the lock of
        // this file when the file is removed.
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The text in the file names this process as the holder. Therefore the text is removed. The
        // error is ignored, because this function cannot return an error.
        let _ = self.file.set_len(0);
        if !self.is_lent.get() {
            // It is not enough to close the file. Another thread may have just started a child
            // process. Until the child executes its program, this child also has the file open, and
            // so the child holds the lock too.
            let _ = self.file.unlock();
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.mode(FILE_MODE).custom_flags(libc::O_NOFOLLOW).open(path);
    let file = file.map_err(named(path))?;
    let found = file.metadata().map_err(named(path))?;
    expect_ours(path, &found)?;
    let mode = found.mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(file),
        _ => Err(refused(path, &format!("other users can hold this lock (mode {mode:o})"))),
    }
}

impl Holder {
    fn read(file: &mut File) -> Self {
        let mut text = String::new();
        // If another process has just taken the lock, the file may still be empty.
        let _ = file.take(LONGEST).read_to_string(&mut text);
        let line = text.lines().next().unwrap_or("another process");
        Holder(line.to_owned())
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_lock_that_is_held_says_by_whom_and_why() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("lock");
        let lock = Lock::try_take(&path, "builds lab x").unwrap().unwrap();
        let holder = Lock::try_take(&path, "builds lab y").unwrap().unwrap_err();
        let process = std::process::id();
        assert_eq!(holder.to_string(), format!("process {process}, which builds lab x"));
        drop(lock);
        let lock = Lock::try_take(&path, "builds lab y").unwrap().unwrap();
        lock.remove();
        assert!(!path.exists());
    }

    #[test]
    fn it_is_held_until_the_last_program_that_was_lent_it_has_ended() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("lock");
        let lock = Lock::try_take(&path, "builds lab x").unwrap().unwrap();
        let lent = lock.lend().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        drop((lent, lock));
        assert!(Lock::try_take(&path, "waits").unwrap().is_err());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(Lock::try_take(&path, "waits").unwrap().is_ok());
    }

    #[test]
    fn a_lock_that_other_users_can_open_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("lock");
        Lock::try_take(&path, "").unwrap().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let error = Lock::try_take(&path, "").unwrap_err().to_string();
        assert!(error.contains("other users can hold this lock (mode 644)"), "{error}");
    }
}
