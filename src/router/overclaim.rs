//! The records that a Map-Reply may add to the map-cache (RFC 9301 sections 8.1 and 9).
//!
//! An ETR that owns one host could answer the Map-Request for this host with a record for all EIDs.
//! So each record is compared with the request:
//!
//! - A record with locators for `0.0.0.0/0` or `::/0` is refused.
//! - Any other record with locators is reduced if its prefix is too wide. The prefix of the reduced
//!   record is inside the static entry that caused the request, and inside the /8 (IPv4) or /16
//!   (IPv6) that contains the requested EID.
//! - A record without locators (a hole) is reduced to the static entry and is never refused: even
//!   `0.0.0.0/1` is a valid answer.
//! - A record that was reduced, or that is wider than a /8 or /16, is valid for at most 15 minutes.
//! - If the record that contains the requested EID is reduced, all other records must be inside its
//!   reduced prefix. A record outside this prefix is ignored.

use std::borrow::Cow;
use std::net::IpAddr;

use super::away::AwayTable;
use super::config::Config;
use super::context::Context;
use super::counters::ControlDrop;
use super::explanations;
use super::map_cache::MapCache;
use crate::addr::{Eid, EidPrefix, Family};
use crate::time::Time;
use crate::wire::MappingRecord;

/// The maximum TTL of a record that was reduced or is very wide, in minutes (RFC 9301 section 8.1).
const SHORT: u32 = 15;

/// The mask length of the widest mapping that is accepted, unless `itr widest-mapping` is
/// configured.
fn widest(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 8,
        Family::Ipv6 => 16,
    }
}

/// The prefixes that the answer to a request may cover.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claims {
    /// The requested EID.
    asked: Eid,
    /// The static entry that caused the request.
    entry: EidPrefix,
    /// The widest prefix that a record with locators may cover.
    widest: EidPrefix,
    takes_default: bool,
}

/// An accepted record of a Map-Reply.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    /// The record as it arrived.
    pub(super) told: &'a MappingRecord,
    /// The record as the map-cache accepts it.
    pub(super) record: Cow<'a, MappingRecord>,
}

/// The records of a Map-Reply, grouped by the result of the comparison with the request.
#[derive(Debug, Default)]
pub(super) struct Held<'a> {
    /// The accepted records, in the order of the message.
    pub(super) taken: Vec<Taken<'a>>,
    /// The refused records for `0.0.0.0/0` or `::/0`.
    defaults: Vec<&'a MappingRecord>,
    /// The records with locators that were reduced, each with its reduced prefix.
    cut: Vec<(&'a MappingRecord, EidPrefix)>,
    /// The records outside the accepted prefix, which are ignored.
    beside: Vec<&'a MappingRecord>,
    /// The number of reduced records without locators.
    negatives_cut: u64,
}

impl Claims {
    /// The widest prefix that a record may cover.
    fn limit(&self, record: &MappingRecord) -> EidPrefix {
        if record.locators.is_empty() { self.entry } else { self.widest }
    }

    fn is_refused(&self, record: &MappingRecord) -> bool {
        is_default(record) && !self.takes_default
    }

    /// The part of a record's prefix that lies within the limit; `None` if no part lies within the
    /// limit.
    fn cut(&self, record: &MappingRecord) -> Option<EidPrefix> {
        let prefix = record.eid_prefix;
        let limit = match is_default(record) && self.takes_default {
            true => self.entry,
            false => self.limit(record),
        };
        match (limit.covers(&prefix), prefix.covers(&limit)) {
            (true, _) => Some(prefix),
            (false, true) => Some(limit),
            (false, false) => None,
        }
    }

    /// Compares the records of a reply with the request. `covering` is the record with a prefix
    /// that contains the requested EID. If a record is about a local prefix (`is_own`), it is not
    /// compared: it gets a TTL of zero, so that the map-cache does not store the record.
    pub(super) fn hold<'a>(
        &self,
        records: &'a [MappingRecord],
        covering: &MappingRecord,
        is_own: impl Fn(&MappingRecord) -> bool,
    ) -> Held<'a> {
        let mut held = Held::default();
        let within = match is_own(covering) {
            true => covering.eid_prefix,
            false => self.cut(covering).unwrap_or(self.widest),
        };
        for told in records.iter().filter(|told| covering.eid_prefix.covers(&told.eid_prefix)) {
            if is_own(told) {
                let record = Cow::Owned(MappingRecord { ttl_minutes: 0, ..told.clone() });
                held.taken.push(Taken { told, record });
                continue;
            }
            if self.is_refused(told) {
                held.defaults.push(told);
                continue;
            }
            let Some(prefix) = self.cut(told).filter(|prefix| within.covers(prefix)) else {
                held.beside.push(told);
                continue;
            };
            let is_cut = prefix != told.eid_prefix;
            match (is_cut, told.locators.is_empty()) {
                (true, true) => held.negatives_cut += 1,
                (true, false) => held.cut.push((told, prefix)),
                (false, _) => {}
            }
            let record = match is_cut || prefix.mask_len() < widest(prefix.family()) {
                true => {
                    let ttl_minutes = told.ttl_minutes.min(SHORT);
                    let whole = told.clone();
                    Cow::Owned(MappingRecord { ttl_minutes, eid_prefix: prefix, ..whole })
                }
                false => Cow::Borrowed(told),
            };
            held.taken.push(Taken { told, record });
        }
        held
    }
}

/// Whether a record sends the packets for all EIDs to its locators.
fn is_default(record: &MappingRecord) -> bool {
    record.eid_prefix.mask_len() == 0 && !record.locators.is_empty()
}

impl Claims {
    /// Returns the prefixes that the answer to a request for `asked` may cover. If no static entry
    /// of the map-cache contains `asked`, this EID is away. In this case, the prefix of the entry
    /// in the away table is used instead of the static entry.
    pub(super) fn of(config: &Config, map_cache: &MapCache, away: &AwayTable, asked: Eid) -> Self {
        let away = || away.entries().longest_match(asked).map(|(prefix, _)| prefix);
        let entry = map_cache.static_around(asked).or_else(away);
        let entry = entry.unwrap_or(asked.host_prefix());
        let family = asked.family();
        let service = config.service(family);
        let configured = service.and_then(|service| service.itr_widest_mapping);
        let widest = asked.prefix(configured.unwrap_or(widest(family)).max(entry.mask_len()));
        let takes_default = service.is_some_and(|service| service.itr_accept_default);
        Claims { asked, entry, widest, takes_default }
    }

    /// Counts the records of a reply from `source` that were refused, reduced or ignored, and
    /// reports these records to the operator.
    pub(super) fn tell(&self, held: &Held<'_>, context: &mut Context, source: IpAddr, now: Time) {
        let Claims { asked, entry, .. } = *self;
        context.counters.negative_records_cut += held.negatives_cut;
        let parts = |count| (ControlDrop::Overclaim, count);
        if let Some(first) = held.defaults.first() {
            let told = || explanations::claims_everything(first.eid_prefix, asked);
            context.refuse_parts(source, parts(held.defaults.len()), now, told);
        }
        if let Some(&(first, to)) = held.cut.first() {
            let told = || explanations::claims_too_much(first.eid_prefix, to, asked, to == entry);
            context.refuse_parts(source, parts(held.cut.len()), now, told);
        }
        if let Some(first) = held.beside.first() {
            let told = || explanations::claims_beside(first.eid_prefix, asked);
            context.refuse_parts(source, parts(held.beside.len()), now, told);
        }
    }
}
