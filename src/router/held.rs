//! Packets that wait: for a mapping, or for their host to be found.

use std::collections::VecDeque;

use super::decision::Transit;
use crate::packet::{OwnedPacket, Packet};

/// A packet that waits.
#[derive(Debug)]
pub(super) struct HeldPacket {
    /// The packet. From the core, it has its TTL and type of service already.
    pub packet: OwnedPacket,
    pub transit: Transit,
    /// How many packets it is on the wire.
    pub packets: u64,
}

impl HeldPacket {
    /// A copy of a packet.
    pub(super) fn new(packet: &Packet<'_>, transit: &Transit) -> Self {
        let transit = Transit { has_waited: true, ..*transit };
        HeldPacket { packet: packet.to_owned(), transit, packets: transit.load.packets }
    }
}

/// Packets that wait for one thing, in the order in which they came.
pub(super) type Held = VecDeque<HeldPacket>;
