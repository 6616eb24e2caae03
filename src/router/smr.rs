//! Solicit-Map-Requests that arrive (RFC 9301 section 6.1).
//!
//! An SMR only ever makes us ask a Map-Resolver about something that we have cached; it is never
//! answered, and it is never believed. Who sends many gets few requests for it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Router;
use super::counters::ControlDrop;
use super::deadlines::Deadlines;
use super::debug;
use super::map_cache::Source;
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;
use crate::wire::MapRequest;

/// One EID is asked for at most once in this span, however many SMRs come.
const SUPPRESSION: Duration = Duration::from_secs(3);
/// IOS: "Multiple SMR suppression time: 20 secs" ...
const WINDOW: Duration = Duration::from_secs(20);
/// ... "Max SMRs per map-cache entry: 8 more specifics".
const PER_ENTRY: usize = 8;
/// EIDs remembered at one time.
const REMEMBERED: usize = 4096;

/// Remembers which EIDs were asked for because of an SMR.
#[derive(Debug, Default)]
pub(super) struct SmrGuard {
    /// Until when each EID that was asked for is not asked for again.
    asked: Deadlines<Eid>,
    /// When more specifics of each map-cache entry were, within the window.
    entries: BTreeMap<EidPrefix, VecDeque<Time>>,
    /// When the last of them leaves the window.
    windows: Deadlines<EidPrefix>,
}

impl SmrGuard {
    /// Whether an SMR for `eid`, cached as part of `entry`, may start a request now.
    fn admit(&mut self, eid: Eid, entry: EidPrefix, now: Time) -> bool {
        self.forget(now);
        let full = self.asked.len() >= REMEMBERED;
        if full || self.asked.contains(&eid) {
            return false;
        }
        let recent = self.entries.entry(entry).or_default();
        while recent.front().is_some_and(|at| now.since(*at) >= WINDOW) {
            recent.pop_front();
        }
        if recent.len() >= PER_ENTRY {
            return false;
        }
        recent.push_back(now);
        self.windows.set(entry, Some(now + WINDOW));
        self.asked.set(eid, Some(now + SUPPRESSION));
        true
    }

    fn forget(&mut self, now: Time) {
        while self.asked.pop(now).is_some() {}
        while let Some(entry) = self.windows.pop(now) {
            self.entries.remove(&entry);
        }
    }
}

impl Router {
    /// Takes in an SMR: asks for the EID that it solicits, through the mapping system.
    pub(super) fn handle_smr(&mut self, smr: &MapRequest, now: Time) {
        self.counters.smrs.received += 1;
        let own = smr.records.first().map(|record| record.eid_prefix.network());
        // Cisco, OOR and ODL put the solicited EID in the Source-EID, VPP in the records.
        let solicited = match smr.source_eid {
            Some(eid) => vec![eid],
            None => smr.records.iter().map(|record| record.eid_prefix.network()).collect(),
        };
        for eid in solicited {
            let roles = self.config.roles(eid.family());
            if !roles.itr && !roles.proxy_itr {
                self.counters.ignored(ControlDrop::NotOurRole);
                continue;
            }
            let cached = self.map_cache.lookup(eid);
            let Some((entry, _)) = cached.filter(|(_, entry)| entry.source != Source::Static)
            else {
                self.counters.ignored(ControlDrop::SmrNotCached);
                continue;
            };
            if self.resolver.is_pending(eid) || !self.smr_guard.admit(eid, entry, now) {
                self.counters.ignored(ControlDrop::RateLimited);
                continue;
            }
            self.debug(debug::smr_scheduled(eid, own));
            if smr.do_not_reply {
                self.debug(debug::not_replying(eid));
            }
            self.solicited(eid, own, now);
        }
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
        let admitted =
            (0..3000u64).filter(|&ms| guard.admit(eid(12), entry(), Time(ms * 1000))).count();
        assert_eq!(admitted, 1);
        assert!(guard.admit(eid(12), entry(), Time::from_secs(3)));
    }

    #[test]
    fn one_entry_admits_eight_more_specifics_in_twenty_seconds() {
        let mut guard = SmrGuard::default();
        let admitted = (0..=255).filter(|&last| guard.admit(eid(last), entry(), Time(0))).count();
        assert_eq!(admitted, 8);
        assert!(!guard.admit(eid(100), entry(), Time::from_secs(19)));
        assert!(guard.admit(eid(100), entry(), Time::from_secs(20)));
    }
}
