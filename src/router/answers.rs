//! Answers to Map-Requests (RFC 9301 sections 5.3 to 5.5): the records for the EIDs of the site,
//! and the reply that an ETR or a map-server sends. [`super::replies`] has its limits.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::Router;
use super::away::{self, Producer};
use super::bounded::Fill;
use super::control::Arrival;
use super::counters::ControlDrop;
use super::database;
use super::explanations;
use super::map_cache::Locator;
use super::map_server::{MOST_RECORDS, negative_record};
use super::replies::Credit;
use super::reply_records::ReplyRecords;
use crate::addr::{EidPrefix, Rloc};
use crate::time::Time;
use crate::wire::{
    self, CONTROL_PORT, LocatorRecord, MapReply, MapRequest, MappingRecord, Message,
};

/// Prefixes inside another that are looked at for one reply: those without a route take no room.
const MOST_LOOKED_AT: usize = 256;

/// The answer to a record of a Map-Request, before its records are built.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// The EID-Prefix that is asked for.
    pub asked: EidPrefix,
    /// The prefix that the reply is about: the longest match.
    pub about: EidPrefix,
    /// The source of the mapping.
    pub from: AnswerFrom,
}

/// The source of a mapping.
#[derive(Clone, Copy, Debug)]
pub(super) enum AnswerFrom {
    /// The database of this router, an ETR of the site.
    Database,
    /// The registrations of ETRs here.
    Registrations,
    /// There is no mapping, for so many minutes.
    Nothing {
        /// The TTL.
        ttl_minutes: u32,
    },
    /// This router, a proxy ETR for all of a family.
    ProxyEtr,
}

impl Router {
    /// How full the tables are that hold the limits of Map-Replies.
    pub fn reply_limits(&self) -> [Fill; 2] {
        self.replies.fills()
    }

    /// Answers a Map-Request for EIDs of the site, be it direct, a probe, or forwarded by a
    /// map-server. An EID without a route is not answered for: the mapping system is to say so.
    pub(super) fn answer_map_request(&mut self, request: &MapRequest, arrival: Arrival, now: Time) {
        self.tell_unread_records(arrival.sender, request, now);
        let asked = request.records.iter().take(MOST_RECORDS).map(|record| record.eid_prefix);
        let own = asked.filter_map(|asked| self.own_answer(asked));
        let mut answers: Vec<Answer> = own.collect();
        if answers.is_empty() {
            answers.extend(self.proxy_answer(request));
        }
        if answers.is_empty() {
            let told = || explanations::not_our_eid(request);
            return self.context.refuse(arrival.sender, ControlDrop::NotOurEid, now, told);
        }
        let Some(path) = self.reply_path(request, arrival.at) else {
            return self.refuse_unanswerable(arrival.sender, request, now);
        };
        let credit = Credit::of_request(path.1, arrival.octets);
        self.reply(request, &answers, (path, credit), arrival, now);
    }

    /// Replies with those answers that the limits of the ITR-RLOC let through, if any.
    pub(super) fn reply(
        &mut self,
        request: &MapRequest,
        answers: &[Answer],
        ((source, itr), mut credit): ((Rloc, Rloc), Credit),
        arrival: Arrival,
        now: Time,
    ) {
        let probed = request.probe.then_some(arrival.at);
        let mut records = ReplyRecords::new(itr.family(), self.replies.may_send(&credit, now));
        let mut admitted = BTreeMap::new();
        let (mut too_often, mut too_large) = (0, 0);
        for answer in answers {
            let admit = || records.has_room() && self.replies.admit(itr, answer.about, probed, now);
            if !*admitted.entry(answer.about).or_insert_with(admit) {
                too_often += 1;
            } else if !records.tell_of(answer)
                && !records.push(self.records_of(answer, probed, records.room()))
            {
                too_large += 1;
            }
        }
        if records.is_empty() || !self.replies.spend(&mut credit, records.octets(), now) {
            let told = || explanations::asked_too_often(request, itr);
            let refused = (ControlDrop::RateLimited, answers.len());
            return self.context.refuse_parts(arrival.sender, refused, now, told);
        }
        let told = || explanations::asked_too_often(request, itr);
        self.context.refuse_parts(arrival.sender, (ControlDrop::RateLimited, too_often), now, told);
        let told = || explanations::reply_is_full(request);
        self.context.refuse_parts(
            arrival.sender,
            (ControlDrop::TooManyRecords, too_large),
            now,
            told,
        );
        let reply = self.map_reply(request, records.into_records());
        self.send_map_reply(source, SocketAddr::new(itr.0, arrival.reply_port), reply);
    }

