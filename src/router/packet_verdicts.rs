//! The verdicts of the two packet calls, and the reasons to drop packets. A driver carries out the
//! verdicts.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addr::{InstanceId, Rloc};
use crate::wire::DATA_SOURCE_PORTS;

/// The encapsulation of a packet: the fields of the outer headers (RFC 9300 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encapsulation {
    /// The local RLOC.
    pub source: Rloc,
    /// The remote RLOC; the UDP destination port is 4341.
    pub destination: Rloc,
    /// The hash of the flow. It selects the outer UDP source port, so that the core keeps a flow on
    /// one path.
    pub flow_hash: u32,
    /// Outer TTL, copied from the inner header.
    pub ttl: u8,
    /// Outer type of service, copied from the inner header (the ECN bits according to RFC 6040).
    pub tos: u8,
    /// The LISP header.
    pub header: [u8; 8],
}

impl Encapsulation {
    /// The UDP source port, one of [`DATA_SOURCE_PORTS`]. All packets of a flow have the same port.
    pub fn source_port(&self) -> u16 {
        // The remainder is less than the number of ports, so it fits into 16 bits.
        DATA_SOURCE_PORTS.start + (self.flow_hash % DATA_SOURCE_PORTS.len() as u32) as u16
    }
}

/// The verdict on a packet that was read from `lisp0`.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outbound {
    /// Encapsulate the packet and send it.
    Encapsulate(Encapsulation),
    /// Write the packet back to `lisp0`. Its TTL has been restored.
    Native,
    /// Do nothing: the router holds a copy of the packet.
    Held,
    /// Do nothing: the packet has been counted.
    Dropped(DropReason),
}

/// The outer headers of a packet that arrived on UDP port 4341.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outer {
    /// The encapsulator's RLOC.
    pub source: IpAddr,
    /// The local RLOC.
    pub destination: IpAddr,
    /// The outer TTL of the received packet.
    pub ttl: u8,
    /// The outer type of service of the received packet.
    pub tos: u8,
}

/// The verdict on a datagram that was read from UDP port 4341.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inbound {
    /// Remove the 8 octets of the LISP header, and write the next `len` octets to `lisp0`. The TTL
    /// and the ECN bits of this inner packet have been set.
    Deliver {
        /// The instance of the `lisp0` that receives the packet.
        instance_id: InstanceId,
        /// The number of octets of the inner packet. The datagram can contain padding after these
        /// octets.
        len: usize,
    },
    /// The host with the inner destination has moved. Remove the 8 octets of the LISP header, and
    /// encapsulate the next `len` octets again. The TTL of this inner packet has been reduced by
    /// one.
    Forward {
        /// The outer headers.
        encapsulation: Encapsulation,
        /// The number of octets of the inner packet.
        len: usize,
    },
    /// Do nothing: the router holds a copy until the destination host has been found.
    Held,
    /// Do nothing: the packet has been counted.
    Dropped(DropReason),
}

