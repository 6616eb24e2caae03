//! One IP packet, or a super-packet. A super-packet has one header, and the payload of many
//! segments of equal size.
//!
//! With segmentation offload, one read of the TUN device returns up to 64 KiB of data after a
//! single IP header. The core reads only headers, so it handles a super-packet as one packet. The
//! driver sends the segments of the super-packet. A [`Packet`] borrows the buffer of the driver, so
//! a packet that is only forwarded is never copied. A hold queue stores [`OwnedPacket`]s.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};
use serde::{Deserialize, Serialize};

use crate::addr::{Family, is_link_local};
use crate::checksum;

/// The IP protocols that have ports. The flow hash includes the ports.
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;

/// The length in octets of an IPv6 packet that every link can carry (RFC 8200 section 5).
pub const IPV6_MINIMUM_MTU: u16 = 1280;
/// The length in octets of an IPv4 packet that every host can receive (RFC 1122 section 3.3.2).
pub const IPV4_MINIMUM_REASSEMBLY: u16 = 576;

/// The minimum number of octets after the IP header that an ICMP error quotes (RFC 792). These
/// octets include the ports of a flow.
const QUOTED_PAYLOAD: usize = 8;

/// A packet in a borrowed buffer. The first octet is the first octet of the IP header.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The whole IP packet.
    pub bytes: &'a mut [u8],
    /// The number of payload octets in each segment of a super-packet. `None` if this is a single
    /// packet.
    pub segment_size: Option<NonZeroU16>,
}

impl<'a> Packet<'a> {
    /// Makes a single packet.
    pub fn single(bytes: &'a mut [u8]) -> Self {
        Packet { bytes, segment_size: None }
    }

    /// Returns the number of packets on the wire, and the number of octets in these packets. On the
    /// wire, each segment of a super-packet has its own copy of the headers. `total_len` is the
    /// length of this packet according to its IP header.
    pub fn load(&self, total_len: usize) -> Load {
        let whole = Load { packets: 1, bytes: total_len as u64 };
        let Some(segment_size) = self.segment_size else { return whole };
        let transport =
            if self.bytes[0] >> 4 == 4 { usize::from(self.bytes[0] & 15) * 4 } else { 40 };
        let protocol = if self.bytes[0] >> 4 == 4 { self.bytes[9] } else { self.bytes[6] };
        let header_len = match (protocol, self.bytes.get(transport + 12)) {
            (PROTOCOL_TCP, Some(offset)) => transport + usize::from(offset >> 4) * 4,
            _ => transport + 8,
        };
        let payload = total_len.saturating_sub(header_len) as u64;
        let packets = payload.div_ceil(u64::from(segment_size.get())).max(1);
        Load { packets, bytes: payload + packets * header_len as u64 }
    }

    /// Returns the length in octets of the largest packet on the wire, including the IP header.
    /// `total_len` is the length of this packet according to its IP header.
    pub fn largest(&self, total_len: usize) -> usize {
        let load = self.load(total_len);
        match (self.segment_size, load.packets) {
            (None, _) | (_, 1) => total_len,
            (Some(segment_size), packets) => {
                // The headers of the first segment are part of `total_len`. Each of the other
                // segments adds the octets of its own headers.
                let headers = (load.bytes as usize - total_len) / (packets as usize - 1);
                headers + usize::from(segment_size.get())
            }
        }
    }

    /// Returns a copy with its own buffer.
    pub fn to_owned(&self) -> OwnedPacket {
        OwnedPacket { bytes: self.bytes.to_vec(), segment_size: self.segment_size }
    }
}

/// The numbers that a packet or a super-packet adds to the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The number of packets on the wire.
    pub packets: u64,
    /// The number of octets in these packets, including their IP headers.
    pub bytes: u64,
}

/// A packet that has its own buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedPacket {
    /// The whole IP packet.
    pub bytes: Vec<u8>,
    /// The number of payload octets in each segment of a super-packet. `None` if this is a single
    /// packet.
    pub segment_size: Option<NonZeroU16>,
}

impl OwnedPacket {
    /// Makes a single packet.
    pub fn single(bytes: Vec<u8>) -> Self {
        OwnedPacket { bytes, segment_size: None }
    }

    /// Returns a [`Packet`] that borrows the buffer of this packet.
    pub fn borrow(&mut self) -> Packet<'_> {
        Packet { bytes: &mut self.bytes, segment_size: self.segment_size }
    }
}

/// The reason why some octets are not an IP packet that can be forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotIp {
    /// The IP version is neither 4 nor 6, the header is not complete, or the length field in the
    /// header is smaller than the length of the header.
    #[error("not a complete IPv4 or IPv6 header")]
    Header,
    /// The length field in the header is greater than the number of octets that are present.
    #[error("the packet is shorter than the length in its header")]
    Truncated,
    /// The IPv4 header checksum does not match.
    #[error("wrong IPv4 header checksum")]
    Checksum,
}

