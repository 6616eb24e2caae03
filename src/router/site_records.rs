//! The records of a site for Map-Replies and Map-Registers: the records of local EID prefixes, and
//! the records of longer prefixes inside these prefixes. Another xTR has registered the longer
//! prefixes.

use ipnet::IpNet;

use super::away::{self, AwayTable, Producer};
use super::config::Config;
use super::database::{self, Database};
use super::map_cache::Locator;
use super::reason::ReplyReason;
use crate::addr::{EidPrefix, Rloc};
use crate::wire::{self, Action, LocatorRecord, MapRequest, MappingRecord};

/// The maximum number of prefixes inside another prefix that the router examines for one reply.
/// Prefixes without a route add no octets to the reply, so the size of the reply does not limit
/// this number.
const MOST_LOOKED_AT: usize = 256;

/// The answer to one record of a Map-Request. The records of the Map-Reply are built from this
/// answer later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// The requested EID-Prefix.
    pub asked: EidPrefix,
    /// The prefix of the reply: the longest matching prefix.
    pub about: EidPrefix,
    /// The origin of the mapping.
    pub from: AnswerFrom,
}

/// The origin of a mapping.
#[derive(Clone, Copy, Debug)]
pub(super) enum AnswerFrom {
    /// The database of this router, which is an ETR of the site.
    Database,
    /// The registrations of ETRs at this map-server.
    Registrations {
        /// Whether an ETR asked the map-server to answer. If not, no ETR can be asked.
        for_etr: bool,
    },
    /// There is no mapping.
    Nothing {
        /// The TTL of the answer in minutes.
        ttl_minutes: u32,
        /// Whether the EID is in an EID prefix of a site.
        is_of_site: bool,
    },
    /// This router is a proxy ETR, and the answer is for a whole family.
    ProxyEtr,
}

impl Answer {
    /// Returns the reason for a reply that begins with this answer.
    pub(super) fn reason(&self, is_probe: bool) -> ReplyReason {
        let about = self.about;
        match self.from {
            AnswerFrom::Database if is_probe => ReplyReason::Probe(about),
            AnswerFrom::Database => ReplyReason::LocalEid(about),
            AnswerFrom::Registrations { for_etr: true } => ReplyReason::ProxyReply(about),
            AnswerFrom::Registrations { for_etr: false } => ReplyReason::OpaqueLocators(about),
            AnswerFrom::Nothing { is_of_site: true, .. } => ReplyReason::NotRegistered(about),
            AnswerFrom::Nothing { is_of_site: false, .. } => ReplyReason::NotAnEid(about),
            AnswerFrom::ProxyEtr => ReplyReason::ProxyEtrProbe,
        }
    }
}

/// The tables from which an xTR takes its answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct SiteRecords<'a> {
    /// The local EID prefixes.
    pub database: &'a Database,
    /// The away table: the EIDs of this site that are not at this xTR.
    pub away: &'a AwayTable,
}

