//! Compares the frames that left two routers.
//!
//! Three fields of an outer header may differ: the UDP checksum, because a packet that user space
//! sends together with others has one; the identification in IPv4; and the flow label in IPv6. A
//! UDP checksum that is not zero must be right. The identification and the flow label may also
//! differ in messages that the router's kernel makes itself.

use std::collections::BTreeMap;
use std::net::IpAddr;

use eidway::checksum;
use eidway::host::frame::{Content, Frame};
use eidway::packet::IpHeader;
use eidway::wire::{CONTROL_PORT, DATA_PORT};

use crate::packets::{UDP, octets, set_v4_checksum};
use crate::world::Port;

/// The frames that left a router, by flow. In a flow they have their order.
pub type Flows = BTreeMap<String, Vec<Vec<u8>>>;

/// Sorts the frames that left a router. `own` are the addresses of the router.
pub fn flows(frames: &[(Port, Vec<u8>)], own: &[IpAddr]) -> Flows {
    let mut flows = Flows::new();
    for (port, frame) in frames {
        let Some(frame) = comparable(frame, own) else { continue };
        let key = format!("{port:?} {}", flow_of(&frame[14..]));
        flows.entry(key).or_default().push(frame);
    }
    flows
}

/// Returns the frame without the fields that may differ. Some packets that the router encapsulates
/// are its own. `None` for frames that are no part of the test: control messages of the router, and
/// questions for neighbours.
fn comparable(frame: &[u8], own: &[IpAddr]) -> Option<Vec<u8>> {
    let Some(Frame { content: Content::Ip(_), .. }) = Frame::parse(frame) else { return None };
    let mut frame = frame.to_vec();
    let packet = &mut frame[14..];
    let (source, header_len) = match packet[0] >> 4 {
        4 => (&packet[12..16], usize::from(packet[0] & 15) * 4),
        _ => (&packet[8..24], 40),
    };
    // Link-local messages and multicast reports of the kernel.
    if packet[0] >> 4 == 6 && (source[0] == 0xfe || source.iter().all(|octet| *octet == 0)) {
        return None;
    }
    if !own.iter().any(|address| octets(*address) == source) {
        return Some(frame);
    }
    let protocol = if packet[0] >> 4 == 4 { packet[9] } else { packet[6] };
    clear_header(packet);
    if protocol == UDP {
        let port = u16::from_be_bytes([packet[header_len + 2], packet[header_len + 3]]);
        if port == CONTROL_PORT {
            return None;
        }
        if port == DATA_PORT {
            check_outer_checksum(packet, header_len);
            packet[header_len + 6..header_len + 8].fill(0);
            let inner = &mut packet[header_len + 16..];
            if IpHeader::parse(inner).is_ok_and(|header| own.contains(&header.source)) {
                clear_header(inner);
            }
        }
    }
    Some(frame)
}

/// Clears the identification or the flow label of a packet of the router.
fn clear_header(packet: &mut [u8]) {
    if packet[0] >> 4 == 4 {
        packet[4..6].fill(0);
        set_v4_checksum(packet);
    } else {
        packet[1] &= 0xf0;
        packet[2..4].fill(0);
    }
}

/// Checks that an outer UDP checksum is right, if there is one.
fn check_outer_checksum(packet: &[u8], header_len: usize) {
    let datagram = &packet[header_len..];
    if datagram[6..8] == [0, 0] {
        return;
    }
    let addresses = if header_len == 40 { &packet[8..40] } else { &packet[12..20] };
    let pseudo = checksum::pseudo_header(addresses, UDP, datagram.len());
    let rest = checksum::finish(pseudo + checksum::sum(datagram));
    assert_eq!(rest, 0, "a wrong outer UDP checksum: {}", hex(packet));
}

/// The flow of a packet as the router sees it. For an encapsulated packet, that of the inner packet.
fn flow_of(packet: &[u8]) -> String {
    let Ok(header) = IpHeader::parse(packet) else { return "not IP".to_owned() };
    let transport = if header.source.is_ipv4() { 20 } else { 40 };
    let to_port = packet.get(transport + 2..).unwrap_or_default();
    match packet.get(transport + 16..).filter(|_| to_port.starts_with(&DATA_PORT.to_be_bytes())) {
        Some(inner) => format!("{} {}", header.destination, flow_of(inner)),
        None => format!("{} > {} {:08x}", header.source, header.destination, header.flow_hash),
    }
}

/// The octets in hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Returns the differences, one line for each flow.
pub fn differences(kernel: &Flows, user: &Flows) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = kernel.keys().chain(user.keys()).collect();
    let none = Vec::new();
    let mut found = Vec::new();
    for key in keys {
        let (kernel, user) = (kernel.get(key).unwrap_or(&none), user.get(key).unwrap_or(&none));
        if kernel != user {
            let show = |frames: &[Vec<u8>]| -> String {
                frames.iter().map(|frame| format!("\n    {}", hex(frame))).collect()
            };
            found.push(format!("{key}:\n  kernel:{}\n  user:{}", show(kernel), show(user)));
        }
    }
    found
}