/// The fields of an IP header that forwarding uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpHeader {
    /// The address of the sender.
    pub source: IpAddr,
    /// The address of the receiver.
    pub destination: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Type of service, or traffic class: DSCP in the upper six bits, ECN in the lower two bits.
    pub tos: u8,
    /// The length of the whole packet in octets, according to its header.
    pub total_len: usize,
    /// A hash of the addresses, the protocol and the ports. The hash is equal for all packets of a
    /// flow.
    pub flow_hash: u32,
}

/// The flow of a packet whose headers were not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnverifiedFlow {
    /// The address of the sender.
    pub source: IpAddr,
    /// The address of the receiver.
    pub destination: IpAddr,
    /// The protocol, or the type of the first extension header of IPv6.
    pub protocol: u8,
    /// A hash of the addresses, the protocol and the ports.
    pub flow_hash: u32,
}

impl IpHeader {
    /// Reads the header at the start of `bytes`. Verifies the IPv4 header checksum, so that the
    /// router can count damaged packets. The kernel would drop such a packet without a message.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotIp> {
        let header = Self::parse_start(bytes)?;
        if header.total_len > bytes.len() {
            return Err(NotIp::Truncated);
        }
        Ok(header)
    }

    /// Reads the header of a packet that an ICMP error quotes. The quotation must contain at least
    /// 8 octets after the header. The remaining octets of the packet may be missing. The flow hash
    /// is equal to the flow hash of the complete packet.
    ///
    /// # Errors
    /// [`NotIp::Truncated`] if the quotation contains fewer than 8 octets after the header. The
    /// other errors are the errors of [`IpHeader::parse`].
    pub fn parse_quoted(bytes: &[u8]) -> Result<Self, NotIp> {
        let least = QUOTED_PAYLOAD
            + match bytes.first().map(|first| (first >> 4, first & 15)) {
                Some((4, words)) => usize::from(words) * 4,
                Some((6, _)) => 40,
                Some(_) => return Err(NotIp::Header),
                None => 0,
            };
        if bytes.len() < least {
            return Err(NotIp::Truncated);
        }
        let header = Self::parse_start(bytes)?;
        if header.total_len < least {
            return Err(NotIp::Truncated);
        }
        Ok(header)
    }

    /// Reads the header of a packet. The octets after the header may be missing.
    fn parse_start(bytes: &[u8]) -> Result<Self, NotIp> {
        match bytes.first().map(|first| first >> 4) {
            Some(4) => Self::parse_v4(bytes),
            Some(6) => Self::parse_v6(bytes),
            _ => Err(NotIp::Header),
        }
    }

    fn parse_v4(bytes: &[u8]) -> Result<Self, NotIp> {
        let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|_| NotIp::Header)?;
        let total_len = usize::from(header.total_len());
        let header_len = header.slice().len();
        if total_len < header_len {
            return Err(NotIp::Header);
        }
        if checksum::finish(checksum::sum(header.slice())) != 0 {
            return Err(NotIp::Checksum);
        }
        let (source, destination) = (header.source_addr(), header.destination_addr());
        let transport = (!header.is_fragmenting_payload())
            .then(|| &bytes[header_len..total_len.min(bytes.len())]);
        let mut hash = FlowHash::new(header.protocol().0);
        hash.add_addresses(source.into(), destination.into());
        hash.add_ports(header.protocol().0, transport);
        Ok(IpHeader {
            source: source.into(),
            destination: destination.into(),
            ttl: header.ttl(),
            tos: bytes[1],
            total_len,
            flow_hash: hash.finish(),
        })
    }

    fn parse_v6(bytes: &[u8]) -> Result<Self, NotIp> {
        let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| NotIp::Header)?;
        let total_len = header.slice().len() + usize::from(header.payload_length());
        let (source, destination) = (header.source_addr(), header.destination_addr());
        let transport = Some(&bytes[header.slice().len()..total_len.min(bytes.len())]);
        let mut hash = FlowHash::new(header.next_header().0);
        hash.add_addresses(source.into(), destination.into());
        hash.add_ports(header.next_header().0, transport);
        Ok(IpHeader {
            source: source.into(),
            destination: destination.into(),
            ttl: header.hop_limit(),
            tos: bytes[0] << 4 | bytes[1] >> 4,
            total_len,
            flow_hash: hash.finish(),
        })
    }

    /// Returns the address family of the packet.
    pub fn family(&self) -> Family {
        Family::of(self.source)
    }

    /// Returns true if LISP must not forward the packet, because the packet is only for one link or
    /// for a group. This is the case if the source or the destination is link-local, the source is
    /// unspecified, or the destination is a multicast or broadcast address.
    pub fn is_link_scoped(&self) -> bool {
        self.source.is_unspecified()
            || is_link_local(self.source)
            || is_link_local(self.destination)
            || self.destination.is_multicast()
            || self.destination == IpAddr::V4(Ipv4Addr::BROADCAST)
    }
}

