//! Waits in real time: pauses for short times until a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// The length of one pause.
const PAUSE: Duration = Duration::from_millis(20);

/// A deadline on the clock of the machine. Labs in namespaces use this clock, because their routers
/// run in real time.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit {
    start: Instant,
    limit: Duration,
}

impl TimeLimit {
    /// Creates a time limit. Its deadline is the present time plus `limit`.
    #[expect(clippy::disallowed_methods, reason = "labs in namespaces run on the real clock")]
    pub fn of(limit: Duration) -> Self {
        TimeLimit { start: Instant::now(), limit }
    }

    /// The time since this time limit was created.
    pub fn spent(&self) -> Duration {
        self.start.elapsed()
    }

    /// The time until the deadline. It is zero after the deadline.
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.spent())
    }

    /// Pauses for the time `PAUSE`, but not beyond the deadline, and returns true. After the
    /// deadline, returns false without a pause.
    pub fn pause(&self) -> bool {
        self.pause_of(PAUSE)
    }

    /// Pauses for `time`, but not beyond the deadline, and returns true. After the deadline,
    /// returns false without a pause.
    pub fn pause_of(&self, time: Duration) -> bool {
        if self.left().is_zero() {
            return false;
        }
        thread::sleep(time.min(self.left()));
        true
    }
}
