//! The lock of this machine's labs: two commands that build or remove namespaces at the same time
//! would disturb each other.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::interrupt::Interrupt;
use super::time_limit::TimeLimit;
use crate::lab::failure::Failure;
use crate::private;

/// The file of the lock, below [`private::runtime`]. No lab has this name, because it has a dot.
const FILE: &str = ".lock";

/// A process and its verbs hold the lock while they build or remove namespaces. If the process is
/// killed, the next process waits until the last of these verbs has ended.
#[derive(Debug)]
pub struct Lock(private::Lock);

impl Lock {
    /// Takes the lock, or waits for it until `interrupted`. `say` gets the holder of the lock.
    /// Other waiting processes get `purpose`, such as `builds lab x`.
    ///
    /// # Errors
    /// An interruption, or a lock that other users could hold.
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
                    "waiting for {holder}; this process holds the lock {}",
                    path.display()
                ));
                said = Some(holder);
            }
            interrupted.check()?;
            time_limit.pause();
        }
    }

    /// For programs that start before the descriptor is dropped: they also hold the lock.
    pub(super) fn lend(&self) -> Result<OwnedFd, Failure> {
        self.0.lend().map_err(Failure::io("lock"))
    }
}
