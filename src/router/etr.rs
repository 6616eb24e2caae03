//! The ETR and the proxy ETR: they decapsulate packets from the core (RFC 9300 section 4, RFC 6832
//! section 6).

use super::Router;
use super::away::Producer;
use super::carry_out::set_header;
use super::decide::{Draft, Judgement, stopped};
use super::decision::{Awaited, Because, FlowWant, Origin, Rule, Table, Transit, Verdict};
use super::eid_location::EidLocation;
use super::heard::Heard;
use super::io::{DropReason, Encapsulation, Inbound, Outer};
use super::last_drops::LastDrop;
use super::locators::encapsulation;
use super::mobility::Discovery;
use super::searches::Sought;
use super::witness::Call;
use crate::addr::{Eid, EidPrefix, Rloc};
use crate::packet::{IpHeader, Packet};
use crate::time::Time;
use crate::wire::DataHeader;
use crate::wire::data_header::DATA_HEADER_LEN;

/// The ECN field: the two low bits of a type of service (RFC 3168).
const ECN_MASK: u8 = 0b11;
const NOT_ECT: u8 = 0b00;
const ECT_1: u8 = 0b01;
const CE: u8 = 0b11;

impl Router {
    /// Handles a datagram that was received on UDP port 4341. `datagram` is the payload and starts
    /// with the LISP header. If the result is `Deliver` or `Forward`, the inner packet has its new
    /// TTL and type of service.
    pub fn decapsulate(&mut self, outer: &Outer, datagram: &mut Packet<'_>, now: Time) -> Inbound {
        let segment_size = datagram.segment_size;
        self.witness(Call::Decapsulate { outer, datagram: datagram.bytes, segment_size }, now);
        let inbound = match self.open(datagram.bytes) {
            Ok((lisp, header)) => self.opened(outer, &lisp, header, datagram, now),
            Err(reason) => {
                self.context.counters.dropped(reason, packets_in(datagram));
                let inner = datagram.bytes.get(DATA_HEADER_LEN..).unwrap_or_default();
                let addresses =
                    IpHeader::parse(inner).ok().map(|header| (header.source, header.destination));
                let drop = LastDrop { at: now, addresses, encapsulator: Some(outer.source) };
                self.context.last_drops.note(reason, drop);
                Inbound::Dropped(reason)
            }
        };
        for witness in &mut self.context.witnesses {
            witness.inbound(inbound, datagram.bytes);
        }
        inbound
    }

    /// Reads the LISP header and the inner header of a datagram, and checks the LISP header.
    fn open(&self, datagram: &[u8]) -> Result<(DataHeader, IpHeader), DropReason> {
        let (lisp, _) = DataHeader::parse(datagram).map_err(|_| DropReason::BadDataHeader)?;
        self.check_lisp_header(&lisp).map_err(|(reason, _)| reason)?;
        let inner = &datagram[DATA_HEADER_LEN..];
        let header = IpHeader::parse(inner).map_err(|_| DropReason::BadInnerPacket)?;
        Ok((lisp, header))
    }

    /// Checks a LISP header: this router must have the instance of the header, and must be able to
    /// read the payload after the header.
    ///
    /// # Errors
    /// Returns the reason and the rule if the check fails.
    pub(super) fn check_lisp_header(&self, lisp: &DataHeader) -> Result<(), (DropReason, Rule)> {
        // This router cannot read a payload that is encrypted by RFC 8061.
        if lisp.key != 0 {
            return Err((DropReason::BadDataHeader, Rule::BadLispHeader));
        }
        if !self.context.config.has_instance(lisp.instance_id.unwrap_or_default()) {
            return Err((DropReason::UnknownInstance, Rule::UnknownInstance));
        }
        Ok(())
    }

