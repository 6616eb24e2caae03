//! Builds IP packets with correct checksums. The crate etherparse writes the headers of the
//! packets.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpDscp, IpEcn, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, UdpHeader};

/// The fields that the sender of a packet chooses in the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpFields {
    /// The address of the sender.
    pub source: IpAddr,
    /// The address of the receiver. Its family must be the family of `source`.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class.
    pub tos: u8,
    /// The protocol of the payload.
    pub protocol: IpNumber,
    /// Don't Fragment bit of IPv4.
    pub dont_fragment: bool,
    /// Identification field of IPv4. All fragments of one packet have the same identification.
    pub identification: u16,
}

/// Builds a whole IP packet. Returns `None` if the address families differ, or if the payload is
/// too long for IP.
pub fn ip_packet(fields: &IpFields, payload: &[u8]) -> Option<Vec<u8>> {
    let dscp = IpDscp::try_new(fields.tos >> 2).ok()?;
    let ecn = IpEcn::try_new(fields.tos & 3).ok()?;
    let mut packet = Vec::with_capacity(40 + payload.len());
    match (fields.source, fields.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header = Ipv4Header {
                dscp,
                ecn,
                identification: fields.identification,
                dont_fragment: fields.dont_fragment,
                time_to_live: fields.ttl,
                protocol: fields.protocol,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv4Header::default()
            };
            header.set_payload_len(payload.len()).ok()?;
            header.header_checksum = header.calc_header_checksum();
            packet.extend_from_slice(&header.to_bytes());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                traffic_class: fields.tos,
                flow_label: Ipv6FlowLabel::ZERO,
                payload_length: u16::try_from(payload.len()).ok()?,
                next_header: fields.protocol,
                hop_limit: fields.ttl,
                source: source.octets(),
                destination: destination.octets(),
            };
            packet.extend_from_slice(&header.to_bytes());
        }
        _ => return None,
    }
    packet.extend_from_slice(payload);
    Some(packet)
}

/// Builds a UDP datagram, which is a payload for [`ip_packet`]. If `checksum` is false, the
/// checksum field is zero, as in LISP data packets (RFC 9300 section 5.3; RFC 6935 for IPv6).
pub fn udp_datagram(
    source: SocketAddr,
    destination: SocketAddr,
    payload: &[u8],
    checksum: bool,
) -> Option<Vec<u8>> {
    let mut header = UdpHeader {
        source_port: source.port(),
        destination_port: destination.port(),
        length: u16::try_from(UdpHeader::LEN + payload.len()).ok()?,
        checksum: 0,
    };
    if checksum {
        header.checksum = udp_checksum(&header, source.ip(), destination.ip(), payload)?;
    }
    let mut datagram = header.to_bytes().to_vec();
    datagram.extend_from_slice(payload);
    Some(datagram)
}

/// Calculates the checksum of a UDP datagram. The checksum is never zero. Returns `None` if the
/// address families differ.
pub fn udp_checksum(
    header: &UdpHeader,
    source: IpAddr,
    destination: IpAddr,
    payload: &[u8],
) -> Option<u16> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            header.calc_checksum_ipv4_raw(source.octets(), destination.octets(), payload).ok()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            header.calc_checksum_ipv6_raw(source.octets(), destination.octets(), payload).ok()
        }
        _ => None,
    }
}
