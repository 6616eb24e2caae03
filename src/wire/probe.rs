//! The ICMP messages of probes (RFC 792, RFC 4443): the echo requests of a ping, and the messages
//! that answer a probe. A probe is an echo request, or a UDP datagram of a traceroute.

use std::net::IpAddr;

use etherparse::{
    IcmpEchoHeader, Icmpv4Header, Icmpv4Type, Icmpv6Header, Icmpv6Type, IpNumber, icmpv4, icmpv6,
};

use super::IcmpErrorKind;
use crate::addr::Family;
use crate::packet::IpHeader;

/// The number of octets of an ICMP header. In an ICMP error, the quoted packet follows this header.
const ICMP_HEADER: usize = 8;

/// Makes an echo request with its checksum. `data` is the number of octets after the ICMP header.
/// Returns `None` if the two addresses are of different families.
pub fn echo_request(
    source: IpAddr,
    destination: IpAddr,
    echo: IcmpEchoHeader,
    data: usize,
) -> Option<Vec<u8>> {
    let data: Vec<u8> = (0..data).map(|at| at as u8).collect();
    let mut message = match (source, destination) {
        (IpAddr::V4(_), IpAddr::V4(_)) => {
            Icmpv4Header::with_checksum(Icmpv4Type::EchoRequest(echo), &data).to_bytes().to_vec()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let kind = Icmpv6Type::EchoRequest(echo);
            let ends = (source.octets(), destination.octets());
            Icmpv6Header::with_checksum(kind, ends.0, ends.1, &data).ok()?.to_bytes().to_vec()
        }
        _ => return None,
    };
    message.extend(data);
    Some(message)
}

/// The fields that a probe and its answer have in common. With these fields, the sender of probes
/// finds the probe to which an answer belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKey {
    /// An echo request.
    Echo {
        /// The identifier.
        ident: u16,
        /// The sequence number.
        seq_no: u16,
    },
    /// A UDP datagram.
    Udp {
        /// The source port.
        from: u16,
        /// The destination port.
        to: u16,
    },
}

/// The meaning of an ICMP message, for the sender of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The echo reply to the probe.
    Reply,
    /// The destination cannot be reached. The kind tells the reason.
    Unreachable(IcmpErrorKind),
    /// The probe is too big for a link. The number is the maximum size of a packet on this link, in
    /// octets.
    TooBig(u32),
    /// The TTL of the probe expired.
    TtlExceeded,
    /// The sender should send more slowly (ICMPv4 type 4).
    SourceQuench,
    /// Another error.
    Other,
}

/// An ICMP message that answers a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// The destination of the probe. `None` for an echo reply, because an echo reply does not quote
    /// the request.
    pub destination: Option<IpAddr>,
    /// The key of the probe to which this message is the answer.
    pub probe: ProbeKey,
    /// The meaning of the message.
    pub meaning: Meaning,
}

impl ProbeAnswer {
    /// Reads an ICMPv4 or ICMPv6 message. Returns `None` if the message does not answer a probe.
    pub fn parse(family: Family, icmp: &[u8]) -> Option<Self> {
        let (&[kind, code, _, _, a, b, c, d], quoted) = icmp.split_first_chunk::<ICMP_HEADER>()?;
        let [ident, seq_no] = [[a, b], [c, d]].map(u16::from_be_bytes);
        let mtu = match family {
            Family::Ipv4 => seq_no.into(),
            Family::Ipv6 => u32::from_be_bytes([a, b, c, d]),
        };
        let meaning = match (family, kind) {
            (Family::Ipv4, icmpv4::TYPE_ECHO_REPLY) | (Family::Ipv6, icmpv6::TYPE_ECHO_REPLY) => {
                let probe = ProbeKey::Echo { ident, seq_no };
                return Some(ProbeAnswer { destination: None, probe, meaning: Meaning::Reply });
            }
            (Family::Ipv4, icmpv4::TYPE_DEST_UNREACH)
            | (Family::Ipv6, icmpv6::TYPE_DST_UNREACH | icmpv6::TYPE_PACKET_TOO_BIG) => {
                match IcmpErrorKind::of(family, kind, code, mtu) {
                    IcmpErrorKind::TooBig { mtu } => Meaning::TooBig(mtu),
                    kind => Meaning::Unreachable(kind),
                }
            }
            (Family::Ipv4, icmpv4::TYPE_TIME_EXCEEDED)
            | (Family::Ipv6, icmpv6::TYPE_TIME_EXCEEDED) => Meaning::TtlExceeded,
            (Family::Ipv4, icmpv4::TYPE_SOURCE_QUENCH) => Meaning::SourceQuench,
            (Family::Ipv4, icmpv4::TYPE_PARAMETER_PROBLEM)
            | (Family::Ipv6, icmpv6::TYPE_PARAMETER_PROBLEM) => Meaning::Other,
            _ => return None,
        };
        let (destination, probe) = quoted_probe(quoted)?;
        Some(ProbeAnswer { destination: Some(destination), probe, meaning })
    }
}

