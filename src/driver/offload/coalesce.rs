//! Joins the segments of a flow into one super-packet for the kernel.
//!
//! Only segments with a correct checksum are joined. A super-packet has only a partial checksum, so
//! a receiver could not detect that one of its segments is damaged. If a packet of the flow cannot
//! be joined because of a flag, an option or a gap, the super-packet ends, and the packet is passed
//! on unchanged. So the packets of a flow stay in the order in which they arrived.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::ops::Range;

use super::{IPV4_HEADER, IPV6_HEADER, Layout, TCP};
use crate::checksum;

/// The maximum number of flows for which super-packets are built at the same time.
const FLOWS: usize = 8;
/// The maximum number of segments in a super-packet. The kernel accepts one slice of memory for
/// each of these segments in one write.
const SEGMENTS: usize = 64;
/// The length of the largest packet, in octets.
const LARGEST: usize = u16::MAX as usize;

const ACK: u8 = 0x10;
const PSH: u8 = 0x08;

/// A packet or super-packet for the kernel. The fields are positions in the arena.
#[derive(Debug)]
pub struct Joined<'a> {
    /// The position of the headers and the payload of the first segment.
    pub first: &'a Range<usize>,
    /// The positions of the payloads of the other segments.
    pub rest: &'a [Range<usize>],
    /// The length in octets of each segment's payload. `None` if there is only one segment.
    pub segment_size: Option<NonZeroU16>,
}

/// A flow and the super-packet that is built for it.
#[derive(Debug)]
struct Flow {
    first: Range<usize>,
    rest: Vec<Range<usize>>,
    /// The data about the super-packet, or `None` if no packet can be added to the super-packet any
    /// more.
    growing: Option<Growing>,
}

#[derive(Clone, Copy, Debug)]
struct Growing {
    layout: Layout,
    segment_size: usize,
    total: usize,
    next_sequence: u32,
    next_id: u16,
}

/// Joins the packets of one arena. It stores only the positions of the packets, and not their
/// octets.
#[derive(Debug)]
pub struct Coalescer {
    flows: Vec<Flow>,
    /// The empty vectors of finished flows. New flows use these vectors again.
    spare: Vec<Vec<Range<usize>>>,
    joins_udp: bool,
}

impl Coalescer {
    /// Creates a coalescer for TCP. If `joins_udp` is true, the coalescer also joins UDP.
    /// `joins_udp` may be true only if the kernel can divide super-packets of UDP.
    pub fn new(joins_udp: bool) -> Self {
        Coalescer { flows: Vec::with_capacity(FLOWS), spare: Vec::new(), joins_udp }
    }

    /// Adds the packet at `range` of `arena`. Calls `write` with each packet or super-packet that
    /// is complete after this.
    pub fn push(
        &mut self,
        arena: &mut [u8],
        range: Range<usize>,
        mut write: impl FnMut(&mut [u8], Joined<'_>),
    ) {
        let packet = &arena[range.clone()];
        let candidate = Candidate::of(packet, self.joins_udp);
        let same = self.flows.iter().position(|flow| is_same_flow(arena, flow, packet));
        if let (Some(at), Some(candidate)) = (same, &candidate)
            && self.flows[at].take(arena, &range, candidate)
        {
            return;
        }
        if let Some(at) = same {
            self.finish(at, arena, &mut write);
        }
        let Some(candidate) = candidate else {
            return write(arena, Joined { first: &range, rest: &[], segment_size: None });
        };
        if self.flows.len() == FLOWS {
            self.finish(0, arena, &mut write);
        }
        let rest = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(SEGMENTS));
        self.flows.push(Flow { first: range, rest, growing: candidate.beginning() });
    }

