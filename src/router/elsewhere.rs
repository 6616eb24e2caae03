//! The prefixes that are at another xTR, according to a map-server. Each of these prefixes is a
//! host that moved, or a more specific prefix of a local prefix. The away table has an entry for
//! the prefix as long as the report of the map-server is true.

use std::net::IpAddr;

use super::Router;
use super::away::{self, Elsewhere, Producer, Stay, Teller};
use super::io::{Device, KernelRequest};
use super::map_cache::Locator;
use super::mapping_records;
use super::mobility::SILENCE;
use super::reason::{AwayReason, Departure, Report};
use super::register;
use super::resolve::NonceOwner;
use super::searches::CONFIRMATION;
use crate::addr::{Eid, EidPrefix};
use crate::time::Time;
use crate::wire::{LocatorRecord, MapRequest, MappingRecord};

impl Router {
    /// Handles a registration that a map-server reports in a Map-Notify or a Mapping Notification.
    /// If another xTR registered the prefix, the prefix is a host that moved, or a more specific
    /// prefix of a local prefix.
    pub(super) fn mapping_elsewhere(
        &mut self,
        record: &MappingRecord,
        by: Teller,
        report: Report,
        now: Time,
    ) {
        let prefix = record.eid_prefix;
        self.context.counters.took(record);
        if self.names_us(record) {
            return self.mapping_here(prefix, report);
        }
        let reason = AwayReason::Reported(report);
        let locators: Vec<Locator> = mapping_records::locators(record, &self.context.local, now);
        let withdrawn = record.is_withdrawn();
        let by = self.told_before(&prefix).unwrap_or(by);
        let elsewhere = Elsewhere { locators, by, ttl: mapping_records::ttl(record), report };
        let eid = prefix.network();
        if prefix == eid.host_prefix() && self.mobility.is_dynamic(eid) {
            self.host_elsewhere(eid, Some(elsewhere).filter(|_| !withdrawn), report, now);
        } else if withdrawn {
            self.away.remove(&prefix, Producer::SiteRegistration, reason);
        } else if self.registers_around(&prefix) {
            let entry = away::Entry::told(Producer::SiteRegistration, elsewhere, now);
            self.away.insert(prefix, entry, reason, now);
        }
        self.stale.prefixes.insert(prefix);
    }

    /// Handles an answer of a map-server. The answer says that this router is the xTR of a prefix.
    pub(super) fn mapping_here(&mut self, prefix: EidPrefix, report: Report) {
        let reason = AwayReason::Reported(report);
        self.away.remove(&prefix, Producer::SiteRegistration, reason);
        self.stale.prefixes.insert(prefix);
    }

    /// Whether a record has a locator of this router.
    pub(super) fn names_us(&self, record: &MappingRecord) -> bool {
        let mut rlocs = record.locators.iter().filter_map(LocatorRecord::ip);
        rlocs.any(|rloc| self.context.local.contains(rloc.0))
    }

    /// Whether this record from a map-server would change a table of this router.
    pub(super) fn would_change(&self, record: &MappingRecord) -> bool {
        let prefix = record.eid_prefix;
        let producer = self.away.entries().get(&prefix).map(|entry| entry.producer);
        if self.names_us(record) {
            return producer == Some(Producer::SiteRegistration);
        }
        let (eid, is_new) = (prefix.network(), !record.is_withdrawn());
        producer.is_some_and(Producer::leads_elsewhere)
            || is_new && prefix == eid.host_prefix() && self.mobility.hosts().contains_key(&eid)
            || is_new && self.registers_around(&prefix)
    }

    /// The session on which a map-server has reported a prefix before, if this session is still up.
    /// The map-server will also report the next change on this session. So the session has priority
    /// over the datagrams of another map-server.
    pub(super) fn told_before(&self, prefix: &EidPrefix) -> Option<Teller> {
        let entry = self.away.entries().get(prefix).and_then(|entry| match entry.stay {
            Stay::Told { by, .. } => Some(by),
            _ => None,
        });
        let confirm = self.mobility.searches.confirmations.get(&prefix.network());
        let confirm = confirm.map(|elsewhere| elsewhere.by);
        entry.into_iter().chain(confirm).find(|by| match by {
            Teller::Session(connection) => self.registrar.is_session_up(*connection),
            Teller::Datagram => false,
        })
    }

