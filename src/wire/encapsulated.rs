//! Encapsulated Control Message (ECM): a control message with an inner IP header and an inner UDP
//! header. The inner destination address is the requested EID (RFC 9301 section 5.8).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use etherparse::{IpDscp, Ipv4Header, Ipv6Header, UdpHeader, ip_number};

use super::error::{ParseError, Problem};
use super::first_word::{FirstWord, MessageType};

/// The initial TTL or hop limit of an inner header.
pub const INNER_TTL: u8 = 64;
/// The maximum number of octets of an inner message. A message of this length fits into one
/// datagram, in IPv4 and in IPv6.
pub const MAX_INNER_MESSAGE: usize = u16::MAX as usize - UdpHeader::LEN - Ipv4Header::MIN_LEN;

/// The value of the UDP checksum field if the sender computes no checksum (RFC 768; RFC 6935 for
/// IPv6).
const NO_CHECKSUM: u16 = 0;
/// The DSCP of inner IPv4 headers: CS6, network control.
const NETWORK_CONTROL: IpDscp = IpDscp::CS6;

/// An Encapsulated Control Message.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |Type=8 |S|D|E|M|            Reserved                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   inner IPv4 or IPv6 header, UDP header, control message      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
/// RFC 9301 reserves bits 6 and 7. E and M are from the IANA registry. If S is set, LISP-SEC data
/// (RFC 9303) precede the inner header. Such a message is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encapsulated {
    /// D: the sender wants a Map-Referral (RFC 8111).
    pub ddt_originated: bool,
    /// E: a map-server sends the message to an ETR.
    pub to_etr: bool,
    /// M: the message is sent to a map-server.
    pub to_ms: bool,
    /// The inner source address and port.
    pub source: SocketAddr,
    /// The inner destination: the requested EID, and port 4342. The inner packet has one address
    /// family. If the source and the destination are of different families, the inner packet is
    /// IPv6, and the IPv4 address is sent as an IPv4-mapped IPv6 address.
    pub destination: SocketAddr,
    /// The TTL or hop limit of the inner header.
    pub ttl: u8,
    /// The inner control message, not parsed. It has at most [`MAX_INNER_MESSAGE`] octets.
    pub message: Vec<u8>,
}

impl Encapsulated {
    /// Encapsulates `message` from `source` to `destination`. The inner TTL is [`INNER_TTL`], and
    /// no flag bit is set.
    pub fn new(source: SocketAddr, destination: SocketAddr, message: Vec<u8>) -> Self {
        Encapsulated {
            ddt_originated: false,
            to_etr: false,
            to_ms: false,
            source,
            destination,
            ttl: INNER_TTL,
            message,
        }
    }

    /// Reads an ECM. The octets begin with the type of the message. The IPv4 header checksum and
    /// the UDP checksum are verified. A UDP checksum of zero means that there is no checksum. Some
    /// senders send no inner UDP checksum in IPv4 and IPv6, because the outer checksum covers the
    /// same octets.
    ///
    /// # Errors
    /// The inner packet is a fragment, it is not a UDP datagram, or a checksum is wrong.
    pub fn parse(message: &[u8]) -> Result<Self, ParseError> {
        let (word, mut reader) = FirstWord::read(message, MessageType::Encapsulated)?;
        if word.bit(4) {
            reader.enter("S bit");
            return Err(reader.error_at(0, Problem::LispSec));
        }
        reader.enter("inner IP header");
        let ip_at = reader.offset();
        let (ip, datagram) = InnerHeader::parse(reader.take_rest())
            .map_err(|problem| reader.error_at(ip_at, problem))?;
        reader.enter("inner UDP header");
        let udp_at = ip_at.saturating_add(ip.len());
        let (udp, payload) =
            parse_udp(&ip, datagram).map_err(|problem| reader.error_at(udp_at, problem))?;
        Ok(Encapsulated {
            ddt_originated: word.bit(5),
            to_etr: word.bit(6),
            to_ms: word.bit(7),
            source: SocketAddr::new(ip.source(), udp.source_port),
            destination: SocketAddr::new(ip.destination(), udp.destination_port),
            ttl: ip.ttl(),
            message: payload.to_vec(),
        })
    }