    /// Writes all waiting packets. The caller then overwrites the arena.
    pub fn flush(&mut self, arena: &mut [u8], mut write: impl FnMut(&mut [u8], Joined<'_>)) {
        while !self.flows.is_empty() {
            self.finish(0, arena, &mut write);
        }
    }

    fn finish(
        &mut self,
        at: usize,
        arena: &mut [u8],
        write: &mut impl FnMut(&mut [u8], Joined<'_>),
    ) {
        let mut flow = self.flows.remove(at);
        let segment_size = flow.seal(arena);
        write(arena, Joined { first: &flow.first, rest: &flow.rest, segment_size });
        flow.rest.clear();
        self.spare.push(flow.rest);
    }
}

/// A packet that may be joined with other packets.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    layout: Layout,
    len: usize,
    sequence: u32,
    id: u16,
    is_last: bool,
}

impl Candidate {
    fn of(packet: &[u8], joins_udp: bool) -> Option<Self> {
        let layout = Layout::of(packet)?;
        let plain = layout.transport == if layout.is_v4 { IPV4_HEADER } else { IPV6_HEADER };
        let len = packet.len() - layout.payload;
        if !plain || len == 0 || !layout.verifies(packet) {
            return None;
        }
        let transport = &packet[layout.transport..];
        let (sequence, is_last) = if layout.protocol == TCP {
            if transport[13] & !PSH != ACK {
                return None;
            }
            let sequence = u32::from_be_bytes(*transport[4..].first_chunk()?);
            (sequence, transport[13] & PSH != 0)
        } else {
            let announced = usize::from(u16::from_be_bytes([transport[4], transport[5]]));
            if !joins_udp || announced != transport.len() {
                return None;
            }
            (0, false)
        };
        let id = u16::from_be_bytes([packet[4], packet[5]]);
        Some(Candidate { layout, len, sequence, id, is_last })
    }

    /// Begins a super-packet whose first segment is this packet. Returns `None` if the packet has
    /// the flag PSH, because no packet may be joined after a packet with this flag.
    fn beginning(&self) -> Option<Growing> {
        (!self.is_last).then(|| Growing {
            layout: self.layout,
            segment_size: self.len,
            total: self.layout.payload + self.len,
            next_sequence: self.sequence.wrapping_add(self.len as u32),
            next_id: self.id.wrapping_add(1),
        })
    }
}

impl Flow {
    /// Adds a packet to this super-packet, if the packet is the next segment. Returns true if the
    /// packet was added.
    fn take(&mut self, arena: &mut [u8], range: &Range<usize>, next: &Candidate) -> bool {
        let Some(growing) = &mut self.growing else { return false };
        let packet = &arena[range.clone()];
        let first = &arena[self.first.clone()];
        let layout = growing.layout;
        let fits = next.layout == layout
            && next.len <= growing.segment_size
            && growing.total + next.len <= LARGEST
            && self.rest.len() + 1 < SEGMENTS
            && has_same_ip_header(first, packet, &layout, growing.next_id)
            && has_same_transport_header(first, packet, &layout)
            && (layout.protocol != TCP || next.sequence == growing.next_sequence);
        if !fits {
            return false;
        }
        growing.total += next.len;
        growing.next_sequence = growing.next_sequence.wrapping_add(next.len as u32);
        growing.next_id = growing.next_id.wrapping_add(1);
        let is_over = next.is_last || next.len < growing.segment_size;
        if next.is_last {
            arena[self.first.start + layout.transport + 13] |= PSH;
        }
        self.rest.push(range.start + layout.payload..range.end);
        if is_over {
            self.seal(arena);
        }
        true
    }

