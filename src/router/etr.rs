//! The ETR and the proxy ETR: packets on their way out of the overlay (RFC 9300 section 4, RFC 6832
//! section 6), and answers to Map-Requests for the site's EIDs (RFC 9301 section 5.3).

use std::net::{IpAddr, SocketAddr};

use super::Router;
use super::away::{self, Producer};
use super::counters::ControlDrop;
use super::database;
use super::explanations;
use super::io::{DropReason, Encapsulation, Inbound, Outer};
use super::itr::encapsulation;
use super::map_cache::Locator;
use super::map_server::MOST_RECORDS;
use super::verdict::{HeldPacket, Origin, Verdict};
use super::witness::Call;
use crate::addr::{Eid, EidPrefix, InstanceId, Rloc};
use crate::packet::{self, IpHeader, Packet};
use crate::time::Time;
use crate::wire::data_header::DATA_HEADER_LEN;
use crate::wire::{
    self, CONTROL_PORT, DataHeader, LocatorRecord, MapReply, MapRequest, MappingRecord, Message,
};

/// The two low bits of a type of service (RFC 3168).
const ECN_MASK: u8 = 0b11;
const NOT_ECT: u8 = 0b00;
const ECT_1: u8 = 0b01;
const CE: u8 = 0b11;

/// Where a local EID is, by the longer of the database's and the away table's prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// In this site, by this prefix of the database.
    Here(EidPrefix),
    /// Away, by this prefix of the away table.
    Away(EidPrefix, Producer),
    /// It is none of our EIDs.
    Elsewhere,
}

/// A packet that was delivered. Another with the same ends at the same instant is delivered as well,
/// and tells nothing more about its sender: the segments that arrive together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    from: Rloc,
    source: Eid,
    destination: Eid,
    at: Time,
}

impl Router {
    /// Where an EID is in the eyes of this router as an ETR.
    pub(super) fn whereabouts(&self, eid: Eid) -> Whereabouts {
        let here = self.database.longest_match(eid).map(|(prefix, _)| prefix);
        let away = self.away.longest_match(eid);
        match (here, away) {
            (Some(here), Some((away, _))) if here.mask_len() > away.mask_len() => {
                Whereabouts::Here(here)
            }
            (_, Some((away, entry))) => Whereabouts::Away(away, entry.producer),
            (Some(here), None) => Whereabouts::Here(here),
            (None, None) => Whereabouts::Elsewhere,
        }
    }

    /// Decides on a datagram that was read from UDP port 4341; `datagram` is its payload, from the
    /// LISP header on. A verdict `Deliver` or `Forward` has set the inner TTL and type of service.
    pub fn decapsulate(&mut self, outer: &Outer, datagram: &mut Packet<'_>, now: Time) -> Inbound {
        let segment_size = datagram.segment_size;
        self.witness(Call::Decapsulate { outer, datagram: datagram.bytes, segment_size }, now);
        let inbound = match self.open(datagram.bytes) {
            Ok((lisp, header)) => self.opened(outer, &lisp, header, datagram, now),
            Err(reason) => {
                self.counters.dropped(reason, packets_in(datagram));
                Inbound::Dropped(reason)
            }
        };
        if let Some(witness) = &mut self.witness {
            witness.inbound(inbound, datagram.bytes);
        }
        inbound
    }

    /// The LISP header and the inner header of a datagram of our instance.
    fn open(&self, datagram: &[u8]) -> Result<(DataHeader, IpHeader), DropReason> {
        let (lisp, _) = DataHeader::parse(datagram).map_err(|_| DropReason::BadDataHeader)?;
        // A payload encrypted by RFC 8061 cannot be read here.
        if lisp.key != 0 {
            return Err(DropReason::BadDataHeader);
        }
        if lisp.instance_id.unwrap_or_default() != self.config.default_instance() {
            return Err(DropReason::UnknownInstance);
        }
        let inner = &datagram[DATA_HEADER_LEN..];
        let header = IpHeader::parse(inner).map_err(|_| DropReason::BadInnerPacket)?;
        Ok((lisp, header))
    }

