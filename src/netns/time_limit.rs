//! Waiting for the real world: short pauses until a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How long one pause takes.
const PAUSE: Duration = Duration::from_millis(20);

/// A deadline on the machine's clock. Labs in namespaces live in real time, as their routers do.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit {
    start: Instant,
    limit: Duration,
}

impl TimeLimit {
    /// A time limit that ends `limit` from this moment on.
    #[expect(clippy::disallowed_methods, reason = "labs in namespaces run on the real clock")]
    pub fn of(limit: Duration) -> Self {
        TimeLimit { start: Instant::now(), limit }
    }

    /// The time since it began.
    pub fn spent(&self) -> Duration {
        self.start.elapsed()
    }

    /// The time that is left; zero when it has ended.
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.spent())
    }

    /// Pauses for a moment; false, without a pause, once the time is up.
    pub fn pause(&self) -> bool {
        self.pause_of(PAUSE)
    }

    /// The same, and the pause takes so long.
    pub fn pause_of(&self, time: Duration) -> bool {
        if self.left().is_zero() {
            return false;
        }
        thread::sleep(time.min(self.left()));
        true
    }
}
