//! Spans of time in the format of IOS.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// A span of time: `hh:mm:ss` if it is less than a day, `4d21h` if it is less than a week,
/// otherwise `18w2d`. Years are printed as weeks.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..DAY => {
            let (hours, minutes) = (seconds / HOUR, seconds % HOUR / MINUTE);
            format!("{hours:02}:{minutes:02}:{:02}", seconds % MINUTE)
        }
        DAY..WEEK => format!("{}d{:02}h", seconds / DAY, seconds % DAY / HOUR),
        _ => format!("{}w{}d", seconds / WEEK, seconds % WEEK / DAY),
    }
}

/// A span of time, or `never` if `seconds` is `None`.
pub fn span_or_never(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "never".to_owned(), span)
}

/// A span of time in words: `3 hours, 5 minutes`. The uptime of the router is printed in this form.
pub fn in_words(seconds: u64) -> String {
    let parts = [
        (seconds / WEEK, "week"),
        (seconds % WEEK / DAY, "day"),
        (seconds % DAY / HOUR, "hour"),
        (seconds % HOUR / MINUTE, "minute"),
    ];
    let words: Vec<String> = parts
        .into_iter()
        .filter(|(number, unit)| *number > 0 || *unit == "minute")
        .map(|(number, unit)| format!("{number} {unit}{}", if number == 1 { "" } else { "s" }))
        .collect();
    words.join(", ")
}

/// The whole seconds of a duration, rounded down as on IOS.
pub fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_changes_its_form_at_a_day_and_at_a_week() {
        for (seconds, text) in [
            (0, "00:00:00"),
            (12_765, "03:32:45"),
            (86_399, "23:59:59"),
            (86_400, "1d00h"),
            (4 * DAY + 21 * HOUR, "4d21h"),
            (WEEK, "1w0d"),
            (18 * WEEK + 2 * DAY, "18w2d"),
        ] {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(span_or_never(None), "never");
    }

    #[test]
    fn an_uptime_in_words_has_plurals() {
        assert_eq!(in_words(30), "0 minutes");
        assert_eq!(in_words(DAY + HOUR * 2 + MINUTE), "1 day, 2 hours, 1 minute");
    }
}