    /// Counts the records of a Map-Request beyond those that are looked up, and tells of them.
    pub(super) fn tell_unread_records(&mut self, source: IpAddr, request: &MapRequest, now: Time) {
        let unread = request.records.len().saturating_sub(MOST_RECORDS);
        let told = || explanations::too_many_records(request, MOST_RECORDS);
        self.context.refuse_parts(source, (ControlDrop::TooManyRecords, unread), now, told);
    }

    /// The reply to a Map-Request; of its bits, E speaks for the site of the records (RFC 9300
    /// section 10.1).
    fn map_reply(&self, request: &MapRequest, records: Vec<MappingRecord>) -> MapReply {
        let own = records.iter().find(|record| record.authoritative);
        let echo_nonce = own.is_some_and(|record| {
            self.context.config.loc_reach(record.eid_prefix.family()).echo_nonce
        });
        let nonce = request.nonce;
        MapReply { probe: request.probe, echo_nonce, security: false, nonce, records }
    }

    /// Refuses a Map-Request that there is no way back for.
    pub(super) fn refuse_unanswerable(&mut self, source: IpAddr, request: &MapRequest, now: Time) {
        let told = || explanations::no_reply_path(request);
        self.context.refuse(source, ControlDrop::WrongRecord, now, told);
    }

    /// From which own RLOC to which ITR-RLOC a reply goes: the RLOC that was asked, if it can. An
    /// ITR-RLOC for many gets none.
    pub(super) fn reply_path(&self, request: &MapRequest, asked: Rloc) -> Option<(Rloc, Rloc)> {
        let itr_rlocs =
            || request.itr_rlocs.iter().filter(|itr| !self.context.local.is_nobodys(**itr));
        let same =
            |own: Rloc| itr_rlocs().find(|itr| itr.family() == own.family()).map(|itr| (own, *itr));
        let own = |itr: &Rloc| self.context.local.preferred(itr.family()).map(|own| (own, *itr));
        same(asked).or_else(|| itr_rlocs().find_map(own))
    }

    fn send_map_reply(&mut self, source: Rloc, to: SocketAddr, reply: MapReply) {
        self.context.counters.map_replies.sent += 1;
        if reply.records.iter().any(|record| record.locators.is_empty()) {
            self.context.counters.negative_map_replies.sent += 1;
        }
        let from = SocketAddr::new(source.0, CONTROL_PORT);
        // A source port of zero is none (RFC 768).
        let port = if to.port() == 0 { CONTROL_PORT } else { to.port() };
        let to = SocketAddr::new(to.ip(), port);
        self.context.send_control(from, to, &Message::MapReply(reply));
    }

    /// The answer of the database to a requested prefix: none when it is not ours or has no route. It
    /// is about the longest local prefix that covers all of the requested one: an ITR that asks again
    /// for a mapping that it has, or probes one of its locators, asks for its prefix (RFC 9301 section
    /// 5.3), and more specific ones may begin at the same address.
    pub(super) fn own_answer(&self, asked: EidPrefix) -> Option<Answer> {
        if !self.context.config.roles(asked.family()).etr {
            return None;
        }
        let (about, entry) = self.database.entries().covering(&asked).last()?;
        let away = self.away.entries().covering(&asked).last();
        let is_here = away.is_none_or(|(away, _)| about.mask_len() > away.mask_len());
        let from = AnswerFrom::Database;
        (is_here && entry.has_route).then_some(Answer { asked, about, from })
    }

    /// The answer of a proxy ETR to an RLOC-probe that asks about all of a family, as an ITR does
    /// that sends to non-LISP sites by way of it. It has nothing to tell about less.
    fn proxy_answer(&self, request: &MapRequest) -> Option<Answer> {
        let all = request.records.first()?.eid_prefix;
        let serves = request.probe
            && self.context.config.roles(all.family()).proxy_etr
            && all.mask_len() == 0
            && all.instance_id() == self.context.config.default_instance();
        serves.then_some(Answer { asked: all, about: all, from: AnswerFrom::ProxyEtr })
    }

    /// The records of an answer, in about so many octets; `probed` is the RLOC that a probe came
    /// to.
    fn records_of(&self, answer: &Answer, probed: Option<Rloc>, room: usize) -> Vec<MappingRecord> {
        let about = answer.about;
        match answer.from {
            AnswerFrom::Database => {
                let mut records = self.records_around(&answer.asked, about, room);
                if let Some(probed) = probed {
                    as_probe_reply(&mut records, probed);
                }
                records
            }
            AnswerFrom::Registrations => self.map_server.mapping(&about).into_iter().collect(),
            AnswerFrom::Nothing { ttl_minutes } => vec![negative_record(about, ttl_minutes)],
            AnswerFrom::ProxyEtr => {
                let locator = |probed: Rloc| LocatorRecord {
                    probed: true,
                    ..LocatorRecord::unicast(probed.0, 1, 100)
                };
                let ttl_minutes = self.context.config.etr_map_cache_ttl(about.family());
                let locators = probed.into_iter().map(locator).collect();
                vec![MappingRecord::of_site(about, ttl_minutes, locators)]
            }
        }
    }

