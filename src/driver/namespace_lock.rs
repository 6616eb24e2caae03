//! Only one router may run in a network namespace: a second router would think that the rules and
//! routes of the first were left by a killed router, and would remove them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use crate::private::{self, Lock};

/// The namespace of the calling thread.
const NAMESPACE: &str = "/proc/thread-self/ns/net";
/// The start of the names of lock files; the inode of the namespace follows. The dot prevents
/// conflicts, because no lab's name contains a dot.
const PREFIX: &str = ".router-";

/// The router of a namespace holds this lock. Dropping the lock removes its file; the file of a
/// killed router is removed with its lab.
#[derive(Debug)]
pub struct NamespaceLock(Option<Lock>);

impl NamespaceLock {
    /// Takes the lock of the namespace of the calling thread.
    ///
    /// # Errors
    /// Another router runs here (the error names its process number); an error of the file system.
    pub fn take() -> io::Result<Self> {
        let inode = fs::metadata(NAMESPACE)?.ino();
        let path = private::make_runtime()?.join(format!("{PREFIX}{inode}"));
        match Lock::try_take(&path, "is the router of this network namespace")? {
            Ok(lock) => Ok(NamespaceLock(Some(lock))),
            Err(holder) => {
                let message = format!("{holder}, holds {}: stop it first", path.display());
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
