//! The limits of the requests that SMRs make a router send. A sender of many SMRs gets few requests for
//! them; but the last of many is not lost, for it may be the one that tells of a change. The tables are
//! bounded: an old entry gives way, so that no SMR is refused for the number of others.

use std::collections::VecDeque;
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;

/// Between two SMR-invoked requests for one EID, counted from the last try of the first.
const INTERVAL: Duration = Duration::from_secs(3);
/// The span in which the SMRs of a map-cache entry are counted, as IOS has it.
pub const SMR_SUPPRESSION: Duration = Duration::from_secs(20);
/// The SMRs of a map-cache entry in that span, as IOS has it.
pub const SMRS_PER_ENTRY: usize = 8;
/// EIDs that SMRs made the router ask for: of the map-cache entry with the most, the first one
/// gives way.
const ASKED: Limit = Limit { name: "EIDs asked for by SMRs", capacity: 4096, idle: Duration::ZERO };
/// Map-cache entries whose SMRs are counted; the one with the oldest gives way.
const ENTRIES: Limit =
    Limit { name: "Map-cache entries with SMRs", capacity: 4096, idle: Duration::ZERO };

/// Remembers which EIDs were asked for because of an SMR.
#[derive(Debug)]
pub(super) struct SmrGuard {
    /// When each EID that was asked for may be asked for again; shared by map-cache entry.
    asked: Bounded<Eid, Time, EidPrefix>,
    /// When more specifics of each map-cache entry were, within the window.
    entries: Bounded<EidPrefix, VecDeque<Time>>,
}

impl Default for SmrGuard {
    fn default() -> Self {
        SmrGuard { asked: Bounded::new(ASKED), entries: Bounded::new(ENTRIES) }
    }
}

// In both tables another entry always gives way, so that none is turned away.
impl SmrGuard {
    /// When a request for an SMR for `eid`, cached as part of `entry`, may begin: now, or when the
    /// interval since the last one is over. `None` when there were too many.
    pub(super) fn admit(&mut self, eid: Eid, entry: EidPrefix, now: Time) -> Option<Time> {
        // The time at which an EID may be asked for lies one interval ahead at most.
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

    /// Another try of an SMR-invoked request for `eid` is sent.
    pub(super) fn asked_at(&mut self, eid: Eid, now: Time) {
        match self.asked.use_at(&eid, now) {
            Some(again_at) => *again_at = now + INTERVAL,
            None => {
                let _ = self.asked.insert(eid, eid.host_prefix(), now + INTERVAL, now);
            }
        }
    }

    /// How full the tables are.
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
