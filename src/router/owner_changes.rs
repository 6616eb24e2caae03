//! Counts how often the xTR that registers an EID changes. If a host moves, the xTR changes from
//! time to time. If two hosts at two sites have the same address, the xTR changes with every packet
//! that they send. Then the EID is a duplicate.
//!
//! An xTR that loses a duplicate EID waits before it claims the EID again. So the other host can
//! work in the meantime, and the mapping system is not flooded. The map-server counts the changes
//! too, because every change reaches the map-server.

use std::collections::VecDeque;
use std::time::Duration;

use super::bounded::{Bounded, Limit};
use super::deadlines::Deadlines;
use crate::time::Time;

/// An EID is a duplicate if its owner changes more often than this number within [`WINDOW`].
pub(super) const CHANGES: usize = 10;
/// The time in which the changes of an EID are counted.
pub(super) const WINDOW: Duration = Duration::from_secs(30);
/// How long an xTR does not claim a duplicate EID that it has lost.
pub(super) const WAIT: Duration = Duration::from_secs(30);
/// The minimum time between two lines in the log about one duplicate EID.
const LINES: Duration = Duration::from_secs(60);
/// If an EID does not change its owner for this time, it is not a duplicate any more. The time is
/// longer than [`WAIT`], because an xTR claims the EID again after [`WAIT`].
const QUIET: Duration = Duration::from_secs(90);
/// The limit for the number of stored EIDs. If the table is full, the EID that has been without a
/// change for the longest time is removed.
const REMEMBERED: Limit =
    Limit { name: "EIDs that changed their xTR recently", capacity: 4096, idle: Duration::ZERO };

/// The changes of one EID.
#[derive(Debug, Default)]
struct Changes {
    /// The times of the latest changes within [`WINDOW`]. At most [`CHANGES`] + 1 times are stored,
    /// which is enough to detect a duplicate.
    recent: VecDeque<Time>,
    is_duplicate: bool,
    named_at: Option<Time>,
}

/// The meaning of a change of owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owned {
    /// The host moves.
    Moving,
    /// Two hosts have the EID.
    Duplicate {
        /// Whether a line in the log is due, because there was no line for a minute.
        is_to_be_named: bool,
    },
}

/// The EIDs, or EID prefixes, that changed their owner recently.
#[derive(Debug)]
pub(super) struct OwnerChanges<K> {
    changes: Bounded<K, Changes>,
    /// The time at which the wait of each EID ends. Until then, this router must not claim the EID.
    waits: Deadlines<K>,
}

impl<K: Ord + Clone> Default for OwnerChanges<K> {
    fn default() -> Self {
        OwnerChanges { changes: Bounded::new(REMEMBERED), waits: Deadlines::default() }
    }
}

impl<K: Ord + Clone> OwnerChanges<K> {
    /// Counts a change of the owner of an EID. Returns the meaning of the change.
    pub(super) fn changed(&mut self, eid: &K, now: Time) -> Owned {
        self.forget(now);
        if self.changes.use_at(eid, now).is_none() {
            let evicted = self.changes.insert(eid.clone(), (), Changes::default(), now);
            if let Ok(Some((evicted, _))) = evicted {
                self.waits.set(evicted, None);
            }
        }
        let Some(changes) = self.changes.get_mut(eid) else { return Owned::Moving };
        changes.recent.push_back(now);
        while changes.recent.front().is_some_and(|at| now.since(*at) >= WINDOW)
            || changes.recent.len() > CHANGES + 1
        {
            changes.recent.pop_front();
        }
        changes.is_duplicate |= changes.recent.len() > CHANGES;
        if !changes.is_duplicate {
            return Owned::Moving;
        }
        let is_to_be_named = changes.named_at.is_none_or(|at| now.since(at) >= LINES);
        if is_to_be_named {
            changes.named_at = Some(now);
        }
        Owned::Duplicate { is_to_be_named }
    }