    /// Completes a super-packet, and returns the payload size of its segments. Changes the headers
    /// of the first segment into the headers of the super-packet. If there is only one segment,
    /// changes nothing and returns `None`.
    fn seal(&mut self, arena: &mut [u8]) -> Option<NonZeroU16> {
        if self.rest.is_empty() {
            return None;
        }
        let first = &mut arena[self.first.clone()];
        let layout = Layout::of(first)?;
        if let Some(growing) = self.growing.take() {
            layout.set_lengths(first, growing.total);
            let sum = layout.pseudo_sum(first, growing.total - layout.transport);
            let field = layout.transport + layout.checksum_offset();
            first[field..field + 2].copy_from_slice(&checksum::fold(sum).to_be_bytes());
        }
        NonZeroU16::new((first.len() - layout.payload) as u16)
    }
}

/// Returns true if a packet has the same addresses, protocol and ports as the flow.
fn is_same_flow(arena: &[u8], flow: &Flow, packet: &[u8]) -> bool {
    let first = &arena[flow.first.clone()];
    let (Some(one), Some(other)) = (flow_of(first), flow_of(packet)) else {
        // A packet that cannot be parsed, for example a fragment, may belong to any flow with the
        // same addresses.
        return ends(first) == ends(packet);
    };
    one == other
}

/// Returns the source address and the destination address of a packet.
fn ends(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
    fn pair<const N: usize>(packet: &[u8], at: usize) -> Option<(IpAddr, IpAddr)>
    where
        IpAddr: From<[u8; N]>,
    {
        let address = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<N>()?));
        Some((address(at)?, address(at + N)?))
    }
    match packet.first()? >> 4 {
        4 => pair::<4>(packet, 12),
        _ => pair::<16>(packet, 8),
    }
}

fn flow_of(packet: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let layout = Layout::of(packet)?;
    let ports = &packet[layout.transport..layout.transport + 4];
    Some((layout.addresses(packet), layout.protocol, ports))
}

/// Returns true if two IP headers are equal, apart from length, identification and checksum. If the
/// packet may be fragmented, the identification has a meaning (RFC 6864 section 4), so it must be
/// `next_id`.
fn has_same_ip_header(one: &[u8], other: &[u8], layout: &Layout, next_id: u16) -> bool {
    if !layout.is_v4 {
        return one[..4] == other[..4] && one[6..8] == other[6..8];
    }
    let dont_fragment = other[6] & 0x40 != 0;
    let id = u16::from_be_bytes([other[4], other[5]]);
    one[1] == other[1] && one[6..9] == other[6..9] && (dont_fragment || id == next_id)
}

