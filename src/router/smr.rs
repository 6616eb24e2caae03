//! Solicit-Map-Requests that arrive (RFC 9301 section 6.1).
//!
//! An SMR only ever makes us ask a Map-Resolver about something that we have cached; it is never
//! answered, and it is never believed. Who sends many gets few requests for it; but the last of many is
//! not lost, for it may be the one that tells of a change.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::Router;
use super::counters::ControlDrop;
use super::deadlines::Deadlines;
use super::debug;
use super::explanations;
use super::map_cache::Source;
use super::map_server::MOST_RECORDS;
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;
use crate::wire::MapRequest;

/// Between two SMR-invoked requests for one EID, counted from the last try of the first.
const INTERVAL: Duration = Duration::from_secs(3);
/// IOS: "Multiple SMR suppression time: 20 secs" ...
const WINDOW: Duration = Duration::from_secs(20);
/// ... "Max SMRs per map-cache entry: 8 more specifics".
const PER_ENTRY: usize = 8;
/// EIDs remembered at one time.
const REMEMBERED: usize = 4096;

/// Remembers which EIDs were asked for because of an SMR.
#[derive(Debug, Default)]
pub(super) struct SmrGuard {
    /// When each EID that was asked for may be asked for again.
    asked: Deadlines<Eid>,
    /// When more specifics of each map-cache entry were, within the window.
    entries: BTreeMap<EidPrefix, VecDeque<Time>>,
    /// When the last of them leaves the window.
    windows: Deadlines<EidPrefix>,
}

impl SmrGuard {
    /// When a request for an SMR for `eid`, cached as part of `entry`, may begin: now, or when the
    /// interval since the last one is over. `None` when there were too many.
    fn admit(&mut self, eid: Eid, entry: EidPrefix, now: Time) -> Option<Time> {
        self.forget(now);
        if self.asked.len() >= REMEMBERED {
            return None;
        }
        let recent = self.entries.entry(entry).or_default();
        while recent.front().is_some_and(|at| now.since(*at) >= WINDOW) {
            recent.pop_front();
        }
        if recent.len() >= PER_ENTRY {
            return None;
        }
        recent.push_back(now);
        self.windows.set(entry, Some(now + WINDOW));
        let at = self.asked.get(&eid).unwrap_or(now);
        self.asked_at(eid, at);
        Some(at)
    }

    /// An SMR-invoked request for `eid` is sent at `at`, be it the first or another try.
    pub(super) fn asked_at(&mut self, eid: Eid, at: Time) {
        self.asked.set(eid, Some(at + INTERVAL));
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
    pub(super) fn handle_smr(&mut self, smr: &MapRequest, source: IpAddr, now: Time) {
        self.counters.smrs.received += 1;
        let own = smr.records.first().map(|record| record.eid_prefix.network());
        // Cisco, OOR and ODL put the solicited EID in the Source-EID, VPP in the records.
        let solicited = match smr.source_eid {
            Some(eid) => vec![eid],
            None => {
                self.tell_unread_records(source, smr, now);
                let records = smr.records.iter().take(MOST_RECORDS);
                records.map(|record| record.eid_prefix.network()).collect()
            }
        };
        for eid in solicited {
            let roles = self.config.roles(eid.family());
            if !roles.itr && !roles.proxy_itr {
                let told = || explanations::smr_at_no_itr(eid);
                self.refuse(source, ControlDrop::NotOurRole, now, told);
                continue;
            }
            let cached = self.map_cache.lookup(eid);
            let Some((entry, _)) = cached.filter(|(_, entry)| entry.source != Source::Static)
            else {
                let told = || explanations::smr_not_cached(eid);
                self.refuse(source, ControlDrop::SmrNotCached, now, told);
                continue;
            };
            let asks = !self.resolver.is_pending(eid);
            let Some(at) = asks.then(|| self.smr_guard.admit(eid, entry, now)).flatten() else {
                let told = || explanations::smr_too_often(eid, entry);
                self.refuse(source, ControlDrop::RateLimited, now, told);
                continue;
            };
            self.debug(debug::smr_scheduled(eid, own));
            if smr.do_not_reply {
                self.debug(debug::not_replying(eid));
            }
            self.solicited((eid, own), source, at, now);
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
