//! A lock that lets only one router run in a network namespace. Without the lock, a second router
//! would remove the rules and routes of the first router: the second router would treat them as the
//! remains of a killed router.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use crate::private::{self, Lock};

/// The namespace of the calling thread.
const NAMESPACE: &str = "/proc/thread-self/ns/net";
/// The start of a lock file's name. The inode number of the namespace follows it. The dot prevents
/// a conflict with a lab, because no lab's name contains a dot.
const PREFIX: &str = ".router-";

/// The lock that the router of a namespace holds. When the lock is dropped, its file is removed.
/// The file of a killed router is removed together with its lab.
#[derive(Debug)]
pub struct NamespaceLock(Option<Lock>);

impl NamespaceLock {
    /// Takes the lock of the namespace of the calling thread.
    ///
    /// # Errors
    /// `AddrInUse` if another router runs in this namespace: the error has the process number of
    /// that router. Otherwise an error of the file system.
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