impl SiteRecords<'_> {
    /// Returns the answer of the database to a requested prefix. Returns `None` if no local prefix
    /// covers the requested prefix, or if the local prefix is away or has no route. The answer uses
    /// the longest local prefix that covers the whole requested prefix. An ITR requests the whole
    /// prefix of a mapping (RFC 9301 section 5.3) if it renews the mapping or probes one of its
    /// locators. More specific prefixes may begin at the same address, so one address is not enough
    /// to find the mapping.
    pub(super) fn own_answer(&self, config: &Config, asked: EidPrefix) -> Option<Answer> {
        if !config.roles(asked.family()).etr {
            return None;
        }
        let (about, entry) = self.database.entries().covering(&asked).last()?;
        let away = self.away.entries().covering(&asked).last();
        let is_here = away.is_none_or(|(away, _)| about.mask_len() > away.mask_len());
        let from = AnswerFrom::Database;
        (is_here && entry.has_route).then_some(Answer { asked, about, from })
    }

    /// Returns the answer of a proxy ETR to an RLOC-probe for a whole family. An ITR sends this
    /// probe if it reaches non-LISP sites through this proxy ETR. A proxy ETR has no answer for
    /// smaller prefixes.
    pub(super) fn proxy_answer(&self, config: &Config, request: &MapRequest) -> Option<Answer> {
        let all = request.records.first()?.eid_prefix;
        let serves = request.probe
            && config.roles(all.family()).proxy_etr
            && all.mask_len() == 0
            && config.has_instance(all.instance_id());
        serves.then_some(Answer { asked: all, about: all, from: AnswerFrom::ProxyEtr })
    }

    /// Returns the records of an answer, with at most about `room` octets in total. `probed` is the
    /// RLOC that received an RLOC-probe.
    pub(super) fn records(
        &self,
        config: &Config,
        answer: &Answer,
        probed: Option<Rloc>,
        room: usize,
    ) -> Vec<MappingRecord> {
        let about = answer.about;
        match answer.from {
            AnswerFrom::Database => {
                let mut records = self.records_around(config, &answer.asked, about, room);
                if let Some(probed) = probed {
                    as_probe_reply(&mut records, probed);
                }
                records
            }
            AnswerFrom::Registrations { .. } => Vec::new(),
            AnswerFrom::Nothing { ttl_minutes, .. } => vec![negative_record(about, ttl_minutes)],
            AnswerFrom::ProxyEtr => {
                let locator = |probed: Rloc| LocatorRecord {
                    probed: true,
                    ..LocatorRecord::unicast(probed.0, 1, 100)
                };
                let ttl_minutes = config.etr_map_cache_ttl(about.family());
                let locators = probed.into_iter().map(locator).collect();
                vec![MappingRecord::of_site(about, ttl_minutes, locators)]
            }
        }
    }

    /// Returns the record of the local prefix that contains a requested prefix, and then the
    /// records of more specific prefixes inside the local prefix. The list includes prefixes that
    /// another xTR has registered: an ITR that caches only the first record would send us packets
    /// for these prefixes (RFC 9301 section 5.5). If the records have more than `room` octets, the
    /// first record is only about a part of the local prefix. This part contains the requested EID.
    /// It is the widest part for which all records inside the part fit.
    fn records_around(
        &self,
        config: &Config,
        asked: &EidPrefix,
        local: EidPrefix,
        room: usize,
    ) -> Vec<MappingRecord> {
        let Some(entry) = self.database.get(&local) else { return Vec::new() };
        let eid = asked.network();
        let own = self.database.longest_match(eid).map(|(prefix, _)| prefix);
        let others = self.away.longest_match(eid).map(|(prefix, _)| prefix);
        let lens = own.into_iter().chain(others).map(|prefix| prefix.mask_len());
        // Some longer prefixes begin at the requested address and have other records. A part must
        // be wider than these prefixes.
        let more_specific = lens.filter(|len| *len > local.mask_len()).max();
        let longest = more_specific.map_or(eid.host_prefix().mask_len(), |len| len - 1);
        let part = |len: u8| IpNet::new(eid.address, len).ok();
        let parts = (local.mask_len()..=longest).filter_map(part);
        let parts: Vec<EidPrefix> = parts.map(|net| EidPrefix::new(eid.instance_id, net)).collect();
        let first = record(config, local, entry);
        let room = room.saturating_sub(first.emitted_len());
        let widest =
            parts.partition_point(|part| self.records_inside(config, part, room).is_none());
        let Some(widest) = parts.get(widest) else { return Vec::new() };
        let inside = self.records_inside(config, widest, room).unwrap_or_default();
        let first = MappingRecord { eid_prefix: *widest, ..first };
        std::iter::once(first).chain(inside).collect()
    }

    /// Returns the records of the prefixes inside another prefix. Returns `None` if these records
    /// need more than `room` octets, or if there are more than [`MOST_LOOKED_AT`] prefixes. The
    /// function stops at the first record that does not fit.
    fn records_inside(
        &self,
        config: &Config,
        prefix: &EidPrefix,
        room: usize,
    ) -> Option<Vec<MappingRecord>> {
        let own = self.database.entries().covered_by(prefix);
        let own = own.map(|(inside, entry)| {
            (inside, entry.has_route.then(|| record(config, inside, entry)))
        });
        let others = self.away.entries().covered_by(prefix).map(|(inside, away)| {
            let is_known = away.producer == Producer::SiteRegistration && !away.locators.is_empty();
            (inside, is_known.then(|| record_of_another(config, inside, away)))
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
}

/// Returns the record of a prefix. A map-server has reported that another xTR has registered this
/// prefix. The prefix does not belong to this xTR, so the record is not authoritative.
fn record_of_another(config: &Config, prefix: EidPrefix, away: &away::Entry) -> MappingRecord {
    let locator = |Locator { rloc, priority, weight, up, .. }: &Locator| LocatorRecord {
        local: false,
        reachable: *up,
        ..LocatorRecord::unicast(rloc.0, *priority, *weight)
    };
    let mut locators: Vec<LocatorRecord> = away.locators.iter().map(locator).collect();
    wire::sort_locators(&mut locators);
    let ttl_minutes = config.etr_map_cache_ttl(prefix.family());
    let record = MappingRecord::of_site(prefix, ttl_minutes, locators);
    MappingRecord { authoritative: false, ..record }
}

/// The record of a database entry, for Map-Replies and Map-Registers.
pub(super) fn record(config: &Config, prefix: EidPrefix, entry: &database::Entry) -> MappingRecord {
    let ttl_minutes = config.etr_map_cache_ttl(prefix.family());
    let locator = |locator: &database::LocalLocator| LocatorRecord {
        local: locator.own,
        reachable: locator.reachable,
        ..LocatorRecord::unicast(locator.rloc.0, locator.priority, locator.weight)
    };
    let mut locators: Vec<LocatorRecord> = entry.locators.iter().map(locator).collect();
    wire::sort_locators(&mut locators);
    MappingRecord::of_site(prefix, ttl_minutes, locators)
}

/// The record for a prefix that has no mapping.
fn negative_record(prefix: EidPrefix, ttl_minutes: u32) -> MappingRecord {
    MappingRecord {
        action: Action::NativelyForward,
        authoritative: false,
        ..MappingRecord::of_site(prefix, ttl_minutes, Vec::new())
    }
}

/// Changes records so that they answer a probe. Removes the records of other xTRs, because all
/// records in the answer must be authoritative. Sets the p bit of the locator that was probed (RFC
/// 9301 section 5.4).
fn as_probe_reply(records: &mut Vec<MappingRecord>, probed: Rloc) {
    records.retain(|record| record.authoritative);
    for locator in records.iter_mut().flat_map(|record| &mut record.locators) {
        locator.probed = locator.ip() == Some(probed);
    }
}
