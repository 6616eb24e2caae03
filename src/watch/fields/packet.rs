//! Reads the fields of packets, and of the messages in packets.

use super::control::{control, first_word};
use super::field::Dissection;
use super::frame::{frame, frame_type};
use super::ip::{self, Payload};
use super::walk::{Damage, Step, Walk};
use crate::wire::{CONTROL_PORT, DATA_PORT, Message, MessageType, ReliableFrame};

/// The maximum depth to which packets inside of packets are read.
const MAX_DEPTH: usize = 8;

/// Returns the fields of a LISP message: the payload of a datagram of the control port, or a frame
/// of the reliable transport. A frame begins with a zero octet, and a datagram does not.
pub fn of_message(octets: &[u8]) -> Dissection {
    dissected(octets, |walk| match octets.first() {
        Some(0) => reliable(walk),
        _ => message(walk, MAX_DEPTH),
    })
}

/// Returns the fields of an IP packet and of all packets in it. `octets` is empty for a frame
/// without an IP packet, for example ARP. In this case, there are no fields.
pub fn of_packet(octets: &[u8]) -> Dissection {
    if octets.is_empty() {
        return Dissection::default();
    }
    dissected(octets, |walk| packet(walk, Inside { depth: MAX_DEPTH, is_control: false }))
}

fn dissected(octets: &[u8], read: impl FnOnce(&mut Walk<'_>) -> Step) -> Dissection {
    let mut walk = Walk::new(octets);
    walk.part(octets.len(), read);
    walk.finish()
}

/// The position of a packet inside other packets.
#[derive(Clone, Copy)]
struct Inside {
    /// The number of levels of packets that may still be read.
    depth: usize,
    /// Whether the packet is the inner packet of an Encapsulated Control Message. The payload of
    /// such a packet is a control message, even if its port numbers are not those of LISP.
    is_control: bool,
}

fn packet(walk: &mut Walk<'_>, inside: Inside) -> Step {
    let Some(depth) = inside.depth.checked_sub(1) else {
        walk.to_end("Packet");
        return Ok(());
    };
    let inside = Inside { depth, ..inside };
    let Payload { protocol, len, is_later_fragment } = ip::ip(walk)?;
    walk.part(len, |walk| match protocol {
        _ if is_later_fragment => octets(walk, "Octets of a fragment"),
        1 => icmp(walk, false, depth),
        4 | 41 => packet(walk, Inside { depth, is_control: false }),
        6 => tcp(walk),
        17 => udp(walk, inside),
        58 => icmp(walk, true, depth),
        _ => octets(walk, "Payload"),
    });
    Ok(())
}

fn octets(walk: &mut Walk<'_>, name: &str) -> Step {
    walk.to_end(name);
    Ok(())
}

fn icmp(walk: &mut Walk<'_>, is_v6: bool, depth: usize) -> Step {
    let quotes = if is_v6 { ip::icmpv6(walk) } else { ip::icmp(walk) }?;
    match quotes && walk.left() > 0 {
        true => packet(walk, Inside { depth, is_control: false }),
        false => octets(walk, "Data"),
    }
}

fn udp(walk: &mut Walk<'_>, inside: Inside) -> Step {
    let (ports, len) = ip::udp(walk)?;
    let is_control = inside.is_control || ports.contains(&CONTROL_PORT.into());
    walk.part(len, |walk| {
        if walk.left() == 0 {
            Ok(())
        } else if ports[1] == u64::from(DATA_PORT) && !inside.is_control {
            data(walk, inside.depth)
        } else if is_control {
            message(walk, inside.depth)
        } else {
            octets(walk, "Data")
        }
    });
    Ok(())
}

fn data(walk: &mut Walk<'_>, depth: usize) -> Step {
    let is_encrypted = ip::data_header(walk)?;
    match is_encrypted {
        true => octets(walk, "Encrypted packet"),
        false => packet(walk, Inside { depth, is_control: false }),
    }
}

/// Reads a TCP segment. A segment may begin or end in the middle of a frame of the reliable
/// transport. The octets of an incomplete frame become one field.
fn tcp(walk: &mut Walk<'_>) -> Step {
    let ports = ip::tcp(walk)?;
    while ports.contains(&CONTROL_PORT.into()) && frame_type(walk.rest()).is_some() {
        let len =
            walk.rest().get(2..4).map(|len| usize::from(u16::from_be_bytes([len[0], len[1]])));
        match len {
            Some(len) if len > 0 && len <= walk.left() => walk.part(len, reliable),
            _ => break,
        }
    }
    octets(walk, "Octets of the stream")
}

/// Reads a control message. If a router would refuse the message, the fields contain the router's
/// text about the error.
fn message(walk: &mut Walk<'_>, depth: usize) -> Step {
    let (start, octets) = (walk.octet(), walk.rest());
    let number = octets.first().map_or(0, |octet| octet >> 4);
    let read = match MessageType::from_number(number) {
        Some(MessageType::Encapsulated) => encapsulated(walk, depth),
        Some(message_type) => control(walk, message_type),
        None => {
            walk.layer("LISP message", "RFC 9301 section 5.1");
            Err(Damage(format!("type {number} is not known")))
        }
    };
    match (Message::parse(octets), read) {
        (Err(error), Err(_)) => Err(Damage(error.to_string())),
        (Err(error), Ok(())) => {
            walk.remark(start + error.offset, error.to_string());
            Ok(())
        }
        (Ok(_), read) => read,
    }
}

/// Reads an Encapsulated Control Message and the packet in it.
fn encapsulated(walk: &mut Walk<'_>, depth: usize) -> Step {
    let meaning = "An Encapsulated Control Message has a packet with a control message inside.";
    first_word(walk, "ECM", "RFC 9301 section 5.8", meaning)?;
    let has_security = walk.flag("S", "LISP-SEC data precede the inner packet (RFC 9303).")?;
    walk.flag("D", "The sender wants a Map-Referral (RFC 8111).")?;
    walk.flag("E", "A map-server sends the message to an ETR.")?;
    walk.flag("M", "The message is sent to a map-server.")?;
    walk.reserved(24)?;
    match has_security {
        true => octets(walk, "LISP-SEC data, not decoded"),
        false => packet(walk, Inside { depth, is_control: true }),
    }
}

/// Reads a frame of the reliable transport.
fn reliable(walk: &mut Walk<'_>) -> Step {
    let (start, octets) = (walk.octet(), walk.rest());
    // A Registration contains a Map-Register, and no other message.
    let read = frame(walk, |walk| message(walk, 0));
    match (ReliableFrame::parse(octets), read) {
        (Err(error), Err(_)) => Err(Damage(error.to_string())),
        (Err(error), Ok(())) => {
            walk.remark(start + error.offset, error.to_string());
            Ok(())
        }
        (Ok(_), read) => read,
    }
}
