//! The kinds of ICMP errors about packets that a router sent into the core (RFC 792, RFC 1812
//! section 5.2.7.1, RFC 4443).
//!
//! Only some of these errors mean that no packet can reach a locator. Any other error is about one
//! packet: the TTL or the size of this packet, or an option in it.

use serde::{Deserialize, Serialize};

use crate::addr::Family;

/// The meaning of an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IcmpErrorKind {
    /// A router has no route: ICMPv4 type 3 codes 0 and 6, ICMPv6 type 1 codes 0 and 6.
    NetUnreachable,
    /// A router cannot find the host on the host's link: ICMPv4 type 3 codes 1 and 7, ICMPv6 type 1
    /// code 3.
    HostUnreachable,
    /// The host has no socket on the port: ICMPv4 type 3 code 3, ICMPv6 type 1 code 4.
    PortUnreachable,
    /// A filter forbids the packet: ICMPv4 type 3 codes 9, 10 and 13, ICMPv6 type 1 code 1.
    Prohibited,
    /// The packet is too big for a link: ICMPv4 type 3 code 4, ICMPv6 type 2.
    TooBig {
        /// The maximum size of a packet on this link, in octets. The outer headers are included.
        mtu: u32,
    },
    /// The TTL expired in transit: ICMPv4 type 11 code 0, ICMPv6 type 3 code 0.
    TimeExceeded,
    /// Any other type or code. This error gives no information about a locator.
    Other,
}

impl IcmpErrorKind {
    /// Returns the kind of an ICMPv4 or ICMPv6 error. `mtu` is used only if the error has an MTU.
    pub fn of(family: Family, kind: u8, code: u8, mtu: u32) -> Self {
        match (family, kind, code) {
            (Family::Ipv4, 3, 0 | 6) | (Family::Ipv6, 1, 0 | 6) => IcmpErrorKind::NetUnreachable,
            (Family::Ipv4, 3, 1 | 7) | (Family::Ipv6, 1, 3) => IcmpErrorKind::HostUnreachable,
            (Family::Ipv4, 3, 3) | (Family::Ipv6, 1, 4) => IcmpErrorKind::PortUnreachable,
            (Family::Ipv4, 3, 9 | 10 | 13) | (Family::Ipv6, 1, 1) => IcmpErrorKind::Prohibited,
            (Family::Ipv4, 3, 4) | (Family::Ipv6, 2, _) => IcmpErrorKind::TooBig { mtu },
            (Family::Ipv4, 11, 0) | (Family::Ipv6, 3, 0) => IcmpErrorKind::TimeExceeded,
            _ => IcmpErrorKind::Other,
        }
    }

    /// Whether the error means that no packet reaches the locator.
    pub fn is_unreachable(self) -> bool {
        match self {
            IcmpErrorKind::NetUnreachable
            | IcmpErrorKind::HostUnreachable
            | IcmpErrorKind::PortUnreachable
            | IcmpErrorKind::Prohibited => true,
            IcmpErrorKind::TooBig { .. } | IcmpErrorKind::TimeExceeded | IcmpErrorKind::Other => {
                false
            }
        }
    }

    /// Returns the meaning of the error in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            IcmpErrorKind::NetUnreachable => "network unreachable",
            IcmpErrorKind::HostUnreachable => "host unreachable",
            IcmpErrorKind::PortUnreachable => "port unreachable",
            IcmpErrorKind::Prohibited => "administratively prohibited",
            IcmpErrorKind::TooBig { .. } => "packet too big",
            IcmpErrorKind::TimeExceeded => "time exceeded",
            IcmpErrorKind::Other => "another ICMP error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the types and codes in this list make a locator unreachable.
    #[test]
    fn unreachable_are_these_codes_of_icmpv4_and_icmpv6_only() {
        let unreachable = |family| -> Vec<(u8, u8)> {
            let all = (0..=255).flat_map(|kind| (0..=255).map(move |code| (kind, code)));
            all.filter(|&(kind, code)| IcmpErrorKind::of(family, kind, code, 0).is_unreachable())
                .collect()
        };
        assert_eq!(unreachable(Family::Ipv4), [0, 1, 3, 6, 7, 9, 10, 13].map(|code| (3, code)));
        assert_eq!(unreachable(Family::Ipv6), [0, 1, 3, 4, 6].map(|code| (1, code)));
    }

    #[test]
    fn a_reassembly_that_took_too_long_is_no_used_up_ttl() {
        for (family, kind) in [(Family::Ipv4, 11), (Family::Ipv6, 3)] {
            assert_eq!(IcmpErrorKind::of(family, kind, 0, 0), IcmpErrorKind::TimeExceeded);
            assert_eq!(IcmpErrorKind::of(family, kind, 1, 0), IcmpErrorKind::Other);
        }
    }
}
