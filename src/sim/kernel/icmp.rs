//! The ICMP messages of a kernel: echo replies, and ICMP errors about packets that the kernel
//! drops.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    IcmpEchoHeader, Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpNumber, SlicedPacket,
    TransportSlice, icmpv4, icmpv6,
};

use super::{Kernel, KernelOutput};
use crate::addr::{Family, Rloc};
use crate::packet::{IPV4_MINIMUM_REASSEMBLY, IPV6_MINIMUM_MTU, IpHeader};
use crate::router::io::IcmpError as Reported;
use crate::sim::datagram::{IpFields, ip_packet};
use crate::wire::IcmpErrorKind;

/// The maximum length of an ICMPv4 error including its IP header, in octets (RFC 1812 section
/// 4.3.2.3). The next constant is the maximum length of an ICMPv6 error (RFC 4443 section 2.4).
const V4_ERROR_LEN: usize = IPV4_MINIMUM_REASSEMBLY as usize;
const V6_ERROR_LEN: usize = IPV6_MINIMUM_MTU as usize;
/// The length of the IP header and the ICMP header of an ICMPv4 error together, in octets. The
/// quoted packet follows these headers. The next constant is the same length for ICMPv6.
const V4_ERROR_HEADERS: usize = 28;
const V6_ERROR_HEADERS: usize = 48;
/// The type of service of ICMPv4 errors. Linux sends them with precedence "internetwork control".
const V4_ERROR_TOS: u8 = 0xc0;
/// The TTL or hop limit of packets that the node itself sends.
const DEFAULT_TTL: u8 = 64;

/// The reason why a packet was dropped. There is an ICMP error for each of these reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpError {
    /// There is no route to the destination.
    NetUnreachable,
    /// The route of the packet is of type `unreachable`, or the next hop does not answer.
    HostUnreachable,
    /// No socket has the destination port.
    PortUnreachable,
    /// The packet is larger than the MTU of the next link. The number is this MTU, in octets.
    TooBig(u16),
    /// The TTL has reached zero.
    TtlExceeded,
}

impl IcmpError {
    fn v4(self) -> Icmpv4Type {
        use icmpv4::DestUnreachableHeader as Unreachable;
        match self {
            IcmpError::NetUnreachable => Icmpv4Type::DestinationUnreachable(Unreachable::Network),
            IcmpError::HostUnreachable => Icmpv4Type::DestinationUnreachable(Unreachable::Host),
            IcmpError::PortUnreachable => Icmpv4Type::DestinationUnreachable(Unreachable::Port),
            IcmpError::TooBig(next_hop_mtu) => {
                Icmpv4Type::DestinationUnreachable(Unreachable::FragmentationNeeded {
                    next_hop_mtu,
                })
            }
            IcmpError::TtlExceeded => {
                Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit)
            }
        }
    }

    fn v6(self) -> Icmpv6Type {
        use icmpv6::DestUnreachableCode as Unreachable;
        match self {
            IcmpError::NetUnreachable => Icmpv6Type::DestinationUnreachable(Unreachable::NoRoute),
            IcmpError::HostUnreachable => Icmpv6Type::DestinationUnreachable(Unreachable::Address),
            IcmpError::PortUnreachable => Icmpv6Type::DestinationUnreachable(Unreachable::Port),
            IcmpError::TooBig(mtu) => Icmpv6Type::PacketTooBig { mtu: mtu.into() },
            IcmpError::TtlExceeded => {
                Icmpv6Type::TimeExceeded(icmpv6::TimeExceededCode::HopLimitExceeded)
            }
        }
    }
}

/// A datagram that an ICMP error quotes. The process sent this datagram.
struct Quoted<'a> {
    /// The address and port of the socket that sent the datagram.
    from: SocketAddr,
    destination: IpAddr,
    /// The destination port of the datagram.
    port: u16,
    /// The part of the payload that the ICMP error quotes.
    payload: &'a [u8],
}

/// Builds an ICMP message with its checksum. `ends` is the source address and the destination
/// address of the IP packet.
fn message(v4: Icmpv4Type, v6: Icmpv6Type, ends: (IpAddr, IpAddr), data: &[u8]) -> Option<Vec<u8>> {
    let mut message = match ends {
        (IpAddr::V4(_), IpAddr::V4(_)) => Icmpv4Header::with_checksum(v4, data).to_bytes().to_vec(),
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            Icmpv6Header::with_checksum(v6, source.octets(), destination.octets(), data)
                .ok()?
                .to_bytes()
                .to_vec()
        }
        _ => return None,
    };
    message.extend_from_slice(data);
    Some(message)
}

/// Whether an ICMP error about `packet` may be sent (RFC 1122 section 3.2.2, RFC 4443 section 2.4
/// e).
fn deserves_error(packet: &[u8], header: &IpHeader) -> bool {
    if header.is_link_scoped() {
        return false;
    }
    let Ok(sliced) = SlicedPacket::from_ip(packet) else {
        return false;
    };
    match sliced.transport {
        Some(TransportSlice::Icmpv4(icmp)) => {
            matches!(icmp.icmp_type(), Icmpv4Type::EchoRequest(_) | Icmpv4Type::EchoReply(_))
        }
        Some(TransportSlice::Icmpv6(icmp)) => icmp.type_u8() >= 128,
        Some(_) => true,
        None => !is_later_fragment(packet),
    }
}

