//! Segmentation offload at both ends of the data path. This module only handles octets in memory.
//!
//! ```text
//! lisp0 --- super-packet ---> segment: one header each ------ UDP_SEGMENT ---> core
//! lisp0 <-- super-packet ---- coalesce: verify and join <------ UDP_GRO ------- core
//! ```
//!
//! A super-packet has up to 64 KiB. It passes only once between the router and the kernel, and only
//! once through the kernel's stack. The router does not copy the payload of a super-packet. The
//! packets to the core consist of small headers, and of slices of the buffer into which the
//! super-packet was read. A super-packet to `lisp0` is built in the same way.

pub mod coalesce;
pub mod segment;
pub mod unfinished;
pub mod vnet_header;

use crate::checksum;

/// The IP protocol number of TCP. Only TCP and UDP packets can be segmented.
pub const TCP: u8 = 6;
/// The IP protocol number of UDP.
pub const UDP: u8 = 17;

/// The length in octets of an IPv4 header without options, and the length in octets of an IPv6
/// header.
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
/// The length of a UDP header in octets.
const UDP_HEADER: usize = 8;

/// The positions of the headers of a TCP or UDP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whether the packet is an IPv4 packet. Otherwise it is an IPv6 packet.
    pub is_v4: bool,
    /// The transport protocol: [`TCP`] or [`UDP`].
    pub protocol: u8,
    /// The number of octets before the transport header.
    pub transport: usize,
    /// The number of octets before the payload.
    pub payload: usize,
}

impl Layout {
    /// Returns the layout of a packet. Returns `None` for a fragment, another protocol, an
    /// incomplete header, or an IPv6 extension header that is not an options header.
    pub fn of(packet: &[u8]) -> Option<Self> {
        let (is_v4, protocol, transport) = match packet.first()? >> 4 {
            4 if packet.len() >= IPV4_HEADER => {
                let is_fragment = u16::from_be_bytes([packet[6], packet[7]]) & 0x3fff != 0;
                if is_fragment {
                    return None;
                }
                (true, packet[9], usize::from(packet[0] & 15) * 4)
            }
            6 if packet.len() >= IPV6_HEADER => {
                let (protocol, transport) = behind_options(packet)?;
                (false, protocol, transport)
            }
            _ => return None,
        };
        let header_len = match protocol {
            TCP => usize::from(packet.get(transport + 12)? >> 4) * 4,
            UDP => UDP_HEADER,
            _ => return None,
        };
        let payload = transport + header_len;
        let least = if protocol == TCP { 20 } else { UDP_HEADER };
        let whole = header_len >= least && transport >= IPV4_HEADER && payload <= packet.len();
        whole.then_some(Layout { is_v4, protocol, transport, payload })
    }

    /// The offset of the transport checksum from the beginning of the transport header, in octets.
    pub fn checksum_offset(&self) -> usize {
        if self.protocol == TCP { 16 } else { 6 }
    }

    /// Returns the octets of both addresses in the IP header.
    pub fn addresses<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        if self.is_v4 { &packet[12..20] } else { &packet[8..40] }
    }

    /// Returns the checksum of the pseudo header before the sum is folded. `len` is the length of
    /// the transport header and the payload together, in octets.
    pub fn pseudo_sum(&self, packet: &[u8], len: usize) -> u32 {
        checksum::pseudo_header(self.addresses(packet), self.protocol, len)
    }

    /// Returns true if the packet has a transport checksum and this checksum is correct. The packet
    /// must be complete.
    pub fn verifies(&self, packet: &[u8]) -> bool {
        let at = self.transport + self.checksum_offset();
        let segment = &packet[self.transport..];
        let absent = self.protocol == UDP && packet[at..at + 2] == [0, 0];
        let sum = self.pseudo_sum(packet, segment.len()) + checksum::sum(segment);
        !absent && checksum::finish(sum) == 0
    }

    /// Writes the length fields for a packet of `total` octets into `header`, and corrects the
    /// checksum of an IPv4 header.
    pub fn set_lengths(&self, header: &mut [u8], total: usize) {
        if self.is_v4 {
            header[2..4].copy_from_slice(&(total as u16).to_be_bytes());
            header[10..12].fill(0);
            let sum = checksum::finish(checksum::sum(&header[..self.transport]));
            header[10..12].copy_from_slice(&sum.to_be_bytes());
        } else {
            header[4..6].copy_from_slice(&((total - IPV6_HEADER) as u16).to_be_bytes());
        }
        if self.protocol == UDP {
            let len = (total - self.transport) as u16;
            header[self.transport + 4..self.transport + 6].copy_from_slice(&len.to_be_bytes());
        }
    }
}

/// Skips the hop-by-hop options and destination options of an IPv6 packet. Returns the protocol
/// number of the next header, and the offset of this header.
fn behind_options(packet: &[u8]) -> Option<(u8, usize)> {
    const HOP_BY_HOP: u8 = 0;
    const DESTINATION: u8 = 60;
    let (mut protocol, mut at) = (packet[6], IPV6_HEADER);
    while matches!(protocol, HOP_BY_HOP | DESTINATION) {
        protocol = *packet.get(at)?;
        at += (usize::from(*packet.get(at + 1)?) + 1) * 8;
    }
    Some((protocol, at))
}
