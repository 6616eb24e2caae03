//! A lock so that only one router runs in a network namespace. When a router starts, it removes the
//! rules and routes that a killed router has left. Without the lock, a second router would remove
//! the rules and routes of the first router in this way.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use crate::private::{self, Lock};

/// The namespace of the calling thread.
const NAMESPACE: &str = "/proc/thread-self/ns/net";
/// The start of a lock file's name. The inode number of the namespace is the second part of the
/// name. The dot prevents a conflict with the file of a lab, because the name of a lab never
/// contains a dot.
const PREFIX: &str = ".router-";

/// The lock that the router of a namespace holds. When the lock is dropped, the lock file is
/// removed. The lock file of a killed router is removed when its lab is removed.
#[derive(Debug)]
pub struct NamespaceLock(Option<Lock>);

impl NamespaceLock {
    /// Takes the lock of the calling thread's namespace.
    ///
    /// # Errors
    /// `AddrInUse` if another router runs in this namespace. The text of this error contains the
    /// process number of that router. All other errors are errors of the file system.
    pub fn take() -> io::Result<Self> {
        let inode = fs::metadata(NAMESPACE)?.ino();
        let path = private::make_runtime()?.join(format!("{PREFIX}{inode}"));
        match Lock::try_take(&path, "is the router of this network namespace")? {
            Ok(lock) => Ok(NamespaceLock(Some(lock))),
            Err(holder) => {
                let message =
                    format!("{holder}, holds the lock {}: stop that process first", path.display());
                Err(io::Error::new(io::ErrorKind::AddrInUse, message))
            }
        }
    }
}

impl Drop for NamespaceLock {
    fn drop(&mut self) {
        if let Some(lock) = self.0.take() {
            lock.remove();
        }
    }
}
