//! Completes inner packets that the kernel of the encapsulator has not completed.
//!
//! If the encapsulator is in the kernel of this machine, a packet may arrive without its inner
//! checksum, or a super-packet of TCP may arrive as one datagram. The devices between two
//! namespaces do not do this work, because the receiver can do it. The socket does not report this.
//! But in such a packet, the checksum field contains the sum of the pseudo header. Only one of
//! 65,535 complete packets has the same value in this field.

use std::num::NonZeroU16;

use super::{Layout, TCP, UDP};
use crate::checksum;
use crate::packet::IPV6_MINIMUM_MTU;

/// A length in octets: the MTU of most links. A longer packet is a super-packet, or is so large
/// that segments are better than one packet.
const LONGEST_SINGLE: usize = 1500;

/// Completes the checksum of a packet, if it is not complete. If the packet is a super-packet,
/// returns the payload size of the segments into which the caller must divide it. With this size, a
/// segment fits into every link. The segment size that the sender has chosen is not known, but TCP
/// permits any size.
pub fn finish(packet: &mut [u8]) -> Option<NonZeroU16> {
    let layout = Layout::of(packet)?;
    let field = layout.transport + layout.checksum_offset();
    let sum = layout.pseudo_sum(packet, packet.len() - layout.transport);
    let is_absent = layout.protocol == UDP && packet[field..field + 2] == [0, 0];
    if is_absent || packet[field..field + 2] != checksum::fold(sum).to_be_bytes() {
        return None;
    }
    if layout.protocol == TCP && packet.len() > LONGEST_SINGLE {
        let segment_size = usize::from(IPV6_MINIMUM_MTU).saturating_sub(layout.payload);
        return NonZeroU16::new(segment_size as u16);
    }
    let sum = checksum::finish(checksum::sum(&packet[layout.transport..]));
    // A checksum field of zero would mean that there is no checksum (RFC 768).
    let sum = if sum == 0 { [0xff; 2] } else { sum.to_be_bytes() };
    packet[field..field + 2].copy_from_slice(&sum);
    None
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    fn tcp(is_v4: bool, octets: usize) -> Vec<u8> {
        let builder = match is_v4 {
            true => PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64),
            false => PacketBuilder::ipv6([1; 16], [2; 16], 64),
        };
        let mut packet = Vec::new();
        builder.tcp(1000, 80, 1, 500).write(&mut packet, &vec![7; octets]).unwrap();
        packet
    }

    /// Writes the sum of the pseudo header into the checksum field, as a kernel does.
    fn unfinished(mut packet: Vec<u8>) -> Vec<u8> {
        let layout = Layout::of(&packet).unwrap();
        let sum = checksum::fold(layout.pseudo_sum(&packet, packet.len() - layout.transport));
        let field = layout.transport + layout.checksum_offset();
        packet[field..field + 2].copy_from_slice(&sum.to_be_bytes());
        packet
    }

    #[test]
    fn a_missing_checksum_is_computed_and_a_wrong_one_stays() {
        for whole in [tcp(true, 100), tcp(false, 101)] {
            let mut packet = unfinished(whole.clone());
            assert_ne!(packet, whole);
            assert_eq!(finish(&mut packet), None);
            assert_eq!(packet, whole);
            let mut damaged = whole.clone();
            *damaged.last_mut().unwrap() ^= 1;
            let before = damaged.clone();
            assert_eq!(finish(&mut damaged), None);
            assert_eq!(damaged, before);
        }
    }

    #[test]
    fn a_super_packet_is_cut_for_every_link() {
        for (is_v4, headers) in [(true, 40), (false, 60)] {
            let size = finish(&mut unfinished(tcp(is_v4, 20_000))).unwrap();
            assert_eq!(usize::from(size.get()) + headers, 1280);
            assert_eq!(finish(&mut tcp(is_v4, 20_000)), None, "a finished packet of a jumbo link");
        }
    }
}
