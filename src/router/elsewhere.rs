//! Prefixes that are elsewhere: a map-server tells of a host that moved, or of a more specific of a local
//! prefix that another xTR registered. They stand in the away table as long as that is true.

use std::collections::BTreeSet;

use super::Router;
use super::away::{self, Elsewhere, Producer, Stay, Teller};
use super::io::{Device, KernelRequest};
use super::map_cache::Locator;
use super::mobility::{CONFIRMATION, SILENCE};
use super::resolve;
use super::search::{Search, Sought};
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;
use crate::wire::MappingRecord;

impl Router {
    /// A map-server says where a prefix is registered, and it is not by us (a Map-Notify or a Mapping
    /// Notification): a host that moved, or a more specific of a local prefix.
    pub(super) fn mapping_elsewhere(&mut self, record: &MappingRecord, by: Teller, now: Time) {
        let prefix = record.eid_prefix;
        let locators: Vec<Locator> = resolve::locators(record, &self.local, now);
        let ours = locators.iter().any(|locator| self.local.contains(locator.rloc.0));
        let withdrawn = record.ttl_minutes == 0 || record.locators.is_empty();
        self.counters.took(record);
        let by = self.told_before(&prefix).unwrap_or(by);
        let elsewhere = Elsewhere { locators, by, ttl: resolve::ttl(record) };
        let eid = prefix.network();
        if ours {
            self.away.remove(&prefix, Producer::SiteRegistration);
        } else if prefix == eid.host_prefix() && self.mobility.is_dynamic(eid) {
            self.host_elsewhere(eid, Some(elsewhere).filter(|_| !withdrawn), now);
        } else if withdrawn {
            self.away.remove(&prefix, Producer::SiteRegistration);
        } else if self.registers_around(&prefix) {
            let entry = away::Entry::told(Producer::SiteRegistration, elsewhere, now);
            self.away.insert(prefix, entry, now);
        }
        self.stale.prefixes.insert(prefix);
        self.reconcile(now);
    }

    /// The session that is up and told of a prefix before: it will tell of the next change too, whatever
    /// another map-server says by a datagram.
    fn told_before(&self, prefix: &EidPrefix) -> Option<Teller> {
        let entry = self.away.entries().get(prefix).and_then(|entry| match entry.stay {
            Stay::Told { by, .. } => Some(by),
            _ => None,
        });
        let search = self.mobility.searches.get(&prefix.network());
        let confirm = search.and_then(|search| match &search.why {
            Sought::Confirm(elsewhere) => Some(elsewhere.by),
            Sought::Unknown { .. } => None,
        });
        entry.into_iter().chain(confirm).find(|by| match by {
            Teller::Session(connection) => self.registrar.is_session_up(*connection),
            Teller::Datagram => false,
        })
    }

    /// A map-server says where a host is, or that no xTR has it.
    fn host_elsewhere(&mut self, eid: Eid, elsewhere: Option<Elsewhere>, now: Time) {
        let prefix = eid.host_prefix();
        let producer = Producer::DynamicEid;
        let Some(host) = self.mobility.hosts().get(&eid) else {
            // It left before; where it is now is where its stragglers go.
            if self.away.entries().contains(&prefix) {
                let entry = match elsewhere {
                    Some(elsewhere) => away::Entry::told(producer, elsewhere, now),
                    None => away::Entry::new(producer, Stay::Silent(now + SILENCE), now),
                };
                self.away.insert(prefix, entry, now);
            }
            return;
        };
        let Some(elsewhere) = elsewhere else { return };
        let fresh =
            !self.registrar.is_acknowledged(prefix, now) || now.since(host.found_at) < CONFIRMATION;
        if !fresh || self.mobility.owners.is_duplicate(&eid) {
            return self.host_gone(eid, Some(elsewhere), now);
        }
        let (device, address) = (Device::Interface(host.interface), eid.address);
        let ports = BTreeSet::from([host.interface]);
        let why = Sought::Confirm(elsewhere);
        self.mobility.searches.insert(eid, Search { until: now + CONFIRMATION, ports, why });
        self.request(vec![KernelRequest::Probe { device, address }]);
    }

    /// Ends the entries of the away table that have stayed long enough, and asks the mapping system about
    /// those whose record has outlived its TTL.
    pub(super) fn expire_away(&mut self, now: Time) {
        let registrar = &self.registrar;
        for prefix in self.away.expire(|session| registrar.is_session_up(session), now) {
            self.ask_again(prefix.network(), now);
        }
    }

    /// A Map-Reply came: what it says of prefixes that were asked about again is as if a map-server told
    /// it by a datagram.
    pub(super) fn away_answered<'a>(
        &mut self,
        records: impl Iterator<Item = &'a MappingRecord>,
        now: Time,
    ) {
        for record in records {
            if self.away.is_asked(&record.eid_prefix) {
                self.mapping_elsewhere(record, Teller::Datagram, now);
            }
        }
    }
}