/// Returns the addresses, the protocol and the flow hash of an IP packet, or `None` if the IP
/// header is not complete. Verifies nothing: the packet may be damaged, and octets after the header
/// may be missing. If [`IpHeader::parse`] accepts the packet, both functions return the same flow
/// hash.
pub fn unverified_flow(bytes: &[u8]) -> Option<UnverifiedFlow> {
    let (protocol, source, destination, transport) = match bytes.first()? >> 4 {
        4 => {
            let header = bytes.first_chunk::<20>()?;
            let header_len = usize::from(header[0] & 15) * 4;
            let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let is_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
            let transport = bytes.get(header_len..total_len.min(bytes.len()));
            let address = |at: usize| Some(IpAddr::from(*header[at..].first_chunk::<4>()?));
            if header_len < header.len() {
                return None;
            }
            (header[9], address(12)?, address(16)?, transport.filter(|_| !is_fragment))
        }
        6 => {
            let header = bytes.first_chunk::<40>()?;
            let total_len = 40 + usize::from(u16::from_be_bytes([header[4], header[5]]));
            let address = |at: usize| Some(IpAddr::from(*header[at..].first_chunk::<16>()?));
            let transport = bytes.get(40..total_len.min(bytes.len()));
            (header[6], address(8)?, address(24)?, transport)
        }
        _ => return None,
    };
    let mut hash = FlowHash::new(protocol);
    hash.add_addresses(source, destination);
    hash.add_ports(protocol, transport);
    Some(UnverifiedFlow { source, destination, protocol, flow_hash: hash.finish() })
}

/// Writes a TTL or hop limit into the IP header at the start of `bytes`. [`IpHeader::parse`] must
/// have accepted this header.
pub fn set_ttl(bytes: &mut [u8], ttl: u8) {
    if bytes[0] >> 4 == 4 {
        patch_v4(bytes, 8, ttl);
    } else {
        bytes[7] = ttl;
    }
}

/// Writes a type of service or traffic class into the IP header at the start of `bytes`.
/// [`IpHeader::parse`] must have accepted this header.
pub fn set_tos(bytes: &mut [u8], tos: u8) {
    if bytes[0] >> 4 == 4 {
        patch_v4(bytes, 1, tos);
    } else {
        bytes[0] = bytes[0] & 0xf0 | tos >> 4;
        bytes[1] = tos << 4 | bytes[1] & 0x0f;
    }
}

