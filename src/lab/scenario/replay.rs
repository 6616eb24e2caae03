//! Sending whole IPv4 packets from any node: a captured one once more, a datagram of the scenario's
//! own, a forged source, a flood.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;
use std::time::Duration;

use etherparse::PacketBuilder;
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
/// As Linux sends.
const TTL: u8 = 64;

/// The IPv4 packet in the frame with this number, from 1, of a pcap file.
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
            return match packet.first() {
                Some(0x45) => Ok(packet.to_vec()),
                _ => Err(Failure::Other(format!("frame {number} is no plain IPv4 packet"))),
            };
        }
        rest = &rest[PACKET_HEADER + length..];
    }
    Err(Failure::Other(format!("{}: there is no frame {number}", file.display())))
}

/// Gives a UDP packet another destination. It goes without a UDP checksum, as IPv4 allows.
pub fn redirect(packet: &mut [u8], to: Ipv4Addr) {
    packet[16..20].copy_from_slice(&to.octets());
    if let Some(checksum) = packet.get_mut(26..28) {
        checksum.fill(0);
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

/// Sends IPv4 packets from a namespace, all of them in order, and that `times` over; their sources
/// stay what they are. `every` so much time lies between two.
pub fn send(
    namespace: &str,
    packets: &[Vec<u8>],
    times: u32,
    every: Duration,
) -> Result<(), Failure> {
    let socket = inside(namespace, || {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(RAW)))?;
        socket.set_header_included_v4(true)?;
        Ok(socket)
    })?;
    let patience = Patience::of(Duration::MAX);
    let mut due = Duration::ZERO;
    for packet in (0..times).flat_map(|_| packets) {
        thread::sleep(due.saturating_sub(patience.spent()));
        let destination = Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19]);
        let destination = SockAddr::from(SocketAddrV4::new(destination, 0));
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
