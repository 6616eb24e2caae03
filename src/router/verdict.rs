//! Acting on what was decided on a packet of EIDs: one path for a packet that has just come and for
//! one that has waited, so that both are refused, changed and counted alike.

use std::collections::VecDeque;

use super::Router;
use super::io::{DropReason, Encapsulation, Output};
use crate::addr::{InstanceId, Rloc};
use crate::packet::{self, IpHeader, OwnedPacket, Packet};
use crate::time::Time;

/// The treatment of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A packet of the site goes to a locator.
    Encapsulate(Encapsulation),
    /// A packet of the site leaves without LISP.
    Native,
    /// A packet from the core is for an EID of the site.
    Deliver,
    /// A packet from the core is for a host that moved away, and goes on to a locator.
    Forward(Encapsulation),
    /// It waits.
    Hold,
}

/// Where a packet came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// `lisp0`.
    Site,
    /// The data port, from the xTR with this RLOC.
    Core(Rloc),
}

/// A packet that waits: for a mapping, or for its host to be found.
#[derive(Debug)]
pub(super) struct HeldPacket {
    /// The packet. From the core, it has its TTL and type of service already.
    packet: OwnedPacket,
    header: IpHeader,
    origin: Origin,
    /// How many packets it is on the wire.
    pub packets: u64,
}

impl HeldPacket {
    /// A copy of a packet and of its header.
    pub(super) fn new(packet: &Packet<'_>, header: &IpHeader, origin: Origin) -> Self {
        let packets = packet.load(header.total_len).packets;
        HeldPacket { packet: packet.to_owned(), header: *header, origin, packets }
    }
}

/// Packets that wait for one thing, in the order in which they came.
pub(super) type Held = VecDeque<HeldPacket>;

impl Router {
    /// Carries a decision out as far as the core does it: refuses what the path does not
    /// take, sets the TTL, and counts each packet on the wire that it stands for. Returns what is
    /// left to do for the caller.
    pub(super) fn finish(
        &mut self,
        decision: Result<Verdict, DropReason>,
        instance_id: InstanceId,
        header: &IpHeader,
        packet: &mut Packet<'_>,
    ) -> Result<Verdict, DropReason> {
        let decision = match decision {
            Ok(Verdict::Encapsulate(wrap) | Verdict::Forward(wrap))
                if self.refuse_too_big(instance_id, &wrap, header, packet) =>
            {
                Err(DropReason::TooBigForPath)
            }
            decision => decision,
        };
        let packets = packet.load(header.total_len).packets;
        match decision {
            Ok(Verdict::Encapsulate(_)) => self.context.counters.encapsulations += packets,
            Ok(Verdict::Native) => {
                self.context.counters.native += packets;
                self.restore_hop(header, packet.bytes);
            }
            Ok(Verdict::Deliver) => self.context.counters.decapsulations += packets,
            Ok(Verdict::Forward(wrap)) => {
                self.context.counters.forwarded_away += packets;
                packet::set_ttl(packet.bytes, wrap.ttl);
            }
            Ok(Verdict::Hold) => self.context.counters.held += packets,
            Err(reason) => self.context.counters.dropped(reason, packets),
        }
        decision
    }

    /// Carries out the decision on a packet that had waited.
    fn finish_held(
        &mut self,
        decision: Result<Verdict, DropReason>,
        instance_id: InstanceId,
        held: HeldPacket,
    ) {
        if decision == Ok(Verdict::Hold) {
            // It waits for something else now, and was counted when it began to wait.
            return;
        }
        let HeldPacket { mut packet, header, .. } = held;
        let output = match self.finish(decision, instance_id, &header, &mut packet.borrow()) {
            Ok(Verdict::Encapsulate(wrap) | Verdict::Forward(wrap)) => {
                Output::Encapsulate(wrap, packet)
            }
            Ok(Verdict::Native | Verdict::Deliver) => Output::Native(instance_id, packet),
            Ok(Verdict::Hold) | Err(_) => return,
        };
        self.context.outputs.push_back(output);
    }

    /// Ends the wait of packets, with success or without: each is decided on again, as if it came
    /// now, but does not ask for a mapping again.
    pub(super) fn release(&mut self, instance_id: InstanceId, held: Held, now: Time) {
        for mut held in held {
            let HeldPacket { packet, header, origin, .. } = &mut held;
            let mut packet = packet.borrow();
            let decision = match *origin {
                Origin::Site => self.outbound(instance_id, header, &mut packet, false, now),
                Origin::Core(from) => self.arrived(instance_id, from, header, &mut packet, now),
            };
            self.finish_held(decision, instance_id, held);
        }
    }

    /// Drops packets whose wait had no success.
    pub(super) fn give_up(&mut self, held: Held, reason: DropReason) {
        for held in held {
            self.context.counters.dropped(reason, held.packets);
        }
    }
}
