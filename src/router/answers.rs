//! Answers to Map-Requests for the EIDs of the site (RFC 9301 sections 5.3 to 5.5).

use std::net::{IpAddr, SocketAddr};

use super::Router;
use super::away::{self, Producer};
use super::counters::ControlDrop;
use super::database;
use super::etr::Whereabouts;
use super::explanations;
use super::map_cache::Locator;
use super::map_server::MOST_RECORDS;
use crate::addr::{EidPrefix, Rloc};
use crate::time::Time;
use crate::wire::{
    self, CONTROL_PORT, LocatorRecord, MapReply, MapRequest, MappingRecord, Message,
};

impl Router {
    /// Answers a Map-Request for EIDs of the site, be it direct, a probe, or forwarded by a
    /// map-server: `source` sent it, `port` of the ITR gets the reply, `to` is the RLOC that was asked.
    /// An EID without a route is not answered for: the mapping system is to say so.
    pub(super) fn answer_map_request(
        &mut self,
        request: &MapRequest,
        source: IpAddr,
        (port, to): (u16, Option<Rloc>),
        now: Time,
    ) {
        self.tell_unread_records(source, request, now);
        let mut records: Vec<MappingRecord> = Vec::new();
        for asked in request.records.iter().take(MOST_RECORDS) {
            for record in self.records_for(&asked.eid_prefix) {
                if !records.contains(&record) && records.len() < usize::from(u8::MAX) {
                    records.push(record);
                }
            }
        }
        if request.probe {
            as_probe_reply(&mut records, to);
            if records.is_empty() {
                records.extend(self.proxy_record(request, to));
            }
        }
        let Some(first) = request.records.first().filter(|_| !records.is_empty()) else {
            return self.refuse(source, ControlDrop::NotOurEid, now, || {
                explanations::not_our_eid(request)
            });
        };
        let Some((own, destination)) = self.reply_path(request, to) else {
            return self.refuse_unanswerable(source, request, now);
        };
        let probed = to.filter(|_| request.probe);
        if !self.replies.admit(destination, first.eid_prefix, probed, now) {
            let told = || explanations::asked_too_often(request, destination);
            return self.refuse(source, ControlDrop::RateLimited, now, told);
        }
        let reply = self.map_reply(request, records);
        self.send_map_reply(own, SocketAddr::new(destination.0, port), reply);
    }

    /// Counts the records of a Map-Request beyond those that are looked up, and tells of them.
    pub(super) fn tell_unread_records(&mut self, source: IpAddr, request: &MapRequest, now: Time) {
        let unread = request.records.len().saturating_sub(MOST_RECORDS);
        let told = || explanations::too_many_records(request, MOST_RECORDS);
        self.refuse_parts(source, (ControlDrop::TooManyRecords, unread), now, told);
    }

    /// The reply to a Map-Request; of its bits, E speaks for the site of the records (RFC 9300 section
    /// 10.1).
    pub(super) fn map_reply(&self, request: &MapRequest, records: Vec<MappingRecord>) -> MapReply {
        let own = records.iter().find(|record| record.authoritative);
        let echo_nonce =
            own.is_some_and(|record| self.config.loc_reach(record.eid_prefix.family()).echo_nonce);
        let nonce = request.nonce;
        MapReply { probe: request.probe, echo_nonce, security: false, nonce, records }
    }

    /// Refuses a Map-Request that there is no way back for.
    pub(super) fn refuse_unanswerable(&mut self, source: IpAddr, request: &MapRequest, now: Time) {
        let told = || explanations::no_reply_path(request);
        self.refuse(source, ControlDrop::WrongRecord, now, told);
    }

    /// From which own RLOC to which ITR-RLOC a reply goes: the RLOC that was asked, if it can. An
    /// ITR-RLOC for many gets none.
    pub(super) fn reply_path(
        &self,
        request: &MapRequest,
        asked: Option<Rloc>,
    ) -> Option<(Rloc, Rloc)> {
        let itr_rlocs = || request.itr_rlocs.iter().filter(|itr| !self.local.is_nobodys(**itr));
        let same =
            |own: Rloc| itr_rlocs().find(|itr| itr.family() == own.family()).map(|itr| (own, *itr));
        let own = |itr: &Rloc| self.local.preferred(itr.family()).map(|own| (own, *itr));
        asked.and_then(same).or_else(|| itr_rlocs().find_map(own))
    }

