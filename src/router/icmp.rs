//! The ICMP errors that the router sends to hosts: the packet is too big for the path, or its TTL
//! expired in the core.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use etherparse::{Icmpv4Type, Icmpv6Type, PacketBuilder, icmpv4, icmpv6};

use crate::addr::is_link_local;
use crate::packet::{IPV4_MINIMUM_REASSEMBLY, IPV6_MINIMUM_MTU, IpHeader};
use crate::time::Time;

/// An ICMP error quotes at most this number of octets of the packet. The number is the size of the
/// largest error (RFC 1812 section 4.3.2.3 for IPv4, RFC 4443 section 2.4 for IPv6) without the
/// headers of the error.
const QUOTED_V4: usize = IPV4_MINIMUM_REASSEMBLY as usize - 28;
const QUOTED_V6: usize = IPV6_MINIMUM_MTU as usize - 48;
/// In one second, the router relays at most this number of ICMP errors from the core to one host
/// (RFC 1812 section 4.3.2.8). The next constant is the maximum number for all hosts together.
const ERRORS_PER_HOST: usize = 10;
const ERRORS_IN_ALL: usize = 100;
const SECOND: Duration = Duration::from_secs(1);

/// The reason for an ICMP error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AboutPacket {
    /// The packet is larger than `mtu` octets, and must not be fragmented.
    TooBig { mtu: u32 },
    /// The TTL of the packet expired on its path.
    TimeExceeded,
}

impl AboutPacket {
    fn v4(self) -> Option<Icmpv4Type> {
        Some(match self {
            AboutPacket::TooBig { mtu } => {
                let next_hop_mtu = u16::try_from(mtu).ok()?;
                let why = icmpv4::DestUnreachableHeader::FragmentationNeeded { next_hop_mtu };
                Icmpv4Type::DestinationUnreachable(why)
            }
            AboutPacket::TimeExceeded => {
                Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit)
            }
        })
    }

    fn v6(self) -> Icmpv6Type {
        match self {
            AboutPacket::TooBig { mtu } => Icmpv6Type::PacketTooBig { mtu },
            AboutPacket::TimeExceeded => {
                Icmpv6Type::TimeExceeded(icmpv6::TimeExceededCode::HopLimitExceeded)
            }
        }
    }
}

/// Makes an ICMP error to the sender of a packet. `packet` contains the beginning of the packet.
/// `None` if `from` and `to` are of different families.
pub(super) fn error(
    about: AboutPacket,
    from: IpAddr,
    to: IpAddr,
    packet: &[u8],
) -> Option<Vec<u8>> {
    const TTL: u8 = 64;
    let mut bytes = Vec::new();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let builder = PacketBuilder::ipv4(from.octets(), to.octets(), TTL).icmpv4(about.v4()?);
            builder.write(&mut bytes, &packet[..packet.len().min(QUOTED_V4)]).ok()?;
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let builder = PacketBuilder::ipv6(from.octets(), to.octets(), TTL).icmpv6(about.v6());
            builder.write(&mut bytes, &packet[..packet.len().min(QUOTED_V6)]).ok()?;
        }
        _ => return None,
    }
    Some(bytes)
}

/// Whether an ICMP error may be sent about a packet. No error is sent about an ICMP error, about a
/// fragment other than the first, or about a packet that must stay on its link (RFC 1122 section
/// 3.2.2, RFC 4443 section 2.4 e). `packet` contains at least the IP header.
pub(super) fn deserves_error(packet: &[u8], header: &IpHeader) -> bool {
    const ICMP: u8 = 1;
    const ICMP_V6: u8 = 58;
    if header.is_link_scoped() || header.source.is_multicast() || header.source.is_loopback() {
        return false;
    }
    if packet[0] >> 4 == 4 {
        let is_later_fragment = u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff != 0;
        let kind = packet.get(usize::from(packet[0] & 15) * 4);
        let is_error = packet[9] == ICMP && !matches!(kind, Some(0 | 8));
        !is_later_fragment && !is_error
    } else {
        packet[6] != ICMP_V6 || packet.get(40).is_some_and(|kind| *kind >= 128)
    }
}

/// Whether a router can use this address as the source address of ICMP errors that go beyond its
/// own link.
pub(super) fn is_of_a_router(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let stays_on_link = is_link_local(address) || is_broadcast;
    !stays_on_link && !address.is_unspecified() && !address.is_loopback() && !address.is_multicast()
}

/// Limits the errors from the core that are relayed to hosts.
#[derive(Debug, Default)]
pub(super) struct ErrorLimiter {
    /// The errors of the last second; at most [`ERRORS_IN_ALL`].
    sent: VecDeque<(Time, IpAddr)>,
}

impl ErrorLimiter {
    /// Whether an ICMP error may be sent to `host` now. If the error may be sent, counts the error.
    pub(super) fn admit(&mut self, host: IpAddr, now: Time) -> bool {
        while self.sent.front().is_some_and(|(at, _)| now.since(*at) >= SECOND) {
            self.sent.pop_front();
        }
        let of_host = self.sent.iter().filter(|(_, to)| *to == host).count();
        let may = self.sent.len() < ERRORS_IN_ALL && of_host < ERRORS_PER_HOST;
        if may {
            self.sent.push_back((now, host));
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_errors_a_second_go_to_a_host_and_a_hundred_to_all() {
        let mut limiter = ErrorLimiter::default();
        let host = |number: u8| IpAddr::from([10, 0, 0, number]);
        let mut admitted = |number, ms: u64| {
            (0..50).filter(|_| limiter.admit(host(number), Time(ms * 1000))).count()
        };
        assert_eq!(admitted(0, 0), 10);
        assert_eq!(admitted(0, 999), 0);
        assert_eq!(admitted(0, 1000), 10);
        let of_others: usize = (1..=50).map(|number| admitted(number, 1000)).sum();
        assert_eq!(of_others, 90);
        assert_eq!(admitted(0, 2000), 10);
    }
}
