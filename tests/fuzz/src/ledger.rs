//! Where packets went, kept beside the router's own counters: each is delivered, held, or counted
//! under one reason.

use eidway::packet::{IpHeader, OwnedPacket};
use eidway::router::counters::Counters;
use eidway::router::io::{Inbound, Outbound};

/// More packets than a router's hold queues take: those of unresolved EIDs and of searched hosts.
const MOST_HELD: u64 = 2048 + 1024 * 8;

/// What the verdicts and outputs have said.
#[derive(Default)]
pub struct Ledger {
    /// Encapsulated, forwarded natively or delivered, at once or after a wait, as packets on the wire:
    /// a super-packet is several.
    sent: u64,
    forwarded: u64,
    /// A super-packet is held and released as one.
    held: u64,
    released: u64,
    dropped: u64,
}

impl Ledger {
    /// A verdict on a packet that is so many on the wire.
    pub fn outbound(&mut self, outbound: Outbound, packets: u64) {
        match outbound {
            Outbound::Encapsulate(_) | Outbound::Native => self.sent += packets,
            Outbound::Held => self.held += 1,
            Outbound::Dropped(_) => self.dropped += 1,
        }
    }

    pub fn inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Deliver { .. } => self.sent += 1,
            Inbound::Forward { .. } => self.forwarded += 1,
            Inbound::Held => self.held += 1,
            Inbound::Dropped(_) => self.dropped += 1,
        }
    }

    /// A packet that had been held goes on.
    pub fn released(&mut self, packet: &OwnedPacket) {
        let header = IpHeader::parse(&packet.bytes).expect("only packets are held");
        self.sent += packet.clone().borrow().load(header.total_len).packets;
        self.released += 1;
    }

    /// Held packets that are neither sent on nor counted as dropped, by the router's counters.
    pub fn waiting(&self, counters: &Counters) -> u64 {
        let dropped: u64 = counters.drops.values().sum();
        let late = dropped.checked_sub(self.dropped).expect("each drop is counted");
        let waiting = self.held.checked_sub(self.released + late);
        waiting.expect("nothing is released or dropped that was not held")
    }

    pub fn check(&self, counters: &Counters) {
        assert!(self.waiting(counters) <= MOST_HELD);
        assert_eq!(counters.held, self.held);
        assert_eq!(counters.forwarded_away, self.forwarded);
        let sent = counters.encapsulations + counters.native + counters.decapsulations;
        assert_eq!(sent, self.sent, "each packet that went on is counted once");
    }
}