/// Changes one octet of an IPv4 header, and corrects the checksum of the header (RFC 1624, equation
/// 3).
fn patch_v4(bytes: &mut [u8], at: usize, value: u8) {
    let word = at & !1;
    let before = u16::from_be_bytes([bytes[word], bytes[word + 1]]);
    bytes[at] = value;
    let after = u16::from_be_bytes([bytes[word], bytes[word + 1]]);
    let old = u16::from_be_bytes([bytes[10], bytes[11]]);
    let sum = u32::from(!old) + u32::from(!before) + u32::from(after);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    bytes[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

/// A fast hash of a flow. The hash selects the outer source port and the locator for the packets of
/// the flow, so equal inputs must have equal hashes. The hash is not a secret.
struct FlowHash(u64);

impl FlowHash {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    fn new(protocol: u8) -> Self {
        FlowHash(u64::from(protocol))
    }

    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(Self::FACTOR);
        self.0 ^= self.0 >> 32;
    }

    fn add_addresses(&mut self, source: IpAddr, destination: IpAddr) {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.add(u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits()));
            }
            _ => {
                for address in [source, destination] {
                    let bits = match address {
                        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
                        IpAddr::V6(address) => address.to_bits(),
                    };
                    self.add((bits >> 64) as u64);
                    self.add(bits as u64);
                }
            }
        }
    }

    fn add_ports(&mut self, protocol: u8, transport: Option<&[u8]>) {
        if let Some(&[a, b, c, d, ..]) = transport
            && matches!(protocol, PROTOCOL_TCP | PROTOCOL_UDP)
        {
            self.add(u64::from(u32::from_be_bytes([a, b, c, d])));
        }
    }

    /// Returns the upper half of the state. It depends on all bits of the input. So flows with
    /// adjacent addresses are distributed over the locators of a mapping in proportion to the
    /// weights of the locators.
    fn finish(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use etherparse::PacketBuilder;

    use super::*;

    #[test]
    fn the_unverified_flow_of_a_packet_is_the_flow_of_its_header() {
        let mut packets = vec![v4(1000), v6()];
        let mut options = v4(2000);
        options[0] = 0x46;
        let mut fragment = v4(3000);
        fragment[6] = 0x20;
        let mut short = v4(4000);
        short[2..4].copy_from_slice(&23u16.to_be_bytes());
        packets.extend([options, fragment, short]);
        for mut packet in packets {
            let flow = unverified_flow(&packet).unwrap();
            if packet[0] >> 4 == 4 {
                let len = usize::from(packet[0] & 15) * 4;
                packet[10..12].fill(0);
                let sum = checksum::finish(checksum::sum(&packet[..len]));
                packet[10..12].copy_from_slice(&sum.to_be_bytes());
            }
            let header = IpHeader::parse(&packet).unwrap();
            assert_eq!(flow.flow_hash, header.flow_hash);
            assert_eq!((flow.source, flow.destination), (header.source, header.destination));
        }
        assert_eq!(unverified_flow(&v4(1)[..19]), None);
        assert_eq!(unverified_flow(&[]), None);
    }

    fn v4(source_port: u16) -> Vec<u8> {
        let builder = PacketBuilder::ipv4([192, 168, 0, 22], [172, 16, 0, 12], 64);
        let mut bytes = Vec::new();
        builder.udp(source_port, 7).write(&mut bytes, b"payload").unwrap();
        bytes
    }

    fn v6() -> Vec<u8> {
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
        let builder = PacketBuilder::ipv6(address("2001:db8:b::22"), address("2001:db8:a::12"), 64);
        let mut bytes = Vec::new();
        builder.udp(1000, 7).write(&mut bytes, b"payload").unwrap();
        bytes
    }

    #[test]
    fn a_changed_ttl_or_tos_leaves_a_valid_header() {
        for mut bytes in [v4(1000), v6()] {
            for value in [0, 1, 63, 64, 255] {
                set_ttl(&mut bytes, value);
                set_tos(&mut bytes, value);
                let header = IpHeader::parse(&bytes).unwrap();
                assert_eq!((header.ttl, header.tos), (value, value));
            }
        }
    }

    #[test]
    fn a_flow_keeps_its_hash_and_flows_differ() {
        let hash = |bytes: &[u8]| IpHeader::parse(bytes).unwrap().flow_hash;
        assert_eq!(hash(&v4(1000)), hash(&v4(1000)));
        assert_ne!(hash(&v4(1000)), hash(&v4(1001)));
    }

    /// There are flows from one host to 200 adjacent hosts. About 50 of these flows have a hash in
    /// each quarter of the range of hashes.
    #[test]
    fn flows_with_adjacent_addresses_have_hashes_in_all_quarters() {
        for step in [1, 4, 32] {
            let mut quarters = [0; 4];
            for number in 0..200 {
                let to = Ipv4Addr::from_bits(0xac10_0000 + number * step).octets();
                let mut bytes = Vec::new();
                let packet =
                    PacketBuilder::ipv4([192, 168, 0, 22], to, 64).icmpv4_echo_request(1, 1);
                packet.write(&mut bytes, b"echo").unwrap();
                quarters[(IpHeader::parse(&bytes).unwrap().flow_hash >> 30) as usize] += 1;
            }
            assert!(quarters.iter().all(|count| (30..=70).contains(count)), "{step}: {quarters:?}");
        }
    }

    #[test]
    fn damage_is_named() {
        let mut bytes = v4(1000);
        bytes[8] ^= 1;
        assert_eq!(IpHeader::parse(&bytes), Err(NotIp::Checksum));
        assert_eq!(IpHeader::parse(&v6()[..50]), Err(NotIp::Truncated));
        assert_eq!(IpHeader::parse(&v4(1000)[..10]), Err(NotIp::Header));
        assert_eq!(IpHeader::parse(&[]), Err(NotIp::Header));
    }

    #[test]
    fn a_quoted_packet_has_the_flow_hash_of_the_whole_one() {
        for (bytes, header_len) in [(v4(1000), 20), (v6(), 40)] {
            let whole = IpHeader::parse(&bytes).unwrap();
            for end in 0..=bytes.len() {
                match IpHeader::parse_quoted(&bytes[..end]) {
                    Ok(quoted) => assert_eq!((end >= header_len + 8, quoted), (true, whole)),
                    Err(_) => assert!(end < header_len + 8, "{end}"),
                }
            }
        }
    }

    #[test]
    fn no_prefix_of_a_packet_panics() {
        for bytes in [v4(1000), v6()] {
            for end in 0..bytes.len() {
                assert!(IpHeader::parse(&bytes[..end]).is_err());
            }
        }
    }
}