    fn opened(
        &mut self,
        outer: &Outer,
        lisp: &DataHeader,
        mut header: IpHeader,
        datagram: &mut Packet<'_>,
        now: Time,
    ) -> Inbound {
        let instance_id = lisp.instance_id.unwrap_or_default();
        let inner = &mut datagram.bytes[DATA_HEADER_LEN..];
        let mut inner = Packet { bytes: inner, segment_size: datagram.segment_size };
        let decision = self.inbound(outer, lisp, &mut header, &mut inner, now);
        let len = header.total_len;
        match self.finish(decision, instance_id, &header, &mut inner) {
            Ok(Verdict::Deliver | Verdict::Native) => Inbound::Deliver { instance_id, len },
            Ok(Verdict::Forward(encapsulation) | Verdict::Encapsulate(encapsulation)) => {
                Inbound::Forward { encapsulation, len }
            }
            Ok(Verdict::Hold) => Inbound::Held,
            Err(reason) => Inbound::Dropped(reason),
        }
    }

    /// Decides on a packet from the core, and gives it and `header` the TTL and the type of service that
    /// the outer header says.
    fn inbound(
        &mut self,
        outer: &Outer,
        lisp: &DataHeader,
        header: &mut IpHeader,
        inner: &mut Packet<'_>,
        now: Time,
    ) -> Result<Verdict, DropReason> {
        if header.is_link_scoped() {
            return Err(DropReason::InnerLinkScoped);
        }
        let roles = self.config.roles(header.family());
        if !roles.etr && !roles.proxy_etr {
            return Err(DropReason::NotAnEtr);
        }
        let tos = decapsulated_tos(header.tos, outer.tos).ok_or(DropReason::EcnMismatch)?;
        let ttl = header.ttl.min(outer.ttl);
        if ttl == 0 {
            return Err(DropReason::OuterTtlExpired);
        }
        if ttl != header.ttl {
            packet::set_ttl(inner.bytes, ttl);
        }
        if tos != header.tos {
            packet::set_tos(inner.bytes, tos);
        }
        (header.ttl, header.tos) = (ttl, tos);
        let instance_id = lisp.instance_id.unwrap_or_default();
        let source = Eid::new(instance_id, header.source);
        let destination = Eid::new(instance_id, header.destination);
        let from = Rloc(outer.source);
        if self.heard == Some(Heard { from, source, destination, at: now }) {
            return Ok(Verdict::Deliver);
        }
        self.take_status_bits(lisp, from, source, now);
        self.take_nonce(lisp.nonce, from, header.family(), now);
        self.arrived(instance_id, from, header, inner, now)
    }

    /// Decides on a packet from the core by where its destination is.
    pub(super) fn arrived(
        &mut self,
        instance_id: InstanceId,
        from: Rloc,
        header: &IpHeader,
        inner: &mut Packet<'_>,
        now: Time,
    ) -> Result<Verdict, DropReason> {
        let roles = self.config.roles(header.family());
        let source = Eid::new(instance_id, header.source);
        let destination = Eid::new(instance_id, header.destination);
        match self.whereabouts(destination) {
            Whereabouts::Here(prefix) if roles.etr => {
                self.solicitor.heard(prefix, from, source, destination, now);
                self.heard = Some(Heard { from, source, destination, at: now });
                Ok(Verdict::Deliver)
            }
            Whereabouts::Away(prefix, producer) if roles.etr => {
                self.solicitor.heard(prefix, from, source, destination, now);
                self.stray(from, (prefix, producer), header, inner, now)
            }
            _ if roles.proxy_etr => Ok(Verdict::Deliver),
            _ => Err(DropReason::NotOurEid),
        }
    }

    /// A packet came for an EID that is away, by a mapping that is no longer true. A host of a dynamic
    /// range that may be on a port here is looked for; else the sender is solicited, and a packet for a
    /// host whose new locator is known goes on to it.
    fn stray(
        &mut self,
        from: Rloc,
        (prefix, producer): (EidPrefix, Producer),
        header: &IpHeader,
        inner: &mut Packet<'_>,
        now: Time,
    ) -> Result<Verdict, DropReason> {
        let source = Eid::new(prefix.instance_id(), header.source);
        let destination = Eid::new(prefix.instance_id(), header.destination);
        let undetected = producer == Producer::DynamicEid && prefix != destination.host_prefix();
        let held = || HeldPacket::new(inner, header, Origin::Core(from));
        if undetected && self.search_for(destination, Some(&held), now) {
            return Ok(Verdict::Hold);
        }
        self.solicit_sender(from, source, destination, now);
        if producer == Producer::DynamicEid
            && let Some(encapsulation) = self.forward_away(from, prefix, header)
        {
            return Ok(Verdict::Forward(encapsulation));
        }
        Err(match producer {
            Producer::NoRoute => DropReason::NoRouteToEid,
            _ => DropReason::EidAway,
        })
    }

