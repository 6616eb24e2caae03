//! Reads the clock. Only this module of a router reads the clock. All other code gets the time as
//! an argument.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Calendar, Time};

/// A monotonic clock. It begins at [`Time::ZERO`] when it is created.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started_at: Instant,
    /// The time on the monotonic clock of the machine at `started_at`, in nanoseconds.
    monotonic_at_start: u64,
}

impl Clock {
    /// Returns a clock that begins at [`Time::ZERO`] now.
    #[allow(clippy::disallowed_methods, reason = "only this module may read the clock")]
    pub fn start() -> Self {
        let monotonic = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let monotonic = monotonic.tv_sec as u64 * 1_000_000_000 + monotonic.tv_nsec as u64;
        Clock { started_at: Instant::now(), monotonic_at_start: monotonic }
    }

    /// Returns the present time. It is never earlier than the result of an earlier call.
    pub fn now(&self) -> Time {
        Time::ZERO + self.started_at.elapsed()
    }

    /// Converts a time of this clock to the time of the machine's monotonic clock, in nanoseconds.
    pub fn monotonic(&self, time: Time) -> u64 {
        self.monotonic_at_start + time.0 * 1000
    }

    /// Converts a time of the machine's monotonic clock, in nanoseconds, to a time of this clock.
    /// The result is [`Time::ZERO`] for a time before the start of this clock.
    pub fn time_of(&self, monotonic: u64) -> Time {
        Time(monotonic.saturating_sub(self.monotonic_at_start) / 1000)
    }

    /// Converts a number of microseconds since 1970 to the start of a debug line in the form of
    /// IOS: `*Nov 22 18:08:15.160: `. The time is in UTC.
    pub fn stamp(wall_clock_micros: u64) -> String {
        Calendar::stamp(wall_clock_micros)
    }

    /// Returns the number of microseconds since 1970. Returns 0 if the machine's clock is set to a
    /// time before 1970.
    #[allow(clippy::disallowed_methods, reason = "only this module may read the clock")]
    pub fn wall_clock_micros() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|span| u64::try_from(span.as_micros()).ok())
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_that_of_ios_in_utc() {
        let stamp = |seconds: u64| Clock::stamp(seconds * 1_000_000 + 160_999);
        assert_eq!(stamp(0), "*Jan  1 00:00:00.160: ");
        assert_eq!(stamp(1_290_449_295), "*Nov 22 18:08:15.160: ");
        assert_eq!(stamp(951_782_400), "*Feb 29 00:00:00.160: ");
        assert_eq!(stamp(951_868_799), "*Feb 29 23:59:59.160: ");
        assert_eq!(stamp(951_868_800), "*Mar  1 00:00:00.160: ");
        assert_eq!(stamp(4_107_542_400), "*Mar  1 00:00:00.160: ", "2100 has no leap day");
        assert_eq!(stamp(1_798_761_599), "*Dec 31 23:59:59.160: ");
    }
}
