//! Fragments of IPv4 (RFC 791 section 3.2), cut and put together. IPv6 packets are cut by their
//! sender only, and no sender here does.

use std::collections::VecDeque;

use etherparse::defrag::IpDefragBuf;
use etherparse::{IpFragOffset, IpNumber, Ipv4Header};

/// Packets that are put together at once; the oldest gives way to a further one.
const REASSEMBLY_LIMIT: usize = 16;

/// Cuts an IPv4 packet into fragments of up to `mtu` octets; `None` when that cannot be done.
pub fn split(packet: &[u8], mtu: usize) -> Option<Vec<Vec<u8>>> {
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

/// What ties the fragments of a packet together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: [u8; 4],
    destination: [u8; 4],
    protocol: IpNumber,
    identification: u16,
}

/// A fragment that overlaps others or makes a packet longer than IP can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fragment that fits nothing")]
pub struct Unfit;

/// The packets of which some fragments have come.
#[derive(Debug, Default)]
pub struct Reassembly(VecDeque<(Key, IpDefragBuf)>);

impl Reassembly {
    /// Takes in a fragment; the whole packet when it was the last that lacked.
    ///
    /// # Errors
    /// [`Unfit`]: what had come of the packet is thrown away with it.
    pub fn add(&mut self, fragment: &[u8]) -> Result<Option<Vec<u8>>, Unfit> {
        let (header, payload) = Ipv4Header::from_slice(fragment).map_err(|_| Unfit)?;
        let key = Key {
            source: header.source,
            destination: header.destination,
            protocol: header.protocol,
            identification: header.identification,
        };
        let at = self.0.iter().position(|(other, _)| *other == key);
        let at = at.unwrap_or_else(|| self.open(key));
        let (_, buffer) = &mut self.0[at];
        let added = buffer.add(header.fragment_offset, header.more_fragments, payload);
        if added.is_err() {
            self.0.remove(at);
            return Err(Unfit);
        }
        if !buffer.is_complete() {
            return Ok(None);
        }
        let (_, buffer) = self.0.remove(at).ok_or(Unfit)?;
        let (payload, _) = buffer.take_bufs();
        whole(header, &payload).map(Some).ok_or(Unfit)
    }

    fn open(&mut self, key: Key) -> usize {
        if self.0.len() >= REASSEMBLY_LIMIT {
            self.0.pop_front();
        }
        let buffer = IpDefragBuf::new(key.protocol, Vec::new(), Vec::new());
        self.0.push_back((key, buffer));
        self.0.len() - 1
    }
}

fn whole(mut header: Ipv4Header, payload: &[u8]) -> Option<Vec<u8>> {
    header.fragment_offset = IpFragOffset::ZERO;
    header.more_fragments = false;
    header.set_payload_len(payload.len()).ok()?;
    header.header_checksum = header.calc_header_checksum();
    let mut packet = header.to_bytes().to_vec();
    packet.extend_from_slice(payload);
    Some(packet)
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
        let mut fragments = split(&packet, 1400).unwrap();
        // And what was cut once may be cut again, on a narrower link.
        let again = split(&fragments.remove(1), 600).unwrap();
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
        assert_eq!(split(&packet(true), 1400), None);
        assert_eq!(split(&packet(false), 20), None);
    }

    #[test]
    fn a_flood_of_first_fragments_keeps_a_bounded_number() {
        let mut reassembly = Reassembly::default();
        let mut first = split(&packet(false), 1400).unwrap().remove(0);
        for identification in 0..1000_u16 {
            first[4..6].copy_from_slice(&identification.to_be_bytes());
            assert_eq!(reassembly.add(&first), Ok(None));
        }
        assert_eq!(reassembly.0.len(), REASSEMBLY_LIMIT);
    }
}
