//! The ETR and the proxy ETR: packets on their way out of the overlay (RFC 9300 section 4, RFC 6832
//! section 6).

use super::Router;
use super::away::Producer;
use super::eid_location::EidLocation;
use super::io::{DropReason, Encapsulation, Inbound, Outer};
use super::locators::encapsulation;
use super::search::Sought;
use super::verdict::{HeldPacket, Origin, Verdict};
use super::witness::Call;
use crate::addr::{Eid, EidPrefix, InstanceId, Rloc};
use crate::packet::{self, IpHeader, Packet};
use crate::time::Time;
use crate::wire::DataHeader;
use crate::wire::data_header::DATA_HEADER_LEN;

/// The two low bits of a type of service (RFC 3168).
const ECN_MASK: u8 = 0b11;
const NOT_ECT: u8 = 0b00;
const ECT_1: u8 = 0b01;
const CE: u8 = 0b11;

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
    /// Decides on a datagram that was read from UDP port 4341; `datagram` is its payload, from the
    /// LISP header on. A verdict `Deliver` or `Forward` has set the inner TTL and type of service.
    pub fn decapsulate(&mut self, outer: &Outer, datagram: &mut Packet<'_>, now: Time) -> Inbound {
        let segment_size = datagram.segment_size;
        self.witness(Call::Decapsulate { outer, datagram: datagram.bytes, segment_size }, now);
        let inbound = match self.open(datagram.bytes) {
            Ok((lisp, header)) => self.opened(outer, &lisp, header, datagram, now),
            Err(reason) => {
                self.context.counters.dropped(reason, packets_in(datagram));
                Inbound::Dropped(reason)
            }
        };
        for witness in &mut self.witnesses {
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
        if lisp.instance_id.unwrap_or_default() != self.context.config.default_instance() {
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
        let roles = self.context.config.roles(header.family());
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
        self.check_source(source, now)?;
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
        let roles = self.context.config.roles(header.family());
        let source = Eid::new(instance_id, header.source);
        let destination = Eid::new(instance_id, header.destination);
        match EidLocation::of(destination, &self.database, &self.away) {
            EidLocation::Here(prefix) if roles.etr => {
                self.solicitor.heard(prefix, from, source, destination, now);
                self.heard = Some(Heard { from, source, destination, at: now });
                Ok(Verdict::Deliver)
            }
            EidLocation::Away(prefix, producer) if roles.etr => {
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
        if undetected {
            let asker = self.asker(from);
            match self.search_for(destination, asker, Some(&held), now) {
                Sought::Waits => return Ok(Verdict::Hold),
                // It may be here: its sender's mapping may be true.
                Sought::Refused => return Err(DropReason::EidAway),
                Sought::Passes => {}
            }
        }
        self.solicit_sender(from, source, destination, now);
        if producer == Producer::DynamicEid
            && let Some(encapsulation) = self.forward_away(from, prefix, header)
        {
            self.paths.sent_on(encapsulation.destination, now);
            // An ICMP error may come about it.
            self.flows.remember(prefix.instance_id(), header, encapsulation, None);
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
        let lisp = self.context.config.lisp.as_ref()?;
        if lisp.service(prefix.family()).etr_no_forward_away {
            return None;
        }
        let ttl = header.ttl.checked_sub(1).filter(|ttl| *ttl > 0)?;
        let entry = self.away.entries().get(&prefix)?;
        let onward: Vec<_> = entry
            .locators
            .iter()
            .filter(|locator| locator.rloc != from && !self.context.local.contains(locator.rloc.0))
            .cloned()
            .collect();
        let header = IpHeader { ttl, ..*header };
        encapsulation(&onward, &self.context.local, &self.paths, prefix.instance_id(), &header).ok()
    }
}

/// How many packets on the wire a datagram stands for that is not opened: one, if it cannot be read.
fn packets_in(datagram: &mut Packet<'_>) -> u64 {
    let segment_size = datagram.segment_size;
    let inner = datagram.bytes.get_mut(DATA_HEADER_LEN..).unwrap_or_default();
    let header = IpHeader::parse(inner);
    header.map_or(1, |header| Packet { bytes: inner, segment_size }.load(header.total_len).packets)
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
