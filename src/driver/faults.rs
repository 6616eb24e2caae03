//! Errors at the border to the operating system, counted by operation and kind.
//!
//! No such fault ends the event loop: a packet is lost and counted, as on any router. A fault is
//! logged when its count reaches a power of two, so that a storm of them costs a few lines.

use std::collections::BTreeMap;
use std::io;

use log::warn;

use crate::router::io::PathEvent;
use crate::wire::IcmpErrorKind;

/// Counters of faults.
#[derive(Debug, Default)]
pub struct Faults {
    counts: BTreeMap<(&'static str, String), u64>,
    /// The news from sends about the ways to locators, for the router.
    paths: Vec<PathEvent>,
}

impl Faults {
    /// Counts one failure of `operation`, and logs it now and then.
    pub fn count(&mut self, operation: &'static str, error: &io::Error) {
        // The kind alone when the system gave no number: texts of an attacker's choice would let
        // the table grow without bound.
        let kind = match error.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number).to_string(),
            None => error.kind().to_string(),
        };
        let count = self.counts.entry((operation, kind)).or_default();
        *count += 1;
        if count.is_power_of_two() {
            warn!("{operation}: {error} ({count} times so far)");
        }
    }

    /// A line for each kind of fault that has been counted.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let counts = self.counts.iter();
        counts.map(|((operation, kind), count)| format!("{operation}: {kind}: {count} times"))
    }

    /// Keeps an event that a send has brought. Repetitions are dropped, and so are events beyond the
    /// bound. Time Exceeded, which the router may relay to a host, has a bound of its own.
    pub fn note_path(&mut self, event: PathEvent) {
        const PATHS: usize = 64;
        let is_quote = |event: &PathEvent| matches!(event, PathEvent::Icmp(icmp) if icmp.kind == IcmpErrorKind::TimeExceeded);
        let is_same = |noted: &PathEvent| match (noted, &event) {
            (PathEvent::Icmp(noted), PathEvent::Icmp(new)) if !is_quote(&event) => {
                (noted.rloc, noted.kind) == (new.rloc, new.kind)
            }
            (noted, event) => noted == event,
        };
        let of_kind = self.paths.iter().filter(|noted| is_quote(noted) == is_quote(&event)).count();
        if of_kind < PATHS && !self.paths.iter().any(is_same) {
            self.paths.push(event);
        }
    }

    /// Takes the kept news.
    pub fn take_paths(&mut self) -> Vec<PathEvent> {
        std::mem::take(&mut self.paths)
    }

    /// Counts `operation` if it failed.
    pub fn count_if<T>(&mut self, operation: &'static str, outcome: io::Result<T>) {
        if let Err(error) = outcome {
            self.count(operation, &error);
        }
    }

    /// Judges the error that ended a series of reads: counts it unless it only says that there is
    /// no more. True when another read may bring something.
    pub fn end_of_reading(&mut self, operation: &'static str, error: &io::Error) -> bool {
        match error.kind() {
            io::ErrorKind::WouldBlock => false,
            io::ErrorKind::Interrupted => true,
            // Only the one that was read is lost: it was too long, or one too many.
            io::ErrorKind::InvalidData | io::ErrorKind::QuotaExceeded => {
                self.count(operation, error);
                true
            }
            _ => {
                self.count(operation, error);
                false
            }
        }
    }

    /// How often `operation` has failed, for any reason.
    #[cfg(test)]
    pub fn of(&self, operation: &str) -> u64 {
        let same = self.counts.iter().filter(|((name, _), _)| *name == operation);
        same.map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_by_operation_and_not_by_text() {
        let mut faults = Faults::default();
        for number in 0..100 {
            faults.count("read", &io::Error::other(format!("text {number}")));
        }
        faults.count("write", &io::Error::from_raw_os_error(libc::EIO));
        assert_eq!((faults.of("read"), faults.of("write")), (100, 1));
        assert_eq!(faults.counts.len(), 2);
    }
}
