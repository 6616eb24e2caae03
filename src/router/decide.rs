//! Decisions on packets from and to EIDs: packets that have just arrived, packets that have waited,
//! and packets that a user asks about. There are also decisions on Map-Requests that a user asks
//! about. These functions change nothing. The file `carry_out.rs` carries out a decision.

use super::Router;
use super::decision::{Because, Decision, FlowWant, Origin, Rule, Transit, Verdict, Wants};
use super::fragmentation::SMALLEST_MTU;
use super::io::{DropReason, Encapsulation};
use super::request_decision::RequestDecision;
use super::site_records::SiteRecords;
use crate::addr::{Eid, Family, InstanceId};
use crate::packet::{IpHeader, Packet};
use crate::time::Time;
use crate::wire::data_header::encapsulation_len;

/// The largest total size of the records in a decision on a Map-Request, in octets. Further records
/// are left out.
const REPLY_ROOM: usize = 1200;

/// The parts of a decision. Several functions fill them in, one after the other.
#[derive(Debug)]
pub(super) struct Draft {
    pub ttl: u8,
    pub tos: u8,
    pub wants: Wants,
}

/// A verdict and its reason.
pub(super) type Judgement = (Verdict, Because);

/// The judgement that a packet is dropped.
pub(super) fn stopped(reason: DropReason, because: Because) -> Judgement {
    (Verdict::Drop(reason), because)
}

impl Router {
    /// Returns the decision on a packet that arrives now. The call changes nothing: it does not
    /// count the packet, does not search for a host, does not ask for a mapping, and does not keep
    /// a copy of the packet.
    ///
    /// `packet` is an IP packet from or to an EID. If the packet comes from the core, `packet` is
    /// the inner packet after the LISP header.
    pub fn explain(
        &self,
        instance_id: InstanceId,
        packet: &Packet<'_>,
        origin: Origin,
        now: Time,
    ) -> Decision {
        let unreadable = |reason, rule| {
            let (verdict, because) = stopped(reason, Because::rule(rule));
            Decision { verdict, because, ttl: 0, tos: 0, wants: Wants::default() }
        };
        if let Origin::Core { lisp, .. } = &origin
            && let Err((reason, rule)) = self.check_lisp_header(lisp)
        {
            return unreadable(reason, rule);
        }
        match (IpHeader::parse(packet.bytes), origin) {
            (Ok(header), _) => {
                self.decide(&Transit::new(instance_id, header, origin, packet), packet, now)
            }
            (Err(_), Origin::Site) => unreadable(DropReason::NotIp, Rule::NotIp),
            (Err(_), Origin::Core { .. }) => unreadable(DropReason::BadInnerPacket, Rule::NotIp),
        }
    }

    /// Returns the decision on an encapsulated Map-Request for an EID. The call assumes that the
    /// router has a path for the reply. It changes nothing, and does not consider the rate limits.
    pub fn explain_request(&self, eid: Eid) -> RequestDecision {
        let asked = eid.host_prefix();
        let config = &self.context.config;
        let is_mapping_system =
            self.context.has_role(|roles| roles.map_resolver || roles.map_server);
        if !is_mapping_system && !self.context.has_role(|roles| roles.etr) {
            return RequestDecision::NotOurRole;
        }
        let site = SiteRecords { database: &self.database, away: &self.away };
        let own = site.own_answer(config, asked).and_then(|answer| {
            let records = site.records(config, &answer, None, REPLY_ROOM).into_iter();
            let covering = records.filter(|record| record.eid_prefix.contains(eid));
            covering.max_by_key(|record| record.eid_prefix.mask_len())
        });
        match own {
            Some(record) => RequestDecision::Own(record),
            None if is_mapping_system => self.map_server.explain(&self.context, asked),
            None => RequestDecision::NotOurEid,
        }
    }

    /// Decides on a packet.
    pub(super) fn decide(&self, transit: &Transit, packet: &Packet<'_>, now: Time) -> Decision {
        let IpHeader { ttl, tos, .. } = transit.header;
        let mut draft = Draft { ttl, tos, wants: Wants::default() };
        let (verdict, because) = match &transit.origin {
            Origin::Site => self.outbound(transit, &mut draft, now),
            Origin::Core { outer, .. } => self.inbound(transit, outer, &mut draft, now),
        };
        let Draft { ttl, tos, wants } = draft;
        let decision = Decision { verdict, because, ttl, tos, wants };
        match verdict {
            Verdict::Encapsulate(wrap) | Verdict::Forward(wrap) => {
                match self.mtu_exceeded(&wrap, &transit.header, packet) {
                    Some(mtu) => too_big(decision, mtu),
                    None => decision,
                }
            }
            _ => decision,
        }
    }

    /// If a packet is larger than its path permits and must not be fragmented, returns the largest
    /// size that the path permits, in octets. Otherwise, returns `None`.
    pub(super) fn mtu_exceeded(
        &self,
        wrap: &Encapsulation,
        header: &IpHeader,
        packet: &Packet<'_>,
    ) -> Option<u32> {
        let path_mtu = self.paths.mtu(wrap.destination)?;
        let headers = encapsulation_len(wrap.destination.family());
        let mtu = path_mtu.saturating_sub(headers).max(SMALLEST_MTU);
        let may_be_fragmented = header.family() == Family::Ipv4 && packet.bytes[6] & 0x40 == 0;
        let is_exceeded = !may_be_fragmented && packet.largest(header.total_len) > mtu as usize;
        is_exceeded.then_some(mtu)
    }
}

/// Changes the decision on a packet that is too big for its path: the packet is dropped.
fn too_big(decision: Decision, mtu: u32) -> Decision {
    let (verdict, because) =
        stopped(DropReason::TooBigForPath, Because { rule: Rule::TooBig, ..decision.because });
    let wants = Wants {
        tell_too_big: Some(mtu),
        begin_echo: false,
        remember: FlowWant::Nothing,
        ..decision.wants
    };
    Decision { verdict, because, wants, ..decision }
}
