//! Reads the fields of the headers of IP, ICMP, TCP and UDP, and of the LISP data header.

use super::address::ip as ip_address;
use super::walk::{Damage, Step, Walk};
use crate::checksum;

/// The payload of an IP packet.
pub struct Payload {
    /// The protocol number.
    pub protocol: u64,
    /// The number of octets according to the header.
    pub len: usize,
    /// Whether the payload is a fragment, but not the first fragment. Such a payload has no TCP,
    /// UDP or ICMP header.
    pub is_later_fragment: bool,
}

/// Reads an IP header.
pub fn ip(walk: &mut Walk<'_>) -> Step<Payload> {
    match walk.rest().first().map(|octet| octet >> 4) {
        Some(4) => ipv4(walk),
        Some(6) => ipv6(walk),
        _ => {
            walk.layer("IP", "RFC 791 section 3.1");
            let at = walk.octet();
            Err(Damage(format!("this is no IPv4 or IPv6 header, at octet {at}")))
        }
    }
}

fn ipv4(walk: &mut Walk<'_>) -> Step<Payload> {
    walk.layer("IPv4", "RFC 791 section 3.1");
    let octets = walk.rest();
    walk.number("Version", 4)?;
    let header_len = 4 * walk.number("IHL", 4)? as usize;
    walk.means(format!("The header has {header_len} octets."));
    if header_len < 20 {
        return Err(Damage("IHL is less than 5".to_owned()));
    }
    walk.number("DSCP", 6)?;
    walk.number("ECN", 2)?;
    let total_len = walk.number("Total Length", 16)? as usize;
    if total_len > octets.len() {
        walk.means(format!("Only the first {} octets of the packet are present.", octets.len()));
    }
    walk.number("Identification", 16)?;
    walk.flag("Reserved", "A receiver ignores this bit.")?;
    walk.flag("DF", "No router may fragment the packet.")?;
    let more = walk.flag("MF", "More fragments follow.")?;
    let offset = walk.number("Fragment Offset", 13)?;
    if more || offset > 0 {
        walk.means(format!("The fragment begins at octet {} of the payload.", 8 * offset));
    }
    walk.number("Time to Live", 8)?;
    let protocol = walk.number("Protocol", 8)?;
    walk.means(protocol_name(protocol));
    let found = walk.number("Header Checksum", 16)?;
    walk.shows(format!("0x{found:04x}"));
    let sum = octets.get(..header_len).map(checksum::sum);
    walk.means(match sum.map(checksum::finish) {
        Some(0) => "Correct.",
        Some(_) => "Wrong.",
        None => "The header is not complete.",
    });
    ip_address(walk, "Source Address", false)?;
    ip_address(walk, "Destination Address", false)?;
    walk.octets("Options", header_len - 20)?;
    let len = total_len.saturating_sub(header_len);
    Ok(Payload { protocol, len, is_later_fragment: offset > 0 })
}

fn ipv6(walk: &mut Walk<'_>) -> Step<Payload> {
    walk.layer("IPv6", "RFC 8200 section 3");
    if walk.left() < 4 {
        return Err(Damage("the header is not complete".to_owned()));
    }
    walk.number("Version", 4)?;
    walk.number("Traffic Class", 8)?;
    walk.number("Flow Label", 20)?;
    let mut len = walk.number("Payload Length", 16)? as usize;
    let mut protocol = walk.number("Next Header", 8)?;
    walk.means(protocol_name(protocol));
    walk.number("Hop Limit", 8)?;
    ip_address(walk, "Source Address", true)?;
    ip_address(walk, "Destination Address", true)?;
    let mut is_later_fragment = false;
    while matches!(protocol, 0 | 43 | 44 | 60) && !is_later_fragment {
        let start = walk.octet();
        let section = if protocol == 44 { "RFC 8200 section 4.5" } else { "RFC 8200 section 4" };
        walk.layer(protocol_name(protocol).trim_end_matches('.'), section);
        let is_fragment = protocol == 44;
        protocol = walk.number("Next Header", 8)?;
        walk.means(protocol_name(protocol));
        if is_fragment {
            walk.reserved(8)?;
            is_later_fragment = walk.number("Fragment Offset", 13)? > 0;
            walk.reserved(2)?;
            walk.flag("M", "More fragments follow.")?;
            walk.number("Identification", 32)?;
        } else {
            let more = walk.number("Hdr Ext Len", 8)? as usize;
            walk.octets("Contents", 8 * more + 6)?;
        }
        len = len.saturating_sub(walk.octet() - start);
    }
    Ok(Payload { protocol, len, is_later_fragment })
}