    /// The record of the local prefix around a requested one, then the more specific ones inside,
    /// those that another xTR has registered among them: an ITR that caches the first alone would
    /// send us packets for the others (RFC 9301 section 5.5). If these do not fit, the first record
    /// is about a part of the local prefix: the widest one around the requested EID whose more
    /// specific ones fit.
    fn records_around(
        &self,
        asked: &EidPrefix,
        local: EidPrefix,
        room: usize,
    ) -> Vec<MappingRecord> {
        let Some(entry) = self.database.get(&local) else { return Vec::new() };
        let eid = asked.network();
        let own = self.database.longest_match(eid).map(|(prefix, _)| prefix);
        let others = self.away.longest_match(eid).map(|(prefix, _)| prefix);
        let lens = own.into_iter().chain(others).map(|prefix| prefix.mask_len());
        // A part is no longer than the prefixes that begin at the address and have other records.
        let more_specific = lens.filter(|len| *len > local.mask_len()).max();
        let longest = more_specific.map_or(eid.host_prefix().mask_len(), |len| len - 1);
        let part = |len: u8| IpNet::new(eid.address, len).ok();
        let parts = (local.mask_len()..=longest).filter_map(part);
        let parts: Vec<EidPrefix> = parts.map(|net| EidPrefix::new(eid.instance_id, net)).collect();
        let first = self.record(local, entry);
        let room = room.saturating_sub(first.emitted_len());
        let widest = parts.partition_point(|part| self.records_inside(part, room).is_none());
        let Some(widest) = parts.get(widest) else { return Vec::new() };
        let inside = self.records_inside(widest, room).unwrap_or_default();
        let first = MappingRecord { eid_prefix: *widest, ..first };
        std::iter::once(first).chain(inside).collect()
    }

    /// The records of the prefixes inside another one; `None` when they have more than `room`
    /// octets. It looks at few more of them than fit, however many there are.
    fn records_inside(&self, prefix: &EidPrefix, room: usize) -> Option<Vec<MappingRecord>> {
        let own = self.database.entries().covered_by(prefix);
        let own = own
            .map(|(inside, entry)| (inside, entry.has_route.then(|| self.record(inside, entry))));
        let others = self.away.entries().covered_by(prefix).map(|(inside, away)| {
            let is_known = away.producer == Producer::SiteRegistration && !away.locators.is_empty();
            (inside, is_known.then(|| self.record_of_another(inside, away)))
        });
        let inside = own.chain(others).filter(|(inside, _)| inside != prefix);
        let (mut records, mut octets) = (Vec::new(), 0);
        for (looked_at, (_, record)) in inside.enumerate() {
            if looked_at >= MOST_LOOKED_AT {
                return None;
            }
            octets += record.as_ref().map_or(0, MappingRecord::emitted_len);
            if octets > room {
                return None;
            }
            records.extend(record);
        }
        Some(records)
    }

    /// The record of a prefix that another xTR has registered, as a map-server has told us: not
    /// ours, so not authoritative.
    fn record_of_another(&self, prefix: EidPrefix, away: &away::Entry) -> MappingRecord {
        let locator = |Locator { rloc, priority, weight, up, .. }: &Locator| LocatorRecord {
            local: false,
            reachable: *up,
            ..LocatorRecord::unicast(rloc.0, *priority, *weight)
        };
        let mut locators: Vec<LocatorRecord> = away.locators.iter().map(locator).collect();
        wire::sort_locators(&mut locators);
        let ttl_minutes = self.context.config.etr_map_cache_ttl(prefix.family());
        let record = MappingRecord::of_site(prefix, ttl_minutes, locators);
        MappingRecord { authoritative: false, ..record }
    }

    /// The record of a database entry, as it goes into replies and registers.
    pub(super) fn record(&self, prefix: EidPrefix, entry: &database::Entry) -> MappingRecord {
        let ttl_minutes = self.context.config.etr_map_cache_ttl(prefix.family());
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

/// Leaves the records that the site answers for itself, as all of a reply to a probe must be, and
/// sets the p bit of the locator that was probed (RFC 9301 section 5.4).
fn as_probe_reply(records: &mut Vec<MappingRecord>, probed: Rloc) {
    records.retain(|record| record.authoritative);
    for locator in records.iter_mut().flat_map(|record| &mut record.locators) {
        locator.probed = locator.ip() == Some(probed);
    }
}
