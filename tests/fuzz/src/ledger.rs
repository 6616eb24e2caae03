//! Counts packets independently of the router's own counters. Each packet is delivered, held, or
//! counted under one reason. Packets on the wire are counted, so a super-packet counts as several
//! packets.

use eidway::packet::{IpHeader, OwnedPacket};
use eidway::router::Router;
use eidway::router::io::{Inbound, Outbound};

/// A number of packets that does not fit into the hold queues of a router, for unresolved EIDs and
/// for searched hosts. A super-packet has at most 64 segments.
const MOST_HELD: u64 = (2 * 2048 + 1024 * 8) * 64;

/// The counts from verdicts and outputs.
#[derive(Default)]
pub struct Ledger {
    /// The number of packets that were encapsulated, forwarded or delivered, immediately or after a
    /// wait. The router's own errors are included.
    sent: u64,
    held: u64,
    released: u64,
    dropped: u64,
    /// The number of ICMP errors among the packets that were sent without a verdict. They are the
    /// router's own errors, or held packets.
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
    /// Notes that the router will clear its counters.
    pub fn clear(&mut self, router: &Router) {
        self.cleared = self.cleared.plus(Counted::of(router));
    }

    /// Notes a verdict on a packet that stands for `packets` packets on the wire.
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

    /// Notes a held packet that is sent now, or an error of the router for a sender.
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
        // If a released packet was not held, it is an error that the router itself made.
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
