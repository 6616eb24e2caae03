//! The time as a number that the core receives.
//!
//! The core never reads a clock. It receives the time from the driver, the simulator or a test. So
//! a run can be repeated, recorded, and replayed faster than real time.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time, in microseconds since an epoch. The caller chooses the epoch. In the driver,
/// the epoch is the start of the router.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(pub u64);

impl Time {
    /// The epoch, from which all times are counted.
    pub const ZERO: Time = Time(0);

    /// Returns the time that is `seconds` seconds after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Time(seconds * 1_000_000)
    }

    /// Returns the time that is `span` earlier than this time. Returns the epoch if the result
    /// would be before the epoch.
    #[must_use]
    pub fn before(self, span: Duration) -> Time {
        Time(self.0.saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }

    /// Returns the duration from `earlier` to this time. Returns zero if `earlier` is later than
    /// this time.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Returns the duration from this time to `later`. Returns zero if `later` is earlier than this
    /// time.
    pub fn until(self, later: Time) -> Duration {
        later.since(self)
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    /// Returns the sum, or the largest possible time if the sum is too large.
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
    /// Writes the number of seconds with six decimal places, as tshark writes a relative time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// A deadline: the time at which the router must be called, and the reason. If calls are late or
/// too frequent, the reason helps to find the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// The time at which `handle_timeout` must be called.
    pub at: Time,
    /// The work that is due at this time, in a few words.
    pub why: &'static str,
}

impl Deadline {
    /// Returns the earliest of several deadlines. Deadlines that are `None` are ignored.
    ///
    /// `Option::min` cannot be used, because it treats `None` as the earliest deadline.
    pub fn earliest(deadlines: impl IntoIterator<Item = Option<Deadline>>) -> Option<Deadline> {
        deadlines.into_iter().flatten().min()
    }
}

/// A date and a time of day in UTC, as IOS prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The year, 1970 or later.
    pub year: u64,
    /// The month, from `Jan` to `Dec`.
    pub month: &'static str,
    /// The day of the month, from 1 to 31.
    pub day: u64,
    /// The day of the week, from `Sun` to `Sat`.
    pub weekday: &'static str,
    /// The hour, from 0 to 23.
    pub hour: u64,
    /// The minute, from 0 to 59.
    pub minute: u64,
    /// The second, from 0 to 59.
    pub second: u64,
    /// The millisecond, from 0 to 999.
    pub millisecond: u64,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The days of the week, beginning with Thursday, because 1970-01-01 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

impl Calendar {
    /// Converts a number of microseconds since 1970 to a date and a time of day.
    pub fn of(wall_clock_micros: u64) -> Self {
        let millis = wall_clock_micros / 1000;
        let seconds = millis / 1000;
        let days = seconds / 86_400;
        let (year, month, day) = date(days);
        Calendar {
            year,
            month: MONTHS[month],
            day,
            weekday: WEEKDAYS[(days % 7) as usize],
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            millisecond: millis % 1000,
        }
    }

    /// Converts a number of microseconds since 1970 to the time stamp of a log line or debug line
    /// in the form of IOS: `*Nov 22 18:08:15.160: `.
    pub fn stamp(wall_clock_micros: u64) -> String {
        let Calendar { month, day, hour, minute, second, millisecond, .. } =
            Calendar::of(wall_clock_micros);
        format!("*{month} {day:2} {hour:02}:{minute:02}:{second:02}.{millisecond:03}: ")
    }
}

impl fmt::Display for Calendar {
    /// Writes the date as IOS does: `07:23:36.000 UTC Sat Nov 28 2026`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Calendar { year, month, day, weekday, hour, minute, second, millisecond } = self;
        let time = format!("{hour:02}:{minute:02}:{second:02}.{millisecond:03}");
        write!(f, "{time} UTC {weekday} {month} {day} {year}")
    }
}

/// Converts a number of days since 1970-01-01 to a date. Returns the year, the month (0 is January)
/// and the day of the month (beginning with 1).
fn date(days: u64) -> (u64, usize, u64) {
    // In this computation, a year begins in March, so that the leap day is the last day of a leap
    // year. So all periods of 400 years (eras) have the same pattern.
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_OF_ERA: u64 = 146_097;
    let (era, day_of_era) =
        ((days + DAYS_TO_1970) / DAYS_OF_ERA, (days + DAYS_TO_1970) % DAYS_OF_ERA);
    let leap_days = day_of_era / 1460 + day_of_era / 146_096;
    let year_of_era = (day_of_era + day_of_era / 36_524 - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, each group of five months has 153 days.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = ((month_from_march + 2) % 12) as usize;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_knows_leap_years_and_weekdays() {
        for (seconds, expected) in [
            (0, (1970, "Jan", 1, "Thu")),
            (951_782_400, (2000, "Feb", 29, "Tue")),
            (951_868_800, (2000, "Mar", 1, "Wed")),
            (1_798_761_599, (2026, "Dec", 31, "Thu")),
            (1_798_761_600, (2027, "Jan", 1, "Fri")),
            (4_107_542_400, (2100, "Mar", 1, "Mon")),
        ] {
            let Calendar { year, month, day, weekday, .. } = Calendar::of(seconds * 1_000_000);
            assert_eq!((year, month, day, weekday), expected);
        }
    }

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