/// Whether the IP packet `packet` is an IPv4 fragment, but not the first fragment.
fn is_later_fragment(packet: &[u8]) -> bool {
    const OFFSET: u16 = 0x1fff;
    packet[0] >> 4 == 4 && u16::from_be_bytes([packet[6], packet[7]]) & OFFSET != 0
}

impl Kernel {
    /// Sends an ICMP error about `packet`, if an error about this packet is allowed.
    pub(super) fn send_error(&mut self, error: IcmpError, packet: &[u8], header: &IpHeader) {
        if !deserves_error(packet, header) {
            return;
        }
        let destination = header.source;
        let own = self.is_local(header.destination).then_some(header.destination);
        let Some(source) = own.or_else(|| self.source_for(destination)) else {
            return;
        };
        // On Linux, the source address of an IPv4 error influences the route of the error only if
        // `packet` was sent to this address.
        let bound = own.is_some() || destination.is_ipv6();
        let (most, tos) = match destination {
            IpAddr::V4(_) => (V4_ERROR_LEN - V4_ERROR_HEADERS, V4_ERROR_TOS),
            IpAddr::V6(_) => (V6_ERROR_LEN - V6_ERROR_HEADERS, 0),
        };
        let quoted = &packet[..packet.len().min(most)];
        let ends = (source, destination);
        if let Some(message) = message(error.v4(), error.v6(), ends, quoted) {
            self.send_icmp(ends, tos, &message, bound);
        }
    }

    /// Reports an ICMP error to the process, if the process sent the datagram that the error
    /// quotes. `icmp` is the ICMP message.
    pub(super) fn report_error(&mut self, header: &IpHeader, icmp: &[u8]) {
        let Some((&[kind, code, _, _, a, b, c, d], quoted)) = icmp.split_first_chunk() else {
            return;
        };
        let family = header.family();
        let mtu = match family {
            Family::Ipv4 => u16::from_be_bytes([c, d]).into(),
            Family::Ipv6 => u32::from_be_bytes([a, b, c, d]),
        };
        let Some(Quoted { from, destination, port, payload }) = self.own_datagram(quoted) else {
            return;
        };
        let kind = IcmpErrorKind::of(family, kind, code, mtu);
        if let IcmpErrorKind::TooBig { mtu } = kind {
            self.path_mtus.learn(destination, mtu, self.now);
        }
        if self.senders.contains(&from) {
            self.outputs.push_back(KernelOutput::Error(Reported {
                rloc: Rloc(destination),
                port,
                reporter: header.source,
                kind,
                quoted: payload.to_vec(),
            }));
        }
    }

    /// Returns the quoted datagram, if a socket of the process sent it.
    fn own_datagram<'a>(&self, quoted: &'a [u8]) -> Option<Quoted<'a>> {
        let header = IpHeader::parse_quoted(quoted).ok()?;
        let (protocol, header_len) = match header.family() {
            Family::Ipv4 => (quoted[9], usize::from(quoted[0] & 15) * 4),
            Family::Ipv6 => (quoted[6], 40),
        };
        let quoted = &quoted[header_len..quoted.len().min(header.total_len)];
        let (&[high, low, to_high, to_low, ..], payload) = quoted.split_first_chunk::<8>()?;
        let from = SocketAddr::new(header.source, u16::from_be_bytes([high, low]));
        let is_own = IpNumber(protocol) == IpNumber::UDP
            && self.is_local(header.source)
            && (self.senders.contains(&from) || self.receivers.contains(&from));
        is_own.then_some(Quoted {
            from,
            destination: header.destination,
            port: u16::from_be_bytes([to_high, to_low]),
            payload,
        })
    }

    /// Answers an echo request that was sent to an address of this node.
    pub(super) fn send_echo_reply(&mut self, header: &IpHeader, echo: IcmpEchoHeader, data: &[u8]) {
        let ends = (header.destination, header.source);
        let v4 = Icmpv4Type::EchoReply(echo);
        let v6 = Icmpv6Type::EchoReply(echo);
        if let Some(message) = message(v4, v6, ends, data) {
            self.send_icmp(ends, header.tos, &message, true);
        }
    }

    /// Sends an ICMP message. If `bound` is false, the source address does not influence the route
    /// of the message.
    fn send_icmp(
        &mut self,
        (source, destination): (IpAddr, IpAddr),
        tos: u8,
        message: &[u8],
        bound: bool,
    ) {
        let protocol = match destination {
            IpAddr::V4(_) => IpNumber::ICMP,
            IpAddr::V6(_) => IpNumber::IPV6_ICMP,
        };
        let fields = IpFields {
            source,
            destination,
            ttl: DEFAULT_TTL,
            tos,
            protocol,
            dont_fragment: false,
            identification: self.next_identification(),
        };
        if let Some(packet) = ip_packet(&fields, message) {
            self.originate(packet, bound);
        }
    }
}
