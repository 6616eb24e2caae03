//! Waits in real time: short pauses until a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// The length of one pause.
const PAUSE: Duration = Duration::from_millis(20);

/// A deadline on the machine's clock. Labs in namespaces run in real time, as their routers do.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit {
    start: Instant,
    limit: Duration,
}

impl TimeLimit {
    /// A time limit that ends after `limit`.
    #[expect(clippy::disallowed_methods, reason = "labs in namespaces run on the real clock")]
    pub fn of(limit: Duration) -> Self {
        TimeLimit { start: Instant::now(), limit }
    }

    /// The time since the time limit was created.
    pub fn spent(&self) -> Duration {
        self.start.elapsed()
    }

    /// The remaining time; zero after the deadline.
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.spent())
    }

    /// Pauses for a moment and returns true. Returns false without a pause if the time is over.
    pub fn pause(&self) -> bool {
        self.pause_of(PAUSE)
    }

    /// The same as [`TimeLimit::pause`], for a pause of length `time`.
    pub fn pause_of(&self, time: Duration) -> bool {
        if self.left().is_zero() {
            return false;
        }
        thread::sleep(time.min(self.left()));
        true
    }
}