/// Returns true if acknowledgement number, window, urgent pointer and options of two TCP headers
/// are equal. The caller has already compared the ports.
fn has_same_transport_header(one: &[u8], other: &[u8], layout: &Layout) -> bool {
    if layout.protocol != TCP {
        return true;
    }
    let [one, other] = [one, other].map(|packet| &packet[layout.transport..layout.payload]);
    let window_and_urgent = |header: &[u8]| ([header[14], header[15]], [header[18], header[19]]);
    one[8..13] == other[8..13]
        && window_and_urgent(one) == window_and_urgent(other)
        && one[20..] == other[20..]
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;
    use crate::driver::offload::segment::Segments;

    const SEGMENT: usize = 100;

    /// Adds packets to a coalescer, and returns the resulting packets. Each result has the octets
    /// of the packet and the size of its segments.
    fn join(packets: &[Vec<u8>]) -> Vec<(Vec<u8>, Option<u16>)> {
        let mut arena: Vec<u8> = packets.concat();
        let mut out = Vec::new();
        let mut write = |arena: &mut [u8], joined: Joined<'_>| {
            let mut bytes = arena[joined.first.clone()].to_vec();
            joined.rest.iter().for_each(|range| bytes.extend_from_slice(&arena[range.clone()]));
            out.push((bytes, joined.segment_size.map(NonZeroU16::get)));
        };
        let mut coalescer = Coalescer::new(true);
        let mut at = 0;
        for packet in packets {
            coalescer.push(&mut arena, at..at + packet.len(), &mut write);
            at += packet.len();
        }
        coalescer.flush(&mut arena, &mut write);
        out
    }

    /// Makes the segments of a TCP connection. The last segment is shorter and has PSH.
    fn tcp(is_v4: bool, port: u16, octets: usize) -> Vec<Vec<u8>> {
        let builder = match is_v4 {
            true => PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64),
            false => PacketBuilder::ipv6([1; 16], [2; 16], 64),
        };
        let payload: Vec<u8> = (0..=255).cycle().take(octets).collect();
        let mut packet = Vec::new();
        builder.tcp(port, 80, 1000, 500).ack(77).psh().write(&mut packet, &payload).unwrap();
        cut(&packet)
    }

    fn cut(packet: &[u8]) -> Vec<Vec<u8>> {
        let size = NonZeroU16::new(SEGMENT as u16).unwrap();
        let segments = Segments::of(packet, size).unwrap();
        let segment = |index| {
            let mut bytes = Vec::new();
            segments.write_header(index, &mut bytes);
            bytes.extend_from_slice(&packet[segments.payload(index)]);
            bytes
        };
        (0..segments.count()).map(segment).collect()
    }

    fn udp(port: u16, octets: usize) -> Vec<Vec<u8>> {
        let mut packet = Vec::new();
        let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(port, 7);
        builder.write(&mut packet, &vec![3; octets]).unwrap();
        cut(&packet)
    }

    #[test]
    fn segments_become_the_super_packet_that_they_were_cut_from() {
        for segments in [tcp(true, 1, 950), tcp(false, 1, 950), udp(1, 950)] {
            let joined = join(&segments);
            let [(packet, Some(100))] = &joined[..] else { panic!("{joined:?}") };
            assert_eq!(cut(packet), segments);
        }
    }

    #[test]
    fn two_flows_are_joined_side_by_side() {
        let (one, other) = (tcp(true, 1, 300), tcp(true, 2, 300));
        let mixed: Vec<Vec<u8>> =
            one.iter().zip(&other).flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
        let joined = join(&mixed);
        assert_eq!(joined.len(), 2);
        assert_eq!((cut(&joined[0].0), cut(&joined[1].0)), (one, other));
    }

    #[test]
    fn a_corrupt_segment_is_passed_as_it_is_and_joins_nothing() {
        let clean = tcp(true, 1, 500);
        for bad in 0..clean.len() {
            let mut segments = clean.clone();
            *segments[bad].last_mut().unwrap() ^= 1;
            let out: Vec<Vec<u8>> = join(&segments)
                .iter()
                .flat_map(|(packet, size)| match size {
                    Some(_) => cut(packet),
                    None => vec![packet.clone()],
                })
                .collect();
            // The last segment of a super-packet has PSH. So if the super-packet is divided, the
            // results are the original packets.
            assert_eq!(out, segments, "segment {bad}");
        }
    }

    #[test]
    fn a_gap_a_flag_or_another_field_ends_a_super_packet() {
        let clean = tcp(true, 1, 300);
        let sum = |packet: &mut Vec<u8>| {
            let layout = Layout::of(packet).unwrap();
            layout.set_lengths(&mut packet.clone(), 0);
            let len = packet.len();
            layout.set_lengths(packet, len);
            packet[36..38].fill(0);
            let segment = &packet[20..];
            let sum =
                checksum::finish(layout.pseudo_sum(packet, segment.len()) + checksum::sum(segment));
            packet[36..38].copy_from_slice(&sum.to_be_bytes());
        };
        // The offsets and bits that are changed: sequence number, acknowledgement number, SYN,
        // window, TTL, type of service.
        for (at, bit) in [(26, 1), (31, 1), (33, 2), (35, 1), (8, 1), (1, 1)] {
            let mut segments = clean.clone();
            segments[1][at] ^= bit;
            sum(&mut segments[1]);
            let out = join(&segments);
            assert_eq!(out.len(), 3, "octet {at}");
            assert_eq!(out[1].0, segments[1], "in order");
        }
    }

    #[test]
    fn what_cannot_be_joined_keeps_its_place_in_its_flow() {
        let mut segments = tcp(true, 1, 300);
        segments[1][6] = 0x20;
        let layout = Layout { is_v4: true, protocol: TCP, transport: 20, payload: 40 };
        let len = segments[1].len();
        layout.set_lengths(&mut segments[1], len);
        let out: Vec<Vec<u8>> = join(&segments).into_iter().map(|(packet, _)| packet).collect();
        assert_eq!(out, segments);
    }
}
