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

    /// `*Nov 22 18:08:15.160: `, as IOS begins a debug line, from microseconds since 1970; UTC.
    pub fn stamp(wall_clock_micros: u64) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let millis = wall_clock_micros / 1000;
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let (month, day) = month_and_day(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let month = MONTHS[month];
        format!("*{month} {day:2} {hour:02}:{minute:02}:{second:02}.{millis:03}: ")
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

/// The month, from 0, and the day, from 1, of a day counted from 1970-01-01.
fn month_and_day(days: u64) -> (usize, u64) {
    // Years that begin in March end with the leap day, and eras of 400 of them are alike.
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_OF_ERA: u64 = 146_097;
    let day_of_era = (days + DAYS_TO_1970) % DAYS_OF_ERA;
    let leap_days = day_of_era / 1460 + day_of_era / 146_096;
    let year_of_era = (day_of_era + day_of_era / 36_524 - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, five months have 153 days, again and again.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    (((month_from_march + 2) % 12) as usize, day)
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
