//! Makes the frames of the cases, and shows frames as text.

use std::net::{IpAddr, SocketAddr};

use eidway::capture::summary::Summary;
use eidway::host::frame::Advertisement;
use eidway::host::frame::{
    Arp, BROADCAST, Content, Frame, HardwareAddress, Solicitation, ip_frame,
};
use eidway::sim::datagram::{IpFields, ip_packet, udp_datagram};
use etherparse::{IpNumber, PacketBuilder};

/// Hardware addresses of the two ports, of the router in the core, and of two hosts.
pub const CORE_PORT: HardwareAddress = [2, 0, 0, 0, 0, 0xc0];
pub const SITE_PORT: HardwareAddress = [0, 0, 0x5e, 0, 1, 1];
pub const CORE: HardwareAddress = [2, 0, 0, 0, 0, 0x01];
pub const HOST: HardwareAddress = [2, 0, 0, 0, 0, 0x12];
pub const OTHER: HardwareAddress = [2, 0, 0, 0, 0, 0x13];

/// The hardware address of the port that a frame goes to.
fn port_mac(port: &str) -> HardwareAddress {
    if port == "et0-0" { CORE_PORT } else { SITE_PORT }
}

/// A short text for a hardware address, for example its last octet.
pub fn show_mac(mac: HardwareAddress) -> String {
    match mac {
        BROADCAST | [0x33, 0x33, ..] | [1, 0, 0x5e, ..] => "all".to_owned(),
        SITE_PORT => "gateway".to_owned(),
        [.., last] => format!("{last:02x}"),
    }
}

/// A frame that left a port, as a line of text. `None` for messages that the kernel sends about
/// itself without a request (multicast listener reports, router solicitations).
pub fn show_frame(port: &str, frame: &[u8]) -> Option<String> {
    let parsed = Frame::parse(frame)?;
    let to = show_mac(parsed.destination);
    let what = match parsed.content {
        Content::Arp(Arp { is_reply: false, sender, target, .. }) => {
            format!("who has {target}, tell {sender}")
        }
        Content::Arp(Arp { sender, sender_mac, .. }) => {
            format!("{sender} is at {}", show_mac(sender_mac))
        }
        Content::Solicitation(Solicitation { source, target, .. }) => {
            format!("who has {target}, tell {source}")
        }
        Content::Advertisement(Advertisement { target, mac, overrides, .. }) => {
            let mac = mac.map_or("its sender".to_owned(), show_mac);
            format!("{target} is at {mac}{}", if overrides { ", believe it" } else { "" })
        }
        Content::Ip(packet) => {
            let is_report = packet.first() == Some(&0x60) && packet.get(24) == Some(&0xff);
            if is_report {
                return None;
            }
            show_packet(packet)?
        }
    };
    Some(format!("{port} to {to}: {what}"))
}

/// A packet as a line of text. `None` for reports that the kernel sends about itself.
pub fn show_packet(packet: &[u8]) -> Option<String> {
    let is_report = packet.first() == Some(&0x60) && packet.get(24) == Some(&0xff);
    (!is_report).then(|| Summary(packet).to_string())
}

/// A UDP packet of `size` octets.
pub fn udp(source: &str, destination: &str, ttl: u8, size: usize) -> Vec<u8> {
    packet(source, destination, ttl, size, false)
}

/// A UDP packet of `size` octets that must not be fragmented.
pub fn whole_udp(source: &str, destination: &str, ttl: u8, size: usize) -> Vec<u8> {
    packet(source, destination, ttl, size, true)
}

fn packet(source: &str, destination: &str, ttl: u8, size: usize, dont_fragment: bool) -> Vec<u8> {
    let (source, destination): (IpAddr, IpAddr) =
        (source.parse().unwrap(), destination.parse().unwrap());
    let headers = if source.is_ipv4() { 28 } else { 48 };
    let ends = (SocketAddr::new(source, 1111), SocketAddr::new(destination, 2222));
    let datagram = udp_datagram(ends.0, ends.1, &vec![0; size - headers], true).unwrap();
    let protocol = IpNumber::UDP;
    let fields =
        IpFields { source, destination, ttl, tos: 0, protocol, dont_fragment, identification: 7 };
    ip_packet(&fields, &datagram).unwrap()
}

/// An ICMP echo request.
pub fn echo(source: &str, destination: &str) -> Vec<u8> {
    let (ident, number, data) = (7, 1, [0; 16]);
    let mut packet = Vec::new();
    match (source.parse().unwrap(), destination.parse().unwrap()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            PacketBuilder::ipv4(source.octets(), destination.octets(), 64)
                .icmpv4_echo_request(ident, number)
                .write(&mut packet, &data)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            PacketBuilder::ipv6(source.octets(), destination.octets(), 64)
                .icmpv6_echo_request(ident, number)
                .write(&mut packet, &data)
        }
        _ => unreachable!("a case asks in one family"),
    }
    .unwrap();
    packet
}

/// The frame that carries a packet to a port.
pub fn to_port(port: &str, from: HardwareAddress, packet: Vec<u8>) -> Vec<u8> {
    ip_frame(port_mac(port), from, packet)
}

/// A question to all hosts: "Who has `target`? Tell `sender`."
pub fn asks(mac: HardwareAddress, sender: &str, target: &str) -> Vec<u8> {
    let (sender, target) = (sender.parse().unwrap(), target.parse().unwrap());
    eidway::host::link::solicitation(mac, Some(sender), target, None).unwrap()
}

/// An announcement without a request: "`address` is at `mac`", sent to all hosts.
pub fn announces(mac: HardwareAddress, address: &str) -> Vec<u8> {
    match address.parse().unwrap() {
        IpAddr::V4(address) => Arp::request(mac, address, address).frame(BROADCAST),
        IpAddr::V6(address) => Advertisement::unsolicited(mac, address),
    }
}

/// An answer to the question of `asker` at a port: "`address` is at `mac`."
pub fn answers(port: &str, mac: HardwareAddress, address: &str, asker: &str) -> Vec<u8> {
    let to = port_mac(port);
    match (address.parse().unwrap(), asker.parse().unwrap()) {
        (IpAddr::V4(address), IpAddr::V4(asker)) => {
            Arp::request(to, asker, address).answer(mac).frame(to)
        }
        (IpAddr::V6(target), IpAddr::V6(asker)) => {
            let says = Advertisement {
                source: target,
                target,
                mac: Some(mac),
                solicited: true,
                overrides: true,
            };
            says.frame(mac, (to, asker), false)
        }
        _ => unreachable!("a case asks in one family"),
    }
}
