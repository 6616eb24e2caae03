//! The verdicts of the two packet calls, which a driver carries out, and the reasons why packets
//! stop.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::addr::{InstanceId, Rloc};
use crate::wire::DATA_SOURCE_PORTS;

/// How to encapsulate a packet: the fields of the outer headers (RFC 9300 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encapsulation {
    /// The local RLOC.
    pub source: Rloc,
    /// The remote RLOC; the UDP destination port is 4341.
    pub destination: Rloc,
    /// Determines the outer UDP source port, so that the core keeps a flow on one path.
    pub flow_hash: u32,
    /// Outer TTL, copied from the inner header.
    pub ttl: u8,
    /// Outer type of service, copied too (its ECN bits by RFC 6040).
    pub tos: u8,
    /// The LISP header.
    pub header: [u8; 8],
}

impl Encapsulation {
    /// The UDP source port, one of [`DATA_SOURCE_PORTS`]: all packets of a flow have the same.
    pub fn source_port(&self) -> u16 {
        // The remainder is less than the number of ports, which fits.
        DATA_SOURCE_PORTS.start + (self.flow_hash % DATA_SOURCE_PORTS.len() as u32) as u16
    }
}

/// The verdict on the packet just read from `lisp0`.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outbound {
    /// Encapsulate it and send it.
    Encapsulate(Encapsulation),
    /// Write it back to `lisp0`: its TTL has been restored.
    Native,
    /// Do nothing: a copy waits for a Map-Reply.
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
    /// Outer TTL as it arrived.
    pub ttl: u8,
    /// Outer type of service as it arrived.
    pub tos: u8,
}

/// The verdict on the datagram just read from UDP port 4341.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inbound {
    /// Strip the 8 octets of the LISP header and write the next `len` octets to `lisp0`: their TTL
    /// and ECN have been set.
    Deliver {
        /// The instance of the `lisp0` that receives the packet.
        instance_id: InstanceId,
        /// Octets of the inner packet; the rest of the datagram is padding.
        len: usize,
    },
    /// The EID has moved: strip the 8 octets of the LISP header and encapsulate the next `len`
    /// octets again. Their TTL has been reduced by one.
    Forward {
        /// The outer headers.
        encapsulation: Encapsulation,
        /// Octets of the inner packet.
        len: usize,
    },
    /// Do nothing: a copy waits until the destination host has been found.
    Held,
    /// Do nothing: the packet has been counted.
    Dropped(DropReason),
}

/// The reason why a packet of EIDs stopped at this router. Each reason has a counter that `show`
/// prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// Read from `lisp0`: not an IPv4 or IPv6 packet, or damaged.
    NotIp,
    /// Read from `lisp0`: link-local, multicast or broadcast, which LISP does not forward.
    LinkScoped,
    /// Read from `lisp0`: the router is neither ITR nor proxy ITR for the family.
    NotAnItr,
    /// Read from `lisp0`: the destination is a local EID that has no route.
    LocalEidNoRoute,
    /// The action of the mapping is drop (RFC 9301 section 5.4, ACT 3 to 5).
    MappingDrops,
    /// The mapping has no locator that is up and of a family that this router has.
    NoUsableLocator,
    /// Read from `lisp0`: too big for the path to its locator; the sender is informed.
    TooBigForPath,
    /// No Map-Resolver is configured.
    NoMapResolver,
    /// The packet needs a Map-Reply, but the hold queue of the EID or of the router is full.
    HoldQueueFull,
    /// The packet waited for a Map-Reply that did not arrive.
    Unresolved,
    /// Received on port 4341: shorter than a LISP header, or its reserved bits show that it is not
    /// LISP.
    BadDataHeader,
    /// Received on port 4341: the inner packet is not IP, or damaged.
    BadInnerPacket,
    /// Received on port 4341: the inner packet is link-local or multicast.
    InnerLinkScoped,
    /// Received on port 4341: the instance is not configured here.
    UnknownInstance,
    /// Received on port 4341: the router is neither ETR nor proxy ETR for the family.
    NotAnEtr,
    /// Received on port 4341: the inner destination is not one of our EIDs, and this router is not
    /// a proxy ETR.
    NotOurEid,
    /// Received on port 4341: the destination is a local EID that has no route.
    NoRouteToEid,
    /// Received on port 4341: the destination is a local EID that is away; an SMR is sent to the
    /// sender.
    EidAway,
    /// Received on port 4341: the inner source is the router's own, or an EID that is at this site.
    SourceIsHere,
    /// Received on port 4341: the TTL was used up on the path.
    OuterTtlExpired,
    /// Received on port 4341: marked as congested, but the inner transport does not support ECN
    /// (RFC 6040).
    EcnMismatch,
}

impl DropReason {
    /// All reasons, in the order in which they are printed.
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

    /// The cause in a few words, for `show ip lisp statistics`.
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
            DropReason::EcnMismatch => "Congestion marked without ECN",
        }
    }
}
