//! Sending whole IP packets from any node: a captured one once more, a datagram of the scenario's
//! own, a forged source, a flood.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;
use std::time::Duration;

use etherparse::{LaxNetSlice, LaxSlicedPacket, PacketBuilder};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::Datagrams;
use crate::lab::failure::Failure;
use crate::lab::patience::Patience;

/// The header of a pcap file, and that of each packet in it.
const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;
/// An Ethernet header without a VLAN tag.
const ETHERNET_HEADER: usize = 14;
/// IPPROTO_RAW: the whole IP packet is ours.
const RAW: i32 = 255;
/// The first octet of an IPv4 packet without options.
const PLAIN_IPV4: u8 = 0x45;
/// As Linux sends.
const TTL: u8 = 64;

/// The IP packet in the frame with this number, from 1, of a pcap file.
pub fn packet(file: &Path, number: usize) -> Result<Vec<u8>, Failure> {
    let bytes = fs::read(file).map_err(Failure::io(file.display()))?;
    let mut rest = bytes.get(FILE_HEADER..).unwrap_or_default();
    for frame in 1.. {
        let Some(length) = rest.get(8..12).and_then(|octets| octets.try_into().ok()) else {
            break;
        };
        // tcpdump writes in the order of the machine, which is the one that reads here.
        let length = u32::from_ne_bytes(length) as usize;
        let Some(whole) = rest.get(PACKET_HEADER..PACKET_HEADER + length) else {
            break;
        };
        if frame == number {
            let packet = whole.get(ETHERNET_HEADER..).unwrap_or_default();
            return Ok(packet.to_vec());
        }
        rest = &rest[PACKET_HEADER + length..];
    }
    Err(Failure::Other(format!("{}: there is no frame {number}", file.display())))
}

/// What a captured packet is sent again as: to `to`, if that is given. A packet of UDP over IPv4
/// then goes without a UDP checksum, as IPv4 allows.
///
/// # Errors
/// A frame that holds no IP packet, or one whose destination cannot be changed.
pub fn repeated(packet: &[u8], to: Option<Ipv4Addr>) -> Result<Vec<u8>, Failure> {
    let mut packet = packet.to_vec();
    destination(&packet)?;
    let Some(to) = to else { return Ok(packet) };
    if packet[0] != PLAIN_IPV4 {
        return Err(Failure::new("only an IPv4 packet without options gets another destination"));
    }
    packet[16..20].copy_from_slice(&to.octets());
    if let Some(checksum) = packet.get_mut(26..28) {
        checksum.fill(0);
    }
    Ok(packet)
}

/// Where an IP packet goes.
fn destination(packet: &[u8]) -> Result<IpAddr, Failure> {
    let sliced = LaxSlicedPacket::from_ip(packet).ok().and_then(|sliced| sliced.net);
    match sliced {
        Some(LaxNetSlice::Ipv4(ip)) => Ok(ip.header().destination_addr().into()),
        Some(LaxNetSlice::Ipv6(ip)) => Ok(ip.header().destination_addr().into()),
        _ => Err(Failure::new("no IP packet")),
    }
}

/// The IPv4 packets of datagrams.
///
/// # Errors
/// A payload that is too long for UDP.
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

/// Sends IP packets of one version from a namespace, all of them in order, and that `times` over; their sources
/// stay what they are. `every` so much time lies between two.
pub fn send(
    namespace: &str,
    packets: &[Vec<u8>],
    times: u32,
    every: Duration,
) -> Result<(), Failure> {
    let destinations = packets.iter().map(|packet| destination(packet));
    let destinations = destinations.collect::<Result<Vec<IpAddr>, Failure>>()?;
    let ipv6 = destinations.first().is_some_and(IpAddr::is_ipv6);
    let socket = inside(namespace, || {
        // Over IPv6 a raw socket of this protocol has no header of its own anyway.
        match ipv6 {
            true => Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::from(RAW))),
            false => {
                let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(RAW)))?;
                socket.set_header_included_v4(true)?;
                Ok(socket)
            }
        }
    })?;
    let patience = Patience::of(Duration::MAX);
    let mut due = Duration::ZERO;
    for (packet, to) in (0..times).flat_map(|_| packets.iter().zip(&destinations)) {
        thread::sleep(due.saturating_sub(patience.spent()));
        let destination = SockAddr::from(SocketAddr::new(*to, 0));
        socket.send_to(packet, &destination).map_err(Failure::io("raw socket"))?;
        due += every;
    }
    Ok(())
}

/// A socket in a namespace, as `open` makes it. A thread of its own goes there, and ends.
pub(super) fn inside(
    namespace: &str,
    open: impl FnOnce() -> io::Result<Socket> + Send,
) -> Result<Socket, Failure> {
    let path = format!("/run/netns/{namespace}");
    let inside = File::open(&path).map_err(Failure::io(&path))?;
    let open = || {
        move_into_link_name_space(inside.as_fd(), Some(LinkNameSpaceType::Network))?;
        open()
    };
    let socket = thread::scope(|scope| scope.spawn(open).join());
    let socket = socket.map_err(|_| Failure::new("a thread in a namespace has failed"))?;
    socket.map_err(Failure::io(format!("socket in {namespace}")))
}
