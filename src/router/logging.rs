//! The lines that the router writes into its log.
//!
//! A line leaves the core as an output, like everything else: tests read it, a record holds it, and
//! the simulator has it too. It comes without a time, which is that of its input.

use std::collections::BTreeMap;
use std::mem;
use std::panic::Location;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::io::Output;
use crate::time::Time;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Something is wrong, and the operator has something to do.
    Warning,
    /// Something changed as it should.
    Notice,
}

impl From<Severity> for log::Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => log::Level::Warn,
            Severity::Notice => log::Level::Info,
        }
    }
}

/// Lines of one kind that are written at once, and how often one more is, after these. With ten kinds of
/// which strangers decide how many there are, an hour has a few hundred kilobytes.
const AT_ONCE: u32 = 100;
const INTERVAL: Duration = Duration::from_secs(10);

/// How much was written of each kind of line, which is the place in the source that makes it: a network
/// that has its hosts move, or its locators fall, as often as it likes does not fill the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The time of the call that the router is in.
    pub(super) now: Time,
    kinds: BTreeMap<(&'static str, u32), Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    /// When as many as [`AT_ONCE`] may be written again.
    full_at: Time,
    /// Since the last one that was written.
    left_out: u64,
}

impl Log {
    /// Whether one more line of a kind is written: how many were left out before it, if it is.
    fn admit(&mut self, place: &'static Location<'static>) -> Option<u64> {
        let kind = self.kinds.entry((place.file(), place.line())).or_default();
        if kind.full_at > self.now + INTERVAL * (AT_ONCE - 1) {
            kind.left_out += 1;
            return None;
        }
        kind.full_at = kind.full_at.max(self.now) + INTERVAL;
        Some(mem::take(&mut kind.left_out))
    }
}

impl Context {
    /// Writes a line into the log, bounded by its kind: something is wrong.
    #[track_caller]
    pub(super) fn warn(&mut self, line: String) {
        self.log_bounded(Severity::Warning, line, Location::caller());
    }

    /// Writes a line into the log, bounded by its kind: something changed.
    #[track_caller]
    pub(super) fn notice(&mut self, line: String) {
        self.log_bounded(Severity::Notice, line, Location::caller());
    }

    fn log_bounded(&mut self, severity: Severity, line: String, place: &'static Location<'static>) {
        let Some(left_out) = self.log.admit(place) else { return };
        if left_out > 0 {
            self.log(severity, format!("{left_out} lines like the next one were left out"));
        }
        self.log(severity, line);
    }

    /// Writes a line into the log without a bound: the caller has one of its own.
    pub(super) fn log(&mut self, severity: Severity, line: String) {
        self.outputs.push_back(Output::Log { severity, line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_line_is_written_so_often_and_then_counted() {
        let mut log = Log::default();
        let mut admit = |now: Time| {
            log.now = now;
            log.admit(Location::caller())
        };
        let begin = Time::ZERO + Duration::from_secs(1);
        let admitted = (0..1000).filter(|_| admit(begin).is_some()).count();
        assert_eq!(admitted, AT_ONCE as usize);
        assert_eq!(admit(begin + INTERVAL), Some(1000 - u64::from(AT_ONCE)));
        assert_eq!(admit(begin + INTERVAL), None);
        assert_eq!(admit(begin + INTERVAL * 2), Some(1), "what was left out is told once");
        let later = begin + INTERVAL * 1000;
        assert_eq!((0..1000).filter(|_| admit(later).is_some()).count(), AT_ONCE as usize);
    }

    #[test]
    fn kinds_do_not_take_each_others_share() {
        let mut log = Log::default();
        let of_one = (0..1000).filter(|_| log.admit(Location::caller()).is_some()).count();
        assert_eq!(of_one, AT_ONCE as usize);
        assert_eq!(log.admit(Location::caller()), Some(0), "another place");
    }
}
