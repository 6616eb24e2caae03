//! Limits the Map-Requests that SMRs cause. A sender of many SMRs causes only few Map-Requests. An
//! SMR that arrives soon after a Map-Request for the same EID causes another Map-Request later,
//! because this SMR may report a new change. The tables are bounded. A full table evicts an old
//! entry, so an SMR is never refused because a table is full.

use std::collections::VecDeque;
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;

/// The minimum time between two SMR-invoked requests for one EID. This time is counted from the
/// last try of the earlier request.
const INTERVAL: Duration = Duration::from_secs(3);
/// The time in which the SMRs for one map-cache entry are counted. IOS: "Multiple SMR suppression
/// time: 20 secs".
pub const SMR_SUPPRESSION: Duration = Duration::from_secs(20);
/// The maximum number of SMRs for one map-cache entry within [`SMR_SUPPRESSION`]. IOS: "Max SMRs
/// per map-cache entry: 8 more specifics".
pub const SMRS_PER_ENTRY: usize = 8;
/// The limit for the number of EIDs that the router requested because of SMRs. If the table is
/// full, the router finds the map-cache entry that contains the most of these EIDs, and removes its
/// oldest EID.
const ASKED: Limit = Limit { name: "EIDs asked for by SMRs", capacity: 4096, idle: Duration::ZERO };
/// The limit for the number of map-cache entries for which SMRs are counted. If the table is full,
/// the entry with the oldest SMRs is removed.
const ENTRIES: Limit =
    Limit { name: "Map-cache entries with SMRs", capacity: 4096, idle: Duration::ZERO };

/// Stores the EIDs that were requested because of an SMR.
#[derive(Debug)]
pub(super) struct SmrGuard {
    /// The time at which each requested EID can be requested again. The sharer of an EID (see
    /// [`Bounded`]) is the map-cache entry that contains this EID.
    asked: Bounded<Eid, Time, EidPrefix>,
    /// The times at which EIDs inside each map-cache entry were requested, within
    /// [`SMR_SUPPRESSION`].
    entries: Bounded<EidPrefix, VecDeque<Time>>,
}

impl Default for SmrGuard {
    fn default() -> Self {
        SmrGuard { asked: Bounded::new(ASKED), entries: Bounded::new(ENTRIES) }
    }
}

// If one of the two tables is full, it always evicts another entry. So no new entry is rejected.
impl SmrGuard {
    /// Counts an SMR for `eid`, and returns the time at which a request because of this SMR can
    /// begin. `entry` is the map-cache entry that contains `eid`. The time is `now`, or the end of
    /// [`INTERVAL`] after the last request. Returns `None` if there were too many requests.
    pub(super) fn admit(&mut self, eid: Eid, entry: EidPrefix, now: Time) -> Option<Time> {
        // The time at which an EID can be requested again is at most one interval after now.
        self.asked.expire(INTERVAL * 2, now);
        self.entries.expire(SMR_SUPPRESSION, now);
        if !self.entries.contains_key(&entry) {
            let _ = self.entries.insert(entry, (), VecDeque::new(), now);
        }
        let recent = self.entries.get_mut(&entry)?;
        while recent.front().is_some_and(|at| now.since(*at) >= SMR_SUPPRESSION) {
            recent.pop_front();
        }
        if recent.len() >= SMRS_PER_ENTRY {
            return None;
        }
        recent.push_back(now);
        self.entries.use_at(&entry, now);
        let at = self.asked.get(&eid).map_or(now, |again_at| now.max(*again_at));
        let _ = self.asked.insert(eid, entry, at + INTERVAL, now);
        Some(at)
    }

    /// Records that another try of an SMR-invoked request for `eid` was sent.
    pub(super) fn asked_at(&mut self, eid: Eid, now: Time) {
        match self.asked.use_at(&eid, now) {
            Some(again_at) => *again_at = now + INTERVAL,
            None => {
                let _ = self.asked.insert(eid, eid.host_prefix(), now + INTERVAL, now);
            }
        }
    }

    /// The fill levels of the tables.
    pub(super) fn fills(&self) -> [Fill; 2] {
        [self.asked.fill(), self.entries.fill()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceId;

    fn eid(last: u8) -> Eid {
        Eid::new(InstanceId::DEFAULT, [172, 16, 0, last].into())
    }

    fn entry() -> EidPrefix {
        EidPrefix::new(InstanceId::DEFAULT, "172.16.0.0/24".parse().unwrap())
    }

    #[test]
    fn one_eid_is_admitted_once_in_three_seconds() {
        let mut guard = SmrGuard::default();
        assert_eq!(guard.admit(eid(12), entry(), Time(0)), Some(Time(0)));
        assert_eq!(guard.admit(eid(12), entry(), Time(1)), Some(Time::from_secs(3)));
        guard.asked_at(eid(12), Time::from_secs(5));
        assert_eq!(guard.admit(eid(12), entry(), Time::from_secs(6)), Some(Time::from_secs(8)));
        let later = Time::from_secs(11);
        assert_eq!(guard.admit(eid(12), entry(), later), Some(later));
    }

    #[test]
    fn one_entry_admits_eight_more_specifics_in_twenty_seconds() {
        let mut guard = SmrGuard::default();
        let mut admitted =
            |last, at| guard.admit(eid(last), entry(), Time::from_secs(at)).is_some();
        assert_eq!((0..=255).filter(|&last| admitted(last, 0)).count(), 8);
        assert!(!admitted(100, 19));
        assert!(admitted(100, 20));
    }
}
