//! File descriptors: how many the process may have, and the listeners that wait until one is free.
//!
//! epoll reports a listener only once for each new client. If a client cannot be accepted because
//! no descriptor is free, the client would wait for ever; if the loop tried again immediately, it
//! would never sleep. So this module keeps such a listener and tries it again a moment later.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::router::descriptors::Descriptors;
use crate::time::Time;

/// The time after which a listener that waits for a free descriptor is tried again.
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

/// Whether a call failed because the process, or the machine, has no descriptor or no memory left
/// for another socket.
pub fn none_is_free(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    matches!(number, Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// The listeners with clients that wait for a free descriptor; `S` names a listener.
#[derive(Debug)]
pub struct Waiting<S> {
    listeners: BTreeSet<S>,
    retry_at: Option<Time>,
    figures: Descriptors,
}

impl<S: Copy + Ord> Waiting<S> {
    /// No listener waits; the process may have `limit` files open.
    pub fn new(limit: u64) -> Self {
        let figures = Descriptors { limit, ran_out: 0 };
        Waiting { listeners: BTreeSet::new(), retry_at: None, figures }
    }

    /// Adds a listener that found no free descriptor. A client may wait there: Linux returns the
    /// error before it looks for a client. True for the first try, false for a repeated try.
    pub fn add(&mut self, listener: S, now: Time) -> bool {
        self.retry_at = Some(now + RETRY_INTERVAL);
        let is_new = self.listeners.insert(listener);
        self.figures.ran_out += u64::from(is_new);
        is_new
    }

    /// Removes a listener, which has accepted a client or has no waiting client.
    pub fn remove(&mut self, listener: S) {
        self.listeners.remove(&listener);
    }

    /// The time of the next try, if a listener waits.
    pub fn deadline(&self) -> Option<Time> {
        self.retry_at
    }

    /// The listeners to try again at this time; the caller then adds or removes each of them.
    pub fn due(&mut self, now: Time) -> BTreeSet<S> {
        match self.retry_at {
            Some(at) if at <= now => {
                self.retry_at = None;
                self.listeners.clone()
            }
            _ => BTreeSet::new(),
        }
    }

    /// The limit, and how often the process has reached it.
    pub fn figures(&self) -> Descriptors {
        self.figures
    }
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
