//! IP packets as lines of text: one line for each packet.

use std::fmt::{self, Display, Formatter};

use etherparse::{Icmpv4Type, Icmpv6Type, SlicedPacket, TransportSlice, UdpSlice};

use crate::packet::IpHeader;
use crate::wire::data_header::DataHeader;
use crate::wire::{CONTROL_PORT, DATA_PORT, Message};

/// Displays an IP packet in one line.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a>(pub &'a [u8]);

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Ok(header) = IpHeader::parse(self.0) else {
            return write!(f, "{} octets that are not an IP packet", self.0.len());
        };
        let IpHeader { source, destination, ttl, total_len, .. } = header;
        write!(f, "{source} > {destination} ttl {ttl} len {total_len} ")?;
        let Ok(sliced) = SlicedPacket::from_ip(self.0) else {
            return f.write_str("damaged");
        };
        if sliced.is_ip_payload_fragmented() {
            return f.write_str("fragment");
        }
        match sliced.transport {
            Some(TransportSlice::Udp(udp)) => show_udp(f, &udp),
            Some(TransportSlice::Icmpv4(icmp)) => show_icmpv4(f, &icmp.icmp_type()),
            Some(TransportSlice::Icmpv6(icmp)) => show_icmpv6(f, &icmp.icmp_type()),
            Some(TransportSlice::Tcp(tcp)) => {
                write!(f, "TCP {} > {}", tcp.source_port(), tcp.destination_port())
            }
            _ => f.write_str("other"),
        }
    }
}

fn show_udp(f: &mut Formatter<'_>, udp: &UdpSlice<'_>) -> fmt::Result {
    let (source, destination) = (udp.source_port(), udp.destination_port());
    write!(f, "UDP {source} > {destination}")?;
    if destination == DATA_PORT
        && let Ok((header, inner)) = DataHeader::parse(udp.payload())
    {
        let instance = header.instance_id.unwrap_or_default();
        return write!(f, " LISP {instance} ({})", Summary(inner));
    }
    if (source == CONTROL_PORT || destination == CONTROL_PORT)
        && let Ok(message) = Message::parse(udp.payload())
    {
        return write!(f, " {message}");
    }
    Ok(())
}

fn show_icmpv4(f: &mut Formatter<'_>, icmp: &Icmpv4Type) -> fmt::Result {
    match icmp {
        Icmpv4Type::EchoRequest(echo) => write!(f, "echo request {:#06x}/{}", echo.id, echo.seq),
        Icmpv4Type::EchoReply(echo) => write!(f, "echo reply {:#06x}/{}", echo.id, echo.seq),
        Icmpv4Type::DestinationUnreachable(why) => write!(f, "unreachable {why:?}"),
        Icmpv4Type::TimeExceeded(_) => f.write_str("time exceeded"),
        other => write!(f, "ICMP {other:?}"),
    }
}

fn show_icmpv6(f: &mut Formatter<'_>, icmp: &Icmpv6Type) -> fmt::Result {
    match icmp {
        Icmpv6Type::EchoRequest(echo) => write!(f, "echo request {:#06x}/{}", echo.id, echo.seq),
        Icmpv6Type::EchoReply(echo) => write!(f, "echo reply {:#06x}/{}", echo.id, echo.seq),
        Icmpv6Type::DestinationUnreachable(why) => write!(f, "unreachable {why:?}"),
        Icmpv6Type::PacketTooBig { mtu } => write!(f, "packet too big, mtu {mtu}"),
        Icmpv6Type::TimeExceeded(_) => f.write_str("time exceeded"),
        other => write!(f, "ICMPv6 {other:?}"),
    }
}
