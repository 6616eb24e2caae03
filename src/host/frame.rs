//! Ethernet frames, ARP (RFC 826) and neighbour discovery (RFC 4861). ARP and neighbour discovery
//! announce the hardware address of a neighbour. Router advertisements are not supported.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An Ethernet address.
pub type HardwareAddress = [u8; 6];

/// The hardware address of all stations on the link.
pub const BROADCAST: HardwareAddress = [0xff; 6];
/// The number of octets of an Ethernet header.
pub const HEADER_LEN: usize = 14;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// The first octets of an ARP message: the hardware type Ethernet, the protocol type IPv4, and the
/// length of an address of each type.
const ARP_KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ARP_LEN: usize = 28;
const IPV6_HEADER_LEN: usize = 40;
const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// The number of octets of a solicitation or an advertisement without options.
const DISCOVERY_LEN: usize = 24;
/// The hop limit of neighbour discovery. A message with a smaller hop limit can come from another
/// link, so it is ignored (RFC 4861 section 7.1).
const HOP_LIMIT: u8 = 255;
const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The hardware address of the sender.
    pub source: HardwareAddress,
    /// The hardware address of the receiver.
    pub destination: HardwareAddress,
    /// The content of the frame.
    pub content: Content<'a>,
}

/// The content of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An ARP message.
    Arp(Arp),
    /// An IPv6 neighbour solicitation.
    Solicitation(Solicitation),
    /// An IPv6 neighbour advertisement.
    Advertisement(Advertisement),
    /// Any other IP packet.
    Ip(&'a [u8]),
}

/// An ARP request or reply for Ethernet and IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// Whether the message is a reply. Otherwise it is a request.
    pub is_reply: bool,
    /// The hardware address of the sender.
    pub sender_mac: HardwareAddress,
    /// The IP address of the sender.
    pub sender: Ipv4Addr,
    /// The hardware address of the target; zero in a request.
    pub target_mac: HardwareAddress,
    /// The IP address that is requested or announced.
    pub target: Ipv4Addr,
}

/// A neighbour solicitation (RFC 4861 section 4.3). It asks for the hardware address of `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solicitation {
    /// The address of the host that asks. The address is unspecified if the host wants to use
    /// `target` itself and checks that no other host uses this address.
    pub source: Ipv6Addr,
    /// The address that is requested.
    pub target: Ipv6Addr,
    /// The hardware address of the host that asks, if the message contains it.
    pub mac: Option<HardwareAddress>,
    /// Whether the message was sent to a multicast group.
    pub is_multicast: bool,
}

/// A neighbour advertisement (RFC 4861 section 4.4). It announces that `target` has the hardware
/// address `mac`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// The IPv6 address of the sender.
    pub source: Ipv6Addr,
    /// The address that the advertisement announces.
    pub target: Ipv6Addr,
    /// The hardware address of the target. It is absent if the receiver already knows this address.
    pub mac: Option<HardwareAddress>,
    /// Whether the advertisement answers a solicitation.
    pub solicited: bool,
    /// Whether the advertisement replaces a known hardware address.
    pub overrides: bool,
}

impl<'a> Frame<'a> {
    /// Reads a frame. Returns `None` if the frame is neither ARP nor IP, or if it is damaged.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let (header, payload) = frame.split_first_chunk::<HEADER_LEN>()?;
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, high, low] = *header;
        let content = match u16::from_be_bytes([high, low]) {
            ETHERTYPE_ARP => Content::Arp(Arp::parse(payload)?),
            ETHERTYPE_IPV4 => Content::Ip(payload),
            ETHERTYPE_IPV6 => discovery(payload).unwrap_or(Content::Ip(payload)),
            _ => return None,
        };
        Some(Frame {
            source: [s0, s1, s2, s3, s4, s5],
            destination: [d0, d1, d2, d3, d4, d5],
            content,
        })
    }
}

/// Whether a hardware address is the address of a group.
pub fn is_group(mac: HardwareAddress) -> bool {
    mac[0] & 1 == 1
}