    fn opened(
        &mut self,
        outer: &Outer,
        lisp: &DataHeader,
        header: IpHeader,
        datagram: &mut Packet<'_>,
        now: Time,
    ) -> Inbound {
        let instance_id = lisp.instance_id.unwrap_or_default();
        let len = header.total_len;
        let inner = &mut datagram.bytes[DATA_HEADER_LEN..];
        let mut inner = Packet { bytes: inner, segment_size: datagram.segment_size };
        let heard = Heard {
            from: Rloc(outer.source),
            source: Eid::new(instance_id, header.source),
            destination: Eid::new(instance_id, header.destination),
            at: now,
        };
        if self.heard == Some(heard)
            && let Ok((ttl, tos)) = decapsulated(&header, outer)
        {
            set_header(inner.bytes, &header, ttl, tos);
            self.context.counters.decapsulations += inner.load(len).packets;
            return Inbound::Deliver { instance_id, len };
        }
        let origin = Origin::Core { outer: *outer, lisp: *lisp };
        let transit = Transit::new(instance_id, header, origin, &inner);
        let decision = self.decide(&transit, &inner, now);
        match self.carry_out(&decision, &transit, &mut inner, now) {
            Verdict::Deliver | Verdict::Native => {
                self.heard = decision.wants.hear.map(|_| heard);
                Inbound::Deliver { instance_id, len }
            }
            Verdict::Forward(encapsulation) | Verdict::Encapsulate(encapsulation) => {
                Inbound::Forward { encapsulation, len }
            }
            Verdict::Hold(_) => Inbound::Held,
            Verdict::Drop(reason) => Inbound::Dropped(reason),
        }
    }

    /// Judges a packet from the core. The packet gets a TTL and a type of service that depend on
    /// the outer header.
    pub(super) fn inbound(
        &self,
        transit: &Transit,
        outer: &Outer,
        draft: &mut Draft,
        now: Time,
    ) -> Judgement {
        let header = &transit.header;
        if header.is_link_scoped() {
            return stopped(DropReason::InnerLinkScoped, Because::rule(Rule::LinkScoped));
        }
        let roles = self.context.config.roles(header.family());
        if !roles.etr && !roles.proxy_etr {
            return stopped(DropReason::NotAnEtr, Because::rule(Rule::NoEtr));
        }
        match decapsulated(header, outer) {
            Ok((ttl, tos)) => (draft.ttl, draft.tos) = (ttl, tos),
            Err((reason, rule)) => return stopped(reason, Because::rule(rule)),
        }
        let tables = (&self.database, &self.away);
        let config = &self.context.config;
        match self.sources.check(config, tables, &self.mobility, transit.source()) {
            Ok(want) => draft.wants.source = want,
            Err(because) => return stopped(DropReason::SourceIsHere, because),
        }
        draft.wants.read_header = !transit.has_waited;
        match EidLocation::of(transit.destination(), &self.database, &self.away) {
            EidLocation::Here(prefix) if roles.etr => {
                draft.wants.hear = Some(prefix);
                (Verdict::Deliver, Because::line(Rule::LocalEid, Table::Database, prefix))
            }
            EidLocation::Away(prefix, producer) if roles.etr => {
                draft.wants.hear = Some(prefix);
                self.for_away(transit, (prefix, producer), draft, now)
            }
            _ if roles.proxy_etr => (Verdict::Deliver, Because::rule(Rule::AnyEid)),
            _ => stopped(DropReason::NotOurEid, Because::rule(Rule::NotOurEid)),
        }
    }

