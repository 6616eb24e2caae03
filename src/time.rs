//! Time as a number that the core is given.
//!
//! The core never reads a clock: the driver, the simulator or a test says what time it is. So a
//! run can be repeated, recorded and played faster than life.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant: microseconds since an epoch that the caller chose (the driver: its own start).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(pub u64);

impl Time {
    /// The epoch itself.
    pub const ZERO: Time = Time(0);

    /// An instant `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Time(seconds * 1_000_000)
    }

    /// How long ago `earlier` was, or zero when it lies ahead.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// How long it is until `later`, or zero when that has passed.
    pub fn until(self, later: Time) -> Duration {
        later.since(self)
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    /// Saturates at the end of time instead of wrapping.
    fn add(self, span: Duration) -> Time {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(micros))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;

    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    /// Seconds with six decimals, as tshark prints relative time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// When something wants to be called, and what for: a late or a busy wake-up can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// The instant at which `handle_timeout` has work to do.
    pub at: Time,
    /// The work, in a few words.
    pub why: &'static str,
}

impl Deadline {
    /// The earliest of several deadlines that may each be absent.
    ///
    /// `Option::min` would let a missing deadline (`None` is the smallest) hide a real one.
    pub fn earliest(deadlines: impl IntoIterator<Item = Option<Deadline>>) -> Option<Deadline> {
        deadlines.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_deadline_does_not_hide_a_real_one() {
        let real = Deadline { at: Time(5), why: "register" };
        assert_eq!(Deadline::earliest([None, Some(real), None]), Some(real));
        assert_eq!(Deadline::earliest([None, None]), None);
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Time(3).since(Time(5)), Duration::ZERO);
        assert_eq!(Time(u64::MAX) + Duration::from_secs(1), Time(u64::MAX));
    }
}
