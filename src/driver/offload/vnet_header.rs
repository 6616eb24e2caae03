//! The header before every packet on a TUN device that has the flag IFF_VNET_HDR. The header is
//! `struct virtio_net_hdr` in the octet order of the machine (Virtio 1.3 section 5.1.6,
//! `linux/virtio_net.h`).

use std::io;
use std::num::NonZeroU16;

use super::{Layout, TCP};
use crate::checksum;

/// The length of the header in octets (TUNSETVNETHDRSZ).
pub const VNET_HEADER_LEN: usize = 10;

const NEEDS_CHECKSUM: u8 = 1;
const GSO_NONE: u8 = 0;
const GSO_TCP_V4: u8 = 1;
const GSO_TCP_V6: u8 = 4;
const GSO_UDP: u8 = 5;
/// A flag in `gso_type` for a super-packet of TCP. It means that the first segment has the flag
/// CWR.
const GSO_ECN: u8 = 0x80;

/// The work on a packet that the sender has not done, and that the receiver must do. The kernel is
/// the sender of some packets, and this router is the sender of the other packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VnetHeader {
    flags: u8,
    gso_type: u8,
    header_len: u16,
    segment_size: u16,
    checksum_start: u16,
    checksum_offset: u16,
}

impl VnetHeader {
    /// Makes the header for a super-packet whose checksum is only partial. Each segment except the
    /// last has `segment_size` octets of payload.
    pub fn of_super_packet(packet: &[u8], segment_size: NonZeroU16) -> Option<Self> {
        let layout = Layout::of(packet)?;
        let cwr = layout.protocol == TCP && packet[layout.transport + 13] & 0x80 != 0;
        let gso_type = match (layout.protocol, layout.is_v4) {
            (TCP, true) => GSO_TCP_V4,
            (TCP, false) => GSO_TCP_V6,
            _ => GSO_UDP,
        };
        Some(VnetHeader {
            flags: NEEDS_CHECKSUM,
            gso_type: if cwr { gso_type | GSO_ECN } else { gso_type },
            header_len: layout.payload as u16,
            segment_size: segment_size.get(),
            checksum_start: layout.transport as u16,
            checksum_offset: layout.checksum_offset() as u16,
        })
    }

    /// Parses the octets of the header.
    pub fn parse(bytes: &[u8; VNET_HEADER_LEN]) -> Self {
        let word = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        VnetHeader {
            flags: bytes[0],
            gso_type: bytes[1],
            header_len: word(2),
            segment_size: word(4),
            checksum_start: word(6),
            checksum_offset: word(8),
        }
    }

    /// Returns the octets of the header.
    pub fn emit(&self) -> [u8; VNET_HEADER_LEN] {
        let mut bytes = [0; VNET_HEADER_LEN];
        bytes[0] = self.flags;
        bytes[1] = self.gso_type;
        let words = [self.header_len, self.segment_size, self.checksum_start, self.checksum_offset];
        for (at, word) in (2..).step_by(2).zip(words) {
            bytes[at..at + 2].copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// Does the work on `packet` that the kernel has not done. If the packet is a super-packet,
    /// returns the size of its segments: the caller must divide the packet into these segments.
    ///
    /// # Errors
    /// `InvalidData` if the header does not match the packet.
    pub fn settle(&self, packet: &mut [u8]) -> io::Result<Option<NonZeroU16>> {
        if self.gso_type != GSO_NONE {
            let segment_size = NonZeroU16::new(self.segment_size);
            let known = segment_size.filter(|_| Layout::of(packet).is_some());
            return known.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
        if self.flags & NEEDS_CHECKSUM != 0 {
            self.complete_checksum(packet).ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(None)
    }

    /// Completes the checksum. The checksum field already contains the sum of the pseudo header.
    fn complete_checksum(&self, packet: &mut [u8]) -> Option<()> {
        let data = packet.get_mut(usize::from(self.checksum_start)..)?;
        let sum = checksum::finish(checksum::sum(data));
        let field = data.get_mut(usize::from(self.checksum_offset)..)?.first_chunk_mut::<2>()?;
        // A checksum field of zero would mean that there is no checksum (RFC 768). In one's
        // complement arithmetic, 0xffff has the same value as zero.
        *field = if sum == 0 { [0xff; 2] } else { sum.to_be_bytes() };
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    #[test]
    fn a_header_survives_the_way_to_octets_and_back() {
        let bytes = [1, 4, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(VnetHeader::parse(&bytes).emit(), bytes);
    }

    #[test]
    fn a_partial_checksum_is_completed() {
        let mut packet = Vec::new();
        let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        builder.udp(1000, 7).write(&mut packet, b"some payload").unwrap();
        let whole = packet.clone();
        let partial = checksum::fold(Layout::of(&packet).unwrap().pseudo_sum(&packet, 20));
        packet[26..28].copy_from_slice(&partial.to_be_bytes());
        let header = VnetHeader {
            flags: NEEDS_CHECKSUM,
            checksum_start: 20,
            checksum_offset: 6,
            ..VnetHeader::default()
        };
        assert_eq!(header.settle(&mut packet).unwrap(), None);
        assert_eq!(packet, whole);
        assert!(header.settle(&mut packet[..20]).is_err(), "no room for a checksum");
    }
}
