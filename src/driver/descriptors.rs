//! File descriptors: the limit of the process, and the listeners that wait until a descriptor is
//! free.
//!
//! epoll reports a listener only once for each new client. If no descriptor is free, the client
//! cannot be accepted. Without another try, the client would wait for ever. If the loop tried again
//! immediately, the loop would never sleep. So this module stores the listener, and the loop tries
//! it again after a short time.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{self, PollFd, PollFlags, Timespec};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::router::descriptors::Descriptors;
use crate::time::Time;

/// The interval at which the loop tries the waiting listeners again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Raises the limit of open files as far as the process is allowed, and returns the limit.
pub fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let in_force = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    in_force.unwrap_or(u64::MAX)
}

/// Whether a call failed because no descriptor or no memory was left for another socket. The
/// process or the whole machine may have reached its limit.
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
    /// Creates an empty set. `limit` is the number of files that the process may have open.
    pub fn new(limit: u64) -> Self {
        let figures = Descriptors { limit, ran_out: 0 };
        Waiting { listeners: BTreeSet::new(), retry_at: None, figures }
    }

    /// Adds a listener that found no free descriptor. Linux returns this error before it looks for
    /// a client, so it is not certain that a client waits. Returns true if the listener is new in
    /// this set, false if this was a repeated try.
    pub fn add(&mut self, listener: S, now: Time) -> bool {
        self.retry_at = Some(now + RETRY_INTERVAL);
        let is_new = self.listeners.insert(listener);
        self.figures.ran_out += u64::from(is_new);
        is_new
    }

    /// Removes a listener, because it has accepted a client or has no waiting client.
    pub fn remove(&mut self, listener: S) {
        self.listeners.remove(&listener);
    }

    /// The time of the next try, or `None` if no listener waits.
    pub fn deadline(&self) -> Option<Time> {
        self.retry_at
    }

    /// The listeners that the caller must try again at this time. After each try, the caller adds
    /// or removes the listener.
    pub fn due(&mut self, now: Time) -> BTreeSet<S> {
        match self.retry_at {
            Some(at) if at <= now => {
                self.retry_at = None;
                self.listeners.clone()
            }
            _ => BTreeSet::new(),
        }
    }

    /// Returns the limit of open files, and the number of times that the process has reached it.
    pub fn figures(&self) -> Descriptors {
        self.figures
    }
}

/// Whether nothing waits to be read from a device or a socket.
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
