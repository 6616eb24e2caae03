//! The packets that a kernel drops, with their reasons.

/// The reason why a kernel dropped a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KernelDrop {
    /// The packet is not an IP packet, or is damaged.
    NotIp,
    /// The device of the packet is down or has no carrier.
    DeviceDown,
    /// The frame is for another hardware address.
    NotForUs,
    /// The packet has a link-local, multicast or broadcast address, or its source address is
    /// unspecified. The packet is not for this node, and a router does not forward such packets.
    LinkScoped,
    /// An IPv4 packet from a link has an address of this node as its source address.
    Martian,
    /// The packet is for another node, but forwarding is off.
    NotForwarding,
    /// There is no route to the destination.
    NoRoute,
    /// The route of the packet is of type `blackhole`.
    Blackhole,
    /// The route of the packet is of type `unreachable`.
    Unreachable,
    /// The TTL has reached zero.
    TtlExpired,
    /// The packet is larger than the MTU of the next link, and must not be fragmented.
    TooBig,
    /// No host on the link has the address of the next hop.
    NoNeighbour,
    /// Too many packets already wait for the hardware address of the next hop.
    NeighbourQueueFull,
    /// The link went down while the packet waited for the hardware address of the next hop.
    LinkWentDown,
    /// The packet is a fragment for this node. The fragment does not fit the other fragments of its
    /// packet.
    Fragment,
    /// The packet is a fragment for this node. Fragments of many other packets arrived before the
    /// missing fragments of its packet.
    FragmentsMissing,
    /// The packet is for this node, but its checksum is wrong.
    Checksum,
    /// The packet is for this node, but no socket has the port, or no program accepts the protocol.
    NoSocket,
    /// The process made one of three errors. It sent octets that are not a packet, it used a source
    /// address that the node does not have, or it wrote to a device that is down (error EIO).
    WriteFailed,
}

impl KernelDrop {
    /// All reasons.
    pub const ALL: [KernelDrop; 19] = [
        KernelDrop::NotIp,
        KernelDrop::DeviceDown,
        KernelDrop::NotForUs,
        KernelDrop::LinkScoped,
        KernelDrop::Martian,
        KernelDrop::NotForwarding,
        KernelDrop::NoRoute,
        KernelDrop::Blackhole,
        KernelDrop::Unreachable,
        KernelDrop::TtlExpired,
        KernelDrop::TooBig,
        KernelDrop::NoNeighbour,
        KernelDrop::NeighbourQueueFull,
        KernelDrop::LinkWentDown,
        KernelDrop::Fragment,
        KernelDrop::FragmentsMissing,
        KernelDrop::Checksum,
        KernelDrop::NoSocket,
        KernelDrop::WriteFailed,
    ];

    /// Returns the reason as a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            KernelDrop::NotIp => "The packet is not a complete IP packet",
            KernelDrop::DeviceDown => "The device is down or has no carrier",
            KernelDrop::NotForUs => "The frame is for another hardware address",
            KernelDrop::LinkScoped => {
                "A router does not forward link-local, multicast or broadcast packets"
            }
            KernelDrop::Martian => "The source of the packet is an address of this node",
            KernelDrop::NotForwarding => "This node does not forward packets",
            KernelDrop::NoRoute => "This node has no route to the destination",
            KernelDrop::Blackhole => "The route to the destination has the type blackhole",
            KernelDrop::Unreachable => "The route to the destination has the type unreachable",
            KernelDrop::TtlExpired => "The TTL of the packet reached 0",
            KernelDrop::TooBig => {
                "The packet is larger than the MTU of the next link, and must not be fragmented"
            }
            KernelDrop::NoNeighbour => "No host on the link has the address of the next hop",
            KernelDrop::NeighbourQueueFull => {
                "Too many packets already wait for the hardware address of the next hop"
            }
            KernelDrop::LinkWentDown => {
                "The link went down while the packet waited for the hardware address of the next \
                 hop"
            }
            KernelDrop::Fragment => "The fragment does not fit the other fragments of its packet",
            KernelDrop::FragmentsMissing => "The other fragments of the packet did not arrive",
            KernelDrop::Checksum => "The UDP checksum of the packet is wrong",
            KernelDrop::NoSocket => "No program on this node has a socket for the packet",
            KernelDrop::WriteFailed => "The kernel refused to send a packet that a process wrote",
        }
    }

    /// Returns the source of the reason: a section of a standard, or a manual page.
    pub fn section(self) -> &'static str {
        match self {
            KernelDrop::NotIp => "RFC 1812 section 5.2.2",
            KernelDrop::DeviceDown | KernelDrop::LinkWentDown => "RFC 2863 section 3.1.13",
            KernelDrop::NotForUs => "RFC 1122 section 2.4",
            KernelDrop::LinkScoped => "RFC 1812 section 5.3.5",
            KernelDrop::Martian => "RFC 1812 section 5.3.7",
            KernelDrop::NotForwarding => "RFC 1122 section 3.2.1.3",
            KernelDrop::NoRoute => "RFC 1812 section 4.3.3.1",
            KernelDrop::Blackhole | KernelDrop::Unreachable => "ip-route(8)",
            KernelDrop::TtlExpired => "RFC 1812 section 5.3.1",
            KernelDrop::TooBig => "RFC 1191 section 4",
            KernelDrop::NoNeighbour | KernelDrop::NeighbourQueueFull => "RFC 1122 section 2.3.2.2",
            KernelDrop::Fragment | KernelDrop::FragmentsMissing => "RFC 1122 section 3.3.2",
            KernelDrop::Checksum => "RFC 1122 section 4.1.3.4",
            KernelDrop::NoSocket => "RFC 1122 section 4.1.3.1",
            KernelDrop::WriteFailed => "RFC 1122 section 3.4",
        }
    }
}