    /// Returns the octets of the message. The inner IP header has no options. Both checksums are
    /// correct, and the UDP checksum is never zero (RFC 9301 section 5.8).
    pub fn emit(&self) -> Vec<u8> {
        debug_assert!(self.message.len() <= MAX_INNER_MESSAGE, "one datagram cannot carry it");
        let payload = &self.message[..self.message.len().min(MAX_INNER_MESSAGE)];
        let length = UdpHeader::LEN.saturating_add(payload.len()) as u16;
        let mut udp = UdpHeader {
            source_port: self.source.port(),
            destination_port: self.destination.port(),
            length,
            checksum: 0,
        };
        let ip = InnerHeader::new(self.source.ip(), self.destination.ip(), self.ttl, length);
        udp.checksum = ip.udp_checksum(&udp, payload);
        let word = FirstWord::new(MessageType::Encapsulated)
            .with(5, self.ddt_originated)
            .with(6, self.to_etr)
            .with(7, self.to_ms);
        let mut out = Vec::from(word.octets());
        match &ip {
            InnerHeader::V4(header) => out.extend(header.to_bytes()),
            InnerHeader::V6(header) => out.extend(header.to_bytes()),
        }
        out.extend(udp.to_bytes());
        out.extend(payload);
        out
    }
}

enum InnerHeader {
    V4(Ipv4Header),
    V6(Ipv6Header),
}

impl InnerHeader {
    fn new(source: IpAddr, destination: IpAddr, ttl: u8, payload_length: u16) -> Self {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (source, destination) else {
            return InnerHeader::V6(Ipv6Header {
                payload_length,
                next_header: ip_number::UDP,
                hop_limit: ttl,
                source: mapped(source).octets(),
                destination: mapped(destination).octets(),
                ..Ipv6Header::default()
            });
        };
        let mut header = Ipv4Header {
            dscp: NETWORK_CONTROL,
            total_len: payload_length.saturating_add(Ipv4Header::MIN_LEN as u16),
            identification: 1,
            dont_fragment: false,
            time_to_live: ttl,
            protocol: ip_number::UDP,
            source: source.octets(),
            destination: destination.octets(),
            ..Ipv4Header::default()
        };
        header.header_checksum = header.calc_header_checksum();
        InnerHeader::V4(header)
    }

    /// Reads the inner IP header. Also returns the UDP datagram. Octets after the end of the
    /// datagram are left out.
    fn parse(packet: &[u8]) -> Result<(Self, &[u8]), Problem> {
        match packet.first().map(|octet| octet >> 4) {
            Some(4) => Self::parse_v4(packet),
            Some(6) => Self::parse_v6(packet),
            Some(_) => Err(Problem::NotUdp),
            None => Err(Problem::Truncated { wanted: Ipv4Header::MIN_LEN, left: 0 }),
        }
    }

    fn parse_v4(packet: &[u8]) -> Result<(Self, &[u8]), Problem> {
        let truncated = Problem::Truncated { wanted: Ipv4Header::MIN_LEN, left: packet.len() };
        let (header, _) = match Ipv4Header::from_slice(packet) {
            Err(etherparse::err::ipv4::HeaderSliceError::Len(_)) => return Err(truncated),
            parsed => parsed.map_err(|_| Problem::NotUdp)?,
        };
        let computed = header.calc_header_checksum();
        if header.header_checksum != computed {
            return Err(Problem::Checksum { found: header.header_checksum, computed });
        }
        if header.protocol != ip_number::UDP || header.is_fragmenting_payload() {
            return Err(Problem::NotUdp);
        }
        let end = usize::from(header.total_len);
        let datagram = first(packet, end)?.get(header.header_len()..).ok_or(Problem::NotUdp)?;
        Ok((InnerHeader::V4(header), datagram))
    }

    fn parse_v6(packet: &[u8]) -> Result<(Self, &[u8]), Problem> {
        let truncated = Problem::Truncated { wanted: Ipv6Header::LEN, left: packet.len() };
        let (header, _) = Ipv6Header::from_slice(packet).map_err(|_| truncated)?;
        if header.next_header != ip_number::UDP {
            return Err(Problem::NotUdp);
        }
        let end = Ipv6Header::LEN + usize::from(header.payload_length);
        let datagram = &first(packet, end)?[Ipv6Header::LEN..];
        Ok((InnerHeader::V6(header), datagram))
    }

    fn len(&self) -> usize {
        match self {
            InnerHeader::V4(header) => header.header_len(),
            InnerHeader::V6(header) => header.header_len(),
        }
    }

    fn source(&self) -> IpAddr {
        match self {
            InnerHeader::V4(header) => header.source.into(),
            InnerHeader::V6(header) => header.source.into(),
        }
    }

