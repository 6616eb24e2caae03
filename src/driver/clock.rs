//! The only place that reads a clock; everything inward is told what time it is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::Time;

/// The time of a process: monotonic, counted from its start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started_at: Instant,
}

impl Clock {
    /// A clock that stands at [`Time::ZERO`].
    #[allow(clippy::disallowed_methods, reason = "this is the place that may")]
    pub fn start() -> Self {
        Clock { started_at: Instant::now() }
    }

    /// The instant; never earlier than one given before.
    pub fn now(&self) -> Time {
        Time::ZERO + self.started_at.elapsed()
    }

    /// Microseconds since 1970; zero on a machine whose clock stands before that.
    #[allow(clippy::disallowed_methods, reason = "this is the place that may")]
    pub fn wall_clock_micros() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|span| u64::try_from(span.as_micros()).ok())
            .unwrap_or(0)
    }
}
