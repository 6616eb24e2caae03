//! Packets that wait until their mapping or their destination host is found.

use std::collections::VecDeque;

use super::decision::Transit;
use crate::packet::{OwnedPacket, Packet};

/// A packet that waits.
#[derive(Debug)]
pub(super) struct HeldPacket {
    /// The packet. If it is from the core, its TTL and type of service have been set already.
    pub packet: OwnedPacket,
    pub transit: Transit,
    /// The number of packets on the wire: the number of segments if this is a super-packet, and
    /// otherwise one.
    pub packets: u64,
}

impl HeldPacket {
    /// Makes a waiting packet: a copy of `packet`, and the data of `transit`.
    pub(super) fn new(packet: &Packet<'_>, transit: &Transit) -> Self {
        let transit = Transit { has_waited: true, ..*transit };
        HeldPacket { packet: packet.to_owned(), transit, packets: transit.load.packets }
    }
}

/// Packets that wait for the same mapping or the same host, in the order in which they arrived.
pub(super) type Held = VecDeque<HeldPacket>;