/// Returns the name of a protocol number.
const fn protocol_name(protocol: u64) -> &'static str {
    match protocol {
        0 => "Hop-by-hop options.",
        1 => "ICMP.",
        4 => "An IPv4 packet.",
        6 => "TCP.",
        17 => "UDP.",
        41 => "An IPv6 packet.",
        43 => "A routing header.",
        44 => "A fragment header.",
        58 => "ICMPv6.",
        60 => "Destination options.",
        89 => "OSPF.",
        _ => "Another protocol.",
    }
}

/// Reads a UDP header. Returns the ports, and the number of octets of the payload.
pub fn udp(walk: &mut Walk<'_>) -> Step<([u64; 2], usize)> {
    walk.layer("UDP", "RFC 768");
    let ports = ports(walk)?;
    let len = walk.number("Length", 16)? as usize;
    let checksum = walk.number("Checksum", 16)?;
    walk.shows(format!("0x{checksum:04x}"));
    if checksum == 0 {
        walk.means("The sender computed no checksum.");
    }
    Ok((ports, len.saturating_sub(8)))
}

/// Reads a TCP header. Returns the ports.
pub fn tcp(walk: &mut Walk<'_>) -> Step<[u64; 2]> {
    walk.layer("TCP", "RFC 9293 section 3.1");
    let ports = ports(walk)?;
    walk.number("Sequence Number", 32)?;
    walk.number("Acknowledgment Number", 32)?;
    let words = walk.number("Data Offset", 4)? as usize;
    walk.means(format!("The header has {} octets.", 4 * words));
    walk.number("Rsrvd", 4)?;
    walk.flag("CWR", "The sender has slowed down.")?;
    walk.flag("ECE", "The path is congested.")?;
    walk.flag("URG", "Urgent Pointer is used.")?;
    walk.flag("ACK", "Acknowledgment Number is used.")?;
    walk.flag("PSH", "The receiver shall give the octets to its application now.")?;
    walk.flag("RST", "The connection is broken off.")?;
    walk.flag("SYN", "The connection begins.")?;
    walk.flag("FIN", "The sender sends no more octets.")?;
    walk.number("Window", 16)?;
    let checksum = walk.number("Checksum", 16)?;
    walk.shows(format!("0x{checksum:04x}"));
    walk.number("Urgent Pointer", 16)?;
    let options = (4 * words).checked_sub(20);
    let options = options.ok_or_else(|| Damage("Data Offset is less than 5".to_owned()))?;
    walk.octets("Options", options)?;
    Ok(ports)
}

fn ports(walk: &mut Walk<'_>) -> Step<[u64; 2]> {
    let mut port = |name| {
        let port = walk.number(name, 16)?;
        match port {
            4341 => walk.means("LISP data: an encapsulated packet."),
            4342 => walk.means("LISP control: messages of the mapping system."),
            _ => {}
        }
        Ok(port)
    };
    Ok([port("Source Port")?, port("Destination Port")?])
}

/// Reads an ICMP header. Returns whether a quoted packet follows.
pub fn icmp(walk: &mut Walk<'_>) -> Step<bool> {
    walk.layer("ICMP", "RFC 792");
    let kind = walk.number("Type", 8)?;
    walk.means(match kind {
        0 => "Echo reply.",
        3 => "Destination unreachable.",
        5 => "Redirect.",
        8 => "Echo request.",
        11 => "Time exceeded.",
        12 => "Parameter problem.",
        _ => "Another message.",
    });
    let code = walk.number("Code", 8)?;
    icmp_checksum(walk)?;
    match (kind, code) {
        (0 | 8, _) => echo(walk)?,
        (3, 4) => {
            walk.number("Unused", 16)?;
            walk.number("Next-Hop MTU", 16)?;
        }
        (5, _) => {
            ip_address(walk, "Gateway Address", false)?;
        }
        (3 | 11 | 12, _) => {
            walk.octets("Unused", 4)?;
        }
        _ => {}
    }
    Ok(matches!(kind, 3 | 5 | 11 | 12))
}

