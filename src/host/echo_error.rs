//! ICMP errors about an echo request of the host (RFC 792, RFC 4443). smoltcp does not pass these
//! errors to an ICMP socket, so this module finds them.

use std::net::IpAddr;

use etherparse::{Icmpv4Type, Icmpv6Type, LaxSlicedPacket, SlicedPacket, TransportSlice, icmpv4};

use super::ping::Outcome;
use crate::packet::IpHeader;

/// An ICMP error that quotes an echo request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoError {
    /// The destination of the echo request.
    pub destination: IpAddr,
    /// The identifier of the echo request.
    pub ident: u16,
    /// The sequence number of the echo request.
    pub seq_no: u16,
    /// The outcome of the echo request according to this error.
    pub outcome: Outcome,
}

impl EchoError {
    /// Reads an IP packet. Returns `None` if the packet is not an ICMP error about an echo request.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        IpHeader::parse(packet).ok()?;
        let sliced = SlicedPacket::from_ip(packet).ok()?;
        let (outcome, quoted) = match sliced.transport? {
            TransportSlice::Icmpv4(icmp) => (v4_outcome(&icmp.icmp_type())?, icmp.payload()),
            TransportSlice::Icmpv6(icmp) => (v6_outcome(&icmp.icmp_type())?, icmp.payload()),
            _ => return None,
        };
        let quoted = LaxSlicedPacket::from_ip(quoted).ok()?;
        let destination = match quoted.net.as_ref()? {
            etherparse::LaxNetSlice::Ipv4(ip) => ip.header().destination_addr().into(),
            etherparse::LaxNetSlice::Ipv6(ip) => ip.header().destination_addr().into(),
            etherparse::LaxNetSlice::Arp(_) => return None,
        };
        let echo = match quoted.transport? {
            TransportSlice::Icmpv4(icmp) => match icmp.icmp_type() {
                Icmpv4Type::EchoRequest(echo) => echo,
                _ => return None,
            },
            TransportSlice::Icmpv6(icmp) => match icmp.icmp_type() {
                Icmpv6Type::EchoRequest(echo) => echo,
                _ => return None,
            },
            _ => return None,
        };
        Some(EchoError { destination, ident: echo.id, seq_no: echo.seq, outcome })
    }
}

fn v4_outcome(icmp: &Icmpv4Type) -> Option<Outcome> {
    use icmpv4::DestUnreachableHeader::FragmentationNeeded;
    match icmp {
        Icmpv4Type::DestinationUnreachable(FragmentationNeeded { next_hop_mtu }) => {
            Some(Outcome::TooBig(u32::from(*next_hop_mtu)))
        }
        Icmpv4Type::DestinationUnreachable(_) => Some(Outcome::Unreachable),
        Icmpv4Type::TimeExceeded(_) => Some(Outcome::TtlExceeded),
        _ => None,
    }
}

fn v6_outcome(icmp: &Icmpv6Type) -> Option<Outcome> {
    match icmp {
        Icmpv6Type::PacketTooBig { mtu } => Some(Outcome::TooBig(*mtu)),
        Icmpv6Type::DestinationUnreachable(_) => Some(Outcome::Unreachable),
        Icmpv6Type::TimeExceeded(_) => Some(Outcome::TtlExceeded),
        _ => None,
    }
}
