//! The class, the summary and the name of a packet.

use etherparse::{LaxSlicedPacket, SlicedPacket, TransportSlice};
use sha2::{Digest, Sha256};

use super::item::Class;
use crate::wire::data_header::DataHeader;
use crate::wire::{CONTROL_PORT, DATA_PORT};

/// The number of octets of a packet's name. The name is a hash.
const NAME_LEN: usize = 6;
/// A packet's name is computed from this number of octets of the innermost payload.
const NAMED_PAYLOAD: usize = 64;
/// A packet's name is computed from this number of octets of the packet of EIDs: the longest header
/// and the start of the payload.
const HEAD_LEN: usize = 60 + NAMED_PAYLOAD;
/// The protocol numbers of TCP and UDP.
const TCP: u8 = 6;
const UDP: u8 = 17;
/// The maximum number of encapsulations that are opened to find the packet of EIDs.
const MAX_DEPTH: usize = 4;

/// Returns the class of an IP packet. `packet` is empty if the frame has no IP packet. Such a frame
/// is ARP.
pub fn class(packet: &[u8]) -> Class {
    let Ok(sliced) = SlicedPacket::from_ip(packet) else {
        return if packet.is_empty() { Class::Neighbour } else { Class::Native };
    };
    match sliced.transport {
        Some(TransportSlice::Udp(udp)) => match (udp.source_port(), udp.destination_port()) {
            (_, DATA_PORT) => Class::Data,
            (CONTROL_PORT, _) | (_, CONTROL_PORT) => Class::Control,
            _ => Class::Native,
        },
        Some(TransportSlice::Tcp(tcp))
            if [tcp.source_port(), tcp.destination_port()].contains(&CONTROL_PORT) =>
        {
            Class::Tcp
        }
        _ => Class::Native,
    }
}

/// Returns the packet of EIDs that is in a packet of the class [`Class::Data`]. For a packet of any
/// other class, returns the packet itself. The end of `packet` may be missing.
pub fn innermost(packet: &[u8]) -> &[u8] {
    let mut packet = packet;
    for _ in 0..MAX_DEPTH {
        let Ok(sliced) = LaxSlicedPacket::from_ip(packet) else { return packet };
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { return packet };
        if udp.destination_port() != DATA_PORT {
            return packet;
        }
        let payload = udp.payload();
        let Ok((_, inner)) = DataHeader::parse(payload) else { return packet };
        // The slice of `inner` lies in `packet`, but the parser borrows from `sliced`. Octets after
        // the UDP datagram, if there are any, are not part of `inner`.
        let at = inner.as_ptr() as usize - packet.as_ptr() as usize;
        packet = &packet[at..at + inner.len()];
    }
    packet
}

/// Returns the octets from which [`name`] computes the name of a packet.
pub fn head(packet: &[u8]) -> &[u8] {
    &packet[..packet.len().min(HEAD_LEN)]
}

/// Returns a name that is the same for a packet of EIDs on all its links. The name depends on the
/// addresses and on the start of the payload. It does not depend on the TTL or the encapsulation.
/// It does not depend on the checksums of TCP and UDP either, because a kernel may compute these
/// checksums late. The packet may be cut off after [`HEAD_LEN`] octets of the packet of EIDs.
pub fn name(packet: &[u8]) -> String {
    let inner = innermost(packet);
    let mut hash = Sha256::new();
    let (addresses, payload_at, protocol) = match inner.first().map(|first| first >> 4) {
        Some(4) => (12..20, usize::from(inner[0] & 15) * 4, inner.get(9)),
        Some(6) => (8..40, 40, inner.get(6)),
        _ => (0..0, 0, None),
    };
    hash.update(inner.get(addresses.clone()).unwrap_or_default());
    if addresses.end == 20 {
        // Two UDP packets with the same contents differ in the field Identification.
        hash.update(inner.get(4..6).unwrap_or_default());
    }
    let payload = inner.get(payload_at..).unwrap_or_default();
    let mut payload = payload[..payload.len().min(NAMED_PAYLOAD)].to_vec();
    let checksum = match protocol {
        Some(&TCP) => 16..18,
        Some(&UDP) => 6..8,
        _ => 0..0,
    };
    if let Some(checksum) = payload.get_mut(checksum) {
        checksum.fill(0);
    }
    hash.update(&payload);
    hex(&hash.finalize()[..NAME_LEN])
}

/// Returns octets in hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    base16ct::lower::encode_string(octets)
}

/// Reads octets in hexadecimal. Returns `None` if a digit is wrong or missing.
pub fn octets(hex: &str) -> Option<Vec<u8>> {
    base16ct::mixed::decode_vec(hex).ok()
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    fn echo(ttl: u8, seq: u16) -> Vec<u8> {
        let mut packet = Vec::new();
        let builder = PacketBuilder::ipv4([172, 16, 0, 12], [192, 168, 0, 22], ttl);
        builder.icmpv4_echo_request(1, seq).write(&mut packet, b"data").expect("a buffer");
        packet
    }

    fn encapsulated(inner: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        let builder = PacketBuilder::ipv4([203, 0, 113, 11], [198, 51, 100, 21], 64);
        let payload = [&[0; 8][..], inner].concat();
        builder.udp(0xc000, DATA_PORT).write(&mut packet, &payload).expect("a buffer");
        packet
    }

    #[test]
    fn a_packet_keeps_its_name_in_an_encapsulation_and_at_every_ttl() {
        let first = name(&echo(64, 1));
        assert_eq!(name(&echo(63, 1)), first);
        assert_eq!(name(&encapsulated(&echo(62, 1))), first);
        assert_ne!(name(&echo(64, 2)), first);
    }

    #[test]
    fn octets_come_back_from_hexadecimal() {
        assert_eq!(octets(&hex(&[0, 0x9f, 0xff])), Some(vec![0, 0x9f, 0xff]));
        assert_eq!(octets(""), Some(Vec::new()));
        assert_eq!((octets("0"), octets("0g"), octets("é")), (None, None, None));
    }

    #[test]
    fn a_packet_keeps_its_name_when_it_is_cut_off_and_when_its_checksum_comes_late() {
        let udp = |checksum: [u8; 2]| {
            let mut packet = Vec::new();
            let builder = PacketBuilder::ipv4([172, 16, 0, 12], [192, 168, 0, 22], 64);
            builder.udp(1, 2).write(&mut packet, &[7; 1400]).expect("a buffer");
            packet[26..28].copy_from_slice(&checksum);
            packet
        };
        let first = name(&udp([1, 2]));
        assert_eq!(name(&udp([3, 4])), first);
        assert_eq!(name(head(&udp([1, 2]))), first);
        let outer = encapsulated(&udp([1, 2]));
        assert_eq!(name(&outer), first);
        assert_eq!(name(&outer[..200]), first, "a part of the packet on the link");
    }

    #[test]
    fn the_class_comes_from_the_ports() {
        assert_eq!(class(&echo(64, 1)), Class::Native);
        assert_eq!(class(&encapsulated(&echo(64, 1))), Class::Data);
        assert_eq!(class(&[]), Class::Neighbour);
        assert_eq!(class(&[0x45, 0, 0]), Class::Native);
    }
}