    fn destination(&self) -> IpAddr {
        match self {
            InnerHeader::V4(header) => header.destination.into(),
            InnerHeader::V6(header) => header.destination.into(),
        }
    }

    fn ttl(&self) -> u8 {
        match self {
            InnerHeader::V4(header) => header.time_to_live,
            InnerHeader::V6(header) => header.hop_limit,
        }
    }

    fn udp_checksum(&self, udp: &UdpHeader, payload: &[u8]) -> u16 {
        match self {
            InnerHeader::V4(header) => udp.calc_checksum_ipv4(header, payload),
            InnerHeader::V6(header) => udp.calc_checksum_ipv6(header, payload),
        }
        .expect("the length of the payload has at most 16 bits")
    }
}

/// Reads the UDP header. Also returns the payload. Octets after the end of the payload are left
/// out.
fn parse_udp<'a>(ip: &InnerHeader, datagram: &'a [u8]) -> Result<(UdpHeader, &'a [u8]), Problem> {
    let truncated = Problem::Truncated { wanted: UdpHeader::LEN, left: datagram.len() };
    let (udp, _) = UdpHeader::from_slice(datagram).map_err(|_| truncated)?;
    let end = usize::from(udp.length);
    let payload = first(datagram, end)?.get(UdpHeader::LEN..).ok_or(Problem::NotUdp)?;
    let computed = ip.udp_checksum(&udp, payload);
    if udp.checksum != NO_CHECKSUM && udp.checksum != computed {
        return Err(Problem::Checksum { found: udp.checksum, computed });
    }
    Ok((udp, payload))
}

fn first(octets: &[u8], wanted: usize) -> Result<&[u8], Problem> {
    octets.get(..wanted).ok_or(Problem::Truncated { wanted, left: octets.len() })
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecm(source: &str, destination: &str) -> Encapsulated {
        let socket = |text: &str| SocketAddr::new(text.parse().expect("an address"), 4342);
        Encapsulated::new(socket(source), socket(destination), vec![1, 2, 3])
    }

    fn problem(octets: &[u8]) -> Problem {
        Encapsulated::parse(octets).expect_err("a bad ECM").problem
    }

    #[test]
    fn an_ipv4_header_checksum_is_verified() {
        let mut octets = ecm("192.0.2.1", "192.0.2.2").emit();
        octets[12] ^= 1;
        assert!(matches!(problem(&octets), Problem::Checksum { .. }));
    }

    #[test]
    fn a_udp_checksum_may_be_zero_and_not_wrong_in_both_families() {
        for (ecm, udp_at) in [(ecm("192.0.2.1", "192.0.2.2"), 24), (ecm("::1", "::2"), 44)] {
            let octets = ecm.emit();
            assert_eq!(Encapsulated::parse(&octets), Ok(ecm));
            let mut zero = octets.clone();
            zero[udp_at + 6..udp_at + 8].fill(0);
            let parsed = Encapsulated::parse(&zero).expect("no checksum");
            assert_eq!(parsed.emit(), octets, "it goes out with a right one");
            let mut flipped = octets.clone();
            flipped[udp_at + 8] ^= 1;
            assert!(matches!(problem(&flipped), Problem::Checksum { .. }));
        }
    }

    #[test]
    fn padding_after_the_inner_packet_is_ignored() {
        let mut octets = ecm("192.0.2.1", "192.0.2.2").emit();
        octets.extend([0; 5]);
        assert_eq!(Encapsulated::parse(&octets), Ok(ecm("192.0.2.1", "192.0.2.2")));
    }

    #[test]
    fn lisp_sec_and_packets_that_are_not_udp_are_refused() {
        let octets = ecm("::1", "::2").emit();
        let changed = |at: usize, value: u8| {
            let mut octets = octets.clone();
            octets[at] = value;
            problem(&octets)
        };
        assert_eq!(changed(0, 0x88), Problem::LispSec);
        assert_eq!(changed(4, 0x50), Problem::NotUdp);
        assert_eq!(changed(10, 44), Problem::NotUdp);
        assert_eq!(changed(49, 7), Problem::NotUdp);
    }

    #[test]
    fn mixed_families_go_out_as_ipv6() {
        let parsed = Encapsulated::parse(&ecm("192.0.2.1", "::2").emit()).expect("an ECM");
        assert_eq!(parsed.source.to_string(), "[::ffff:192.0.2.1]:4342");
    }
}
