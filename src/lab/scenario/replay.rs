//! Makes the IP packets that a scenario sends from a node. The node does not change them. A packet
//! is a captured packet, or a datagram that the scenario writes itself. The source of a packet may
//! be forged.

use std::net::{IpAddr, Ipv4Addr};

use etherparse::{LaxNetSlice, LaxSlicedPacket, PacketBuilder};

use super::{Datagrams, Replay};
use crate::capture::Capture;
use crate::lab::failure::Failure;

/// The first octet of an IPv4 header without options.
const PLAIN_IPV4: u8 = 0x45;
/// The TTL of the packets. Linux uses this value too.
const TTL: u8 = 64;

/// Returns the octets of the first captured packet that matches the filter of a statement. If the
/// statement has another destination, the packet gets this destination, as by [`repeated`].
///
/// # Errors
/// The filter is wrong, no packet matches it, or the destination cannot be changed.
pub fn captured(capture: &Capture, what: &Replay) -> Result<Vec<u8>, Failure> {
    let found = capture.select(&what.filter, "frame.number")?;
    let Some(first) = found.first() else {
        return Err(Failure::Other(format!("no packet matches {:?}", what.filter)));
    };
    repeated(&capture.frames()[first.index].packet, what.to)
}

/// Returns the octets of a captured packet that is sent again. If `to` is given, it replaces the
/// destination. A UDP packet with another destination is sent without UDP checksum, as IPv4 allows.
///
/// # Errors
/// The frame has no IP packet, or the destination of the packet cannot be changed.
pub fn repeated(packet: &[u8], to: Option<Ipv4Addr>) -> Result<Vec<u8>, Failure> {
    let mut packet = packet.to_vec();
    destination(&packet)?;
    let Some(to) = to else { return Ok(packet) };
    if packet[0] != PLAIN_IPV4 {
        return Err(Failure::new(
            "only an IPv4 packet without options can get another destination",
        ));
    }
    packet[16..20].copy_from_slice(&to.octets());
    if let Some(checksum) = packet.get_mut(26..28) {
        checksum.fill(0);
    }
    Ok(packet)
}

/// Returns the destination of an IP packet.
///
/// # Errors
/// The octets are not an IP packet.
pub fn destination(packet: &[u8]) -> Result<IpAddr, Failure> {
    let sliced = LaxSlicedPacket::from_ip(packet).ok().and_then(|sliced| sliced.net);
    match sliced {
        Some(LaxNetSlice::Ipv4(ip)) => Ok(ip.header().destination_addr().into()),
        Some(LaxNetSlice::Ipv6(ip)) => Ok(ip.header().destination_addr().into()),
        _ => Err(Failure::new("the captured frame has no IP packet")),
    }
}

/// Returns the IPv4 packets of these datagrams.
///
/// # Errors
/// A payload is too long for UDP.
pub fn datagrams(datagrams: &Datagrams) -> Result<Vec<Vec<u8>>, Failure> {
    let (from, to) = (datagrams.source, datagrams.destination);
    let packet = |payload: &Vec<u8>| {
        let builder = PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), TTL);
        let builder = builder.udp(from.port(), to.port());
        let mut packet = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut packet, payload).map_err(Failure::new)?;
        Ok(packet)
    };
    datagrams.payloads.iter().map(packet).collect()
}