/// Reads an ICMPv6 header. Returns whether a quoted packet follows.
pub fn icmpv6(walk: &mut Walk<'_>) -> Step<bool> {
    let kind = walk.rest().first().copied().unwrap_or_default();
    let is_neighbour = (133..=137).contains(&kind);
    let section = if is_neighbour { "RFC 4861 section 4" } else { "RFC 4443 section 2.1" };
    walk.layer("ICMPv6", section);
    walk.number("Type", 8)?;
    walk.means(match kind {
        1 => "Destination unreachable.",
        2 => "Packet too big.",
        3 => "Time exceeded.",
        4 => "Parameter problem.",
        128 => "Echo request.",
        129 => "Echo reply.",
        133 => "Router solicitation.",
        134 => "Router advertisement.",
        135 => "Neighbour solicitation.",
        136 => "Neighbour advertisement.",
        _ => "Another message.",
    });
    walk.number("Code", 8)?;
    icmp_checksum(walk)?;
    match kind {
        2 => {
            walk.number("MTU", 32)?;
        }
        1 | 3 | 4 => {
            walk.octets("Unused", 4)?;
        }
        128 | 129 => echo(walk)?,
        135 | 136 => {
            walk.octets("Flags and Reserved", 4)?;
            ip_address(walk, "Target Address", true)?;
        }
        _ => {}
    }
    Ok((1..=4).contains(&kind))
}

fn icmp_checksum(walk: &mut Walk<'_>) -> Step {
    let checksum = walk.number("Checksum", 16)?;
    walk.shows(format!("0x{checksum:04x}"));
    Ok(())
}

fn echo(walk: &mut Walk<'_>) -> Step {
    walk.number("Identifier", 16)?;
    walk.number("Sequence Number", 16)?;
    Ok(())
}

/// Reads a LISP data header. Returns whether the inner packet is encrypted.
pub fn data_header(walk: &mut Walk<'_>) -> Step<bool> {
    walk.layer("LISP", "RFC 9300 section 5.3");
    if walk.left() < 8 {
        let left = walk.left();
        return Err(Damage(format!("the LISP header needs 8 octets, but only {left} are left")));
    }
    let has_nonce = walk.flag("N", "The nonce is used.")?;
    let has_bits = walk.flag("L", "The Locator-Status-Bits are used.")?;
    walk.flag("E", "The receiver shall send the nonce back.")?;
    let has_version = walk.flag("V", "The Map-Versions are used.")?;
    let has_instance = walk.flag("I", "The Instance ID is used.")?;
    walk.flag("R", "This bit is reserved.")?;
    let key = walk.number("KK", 2)?;
    walk.means(match key {
        0 => "The inner packet is not encrypted.",
        _ => "The number of the key of the inner packet (RFC 8061).",
    });
    if has_version && !has_nonce {
        walk.number("Source Map-Version", 12)?;
        walk.number("Dest Map-Version", 12)?;
    } else {
        let nonce = walk.number("Nonce/Map-Version", 24)?;
        walk.shows(format!("0x{nonce:06x}"));
        if !has_nonce {
            walk.means("Not used: N and V are clear.");
        }
    }
    let width = if has_instance {
        walk.number("Instance ID", 24)?;
        walk.means("The instance of both EIDs.");
        8
    } else {
        32
    };
    let bits = walk.number("Locator-Status-Bits", width)?;
    walk.shows(format!("0x{bits:0digits$x}", digits = width / 4));
    walk.means(match has_bits {
        true => "Bit n, from the right: the n-th locator of the source site is up.",
        false => "Not used: L is clear.",
    });
    Ok(key != 0)
}