/// Makes a frame with an IP packet.
pub fn ip_frame(
    destination: HardwareAddress,
    source: HardwareAddress,
    mut packet: Vec<u8>,
) -> Vec<u8> {
    let ethertype = match packet.first().map(|first| first >> 4) {
        Some(6) => ETHERTYPE_IPV6,
        _ => ETHERTYPE_IPV4,
    };
    packet.splice(..0, header(destination, source, ethertype));
    packet
}

fn header(
    destination: HardwareAddress,
    source: HardwareAddress,
    ethertype: u16,
) -> impl Iterator<Item = u8> {
    destination.into_iter().chain(source).chain(ethertype.to_be_bytes())
}

/// Returns the hardware address of an IP multicast group (RFC 1112 section 6.4, RFC 2464 section
/// 7).
pub fn group_mac(group: IpAddr) -> HardwareAddress {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            [0x01, 0x00, 0x5e, b & 0x7f, c, d]
        }
        IpAddr::V6(group) => {
            let octets = group.octets();
            [0x33, 0x33, octets[12], octets[13], octets[14], octets[15]]
        }
    }
}

/// Returns the link-local address that a device derives from its hardware address (RFC 4291
/// appendix A).
pub fn link_local(mac: HardwareAddress) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac;
    let mut octets = [0; 16];
    octets[..2].copy_from_slice(&[0xfe, 0x80]);
    octets[8..].copy_from_slice(&[a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    octets.into()
}

impl Arp {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ARP_LEN] = bytes.first_chunk()?;
        let (kind, rest) = bytes.split_first_chunk::<6>()?;
        let is_reply = match (*kind == ARP_KIND, rest[..2] == [0, 1], rest[..2] == [0, 2]) {
            (true, true, _) => false,
            (true, _, true) => true,
            _ => return None,
        };
        Some(Arp {
            is_reply,
            sender_mac: *rest[2..].first_chunk()?,
            sender: Ipv4Addr::from(*rest[8..].first_chunk::<4>()?),
            target_mac: *rest[12..].first_chunk()?,
            target: Ipv4Addr::from(*rest[18..].first_chunk::<4>()?),
        })
    }

    /// Makes an ARP request for the hardware address of `target`. `sender` gets the reply.
    pub fn request(sender_mac: HardwareAddress, sender: Ipv4Addr, target: Ipv4Addr) -> Self {
        Arp { is_reply: false, sender_mac, sender, target_mac: [0; 6], target }
    }

    /// Makes the reply to this request. `mac` is the hardware address of the target.
    pub fn answer(&self, mac: HardwareAddress) -> Self {
        Arp {
            is_reply: true,
            sender_mac: mac,
            sender: self.target,
            target_mac: self.sender_mac,
            target: self.sender,
        }
    }

    /// Whether the message announces its sender to all hosts and asks for no reply (RFC 5227
    /// section 3).
    pub fn is_gratuitous(&self) -> bool {
        self.sender == self.target && (!self.is_reply || self.sender_mac == self.target_mac)
    }

    /// Returns the Ethernet frame with this message.
    pub fn frame(&self, destination: HardwareAddress) -> Vec<u8> {
        let mut frame: Vec<u8> = header(destination, self.sender_mac, ETHERTYPE_ARP).collect();
        frame.extend(ARP_KIND);
        frame.extend([0, 1 + u8::from(self.is_reply)]);
        frame.extend(self.sender_mac);
        frame.extend(self.sender.octets());
        frame.extend(self.target_mac);
        frame.extend(self.target.octets());
        frame
    }
}

impl Solicitation {
    /// Returns the Ethernet frame with this message. The frame goes to the neighbour `to`. If `to`
    /// is `None`, the frame goes to the solicited-node group of the target.
    pub fn frame(&self, source: HardwareAddress, to: Option<HardwareAddress>) -> Vec<u8> {
        let octets = self.target.octets();
        let mut group = *b"\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff\0\0\0";
        group[13..].copy_from_slice(&octets[13..]);
        let group = Ipv6Addr::from(group);
        let destination = if to.is_some() { self.target } else { group };
        let mac = to.unwrap_or(group_mac(group.into()));
        let option = self.mac.map(|mac| (SOURCE_LINK_LAYER_ADDRESS, mac));
        let message = message(SOLICITATION, 0, self.target, option);
        discovery_frame((source, mac), (self.source, destination), message)
    }
}