    /// Handles the report of a map-server about a host. `elsewhere` is the new mapping of the host;
    /// `None` means that no xTR has the host.
    fn host_elsewhere(
        &mut self,
        eid: Eid,
        elsewhere: Option<Elsewhere>,
        report: Report,
        now: Time,
    ) {
        let prefix = eid.host_prefix();
        let producer = Producer::DynamicEid;
        let Some(host) = self.mobility.hosts().get(&eid) else {
            // The host left earlier. Late packets for the host are sent to its new locator.
            if self.away.entries().contains(&prefix) {
                let entry = match elsewhere {
                    Some(elsewhere) => away::Entry::told(producer, elsewhere, now),
                    None => away::Entry::new(producer, Stay::Silent(now + SILENCE), now),
                };
                self.away.insert(prefix, entry, AwayReason::Reported(report), now);
            }
            return;
        };
        let Some(elsewhere) = elsewhere else { return };
        let fresh =
            !self.registrar.is_acknowledged(prefix, now) || now.since(host.found_at) < CONFIRMATION;
        if !fresh || self.mobility.owners.is_duplicate(&eid) {
            return self.host_gone(eid, Departure::MovedAway, Some(elsewhere), now);
        }
        let (device, address) = (Device::Interface(host.interface), eid.address);
        // The result is not used, because the table has room for each host on the LANs of this
        // router.
        let _ = self.mobility.searches.confirmations.insert(eid, (), elsewhere, now);
        self.context.request(vec![KernelRequest::Probe { device, address }]);
    }

    /// Removes the prefixes that other xTRs have registered inside the prefixes of this router. The
    /// router calls this function when a session with a map-server comes up. The prefixes may have
    /// changed without a report, and the map-server now reports all of them again.
    pub(super) fn forget_site_registrations(&mut self) {
        let told = self.away.told().filter(|(_, each)| each.producer == Producer::SiteRegistration);
        let told: Vec<EidPrefix> = told.map(|(prefix, _)| prefix).collect();
        for prefix in told {
            self.away.remove(&prefix, Producer::SiteRegistration, AwayReason::SessionUp);
        }
    }

    /// Whether a map-server reports a prefix to this router. A map-server reports a prefix if this
    /// router registers a shorter prefix that contains this prefix.
    pub(super) fn registers_around(&self, prefix: &EidPrefix) -> bool {
        register::registers_around(&self.context.config, &self.database, prefix)
    }

    /// Handles the away entries that are due: removes an entry, or asks the mapping system about
    /// the prefix of the entry again.
    pub(super) fn expire_away(&mut self, now: Time) {
        let registrar = &self.registrar;
        for prefix in self.away.expire(|session| registrar.is_session_up(session), now) {
            self.resolver.ask_again(&mut self.context, prefix.network(), now);
        }
    }

    /// Handles the Map-Reply to a request about prefixes of the away table. The records are handled
    /// like the records of a datagram from a map-server.
    pub(super) fn away_answered<'a>(
        &mut self,
        records: impl Iterator<Item = &'a MappingRecord>,
        from: IpAddr,
        now: Time,
    ) {
        for record in records {
            if self.away.is_asked(&record.eid_prefix) {
                self.mapping_elsewhere(record, Teller::Datagram, Report::MapReply(from), now);
            }
        }
    }

    /// Handles `request` if it is a Map-Request of this router that the map-server forwarded back
    /// to this router. In this case, the map-server now regards this router as the xTR of the EID,
    /// and the previous mapping from the map-server is not true any more. Returns false for every
    /// other request.
    pub(super) fn own_request_came_back(
        &mut self,
        request: &MapRequest,
        sender: IpAddr,
        now: Time,
    ) -> bool {
        // If this router is its own map-server, it sends the request to itself. In this case, the
        // message is only the request, and not an answer to the request.
        if self.context.own_addresses.contains(&sender) {
            return false;
        }
        let eid = match self.owner_of(request.nonce) {
            Some(NonceOwner::News(about)) => {
                self.news_settled(about, None, Report::OwnRequest(sender), now);
                return true;
            }
            Some(NonceOwner::Request(eid)) if self.resolver.outstanding.is_asked_again(eid) => eid,
            Some(NonceOwner::Request(_) | NonceOwner::Lig(_)) | None => return false,
        };
        let entry = self.away.longest_match(eid).map(|(prefix, entry)| (prefix, entry.producer));
        if let Some((prefix, producer)) = entry.filter(|(prefix, _)| self.away.is_asked(prefix)) {
            let report = Report::OwnRequest(sender);
            self.away.remove(&prefix, producer, AwayReason::Reported(report));
            self.mapping_here(prefix, report);
        }
        true
    }
}
