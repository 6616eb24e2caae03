//! Counts the errors of operating system calls by operation and kind.
//!
//! An error of one call does not end the event loop. As on any router, the packet is lost, and the
//! error is counted. An error is logged only when its count is a power of two. So the log has only
//! a few lines about errors, even if there are many errors.

use std::collections::BTreeMap;
use std::io;

use log::warn;

use crate::router::io::PathEvent;
use crate::wire::IcmpErrorKind;

/// The counters of the errors, and events about paths.
#[derive(Debug, Default)]
pub struct Faults {
    counts: BTreeMap<(&'static str, String), u64>,
    /// Events about the paths to locators that the router must get. The driver has noticed them
    /// when it sent packets.
    paths: Vec<PathEvent>,
}

impl Faults {
    /// Counts one failure of `operation`. Logs the failure if its count is a power of two.
    pub fn count(&mut self, operation: &'static str, error: &io::Error) {
        // If the error has no system error number, only the kind of the error is stored. The text
        // of the error is not stored. Otherwise an attacker could cause many different texts, and
        // the table would grow without limit.
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

    /// Returns one line for each kind of error that has been counted.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let counts = self.counts.iter();
        counts.map(|((operation, kind), count)| format!("{operation}: {kind}: {count} times"))
    }

    /// Stores an event that the driver has noticed when it sent a packet. Ignores an event that is
    /// already stored, and an event above the limit on the number of events. Time Exceeded has a
    /// separate limit, because the router may relay a Time Exceeded to a host.
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

    /// Returns the stored events and removes them.
    pub fn take_paths(&mut self) -> Vec<PathEvent> {
        std::mem::take(&mut self.paths)
    }

    /// Counts a failure of `operation` if `outcome` is an error.
    pub fn count_if<T>(&mut self, operation: &'static str, outcome: io::Result<T>) {
        if let Err(error) = outcome {
            self.count(operation, &error);
        }
    }

    /// Handles the error of a failed read. Counts the error, except if the error only means that
    /// the read must be repeated or that there is no more data. Returns true if the next read may
    /// return data.
    pub fn end_of_reading(&mut self, operation: &'static str, error: &io::Error) -> bool {
        match error.kind() {
            io::ErrorKind::WouldBlock => false,
            io::ErrorKind::Interrupted => true,
            // A datagram was too long, or the number of clients was too large. Only this datagram
            // or this client is lost, so the next read may succeed.
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

    /// The number of failures of `operation`, for any reason.
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