impl Advertisement {
    /// Makes a frame that announces to all nodes on the link: `address` has the hardware address
    /// `mac` (RFC 4861 section 7.2.6).
    pub fn unsolicited(mac: HardwareAddress, address: Ipv6Addr) -> Vec<u8> {
        let says = Advertisement {
            source: address,
            target: address,
            mac: Some(mac),
            solicited: false,
            overrides: true,
        };
        says.frame(mac, (group_mac(ALL_NODES.into()), ALL_NODES), false)
    }

    /// Returns the Ethernet frame with this message. The frame goes to `to`. `is_router` is the
    /// router flag of the message.
    pub fn frame(
        &self,
        source: HardwareAddress,
        to: (HardwareAddress, Ipv6Addr),
        is_router: bool,
    ) -> Vec<u8> {
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let flags = flag(is_router, ROUTER)
            | flag(self.solicited, SOLICITED)
            | flag(self.overrides, OVERRIDE);
        let option = self.mac.map(|mac| (TARGET_LINK_LAYER_ADDRESS, mac));
        let message = message(ADVERTISEMENT, flags, self.target, option);
        discovery_frame((source, to.0), (self.source, to.1), message)
    }
}

fn message(
    kind: u8,
    flags: u8,
    target: Ipv6Addr,
    option: Option<(u8, HardwareAddress)>,
) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, flags, 0, 0, 0];
    message.extend(target.octets());
    if let Some((kind, mac)) = option {
        message.extend([kind, 1]);
        message.extend(mac);
    }
    message
}

