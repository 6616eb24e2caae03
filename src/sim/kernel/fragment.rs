//! Fragmentation and reassembly for IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5).
//! Only the sender of an IPv6 packet may fragment the packet.

use std::collections::VecDeque;
use std::net::IpAddr;

use etherparse::defrag::IpDefragBuf;
use etherparse::{
    IpFragOffset, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv6Extensions, Ipv6Header,
};

/// The maximum number of packets that are reassembled at the same time. If one more packet comes,
/// it replaces the oldest packet.
const REASSEMBLY_LIMIT: usize = 16;

/// The length of an IPv6 header, in octets. The next constant is the length of the fragment header
/// that follows the IPv6 header.
const V6_HEADER: usize = 40;
const V6_FRAGMENT: usize = 8;
const V6_FRAGMENT_HEADER: u8 = 44;
const MORE_FRAGMENTS: u16 = 1;

/// Cuts a packet into fragments of at most `mtu` octets. Returns `None` if the packet cannot be
/// cut. IPv6 fragments get the identification `identification`. IPv4 fragments keep the
/// identification of the packet.
pub fn split(packet: &[u8], mtu: usize, identification: u32) -> Option<Vec<Vec<u8>>> {
    match packet.first()? >> 4 {
        4 => split_v4(packet, mtu),
        6 => split_v6(packet, mtu, identification),
        _ => None,
    }
}

fn split_v4(packet: &[u8], mtu: usize) -> Option<Vec<Vec<u8>>> {
    let (header, payload) = Ipv4Header::from_slice(packet).ok()?;
    let room = mtu.checked_sub(header.header_len())? & !7;
    if room == 0 || header.dont_fragment {
        return None;
    }
    let first_offset = header.fragment_offset.value();
    let chunks = payload.len().div_ceil(room);
    let cut = |(at, chunk): (usize, &[u8])| {
        let offset = first_offset + u16::try_from(at * room / 8).ok()?;
        let mut header = header.clone();
        header.fragment_offset = IpFragOffset::try_new(offset).ok()?;
        header.more_fragments |= at + 1 < chunks;
        header.set_payload_len(chunk.len()).ok()?;
        header.header_checksum = header.calc_header_checksum();
        let mut fragment = header.to_bytes().to_vec();
        fragment.extend_from_slice(chunk);
        Some(fragment)
    };
    payload.chunks(room).enumerate().map(cut).collect()
}

/// Cuts an IPv6 packet that has no extension headers. No node of the simulation sends extension
/// headers.
fn split_v6(packet: &[u8], mtu: usize, identification: u32) -> Option<Vec<Vec<u8>>> {
    let (header, payload) = packet.split_first_chunk::<V6_HEADER>()?;
    let room = mtu.checked_sub(V6_HEADER + V6_FRAGMENT)? & !7;
    if room == 0 || header[6] == V6_FRAGMENT_HEADER {
        return None;
    }
    let chunks = payload.len().div_ceil(room);
    let cut = |(at, chunk): (usize, &[u8])| {
        let more = if at + 1 < chunks { MORE_FRAGMENTS } else { 0 };
        let offset = u16::try_from(at * room).ok()? | more;
        let len = u16::try_from(V6_FRAGMENT + chunk.len()).ok()?;
        let mut fragment = header.to_vec();
        fragment[4..6].copy_from_slice(&len.to_be_bytes());
        fragment[6] = V6_FRAGMENT_HEADER;
        fragment.extend([header[6], 0]);
        fragment.extend(offset.to_be_bytes());
        fragment.extend(identification.to_be_bytes());
        fragment.extend_from_slice(chunk);
        Some(fragment)
    };
    payload.chunks(room).enumerate().map(cut).collect()
}

/// The fields that are equal in all fragments of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: IpNumber,
    identification: u32,
}

/// A parsed fragment.
struct Fragment<'a> {
    key: Key,
    offset: IpFragOffset,
    more: bool,
    /// The header of the whole packet, except that its length field has the length of this
    /// fragment.
    header: IpHeaders,
    payload: &'a [u8],
}