    /// The way to where an away host is now: one hop less, and never back to where the packet came
    /// from, so that the packet cannot loop between two xTRs that each believe that the other has the
    /// host.
    fn forward_away(
        &self,
        from: Rloc,
        prefix: EidPrefix,
        header: &IpHeader,
    ) -> Option<Encapsulation> {
        let lisp = self.config.lisp.as_ref()?;
        if lisp.service(prefix.family()).etr_no_forward_away {
            return None;
        }
        let ttl = header.ttl.checked_sub(1).filter(|ttl| *ttl > 0)?;
        let entry = self.away.entries().get(&prefix)?;
        let onward: Vec<_> = entry
            .locators
            .iter()
            .filter(|locator| locator.rloc != from && !self.local.contains(locator.rloc.0))
            .cloned()
            .collect();
        let header = IpHeader { ttl, ..*header };
        encapsulation(&onward, &self.local, &self.paths, prefix.instance_id(), &header).ok()
    }

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

/// How many packets on the wire a datagram stands for that is not opened: one, if it cannot be read.
fn packets_in(datagram: &mut Packet<'_>) -> u64 {
    let segment_size = datagram.segment_size;
    let inner = datagram.bytes.get_mut(DATA_HEADER_LEN..).unwrap_or_default();
    let header = IpHeader::parse(inner);
    header.map_or(1, |header| Packet { bytes: inner, segment_size }.load(header.total_len).packets)
}

/// Leaves the records that the site answers for itself, as all of a reply to a probe must be, and sets
/// the p bit of the locator that was probed (RFC 9301 section 5.4).
fn as_probe_reply(records: &mut Vec<MappingRecord>, probed: Option<Rloc>) {
    records.retain(|record| record.authoritative);
    for locator in records.iter_mut().flat_map(|record| &mut record.locators) {
        locator.probed = locator.ip().is_some() && locator.ip() == probed;
    }
}

/// The inner type of service after decapsulation: DSCP from the outer header (RFC 9300 section
/// 5.3), ECN by RFC 6040 figure 4; `None` where it says drop.
fn decapsulated_tos(inner: u8, outer: u8) -> Option<u8> {
    let ecn = match (inner & ECN_MASK, outer & ECN_MASK) {
        (NOT_ECT, CE) => return None,
        (NOT_ECT, _) => NOT_ECT,
        (_, CE) => CE,
        (CE, _) => CE,
        (_, ECT_1) => ECT_1,
        (inner, _) => inner,
    };
    Some(outer & !ECN_MASK | ecn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecn_follows_figure_4_of_rfc_6040() {
        const ECT_0: u8 = 0b10;
        let cases = [
            (NOT_ECT, [Some(NOT_ECT), Some(NOT_ECT), Some(NOT_ECT), None]),
            (ECT_0, [Some(ECT_0), Some(ECT_0), Some(ECT_1), Some(CE)]),
            (ECT_1, [Some(ECT_1), Some(ECT_1), Some(ECT_1), Some(CE)]),
            (CE, [Some(CE), Some(CE), Some(CE), Some(CE)]),
        ];
        for (inner, expected) in cases {
            for (outer, expected) in [NOT_ECT, ECT_0, ECT_1, CE].into_iter().zip(expected) {
                assert_eq!(decapsulated_tos(inner, outer), expected, "{inner:02b} {outer:02b}");
            }
        }
    }

    #[test]
    fn dscp_comes_from_the_outer_header() {
        assert_eq!(decapsulated_tos(0b0000_0010, 0b1011_1010), Some(0b1011_1010));
    }
}
