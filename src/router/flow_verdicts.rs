//! Decisions that a second data path, for example in the kernel, may repeat.
//!
//! A second data path gets a decision on a flow from this router, and carries out the decision on
//! the next packets of the flow, until the forwarding generation ends. From time to time, the
//! second data path reports the number of its packets, so that the counters and the times of last
//! use are right. If anything about a packet is unusual, the second data path passes the packet to
//! this router.

use super::Router;
use super::decision::{Origin, SourceWant, Verdict, Wants};
use super::io::{Encapsulation, Outer};
use super::status_bits;
use crate::addr::{Eid, EidPrefix, InstanceId, Rloc};
use crate::packet::{IpHeader, Load, Packet, UnverifiedFlow};
use crate::time::Time;
use crate::wire::DataHeader;
use crate::wire::data_header::{DATA_HEADER_LEN, NonceField, encapsulation_len};

/// A flow of the site, and its encapsulation in this forwarding generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboundFlow {
    /// The encapsulation. Its TTL and its type of service are not set: each packet has its own
    /// values.
    pub encapsulation: Encapsulation,
    /// The size in octets of the largest packet that the path permits. The outer headers are not
    /// included. `None` if no error has reported a path MTU.
    pub largest: Option<u32>,
    /// The prefix of the map-cache entry that counts the packets.
    entry: EidPrefix,
}

/// A flow from the core that is delivered to the site in this forwarding generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboundFlow {
    /// The local prefix for which the router records the sender as a peer, if there is one.
    prefix: Option<EidPrefix>,
    from: Rloc,
    source: Eid,
    destination: Eid,
}

impl Router {
    /// Whether a second data path may carry out decisions. If the packets of this router are
    /// watched or recorded, this router has to handle every packet itself.
    pub fn permits_second_path(&self) -> bool {
        !self.context.reports_packets() && self.context.witnesses.is_empty()
    }

    /// The encapsulation of the next packets of a flow, if the flow cache has the flow. `None` if
    /// the LISP header contains a nonce, because the next packet may need another nonce (RFC 9300
    /// section 10.1).
    pub fn outbound_flow(
        &self,
        instance_id: InstanceId,
        flow: &UnverifiedFlow,
    ) -> Option<OutboundFlow> {
        let UnverifiedFlow { source, destination, flow_hash, .. } = *flow;
        // The flow cache does not compare the other fields: each packet has its own values.
        let header = IpHeader { source, destination, flow_hash, ttl: 0, tos: 0, total_len: 0 };
        let (encapsulation, slot) = self.flows.find(instance_id, &header)?;
        let (lisp, _) = DataHeader::parse(&encapsulation.header).ok()?;
        if lisp.nonce != NonceField::None {
            return None;
        }
        let headers = encapsulation_len(encapsulation.destination.family());
        let path_mtu = self.paths.mtu(encapsulation.destination);
        let largest = path_mtu.map(|mtu| mtu.saturating_sub(headers));
        let entry = self.map_cache.prefix_at(slot)?;
        Some(OutboundFlow { encapsulation, largest, entry })
    }

    /// Returns the flow of a packet from the core, if a second data path may deliver the next
    /// packets of the flow, and these packets need no other action of this router. `datagram`
    /// begins with the LISP header. `None` if the Locator-Status-Bits of the packet differ from the
    /// stored states of the locators, because the router possibly applies these bits only when a
    /// later packet arrives.
    pub fn inbound_flow(
        &self,
        outer: &Outer,
        datagram: &mut [u8],
        now: Time,
    ) -> Option<InboundFlow> {
        let (lisp, _) = DataHeader::parse(datagram).ok()?;
        if lisp.nonce != NonceField::None {
            return None;
        }
        let instance_id = lisp.instance_id.unwrap_or_default();
        let inner = Packet::single(datagram.get_mut(DATA_HEADER_LEN..)?);
        let header = IpHeader::parse(inner.bytes).ok()?;
        let ends = (Rloc(outer.source), Eid::new(instance_id, header.source));
        if status_bits::differ(&self.context, &self.map_cache, &lisp, ends) {
            return None;
        }
        let origin = Origin::Core { outer: *outer, lisp };
        let decision = self.explain(instance_id, &inner, origin, now);
        let Wants { source, hear, .. } = decision.wants;
        // These changes do not need the router: the header has just been read, `count_inbound`
        // records the peer, and the record of the source only saves a lookup. All other changes
        // need the router.
        let permitted = Wants { read_header: true, source, hear, ..Wants::default() };
        let is_plain = decision.verdict == Verdict::Deliver
            && decision.wants == permitted
            && source != SourceWant::AskHost;
        is_plain.then(|| InboundFlow {
            prefix: hear,
            from: Rloc(outer.source),
            source: Eid::new(instance_id, header.source),
            destination: Eid::new(instance_id, header.destination),
        })
    }

    /// Counts the packets that the second data path has encapsulated for a flow. `last_at` is the
    /// time of the last of these packets.
    pub fn count_outbound(&mut self, flow: &OutboundFlow, load: Load, last_at: Time) {
        self.context.counters.encapsulations += load.packets;
        self.map_cache.count_uses(flow.entry, load, last_at);
    }

    /// Counts the packets that the second data path has delivered for a flow. `last_at` is the time
    /// of the last of these packets.
    pub fn count_inbound(&mut self, flow: &InboundFlow, load: Load, last_at: Time) {
        self.context.counters.decapsulations += load.packets;
        if let Some(prefix) = flow.prefix {
            self.solicitor.heard(prefix, flow.from, flow.source, flow.destination, last_at);
        }
    }
}