impl<'a> Fragment<'a> {
    fn parse(packet: &'a [u8]) -> Option<Self> {
        match packet.first()? >> 4 {
            4 => Self::parse_v4(packet),
            _ => Self::parse_v6(packet),
        }
    }

    fn parse_v4(packet: &'a [u8]) -> Option<Self> {
        let (mut header, payload) = Ipv4Header::from_slice(packet).ok()?;
        let key = Key {
            source: header.source.into(),
            destination: header.destination.into(),
            protocol: header.protocol,
            identification: header.identification.into(),
        };
        let (offset, more) = (header.fragment_offset, header.more_fragments);
        header.fragment_offset = IpFragOffset::ZERO;
        header.more_fragments = false;
        let header = IpHeaders::Ipv4(header, Ipv4Extensions::default());
        Some(Fragment { key, offset, more, header, payload })
    }

    /// Parses an IPv6 packet whose first extension header is the fragment header. [`split`] makes
    /// such packets.
    fn parse_v6(packet: &'a [u8]) -> Option<Self> {
        let (mut header, payload) = Ipv6Header::from_slice(packet).ok()?;
        let (cut, payload) = payload.split_first_chunk::<V6_FRAGMENT>()?;
        let [next, _, high, low, id @ ..] = *cut;
        if header.next_header.0 != V6_FRAGMENT_HEADER {
            return None;
        }
        header.next_header = IpNumber(next);
        let place = u16::from_be_bytes([high, low]);
        let key = Key {
            source: header.source.into(),
            destination: header.destination.into(),
            protocol: header.next_header,
            identification: u32::from_be_bytes(id),
        };
        let offset = IpFragOffset::try_new(place >> 3).ok()?;
        let header = IpHeaders::Ipv6(header, Ipv6Extensions::default());
        Some(Fragment { key, offset, more: place & MORE_FRAGMENTS != 0, header, payload })
    }

    /// Builds the whole packet from its header and `payload`.
    fn whole(self, payload: &[u8]) -> Option<Vec<u8>> {
        let mut packet = match self.header {
            IpHeaders::Ipv4(mut header, _) => {
                header.set_payload_len(payload.len()).ok()?;
                header.header_checksum = header.calc_header_checksum();
                header.to_bytes().to_vec()
            }
            IpHeaders::Ipv6(mut header, _) => {
                header.payload_length = u16::try_from(payload.len()).ok()?;
                header.to_bytes().to_vec()
            }
        };
        packet.extend_from_slice(payload);
        Some(packet)
    }
}

/// A fragment does not fit: it overlaps other fragments, or the packet would be too long for IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fragment that fits nothing")]
pub struct Unfit;

/// Packets of which only some fragments have arrived.
#[derive(Debug, Default)]
pub struct Reassembly(VecDeque<(Key, IpDefragBuf)>);

impl Reassembly {
    /// Adds a fragment. If this fragment was the last missing fragment, returns the whole packet.
    ///
    /// # Errors
    /// [`Unfit`] if the fragment overlaps other fragments, or if the packet would be too long for
    /// IP. In this case, the fragment and the earlier fragments of its packet are dropped.
    pub fn add(&mut self, fragment: &[u8]) -> Result<Option<Vec<u8>>, Unfit> {
        let fragment = Fragment::parse(fragment).ok_or(Unfit)?;
        let at = self.0.iter().position(|(other, _)| *other == fragment.key);
        let at = at.unwrap_or_else(|| self.open(fragment.key));
        let (_, buffer) = &mut self.0[at];
        let added = buffer.add(fragment.offset, fragment.more, fragment.payload);
        if added.is_err() {
            self.0.remove(at);
            return Err(Unfit);
        }
        if !buffer.is_complete() {
            return Ok(None);
        }
        let (_, buffer) = self.0.remove(at).ok_or(Unfit)?;
        let (payload, _) = buffer.take_bufs();
        fragment.whole(&payload).map(Some).ok_or(Unfit)
    }

