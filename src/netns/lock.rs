//! A lock for all labs of this machine. Without the lock, two commands that create or remove
//! namespaces at the same time would disturb each other.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::interrupt::Interrupt;
use super::time_limit::TimeLimit;
use crate::lab::failure::Failure;
use crate::private;

/// The name of the lock file, below [`private::runtime`]. No lab has this name, because a lab's
/// name has no dot.
const FILE: &str = ".lock";

/// The lock of a process that creates or removes namespaces. The scripts that this process runs
/// hold the lock too. So if the process is killed, another process can take the lock only after the
/// last of these scripts has ended.
#[derive(Debug)]
pub struct Lock(private::Lock);

impl Lock {
    /// Takes the lock. If another process holds the lock, waits until the lock is free, or until
    /// `interrupted` reports that the user has asked to stop. Calls `say` with a line about the
    /// process that holds the lock. Other processes that wait for the lock show `purpose`, for
    /// example `builds lab x`.
    ///
    /// # Errors
    /// The user has interrupted the wait, or another user could change the directory of the lock.
    pub fn take(
        purpose: &str,
        interrupted: &Interrupt,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self, Failure> {
        let path = private::make_runtime().map_err(Failure::new)?.join(FILE);
        let time_limit = TimeLimit::of(Duration::MAX);
        let mut said = None;
        loop {
            let holder = match private::Lock::try_take(&path, purpose).map_err(Failure::new)? {
                Ok(lock) => return Ok(Lock(lock)),
                Err(holder) => holder,
            };
            if said.as_ref() != Some(&holder) {
                say(&format!(
                    "waiting for {holder}; that process holds the lock {}",
                    path.display()
                ));
                said = Some(holder);
            }
            interrupted.check()?;
            time_limit.pause();
        }
    }

    /// Returns a descriptor of the lock for a program that this process starts. While the program
    /// runs, it holds the lock too.
    pub(super) fn lend(&self) -> Result<OwnedFd, Failure> {
        self.0.lend().map_err(Failure::io("lock"))
    }
}
