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

/// The lock that a process and its verbs hold while they create or remove namespaces. If the
/// process is killed, the next process must wait until the last of these verbs has ended.
#[derive(Debug)]
pub struct Lock(private::Lock);

impl Lock {
    /// Takes the lock. If another process holds it, waits until it is free or until the user has
    /// `interrupted` the wait. `say` is called with a line about the holder of the lock. `purpose`,
    /// for example `builds lab x`, is shown to other processes that wait.
    ///
    /// # Errors
    /// The user has interrupted the wait, or other users could hold the lock.
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

    /// Returns a descriptor for programs that this process starts. While such a program runs, it
    /// holds the lock too.
    pub(super) fn lend(&self) -> Result<OwnedFd, Failure> {
        self.0.lend().map_err(Failure::io("lock"))
    }
}
