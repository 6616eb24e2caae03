//! File descriptors: the limit of the process, and the listeners that wait until a descriptor is
//! free.
//!
//! epoll reports a listener only once for each new client. If no descriptor is free, the loop
//! cannot accept the client. If the loop did not try again, the client would wait for ever. If the
//! loop tried again immediately, it would never sleep. So this module stores the listener, and the
//! loop tries again after a short time to accept a client at this listener.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::router::descriptors::Descriptors;
use crate::time::Time;

/// The time after which the loop tries again to accept clients at the waiting listeners.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Raises the limit on open files to the maximum that the process may set, and returns this limit.
pub fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let in_force = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    in_force.unwrap_or(u64::MAX)
}

/// Returns true if a call has failed because there was no free descriptor or no free memory for
/// another socket. The limit of the process or the limit of the machine may be reached.
pub fn none_is_free(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    matches!(number, Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// The listeners that could not accept a client because no descriptor was free. `S` is the
/// identifier of a listener.
#[derive(Debug)]
pub struct Waiting<S> {
    listeners: BTreeSet<S>,
    retry_at: Option<Time>,
    figures: Descriptors,
}

impl<S: Copy + Ord> Waiting<S> {
    /// Creates an empty set. `limit` is the maximum number of open files of the process.
    pub fn new(limit: u64) -> Self {
        let figures = Descriptors { limit, ran_out: 0 };
        Waiting { listeners: BTreeSet::new(), retry_at: None, figures }
    }

    /// Adds a listener at which the loop could not accept a client, because no descriptor was free.
    /// Linux returns this error before it looks for a client, so it is not certain that a client
    /// waits. Returns true if the listener was not in the set, and false if it was already in the
    /// set.
    pub fn add(&mut self, listener: S, now: Time) -> bool {
        self.retry_at = Some(now + RETRY_INTERVAL);
        let is_new = self.listeners.insert(listener);
        self.figures.ran_out += u64::from(is_new);
        is_new
    }

    /// Removes a listener, because the listener has accepted a client or no client waits at it.
    pub fn remove(&mut self, listener: S) {
        self.listeners.remove(&listener);
    }

    /// Returns the time at which [`Waiting::due`] must be called, or `None` if no listener waits.
    pub fn deadline(&self) -> Option<Time> {
        self.retry_at
    }

    /// Returns the listeners at which the caller must now try again to accept a client. After each
    /// attempt, the caller adds the listener again or removes it.
    pub fn due(&mut self, now: Time) -> BTreeSet<S> {
        match self.retry_at {
            Some(at) if at <= now => {
                self.retry_at = None;
                self.listeners.clone()
            }
            _ => BTreeSet::new(),
        }
    }

    /// Returns the limit on open files, and the number of times that the process has reached this
    /// limit.
    pub fn figures(&self) -> Descriptors {
        self.figures
    }
}

/// Returns true if there is nothing to read from a device or a socket.
pub fn nothing_waits(source: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(source, PollFlags::IN)];
    event::poll(&mut polled, Some(&Timespec::default())) == Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_tried_again_after_a_moment_until_it_has_served() {
        let mut waiting = Waiting::new(1024);
        assert!(waiting.add('a', Time::ZERO), "it is new");
        assert!(waiting.due(Time::ZERO).is_empty(), "not at once");
        let later = waiting.deadline().unwrap();
        assert_eq!(waiting.due(later), BTreeSet::from(['a']));
        assert!(waiting.due(later).is_empty(), "once");
        assert!(!waiting.add('a', later), "the same client still waits");
        let later = waiting.deadline().unwrap();
        assert_eq!(waiting.due(later).len(), 1);
        waiting.remove('a');
        assert_eq!(waiting.deadline(), None);
        assert!(waiting.add('a', later), "another client");
        assert_eq!(waiting.figures(), Descriptors { limit: 1024, ran_out: 2 });
    }

    #[test]
    fn the_limit_is_as_high_as_the_process_may_have_it() {
        let limit = raise_limit();
        assert_eq!(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX), limit);
        assert_eq!(getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX), limit);
    }
}
