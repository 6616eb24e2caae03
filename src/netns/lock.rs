//! The lock of the labs of this machine: two commands that build or remove namespaces at once would
//! disturb each other.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::interrupt::Interrupt;
use super::time_limit::TimeLimit;
use crate::lab::failure::Failure;
use crate::private;

/// Its file, below [`private::runtime`]. No lab's name has a dot.
const FILE: &str = ".lock";

/// Held while namespaces are built or removed, and by the verbs that do it: when their owner is killed,
/// the next one waits until the last of them has ended.
#[derive(Debug)]
pub struct Lock(private::Lock);

impl Lock {
    /// Takes it, and waits for it until `interrupted`: `say` is told the holder. A waiting
    /// process then reads `purpose`: `builds lab x`.
    ///
    /// # Errors
    /// An interruption; a lock that other users could hold.
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
                say(&format!("waiting for {holder}: it holds {}", path.display()));
                said = Some(holder);
            }
            interrupted.check()?;
            time_limit.pause();
        }
    }

    /// For programs that are started before the descriptor is dropped: they hold it too.
    pub(super) fn lend(&self) -> Result<OwnedFd, Failure> {
        self.0.lend().map_err(Failure::io("lock"))
    }
}