/// The reason why this router dropped a data packet. Each reason has a counter that a `show`
/// command prints.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// A packet from `lisp0` is not an IPv4 or IPv6 packet, or is damaged.
    NotIp,
    /// A packet from `lisp0` is link-local, multicast or broadcast. LISP does not forward it.
    LinkScoped,
    /// The router is neither ITR nor proxy ITR for the family of a packet from `lisp0`.
    NotAnItr,
    /// The destination of a packet from `lisp0` is a local EID that has no route.
    LocalEidNoRoute,
    /// The action of the mapping is drop (RFC 9301 section 5.4, ACT 3 to 5).
    MappingDrops,
    /// No locator of the mapping can be used. To be usable, a locator must be up, and this router
    /// must have a locator of the same family.
    NoUsableLocator,
    /// A packet from `lisp0` is too big for the path to its locator. The sender is informed.
    TooBigForPath,
    /// No Map-Resolver is configured.
    NoMapResolver,
    /// The packet needs a Map-Reply, but the hold queue of the EID or of the router is full.
    HoldQueueFull,
    /// The packet waited for a Map-Reply that did not arrive.
    Unresolved,
    /// A packet on port 4341 is shorter than a LISP header, or its reserved bits show that it is
    /// not LISP.
    BadDataHeader,
    /// The inner packet of a packet on port 4341 is not IP, or is damaged.
    BadInnerPacket,
    /// The inner packet of a packet on port 4341 is link-local or multicast.
    InnerLinkScoped,
    /// The instance of a packet on port 4341 is not configured on this router.
    UnknownInstance,
    /// The router is neither ETR nor proxy ETR for the family of a packet on port 4341.
    NotAnEtr,
    /// The inner destination of a packet on port 4341 is not a local EID, and this router is not a
    /// proxy ETR.
    NotOurEid,
    /// The inner destination of a packet on port 4341 is a local EID that has no route.
    NoRouteToEid,
    /// The inner destination of a packet on port 4341 is a local EID that is away. This router
    /// sends an SMR to the xTR that encapsulated the packet.
    EidAway,
    /// The inner source of a packet on port 4341 is an address of this router, or an EID at this
    /// site.
    SourceIsHere,
    /// The TTL of a packet on port 4341 expired on the path.
    OuterTtlExpired,
    /// A packet on port 4341 is marked as congested, but the inner transport does not support ECN
    /// (RFC 6040).
    EcnMismatch,
}

impl DropReason {
    /// All reasons to drop a packet, in the order in which they are printed.
    pub const ALL: [DropReason; 21] = [
        DropReason::NotIp,
        DropReason::LinkScoped,
        DropReason::NotAnItr,
        DropReason::LocalEidNoRoute,
        DropReason::MappingDrops,
        DropReason::NoUsableLocator,
        DropReason::TooBigForPath,
        DropReason::NoMapResolver,
        DropReason::HoldQueueFull,
        DropReason::Unresolved,
        DropReason::BadDataHeader,
        DropReason::BadInnerPacket,
        DropReason::InnerLinkScoped,
        DropReason::UnknownInstance,
        DropReason::NotAnEtr,
        DropReason::NotOurEid,
        DropReason::NoRouteToEid,
        DropReason::EidAway,
        DropReason::SourceIsHere,
        DropReason::OuterTtlExpired,
        DropReason::EcnMismatch,
    ];

    /// Describes the reason in a few words, for `show ip lisp statistics`.
    pub fn describe(self) -> &'static str {
        match self {
            DropReason::NotIp => "Not an IP packet",
            DropReason::LinkScoped => "Link-local, multicast or broadcast",
            DropReason::NotAnItr => "Neither ITR nor proxy ITR",
            DropReason::LocalEidNoRoute => "Local EID without route",
            DropReason::MappingDrops => "Map-cache action drop",
            DropReason::NoUsableLocator => "No usable locator",
            DropReason::TooBigForPath => "Too big for the path",
            DropReason::NoMapResolver => "No Map-Resolver configured",
            DropReason::HoldQueueFull => "Hold queue full",
            DropReason::Unresolved => "No Map-Reply",
            DropReason::BadDataHeader => "Bad LISP header",
            DropReason::BadInnerPacket => "Bad inner packet",
            DropReason::InnerLinkScoped => "Inner packet link-local or multicast",
            DropReason::UnknownInstance => "Unknown instance-ID",
            DropReason::NotAnEtr => "Neither ETR nor proxy ETR",
            DropReason::NotOurEid => "Inner destination not a local EID",
            DropReason::NoRouteToEid => "No route to local EID",
            DropReason::EidAway => "Local EID away",
            DropReason::SourceIsHere => "Inner source is at this site",
            DropReason::OuterTtlExpired => "Outer TTL expired",
            DropReason::EcnMismatch => "Congestion marked, but no ECN support",
        }
    }
}
