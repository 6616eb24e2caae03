//! Where packets went, kept beside the router's own counters: each is delivered, held, or counted
//! under one reason. All are counted as packets on the wire: a super-packet is several.

use eidway::packet::{IpHeader, OwnedPacket};
use eidway::router::Router;
use eidway::router::io::{Inbound, Outbound};

/// More packets than a router's hold queues take, those of unresolved EIDs and of searched hosts: a
/// super-packet has no more segments than this.
const MOST_HELD: u64 = (2 * 2048 + 1024 * 8) * 64;

/// The counts from verdicts and outputs.
#[derive(Default)]
pub struct Ledger {
    /// Encapsulated, forwarded or delivered, at once or after a wait; and the router's own errors.
    sent: u64,
    held: u64,
    released: u64,
    dropped: u64,
    /// ICMP errors among the packets sent without a verdict: the router's own, or held packets.
    errors: u64,
    /// The counters of the router before `clear ip lisp statistics`.
    cleared: Counted,
}

/// The packets that the counters of a router count.
#[derive(Clone, Copy, Default)]
struct Counted {
    sent: u64,
    held: u64,
    dropped: u64,
}

impl Counted {
    fn of(router: &Router) -> Self {
        let counters = router.counters();
        let sent = counters.encapsulations
            + counters.native
            + counters.decapsulations
            + counters.forwarded_away;
        Counted { sent, held: counters.held, dropped: counters.drops.values().sum() }
    }

    fn plus(self, other: Counted) -> Self {
        Counted {
            sent: self.sent + other.sent,
            held: self.held + other.held,
            dropped: self.dropped + other.dropped,
        }
    }
}

impl Ledger {
    /// The router is about to clear its counters.
    pub fn clear(&mut self, router: &Router) {
        self.cleared = self.cleared.plus(Counted::of(router));
    }

    /// A verdict on a packet that is so many on the wire.
    pub fn outbound(&mut self, outbound: Outbound, packets: u64) {
        match outbound {
            Outbound::Encapsulate(_) | Outbound::Native => self.sent += packets,
            Outbound::Held => self.held += packets,
            Outbound::Dropped(_) => self.dropped += packets,
        }
    }

    pub fn inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Deliver { .. } | Inbound::Forward { .. } => self.sent += 1,
            Inbound::Held => self.held += 1,
            Inbound::Dropped(_) => self.dropped += 1,
        }
    }

    /// A packet goes on that had been held, or the router tells a sender of an error.
    pub fn released(&mut self, packet: &OwnedPacket) {
        let header = IpHeader::parse(&packet.bytes).expect("only packets are held");
        let packets = packet.clone().borrow().load(header.total_len).packets;
        self.sent += packets;
        self.released += packets;
        self.errors += u64::from(is_icmp_error(&packet.bytes));
    }

    pub fn check(&self, router: &Router) {
        let (counted, waiting) = (self.cleared.plus(Counted::of(router)), router.waiting_packets());
        assert!(waiting <= MOST_HELD);
        assert_eq!(counted.held, self.held);
        let late = counted.dropped.checked_sub(self.dropped).expect("each drop is counted");
        // A packet that was released and was not held is an error of the router's own.
        let own = (self.released + late + waiting).checked_sub(self.held);
        let own = own.expect("a held packet waits, or was released or dropped");
        assert!(own <= self.errors, "nothing is released or dropped that was not held");
        assert_eq!(counted.sent + own, self.sent, "each packet that went on is counted once");
    }
}

fn is_icmp_error(packet: &[u8]) -> bool {
    match packet[0] >> 4 {
        4 => {
            let kind = packet.get(usize::from(packet[0] & 15) * 4);
            packet[9] == 1 && matches!(kind, Some(3 | 11))
        }
        _ => packet[6] == 58 && packet.get(40).is_some_and(|kind| *kind < 128),
    }
}