    /// Makes room for the packet of a fragment. If this packet is new, and the maximum number of
    /// packets is reached, removes the oldest packet. Returns the received octets of the removed
    /// packet.
    pub fn make_room(&mut self, fragment: &[u8]) -> Option<Vec<u8>> {
        let key = Fragment::parse(fragment)?.key;
        let is_known = self.0.iter().any(|(other, _)| *other == key);
        if is_known || self.0.len() < REASSEMBLY_LIMIT {
            return None;
        }
        let (_, buffer) = self.0.pop_front()?;
        Some(buffer.take_bufs().0)
    }

    fn open(&mut self, key: Key) -> usize {
        let buffer = IpDefragBuf::new(key.protocol, Vec::new(), Vec::new());
        self.0.push_back((key, buffer));
        self.0.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::IpHeader;
    use crate::sim::datagram::{IpFields, ip_packet};

    fn packet(dont_fragment: bool) -> Vec<u8> {
        let fields = IpFields {
            source: [10, 0, 0, 1].into(),
            destination: [10, 0, 0, 2].into(),
            ttl: 64,
            tos: 0,
            protocol: IpNumber::UDP,
            dont_fragment,
            identification: 7,
        };
        let payload: Vec<u8> = (0..3000).map(|at| at as u8).collect();
        ip_packet(&fields, &payload).unwrap()
    }

    #[test]
    fn fragments_fit_and_make_the_packet_again_in_any_order() {
        let packet = packet(false);
        let mut fragments = split(&packet, 1400, 0).unwrap();
        // One fragment is cut again, as on a link with a smaller MTU.
        let again = split(&fragments.remove(1), 600, 0).unwrap();
        fragments.extend(again);
        fragments.reverse();
        let mut reassembly = Reassembly::default();
        let mut whole = None;
        for fragment in &fragments {
            assert!(IpHeader::parse(fragment).unwrap().total_len <= 1400);
            assert_eq!(whole, None);
            whole = reassembly.add(fragment).unwrap();
        }
        assert_eq!(whole, Some(packet));
    }

    #[test]
    fn a_packet_that_must_not_be_cut_is_not() {
        assert_eq!(split(&packet(true), 1400, 0), None);
        assert_eq!(split(&packet(false), 20, 0), None);
    }

    #[test]
    fn a_flood_of_first_fragments_keeps_a_bounded_number() {
        let mut reassembly = Reassembly::default();
        let mut displaced = 0;
        let mut first = split(&packet(false), 1400, 0).unwrap().remove(0);
        for identification in 0..1000_u16 {
            first[4..6].copy_from_slice(&identification.to_be_bytes());
            displaced += usize::from(reassembly.make_room(&first).is_some());
            assert_eq!(reassembly.add(&first), Ok(None));
        }
        assert_eq!(displaced, 1000 - REASSEMBLY_LIMIT);
        assert_eq!(reassembly.0.len(), REASSEMBLY_LIMIT);
    }

    #[test]
    fn a_packet_of_ipv6_is_cut_and_made_again() {
        let fields = IpFields {
            source: "2001:db8::1".parse().unwrap(),
            destination: "2001:db8::2".parse().unwrap(),
            ttl: 64,
            tos: 0,
            protocol: IpNumber::UDP,
            dont_fragment: false,
            identification: 0,
        };
        let payload: Vec<u8> = (0..3000).map(|at| at as u8).collect();
        let packet = ip_packet(&fields, &payload).unwrap();
        let mut fragments = split(&packet, 1280, 7).unwrap();
        assert_eq!(fragments.len(), 3);
        assert_eq!(split(&fragments[0], 600, 8), None, "no router cuts it on the way");
        fragments.reverse();
        let mut reassembly = Reassembly::default();
        let mut whole = None;
        for fragment in &fragments {
            assert!(IpHeader::parse(fragment).unwrap().total_len <= 1280);
            whole = reassembly.add(fragment).unwrap();
        }
        assert_eq!(whole, Some(packet));
    }
}
