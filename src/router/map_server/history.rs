//! Recent registrations and withdrawals (`show lisp registration-history`).

use std::collections::VecDeque;
use std::net::IpAddr;

use super::Registration;
use crate::addr::EidPrefix;
use crate::time::Time;

/// The maximum number of stored events. The oldest event is deleted first.
pub const HISTORY: usize = 1000;

/// A registration or a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The time of the event.
    pub at: Time,
    /// The prefix.
    pub prefix: EidPrefix,
    /// The RLOC from which the Map-Register was received.
    pub source: IpAddr,
    /// Whether the registration belongs to a TCP session.
    pub reliable: bool,
    /// Whether the prefix was registered; false if it was withdrawn or has expired.
    pub registered: bool,
    /// Whether the registration replaced the registration of another xTR.
    pub moved: bool,
}

/// The events, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<HistoryEntry>);

impl History {
    pub(super) fn entries(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.0.iter()
    }

    pub(super) fn registered(&mut self, registration: &Registration, moved: bool, at: Time) {
        self.push(registration, true, moved, at);
    }

    pub(super) fn withdrawn(&mut self, registration: &Registration, at: Time) {
        self.push(registration, false, false, at);
    }

    fn push(&mut self, registration: &Registration, registered: bool, moved: bool, at: Time) {
        if self.0.len() >= HISTORY {
            self.0.pop_front();
        }
        self.0.push_back(HistoryEntry {
            at,
            prefix: registration.record.eid_prefix,
            source: registration.source,
            reliable: registration.session.is_some(),
            registered,
            moved,
        });
    }
}