fn discovery_frame(
    (source_mac, mac): (HardwareAddress, HardwareAddress),
    (source, destination): (Ipv6Addr, Ipv6Addr),
    mut message: Vec<u8>,
) -> Vec<u8> {
    let sum = icmpv6_checksum(source, destination, &message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut frame: Vec<u8> = header(mac, source_mac, ETHERTYPE_IPV6).collect();
    frame.extend([0x60, 0, 0, 0, 0, message.len() as u8, ICMPV6, HOP_LIMIT]);
    frame.extend(source.octets());
    frame.extend(destination.octets());
    frame.extend(message);
    frame
}

/// Calculates the checksum of an ICMPv6 message with its pseudo-header (RFC 4443 section 2.3). If
/// the message contains its correct checksum, the result is zero.
fn icmpv6_checksum(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> u16 {
    let words = |bytes: &[u8]| -> u32 {
        let pairs = bytes.chunks(2);
        pairs.map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum()
    };
    let mut sum = words(&source.octets()) + words(&destination.octets());
    sum += message.len() as u32 + u32::from(ICMPV6) + words(message);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Reads a solicitation or an advertisement. Returns `None` for any other packet, and for a message
/// that must not be accepted (RFC 4861 section 7.1).
fn discovery(packet: &[u8]) -> Option<Content<'static>> {
    let (header, payload) = packet.split_first_chunk::<IPV6_HEADER_LEN>()?;
    if header[6] != ICMPV6 || header[7] != HOP_LIMIT {
        return None;
    }
    let message = payload.get(..usize::from(u16::from_be_bytes([header[4], header[5]])))?;
    let (body, options) = message.split_first_chunk::<DISCOVERY_LEN>()?;
    let source = Ipv6Addr::from(*header[8..].first_chunk::<16>()?);
    let destination = Ipv6Addr::from(*header[24..].first_chunk::<16>()?);
    let target = Ipv6Addr::from(*body[8..].first_chunk::<16>()?);
    let is_sound = body[1] == 0
        && !target.is_multicast()
        && icmpv6_checksum(source, destination, message) == 0;
    match body[0] {
        SOLICITATION if is_sound => Some(Content::Solicitation(Solicitation {
            source,
            target,
            mac: link_layer_address(options, SOURCE_LINK_LAYER_ADDRESS),
            is_multicast: destination.is_multicast(),
        })),
        ADVERTISEMENT if is_sound => Some(Content::Advertisement(Advertisement {
            source,
            target,
            mac: link_layer_address(options, TARGET_LINK_LAYER_ADDRESS),
            solicited: body[4] & SOLICITED != 0,
            overrides: body[4] & OVERRIDE != 0,
        })),
        _ => None,
    }
}

fn link_layer_address(mut options: &[u8], wanted: u8) -> Option<HardwareAddress> {
    while let Some(&[kind, units]) = options.first_chunk() {
        if kind == wanted && units == 1 {
            return options.get(2..)?.first_chunk().copied();
        }
        // An option of length zero is not accepted, because the loop would never end.
        options = options.get(8 * usize::from(units)..).filter(|_| units > 0)?;
    }
    None
}

/// Returns the IP packet in an Ethernet frame. The result is empty if the frame has no IP packet.
pub fn ip_packet(frame: &[u8]) -> &[u8] {
    match frame.get(12..HEADER_LEN) {
        Some([0x08, 0x00] | [0x86, 0xdd]) => &frame[HEADER_LEN..],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: HardwareAddress = [2, 0, 0, 0, 0, 0x12];
    const OTHER: HardwareAddress = [2, 0, 0, 0, 0, 0x13];

    fn content(frame: &[u8]) -> Content<'_> {
        let frame = Frame::parse(frame).unwrap();
        assert_eq!(frame.source, MAC);
        frame.content
    }

    #[test]
    fn what_is_said_is_heard() {
        let arp = Arp::request(MAC, [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert_eq!(content(&arp.frame(BROADCAST)), Content::Arp(arp));
        let reply = Arp { sender_mac: MAC, ..arp.answer(OTHER) };
        assert_eq!(content(&reply.frame(MAC)), Content::Arp(reply));
        let (source, target) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        for to in [None, Some(OTHER)] {
            let is_multicast = to.is_none();
            let asks = Solicitation { source, target, mac: Some(MAC), is_multicast };
            assert_eq!(content(&asks.frame(MAC, to)), Content::Solicitation(asks));
        }
        let says =
            Advertisement { source, target, mac: Some(MAC), solicited: true, overrides: false };
        assert_eq!(content(&says.frame(MAC, (OTHER, source), true)), Content::Advertisement(says));
    }

    #[test]
    fn a_solicitation_goes_to_the_group_of_its_target() {
        let target = "2001:db8::12:3456".parse().unwrap();
        let source = Ipv6Addr::LOCALHOST;
        let asks = Solicitation { source, target, mac: None, is_multicast: true };
        let frame = asks.frame(MAC, None);
        assert_eq!(frame[..6], [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        let group: Ipv6Addr = "ff02::1:ff12:3456".parse().unwrap();
        assert_eq!(frame[38..54], group.octets());
        assert!(etherparse::PacketHeaders::from_ethernet_slice(&frame).is_ok());
    }

    #[test]
    fn discovery_from_afar_or_damaged_is_no_discovery() {
        let target = "2001:db8::2".parse().unwrap();
        let frame = Advertisement::unsolicited(MAC, target);
        for (at, value) in [(21, 254), (50, 0xee)] {
            let mut frame = frame.clone();
            frame[at] = value;
            assert!(matches!(content(&frame), Content::Ip(_)), "octet {at}");
        }
        for len in 0..frame.len() {
            let _ = Frame::parse(&frame[..len]);
        }
    }

    #[test]
    fn a_device_makes_its_link_local_address_up() {
        let expected: Ipv6Addr = "fe80::200:5eff:fe00:101".parse().unwrap();
        assert_eq!(link_local([0, 0, 0x5e, 0, 1, 1]), expected);
    }
}