    pub(super) fn send_map_reply(&mut self, source: Rloc, to: SocketAddr, reply: MapReply) {
        self.counters.map_replies.sent += 1;
        if reply.records.iter().any(|record| record.locators.is_empty()) {
            self.counters.negative_map_replies.sent += 1;
        }
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        // A source port of zero is none (RFC 768).
        let port = if to.port() == 0 { CONTROL_PORT } else { to.port() };
        let to = SocketAddr::new(to.ip(), port);
        self.send_control(from, to, &Message::MapReply(reply));
    }

    /// The records for a requested prefix: the entry that covers it, then the more specific ones,
    /// those that another xTR has registered among them, for an ITR that caches the first alone would
    /// send us what is theirs (RFC 9301 section 5.5). Empty when the EID is not ours or has no route.
    pub(super) fn records_for(&self, asked: &EidPrefix) -> Vec<MappingRecord> {
        if !self.config.roles(asked.family()).etr {
            return Vec::new();
        }
        let Whereabouts::Here(prefix) = self.whereabouts(asked.network()) else {
            return Vec::new();
        };
        let Some(entry) = self.database.get(&prefix) else { return Vec::new() };
        if !entry.has_route || !prefix.covers(asked) {
            return Vec::new();
        }
        let inside =
            self.database.entries().covered_by(&prefix).filter(|(inner, _)| *inner != prefix);
        let elsewhere = self.away.entries().covered_by(&prefix).filter(|(inner, away)| {
            *inner != prefix
                && away.producer == Producer::SiteRegistration
                && !away.locators.is_empty()
        });
        std::iter::once((prefix, entry))
            .chain(inside)
            .filter(|(_, entry)| entry.has_route)
            .map(|(prefix, entry)| self.record(prefix, entry))
            .chain(elsewhere.map(|(prefix, away)| self.record_of_another(prefix, away)))
            .collect()
    }

    /// The record of a proxy ETR that an RLOC-probe asks about all of a family, as an ITR does that sends
    /// to non-LISP sites by way of it: the locator that was probed. Nothing less is its own to tell.
    fn proxy_record(&self, request: &MapRequest, probed: Option<Rloc>) -> Option<MappingRecord> {
        let all = request.records.first()?.eid_prefix;
        let serves = self.config.roles(all.family()).proxy_etr
            && all.mask_len() == 0
            && all.instance_id() == self.config.default_instance();
        let locator = LocatorRecord::unicast(probed.filter(|_| serves)?.0, 1, 100);
        let locator = LocatorRecord { probed: true, ..locator };
        let ttl_minutes = self.config.etr_map_cache_ttl(all.family());
        Some(MappingRecord::of_site(all, ttl_minutes, vec![locator]))
    }

    /// The record of a prefix that another xTR has registered, as a map-server has told us: not ours,
    /// so not authoritative.
    fn record_of_another(&self, prefix: EidPrefix, away: &away::Entry) -> MappingRecord {
        let locator = |Locator { rloc, priority, weight, up, .. }: &Locator| LocatorRecord {
            local: false,
            reachable: *up,
            ..LocatorRecord::unicast(rloc.0, *priority, *weight)
        };
        let mut locators: Vec<LocatorRecord> = away.locators.iter().map(locator).collect();
        wire::sort_locators(&mut locators);
        let ttl_minutes = self.config.etr_map_cache_ttl(prefix.family());
        let record = MappingRecord::of_site(prefix, ttl_minutes, locators);
        MappingRecord { authoritative: false, ..record }
    }

    /// The record of a database entry, as it goes into replies and registers.
    pub(super) fn record(&self, prefix: EidPrefix, entry: &database::Entry) -> MappingRecord {
        let ttl_minutes = self.config.etr_map_cache_ttl(prefix.family());
        let locator = |locator: &database::LocalLocator| LocatorRecord {
            local: locator.own,
            reachable: locator.reachable,
            ..LocatorRecord::unicast(locator.rloc.0, locator.priority, locator.weight)
        };
        let mut locators: Vec<LocatorRecord> = entry.locators.iter().map(locator).collect();
        wire::sort_locators(&mut locators);
        MappingRecord::of_site(prefix, ttl_minutes, locators)
    }
}

/// Leaves the records that the site answers for itself, as all of a reply to a probe must be, and sets
/// the p bit of the locator that was probed (RFC 9301 section 5.4).
fn as_probe_reply(records: &mut Vec<MappingRecord>, probed: Option<Rloc>) {
    records.retain(|record| record.authoritative);
    for locator in records.iter_mut().flat_map(|record| &mut record.locators) {
        locator.probed = locator.ip().is_some() && locator.ip() == probed;
    }
}