/// Returns the destination and the key of a probe. The argument is the probe as an ICMP error
/// quotes it.
fn quoted_probe(quoted: &[u8]) -> Option<(IpAddr, ProbeKey)> {
    let header = IpHeader::parse_quoted(quoted).ok()?;
    let (protocol, header_len) = match header.family() {
        Family::Ipv4 => (quoted[9], usize::from(quoted[0] & 15).saturating_mul(4)),
        Family::Ipv6 => (quoted[6], 40),
    };
    let &[a, b, c, d, e, f, g, h] = quoted.get(header_len..)?.first_chunk::<8>()?;
    let probe = match (IpNumber(protocol), a) {
        (IpNumber::UDP, _) => {
            ProbeKey::Udp { from: u16::from_be_bytes([a, b]), to: u16::from_be_bytes([c, d]) }
        }
        (IpNumber::ICMP, icmpv4::TYPE_ECHO_REQUEST)
        | (IpNumber::IPV6_ICMP, icmpv6::TYPE_ECHO_REQUEST) => {
            ProbeKey::Echo { ident: u16::from_be_bytes([e, f]), seq_no: u16::from_be_bytes([g, h]) }
        }
        _ => return None,
    };
    Some((header.destination, probe))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes an IP packet as an ICMP error quotes it: the header, and the first octets of the
    /// payload.
    fn quoted(family: Family, payload: [u8; 8], protocol: IpNumber) -> Vec<u8> {
        let ends = match family {
            Family::Ipv4 => ["172.16.0.1", "192.168.0.22"],
            Family::Ipv6 => ["2001:db8:a::1", "2001:db8:b::22"],
        };
        let [source, destination] = ends.map(|end| end.parse().unwrap());
        let fields = crate::sim::datagram::IpFields {
            source,
            destination,
            ttl: 1,
            tos: 0,
            protocol,
            dont_fragment: false,
            identification: 1,
        };
        crate::sim::datagram::ip_packet(&fields, &payload).unwrap()
    }

    #[test]
    fn each_icmp_error_has_its_meaning_and_names_its_probe() {
        use IcmpErrorKind::{HostUnreachable, NetUnreachable, PortUnreachable};
        let echo = |kind| ([kind, 0, 1, 2, 0x12, 0x34, 0, 9], true);
        let udp = ([0x80, 1, 0x82, 0x9a, 0, 8, 0, 0], false);
        for (family, (payload, is_echo), head, meaning) in [
            (Family::Ipv4, echo(8), [3, 0, 0, 0], Meaning::Unreachable(NetUnreachable)),
            (Family::Ipv4, echo(8), [3, 1, 0, 0], Meaning::Unreachable(HostUnreachable)),
            (Family::Ipv4, echo(8), [3, 4, 0x05, 0x78], Meaning::TooBig(1400)),
            (Family::Ipv4, echo(8), [4, 0, 0, 0], Meaning::SourceQuench),
            (Family::Ipv4, echo(8), [11, 0, 0, 0], Meaning::TtlExceeded),
            (Family::Ipv4, echo(8), [12, 0, 0, 0], Meaning::Other),
            (Family::Ipv4, udp, [3, 3, 0, 0], Meaning::Unreachable(PortUnreachable)),
            (Family::Ipv6, echo(128), [1, 0, 0, 0], Meaning::Unreachable(NetUnreachable)),
            (Family::Ipv6, echo(128), [2, 0, 0x05, 0x78], Meaning::TooBig(1400)),
            (Family::Ipv6, udp, [3, 0, 0, 0], Meaning::TtlExceeded),
        ] {
            let protocol = match (family, is_echo) {
                (_, false) => IpNumber::UDP,
                (Family::Ipv4, true) => IpNumber::ICMP,
                (Family::Ipv6, true) => IpNumber::IPV6_ICMP,
            };
            let [kind, code, high, low] = head;
            let mut icmp = vec![kind, code, 0, 0, 0, 0, high, low];
            icmp.extend(quoted(family, payload, protocol));
            let answer = ProbeAnswer::parse(family, &icmp).unwrap();
            assert_eq!(answer.meaning, meaning, "{family} {head:?}");
            let probe = match is_echo {
                true => ProbeKey::Echo { ident: 0x1234, seq_no: 9 },
                false => ProbeKey::Udp { from: 0x8001, to: 33434 },
            };
            assert_eq!(answer.probe, probe, "{family} {head:?}");
            assert!(answer.destination.is_some());
        }
    }

    #[test]
    fn an_echo_reply_answers_and_other_messages_do_not() {
        let reply = [0, 0, 0, 0, 0x12, 0x34, 0, 9];
        let answer = ProbeAnswer::parse(Family::Ipv4, &reply).unwrap();
        let probe = ProbeKey::Echo { ident: 0x1234, seq_no: 9 };
        assert_eq!((answer.probe, answer.meaning), (probe, Meaning::Reply));
        for other in [&[8, 0, 0, 0, 0, 0, 0, 0][..], &[3, 0, 0, 0, 0, 0, 0, 0], &[0, 0], &[]] {
            assert_eq!(ProbeAnswer::parse(Family::Ipv4, other), None);
        }
    }
}
