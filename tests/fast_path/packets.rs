//! Builds packets whose every field can be chosen, also wrongly.

use std::net::IpAddr;

use eidway::checksum;
use eidway::wire::DATA_PORT;

/// IP protocol numbers.
pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMPV6: u8 = 58;

/// An IP packet.
#[derive(Clone, Debug)]
pub struct Ip {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ttl: u8,
    pub tos: u8,
    /// The protocol of the payload.
    pub protocol: u8,
    /// The identification, in IPv4.
    pub identification: u16,
    /// The flags and the fragment offset, in IPv4.
    pub fragment: u16,
    /// The options in IPv4, as 32-bit words. In IPv6, an extension header with the number of its
    /// kind.
    pub options: Vec<u8>,
    pub extension: Option<u8>,
    /// The flow label, in IPv6.
    pub label: u32,
    pub payload: Vec<u8>,
}

impl Ip {
    /// A packet with ordinary fields.
    pub fn new(source: IpAddr, destination: IpAddr, protocol: u8, payload: Vec<u8>) -> Self {
        Ip {
            source,
            destination,
            ttl: 64,
            tos: 0,
            protocol,
            identification: 0x1234,
            fragment: 0,
            options: Vec::new(),
            extension: None,
            label: 0,
            payload,
        }
    }

    pub fn is_v4(&self) -> bool {
        self.source.is_ipv4()
    }

    /// The octets of the packet.
    pub fn emit(&self) -> Vec<u8> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.emit_v4(source.octets(), destination.octets())
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                self.emit_v6(source.octets(), destination.octets())
            }
            _ => unreachable!("a packet has one family"),
        }
    }

    fn emit_v4(&self, source: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let total_len = (header_len + self.payload.len()) as u16;
        let mut out = vec![0x40 | (header_len / 4) as u8, self.tos];
        out.extend(total_len.to_be_bytes());
        out.extend(self.identification.to_be_bytes());
        out.extend(self.fragment.to_be_bytes());
        out.extend([self.ttl, self.protocol, 0, 0]);
        out.extend(source);
        out.extend(destination);
        out.extend(&self.options);
        set_v4_checksum(&mut out);
        out.extend(&self.payload);
        out
    }

    fn emit_v6(&self, source: [u8; 16], destination: [u8; 16]) -> Vec<u8> {
        let first = 6 << 28 | u32::from(self.tos) << 20 | self.label;
        let mut out = Vec::from(first.to_be_bytes());
        let payload_len = (self.options.len() + self.payload.len()) as u16;
        out.extend(payload_len.to_be_bytes());
        out.extend([self.extension.unwrap_or(self.protocol), self.ttl]);
        out.extend(source);
        out.extend(destination);
        out.extend(&self.options);
        out.extend(&self.payload);
        out
    }
}

/// Writes the right header checksum into an IPv4 packet, if its header is whole.
pub fn set_v4_checksum(packet: &mut [u8]) {
    let header_len = packet.first().map_or(0, |first| usize::from(first & 15) * 4);
    if header_len < 20 || packet.len() < header_len {
        return;
    }
    packet[10..12].fill(0);
    let sum = checksum::finish(checksum::sum(&packet[..header_len]));
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// The octets of an address.
pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}

/// The checksum of a payload of TCP, UDP or ICMPv6, whose checksum field is zero.
fn transport_checksum(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    payload: &[u8],
) -> [u8; 2] {
    let addresses = [octets(source), octets(destination)].concat();
    let pseudo = checksum::pseudo_header(&addresses, protocol, payload.len());
    match checksum::finish(pseudo + checksum::sum(payload)) {
        0 => [0xff, 0xff],
        sum => sum.to_be_bytes(),
    }
}

/// A UDP datagram with its checksum.
pub fn udp(source: IpAddr, destination: IpAddr, from: u16, to: u16, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(from.to_be_bytes());
    out.extend(to.to_be_bytes());
    out.extend((8 + data.len() as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend(data);
    let sum = transport_checksum(source, destination, UDP, &out);
    out[6..8].copy_from_slice(&sum);
    out
}

/// A TCP segment with its checksum.
pub fn tcp(
    source: IpAddr,
    destination: IpAddr,
    ports: (u16, u16),
    flags: u8,
    data: &[u8],
) -> Vec<u8> {
    let mut out = Vec::from(ports.0.to_be_bytes());
    out.extend(ports.1.to_be_bytes());
    out.extend(1000_u32.to_be_bytes());
    out.extend(2000_u32.to_be_bytes());
    out.extend([0x50, flags, 0x10, 0, 0, 0, 0, 0]);
    out.extend(data);
    let sum = transport_checksum(source, destination, TCP, &out);
    out[16..18].copy_from_slice(&sum);
    out
}

/// An ICMP or ICMPv6 message with its checksum. `rest` is the second word of the header.
pub fn icmp(source: IpAddr, destination: IpAddr, kind: [u8; 2], rest: u32, data: &[u8]) -> Vec<u8> {
    let mut out = vec![kind[0], kind[1], 0, 0];
    out.extend(rest.to_be_bytes());
    out.extend(data);
    let sum = match source.is_ipv4() {
        true => checksum::finish(checksum::sum(&out)).to_be_bytes(),
        false => transport_checksum(source, destination, ICMPV6, &out),
    };
    out[2..4].copy_from_slice(&sum);
    out
}

/// The outer UDP checksum of an encapsulated packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OuterChecksum {
    Zero,
    Right,
    Wrong,
}

/// The encapsulation of a packet.
#[derive(Clone, Debug)]
pub struct Tunnel {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ttl: u8,
    pub tos: u8,
    pub source_port: u16,
    pub checksum: OuterChecksum,
    pub header: [u8; 8],
}

impl Tunnel {
    pub fn new(source: IpAddr, destination: IpAddr) -> Self {
        Tunnel {
            source,
            destination,
            ttl: 60,
            tos: 0,
            source_port: 0xc003,
            checksum: OuterChecksum::Zero,
            header: [0; 8],
        }
    }

    /// The outer packet around an inner packet.
    pub fn wrap(&self, inner: &[u8]) -> Ip {
        let data = [&self.header[..], inner].concat();
        let mut payload = udp(self.source, self.destination, self.source_port, DATA_PORT, &data);
        match self.checksum {
            OuterChecksum::Zero => payload[6..8].fill(0),
            OuterChecksum::Right => {}
            OuterChecksum::Wrong => payload[7] ^= 0x55,
        }
        let outer = Ip::new(self.source, self.destination, UDP, payload);
        Ip { ttl: self.ttl, tos: self.tos, fragment: 0x4000, ..outer }
    }
}
