//! Divides a super-packet into segments, and makes the headers of the segments.

use std::num::NonZeroU16;
use std::ops::Range;

use super::{Layout, TCP};
use crate::checksum;

const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const CWR: u8 = 0x80;

/// A super-packet that can be divided into segments.
#[derive(Clone, Copy, Debug)]
pub struct Segments<'a> {
    packet: &'a [u8],
    layout: Layout,
    segment_size: usize,
}

impl<'a> Segments<'a> {
    /// Prepares to divide `packet` into segments. The payload of each segment except the last has
    /// `segment_size` octets. Returns `None` if `packet` cannot be divided.
    pub fn of(packet: &'a [u8], segment_size: NonZeroU16) -> Option<Self> {
        let layout = Layout::of(packet)?;
        Some(Segments { packet, layout, segment_size: usize::from(segment_size.get()) })
    }

    /// The number of segments. It is at least one.
    pub fn count(&self) -> usize {
        (self.packet.len() - self.layout.payload).div_ceil(self.segment_size).max(1)
    }

    /// The length of a segment's headers in octets.
    pub fn header_len(&self) -> usize {
        self.layout.payload
    }

    /// The position of a segment's payload in the super-packet.
    pub fn payload(&self, index: usize) -> Range<usize> {
        let start = self.layout.payload + index * self.segment_size;
        start..(start + self.segment_size).min(self.packet.len())
    }

    /// Appends the IP header and the transport header of the segment `index` to `out`, including
    /// the checksums. The IPv4 identification and the TCP sequence number increase with each
    /// segment. Only the last segment can have the flags FIN and PSH. Only the first segment can
    /// have the flag CWR.
    pub fn write_header(&self, index: usize, out: &mut Vec<u8>) {
        let Layout { is_v4, protocol, transport, payload } = self.layout;
        let body = &self.packet[self.payload(index)];
        let at = out.len();
        out.extend_from_slice(&self.packet[..payload]);
        let header = &mut out[at..];
        if is_v4 {
            let id = u16::from_be_bytes([header[4], header[5]]).wrapping_add(index as u16);
            header[4..6].copy_from_slice(&id.to_be_bytes());
        }
        self.layout.set_lengths(header, payload + body.len());
        let tcp_or_udp = &mut header[transport..];
        if protocol == TCP {
            let first = [tcp_or_udp[4], tcp_or_udp[5], tcp_or_udp[6], tcp_or_udp[7]];
            let sequence =
                u32::from_be_bytes(first).wrapping_add((index * self.segment_size) as u32);
            tcp_or_udp[4..8].copy_from_slice(&sequence.to_be_bytes());
            if index > 0 {
                tcp_or_udp[13] &= !CWR;
            }
            if index + 1 < self.count() {
                tcp_or_udp[13] &= !(FIN | PSH);
            }
        }
        let field = self.layout.checksum_offset();
        tcp_or_udp[field..field + 2].fill(0);
        let len = tcp_or_udp.len() + body.len();
        let sum = checksum::sum(tcp_or_udp)
            + checksum::sum(body)
            + self.layout.pseudo_sum(self.packet, len);
        let sum = checksum::finish(sum);
        let sum = if sum == 0 { [0xff; 2] } else { sum.to_be_bytes() };
        tcp_or_udp[field..field + 2].copy_from_slice(&sum);
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;
    use crate::packet::IpHeader;

    fn cut(packet: &[u8], segment_size: u16) -> Vec<Vec<u8>> {
        let segments = Segments::of(packet, NonZeroU16::new(segment_size).unwrap()).unwrap();
        let segment = |index| {
            let mut bytes = Vec::new();
            segments.write_header(index, &mut bytes);
            bytes.extend_from_slice(&packet[segments.payload(index)]);
            bytes
        };
        (0..segments.count()).map(segment).collect()
    }

    /// Makes a super-packet. Its checksum is not used.
    fn tcp(is_v4: bool, payload: &[u8]) -> Vec<u8> {
        let builder = match is_v4 {
            true => PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64),
            false => PacketBuilder::ipv6([1; 16], [2; 16], 64),
        };
        let builder = builder.tcp(1000, 80, u32::MAX - 5, 500).ack(77).psh().fin().cwr();
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).unwrap();
        packet
    }

    #[test]
    fn the_segments_of_tcp_carry_all_octets_in_order() {
        let payload: Vec<u8> = (0..=255).cycle().take(2501).collect();
        for is_v4 in [true, false] {
            let packet = tcp(is_v4, &payload);
            let segments = cut(&packet, 1000);
            assert_eq!(segments.len(), 3);
            let ip = if is_v4 { 20 } else { 40 };
            let mut joined = Vec::new();
            for (index, segment) in segments.iter().enumerate() {
                let header = IpHeader::parse(segment).unwrap();
                assert_eq!(header.total_len, segment.len());
                assert!(Layout::of(segment).unwrap().verifies(segment), "segment {index}");
                let sequence = u32::from_be_bytes(*segment[ip + 4..].first_chunk().unwrap());
                assert_eq!(sequence, (u32::MAX - 5).wrapping_add(joined.len() as u32));
                let flags = segment[ip + 13];
                assert_eq!(flags & CWR != 0, index == 0);
                assert_eq!(flags & (FIN | PSH) == (FIN | PSH), index == 2);
                assert_eq!(flags & (FIN | PSH) != 0, index == 2);
                if is_v4 {
                    assert_eq!(segment[4..6], (index as u16).to_be_bytes());
                }
                joined.extend_from_slice(&segment[ip + 20..]);
            }
            assert_eq!(joined, payload);
        }
    }

    #[test]
    fn the_segments_of_udp_are_datagrams() {
        let mut packet = Vec::new();
        let builder = PacketBuilder::ipv6([1; 16], [2; 16], 64).udp(1000, 7);
        builder.write(&mut packet, &[7; 250]).unwrap();
        let lengths: Vec<usize> = cut(&packet, 100)
            .iter()
            .map(|segment| {
                assert!(Layout::of(segment).unwrap().verifies(segment));
                segment.len() - 48
            })
            .collect();
        assert_eq!(lengths, [100, 100, 50]);
    }

    #[test]
    fn what_is_no_tcp_or_udp_cannot_be_cut() {
        let mut fragment = tcp(true, &[0; 100]);
        fragment[6] = 0x20;
        let size = NonZeroU16::new(10).unwrap();
        assert!(Segments::of(&fragment, size).is_none());
        let whole = tcp(true, &[]);
        for len in 0..whole.len() {
            assert!(Segments::of(&whole[..len], size).is_none(), "{len}");
        }
    }
}
