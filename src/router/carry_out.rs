//! Carries out the decisions about packets from and to EIDs. No other file makes the changes that a
//! decision requires. The packets have just arrived, or have waited for a mapping or a host.

use super::Router;
use super::decision::{
    Awaited, Because, Decision, FlowWant, Origin, Rule, SourceWant, Transit, Verdict, Wants,
};
use super::event::{Event, Unreachable};
use super::held::{Held, HeldPacket};
use super::icmp::{self, AboutPacket};
use super::io::{DropReason, Output};
use super::last_drops::LastDrop;
use super::mobility::Discovery;
use super::packet_event::PacketEvent;
use super::source_check;
use super::status_bits;
use crate::addr::Rloc;
use crate::packet::{self, IpHeader, OwnedPacket, Packet};
use crate::time::Time;

impl Router {
    /// Carries out a decision, but does not send the packet. The function sets the TTL and the type
    /// of service of the packet, and makes the changes that the decision requires. If the packet
    /// has to wait, the function keeps a copy of the packet. A super-packet counts as the number of
    /// its segments. Returns the verdict, or `Drop` if there is no room for the copy. If the
    /// verdict is to send the packet, the caller sends it.
    pub(super) fn carry_out(
        &mut self,
        decision: &Decision,
        transit: &Transit,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Verdict {
        let Decision { verdict, because, ttl, tos, ref wants } = *decision;
        set_header(packet.bytes, &transit.header, ttl, tos);
        let transit = &Transit { header: IpHeader { ttl, tos, ..transit.header }, ..*transit };
        self.make_wanted_changes(wants, verdict, transit, now);
        let (verdict, because) = match verdict {
            Verdict::Hold(awaited) => match self.keep(awaited, transit, packet, now) {
                Ok(()) => (verdict, because),
                Err(reason) => {
                    let because = Because { rule: Rule::of_no_room(reason), ..because };
                    (Verdict::Drop(reason), because)
                }
            },
            verdict => (verdict, because),
        };
        if let Some(mtu) = wants.tell_too_big {
            self.tell_too_big(mtu, transit, packet);
        }
        if let Verdict::Forward(wrap) = verdict {
            self.paths.sent_on(wrap.destination, now);
            packet::set_ttl(packet.bytes, wrap.ttl);
        }
        let packets = transit.load.packets;
        if because.rule == Rule::ForeignSource {
            self.context.counters.native_foreign_source += packets;
        }
        self.count_packets(verdict, packets, transit.has_waited);
        if let Verdict::Drop(reason) = verdict {
            self.context.last_drops.note(reason, LastDrop::of(transit, now));
        }
        let event = || PacketEvent::of(transit, verdict, because);
        self.context.tell_decision(event, packet.bytes, now);
        self.context.trace_packet(|| Event::Packet(event()), now);
        self.follow_generation();
        verdict
    }

    /// Makes the changes that a decision requires in addition to its verdict, in the order in which
    /// a packet passes the tables.
    fn make_wanted_changes(
        &mut self,
        wants: &Wants,
        verdict: Verdict,
        transit: &Transit,
        now: Time,
    ) {
        let &Wants {
            source: source_want,
            read_header,
            hear,
            search_source,
            count,
            begin_echo,
            remember,
            search_destination,
            solicit,
            // `carry_out` sends the ICMP error "too big", because this error quotes the packet.
            tell_too_big: _,
        } = wants;
        let (source, destination) = (transit.source(), transit.destination());
        match source_want {
            SourceWant::Nothing => {}
            SourceWant::Note => self.sources.note_elsewhere(source),
            SourceWant::AskHost => {
                let Router { context, mobility, .. } = self;
                source_check::ask_whether_here(context, mobility, source, now);
            }
        }
        if let Origin::Core { outer, lisp } = &transit.origin
            && read_header
        {
            let from = Rloc(outer.source);
            status_bits::take(&mut self.context, &mut self.map_cache, lisp, (from, source), now);
            if self.echo_nonce.take(&mut self.context, lisp.nonce, (from, source.family()), now) {
                self.leave_locator(from, Unreachable::NoEcho, now);
            }
        }
        let encapsulator = transit.origin.encapsulator();
        if let Some((from, prefix)) = encapsulator.zip(hear) {
            self.solicitor.heard(prefix, from, source, destination, now);
        }
        if let Some(entry) = count {
            self.map_cache.count_use(entry, transit.load, now);
        }
        let of_source = search_source.then_some((source, Discovery::Packet));
        let of_destination = search_destination.map(|discovery| (destination, discovery));
        for (eid, discovery) in of_source.into_iter().chain(of_destination) {
            let asker = self.asker(&transit.origin);
            self.search_for(eid, asker, discovery, now);
        }
        if let Some(from) = encapsulator.filter(|_| solicit) {
            self.solicitor.solicit_sender(&mut self.context, from, source, destination, now);
        }
        if let Verdict::Encapsulate(wrap) | Verdict::Forward(wrap) = verdict {
            if begin_echo {
                self.echo_nonce.begin(&mut self.context, wrap.destination, now);
            }
            let entry = count.filter(|_| remember == FlowWant::Decision);
            if remember != FlowWant::Nothing {
                self.flows.remember(transit.instance_id, &transit.header, wrap, entry);
            }
        }
    }

    /// Keeps a copy of a packet that waits.
    fn keep(
        &mut self,
        awaited: Awaited,
        transit: &Transit,
        packet: &Packet<'_>,
        now: Time,
    ) -> Result<(), DropReason> {
        let (source, destination) = (transit.source(), transit.destination());
        let held = || HeldPacket::new(packet, transit);
        match awaited {
            Awaited::Mapping => {
                self.resolver.hold(&mut self.context, destination, source, held, now)
            }
            Awaited::Host => self.hold_for_host(destination, held),
        }
    }

    /// Adds `packets`, a number of packets on the wire, to the counter of the verdict. A packet
    /// that has to wait for the second time is not counted again.
    fn count_packets(&mut self, verdict: Verdict, packets: u64, has_waited: bool) {
        let counters = &mut self.context.counters;
        match verdict {
            Verdict::Encapsulate(_) => counters.encapsulations += packets,
            Verdict::Native => counters.native += packets,
            Verdict::Deliver => counters.decapsulations += packets,
            Verdict::Forward(_) => counters.forwarded_away += packets,
            Verdict::Hold(_) if has_waited => {}
            Verdict::Hold(_) => counters.held += packets,
            Verdict::Drop(reason) => counters.dropped(reason, packets),
        }
    }

    /// Tells the sender of a packet that the packet is too big for its path.
    fn tell_too_big(&mut self, mtu: u32, transit: &Transit, packet: &Packet<'_>) {
        let header = &transit.header;
        let answer = self.own_address_for(header.source).and_then(|own| {
            let about = AboutPacket::TooBig { mtu };
            icmp::deserves_error(packet.bytes, header)
                .then(|| icmp::error(about, own, header.source, packet.bytes))
                .flatten()
        });
        let native = |bytes| Output::Native(transit.instance_id, OwnedPacket::single(bytes));
        self.context.outputs.extend(answer.map(native));
    }

    /// Handles packets that have waited: their mapping or their host was found, or the search ended
    /// without a result. The router decides on each packet again, as if the packet had just
    /// arrived. There is one difference: the packet does not wait for a mapping again.
    pub(super) fn release(&mut self, held: Held, now: Time) {
        self.follow_generation();
        for HeldPacket { mut packet, transit, .. } in held {
            let mut borrowed = packet.borrow();
            let decision = self.decide(&transit, &borrowed, now);
            let output = match self.carry_out(&decision, &transit, &mut borrowed, now) {
                Verdict::Encapsulate(wrap) | Verdict::Forward(wrap) => {
                    Output::Encapsulate(wrap, packet)
                }
                Verdict::Native | Verdict::Deliver => Output::Native(transit.instance_id, packet),
                Verdict::Hold(_) | Verdict::Drop(_) => continue,
            };
            self.context.outputs.push_back(output);
        }
    }
}

/// Writes a TTL and a type of service into a packet, if they differ from the values in the `header`
/// of the packet.
pub(super) fn set_header(bytes: &mut [u8], header: &IpHeader, ttl: u8, tos: u8) {
    if ttl != header.ttl {
        packet::set_ttl(bytes, ttl);
    }
    if tos != header.tos {
        packet::set_tos(bytes, tos);
    }
}