    /// Judges a packet for an EID that is away: the xTR that encapsulated the packet has an old
    /// mapping. If the EID is a host of a dynamic range and may be on a port of this router, the
    /// router searches for the host. Otherwise, the router sends an SMR to the xTR. If the host
    /// moved and its new locator is known, the router also forwards the packet to the new locator.
    fn for_away(
        &self,
        transit: &Transit,
        (prefix, producer): (EidPrefix, Producer),
        draft: &mut Draft,
        now: Time,
    ) -> Judgement {
        let destination = transit.destination();
        let because = |rule| Because::line(rule, Table::Away, prefix);
        if producer == Producer::DynamicEid && prefix != destination.host_prefix() {
            let sought = self.prospect(destination, self.asker(&transit.origin), now);
            if sought != Sought::Passes {
                draft.wants.search_destination = Some(Discovery::Search);
            }
            match sought {
                Sought::Waits => {
                    return (Verdict::Hold(Awaited::Host), because(Rule::HostIsSought));
                }
                // The host may be at this xTR. So the encapsulating xTR may have the right mapping,
                // and the router sends no SMR.
                Sought::Refused => {
                    return stopped(DropReason::EidAway, because(Rule::NoRoomToSearch));
                }
                Sought::Passes => {}
            }
        }
        draft.wants.solicit = true;
        let moved =
            (producer == Producer::DynamicEid).then(|| self.forward_away(transit, prefix, draft));
        match (moved.flatten(), producer) {
            (Some(wrap), _) => {
                // The flow cache stores this packet, because an ICMP error about the packet may
                // arrive.
                draft.wants.remember = FlowWant::Sent;
                (Verdict::Forward(wrap), because(Rule::EidMoved))
            }
            (None, Producer::NoRoute) => {
                stopped(DropReason::NoRouteToEid, because(Rule::EidWithoutRoute))
            }
            (None, _) => stopped(DropReason::EidAway, because(Rule::EidAway)),
        }
    }

    /// The encapsulation of a packet to the new locator of a host that is away. The TTL becomes
    /// smaller by one, and the packet is never sent back to the xTR from which it came. So if each
    /// of two xTRs believes that the other xTR has the host, the packet does not loop.
    fn forward_away(
        &self,
        transit: &Transit,
        prefix: EidPrefix,
        draft: &Draft,
    ) -> Option<Encapsulation> {
        let lisp = self.context.config.lisp.as_ref()?;
        if lisp.service(prefix.family()).etr_no_forward_away {
            return None;
        }
        let ttl = draft.ttl.checked_sub(1).filter(|ttl| *ttl > 0)?;
        let from = transit.origin.encapsulator();
        let entry = self.away.entries().get(&prefix)?;
        let local = &self.context.local;
        let onward: Vec<_> = entry
            .locators
            .iter()
            .filter(|locator| Some(locator.rloc) != from && !local.contains(locator.rloc.0))
            .cloned()
            .collect();
        let header = IpHeader { ttl, tos: draft.tos, ..transit.header };
        encapsulation(&onward, local, &self.reachability, prefix.instance_id(), &header)
    }
}

/// The TTL and the type of service of a packet after decapsulation.
///
/// # Errors
/// Returns the reason and the rule if the packet must not be decapsulated.
fn decapsulated(header: &IpHeader, outer: &Outer) -> Result<(u8, u8), (DropReason, Rule)> {
    let tos = decapsulated_tos(header.tos, outer.tos)
        .ok_or((DropReason::EcnMismatch, Rule::EcnMismatch))?;
    match header.ttl.min(outer.ttl) {
        0 => Err((DropReason::OuterTtlExpired, Rule::OuterTtlExpired)),
        ttl => Ok((ttl, tos)),
    }
}

/// The number of packets on the wire in a dropped datagram: the number of segments if the datagram
/// is a super-packet. The number is one if the inner header cannot be read.
fn packets_in(datagram: &mut Packet<'_>) -> u64 {
    let segment_size = datagram.segment_size;
    let inner = datagram.bytes.get_mut(DATA_HEADER_LEN..).unwrap_or_default();
    let header = IpHeader::parse(inner);
    header.map_or(1, |header| Packet { bytes: inner, segment_size }.load(header.total_len).packets)
}

/// The inner type of service after decapsulation. The DSCP is the DSCP of the outer header (RFC
/// 9300 section 5.3). The ECN field follows figure 4 of RFC 6040. `None` if this figure says that
/// the packet must be dropped.
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