    /// Whether an EID is a duplicate.
    pub(super) fn is_duplicate(&self, eid: &K) -> bool {
        self.changes.get(eid).is_some_and(|changes| changes.is_duplicate)
    }

    /// Records that this router has lost a duplicate EID. The router does not claim the EID during
    /// [`WAIT`].
    pub(super) fn wait(&mut self, eid: K, now: Time) {
        if self.changes.contains_key(&eid) {
            self.waits.set(eid, Some(now + WAIT));
        }
    }

    /// Whether an EID must not be claimed yet.
    pub(super) fn is_waiting(&self, eid: &K) -> bool {
        self.waits.contains(eid)
    }

    /// Removes and returns the next EID that may be claimed again.
    pub(super) fn next_claim(&mut self, now: Time) -> Option<K> {
        self.waits.pop(now)
    }

    /// The time at which the next wait is over.
    pub(super) fn next_claim_at(&self) -> Option<Time> {
        self.waits.next()
    }

    /// Deletes the EIDs for which `stays` is false.
    pub(super) fn retain(&mut self, stays: impl Fn(&K) -> bool) {
        let gone: Vec<K> = self.changes.keys().filter(|eid| !stays(eid)).cloned().collect();
        for eid in gone {
            self.changes.remove(&eid);
            self.waits.set(eid, None);
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some((eid, _)) = self.changes.pop_unused(QUIET, now) {
            self.waits.set(eid, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: Owned = Owned::Duplicate { is_to_be_named: true };
    const KNOWN: Owned = Owned::Duplicate { is_to_be_named: false };

    fn at(milliseconds: u64) -> Time {
        Time(milliseconds * 1000)
    }

    #[test]
    fn the_eleventh_change_in_30_seconds_makes_a_duplicate() {
        let mut owners = OwnerChanges::default();
        for change in 0..10 {
            assert_eq!(owners.changed(&1, at(change * 2900)), Owned::Moving);
        }
        assert_eq!(owners.changed(&2, at(29_000)), Owned::Moving, "another EID");
        assert_eq!(owners.changed(&1, at(29_900)), NAMED);
    }

    #[test]
    fn ten_changes_in_30_seconds_are_moves_for_ever() {
        let mut owners = OwnerChanges::default();
        for change in 0..1000 {
            assert_eq!(owners.changed(&1, at(change * 3000)), Owned::Moving, "{change}");
        }
    }

    #[test]
    fn a_duplicate_is_named_once_a_minute_until_it_is_quiet() {
        let mut owners = OwnerChanges::default();
        for _ in 0..10 {
            owners.changed(&1, at(0));
        }
        assert_eq!(owners.changed(&1, at(0)), NAMED);
        assert_eq!(owners.changed(&1, at(30_000)), KNOWN);
        assert_eq!(owners.changed(&1, at(60_000)), NAMED);
        assert!(owners.is_duplicate(&1));
        assert_eq!(owners.changed(&1, at(150_000)), Owned::Moving);
        assert!(!owners.is_duplicate(&1));
    }

    #[test]
    fn who_lost_it_claims_it_30_seconds_later() {
        let mut owners = OwnerChanges::default();
        owners.changed(&1, at(0));
        owners.wait(1, at(0));
        assert!(owners.is_waiting(&1));
        assert_eq!(owners.next_claim_at(), Some(at(30_000)));
        assert_eq!((owners.next_claim(at(29_999)), owners.next_claim(at(30_000))), (None, Some(1)));
        assert!(!owners.is_waiting(&1));
        owners.wait(1, at(40_000));
        owners.retain(|_| false);
        assert!(owners.next_claim_at().is_none());
    }

    #[test]
    fn the_eid_that_was_quiet_for_the_longest_time_makes_room() {
        let mut owners = OwnerChanges::default();
        for eid in 0..5000_u64 {
            owners.changed(&eid, at(eid));
        }
        assert_eq!(owners.changes.len(), REMEMBERED.capacity);
        assert!(!owners.changes.contains_key(&0) && owners.changes.contains_key(&4999));
    }
}
