//! Echo requests and echo replies (RFC 792, RFC 4443), in the form that smoltcp's ICMP socket uses.

use std::net::IpAddr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, Icmpv6Packet, Icmpv6Repr};

use super::ping::PingRequest;

/// The number of octets of an IPv4 header without options and an ICMP echo header.
const V4_ECHO_HEADERS: u16 = 20 + 8;
/// The number of octets of an IPv6 header and an ICMPv6 echo header.
const V6_ECHO_HEADERS: u16 = 40 + 8;
/// The minimum number of octets of data in an echo request.
const LEAST_ECHO_DATA: u16 = 16;

/// Makes an echo request in the form of smoltcp's ICMP socket. The stack fills in the ICMPv6
/// checksum, because this checksum covers the source address.
pub(super) fn echo_request(request: PingRequest, ident: u16, seq_no: u16) -> Vec<u8> {
    let headers = match request.destination {
        IpAddr::V4(_) => V4_ECHO_HEADERS,
        IpAddr::V6(_) => V6_ECHO_HEADERS,
    };
    let len = request.size.saturating_sub(headers).max(LEAST_ECHO_DATA);
    let data: Vec<u8> = (0..len).map(|at| at as u8).collect();
    match request.destination {
        IpAddr::V4(_) => {
            let repr = Icmpv4Repr::EchoRequest { ident, seq_no, data: &data };
            let mut message = vec![0; repr.buffer_len()];
            let mut packet = Icmpv4Packet::new_unchecked(&mut message[..]);
            repr.emit(&mut packet, &ChecksumCapabilities::ignored());
            message
        }
        IpAddr::V6(destination) => {
            let repr = Icmpv6Repr::EchoRequest { ident, seq_no, data: &data };
            let mut message = vec![0; repr.buffer_len()];
            let mut packet = Icmpv6Packet::new_unchecked(&mut message[..]);
            let ignored = ChecksumCapabilities::ignored();
            repr.emit(&destination, &destination, &mut packet, &ignored);
            message
        }
    }
}

/// Returns the sequence number of an echo reply. Returns `None` for any other message. The socket
/// has already checked the identifier.
pub(super) fn echo_reply_seq(message: &[u8], from: IpAddr) -> Option<u16> {
    match from {
        IpAddr::V4(_) => {
            let packet = Icmpv4Packet::new_checked(message).ok()?;
            match Icmpv4Repr::parse(&packet, &ChecksumCapabilities::ignored()) {
                Ok(Icmpv4Repr::EchoReply { seq_no, .. }) => Some(seq_no),
                _ => None,
            }
        }
        IpAddr::V6(from) => {
            let packet = Icmpv6Packet::new_checked(message).ok()?;
            let ignored = ChecksumCapabilities::ignored();
            match Icmpv6Repr::parse(&from, &from, &packet, &ignored) {
                Ok(Icmpv6Repr::EchoReply { seq_no, .. }) => Some(seq_no),
                _ => None,
            }
        }
    }
}
