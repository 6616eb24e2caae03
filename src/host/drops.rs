//! The packets that a host drops, with the reasons.

/// The reason why a host drops a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostDrop {
    /// The frame is damaged, or carries a protocol that the host does not know.
    BadFrame,
    /// The frame is for another hardware address.
    OtherHardwareAddress,
    /// The packet is for an IP address that the host does not have.
    OtherAddress,
    /// The device of the host has no link.
    NoLink,
    /// The destination is in no network of the host, and the host has no gateway for it.
    NoGateway,
    /// No neighbour on the link has the address of the next hop.
    NoNeighbour,
    /// Too many packets already wait for the hardware address of the next hop.
    NeighbourQueueFull,
    /// The queue between the device and the stack is full.
    QueueFull,
}

impl HostDrop {
    /// All reasons.
    pub const ALL: [HostDrop; 8] = [
        HostDrop::BadFrame,
        HostDrop::OtherHardwareAddress,
        HostDrop::OtherAddress,
        HostDrop::NoLink,
        HostDrop::NoGateway,
        HostDrop::NoNeighbour,
        HostDrop::NeighbourQueueFull,
        HostDrop::QueueFull,
    ];

    /// The reason in a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            HostDrop::BadFrame => "The frame is damaged, or its protocol is unknown to the host",
            HostDrop::OtherHardwareAddress => "The frame is for another hardware address",
            HostDrop::OtherAddress => "The packet is for an IP address that the host does not have",
            HostDrop::NoLink => "The device of the host has no link",
            HostDrop::NoGateway => "The host has no gateway for the destination",
            HostDrop::NoNeighbour => "No neighbour on the LAN has the address of the next hop",
            HostDrop::NeighbourQueueFull => {
                "Too many packets already wait for the hardware address of the next hop"
            }
            HostDrop::QueueFull => "The queue between the device and the stack is full",
        }
    }

    /// The standard and the section from which the reason comes.
    pub fn section(self) -> &'static str {
        match self {
            HostDrop::BadFrame => "RFC 1122 section 2.3.3",
            HostDrop::OtherHardwareAddress => "RFC 1122 section 2.4",
            HostDrop::OtherAddress => "RFC 1122 section 3.2.1.3",
            HostDrop::NoLink => "RFC 2863 section 3.1.13",
            HostDrop::NoGateway => "RFC 1122 section 3.3.1.1",
            HostDrop::NoNeighbour | HostDrop::NeighbourQueueFull => "RFC 1122 section 2.3.2.2",
            HostDrop::QueueFull => "RFC 1122 section 3.3.1",
        }
    }
}

/// The packets that a node has dropped, each with the reason. They are stored until the observer
/// takes them. Without an observer, no packet is stored.
#[derive(Debug)]
pub struct DropLog<Reason> {
    is_observed: bool,
    dropped: Vec<(Reason, Vec<u8>)>,
}

impl<Reason> Default for DropLog<Reason> {
    fn default() -> Self {
        DropLog { is_observed: false, dropped: Vec::new() }
    }
}

impl<Reason> DropLog<Reason> {
    /// From now on, stores the dropped packets for an observer.
    pub fn observe(&mut self) {
        self.is_observed = true;
    }

    /// Whether an observer takes the packets.
    pub fn is_observed(&self) -> bool {
        self.is_observed
    }

    /// Stores a dropped IP packet, if there is an observer. `packet` is empty if the dropped frame
    /// has no IP packet.
    pub fn note(&mut self, reason: Reason, packet: &[u8]) {
        if self.is_observed {
            self.dropped.push((reason, packet.to_vec()));
        }
    }

    /// Returns the packets that were dropped since the last call.
    pub fn take(&mut self) -> Vec<(Reason, Vec<u8>)> {
        std::mem::take(&mut self.dropped)
    }
}
