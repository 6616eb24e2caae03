//! Sending a captured packet once more, from any node: a replay, a forged source, a flood.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::lab::failure::Failure;
use crate::lab::patience::Patience;
use std::time::Duration;

/// The header of a pcap file, and that of each packet in it.
const FILE_HEADER: usize = 24;
const PACKET_HEADER: usize = 16;
/// An Ethernet header without a VLAN tag.
const ETHERNET_HEADER: usize = 14;
/// IPPROTO_RAW: the whole IP packet is ours.
const RAW: i32 = 255;

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

/// Sends `packet` from a namespace, `times` times, `every` so often; its source stays what it is.
pub fn send(namespace: &str, packet: &[u8], times: u32, every: Duration) -> Result<(), Failure> {
    let socket = socket(namespace)?;
    let destination = Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19]);
    let destination = SockAddr::from(SocketAddrV4::new(destination, 0));
    let patience = Patience::of(Duration::MAX);
    for time in 0..times {
        let due = every.saturating_mul(time);
        thread::sleep(due.saturating_sub(patience.spent()));
        socket.send_to(packet, &destination).map_err(Failure::io("raw socket"))?;
    }
    Ok(())
}

/// A raw socket in a namespace. A thread of its own goes there, and ends.
fn socket(namespace: &str) -> Result<Socket, Failure> {
    let path = format!("/run/netns/{namespace}");
    let inside = File::open(&path).map_err(Failure::io(&path))?;
    let open = || -> std::io::Result<Socket> {
        move_into_link_name_space(inside.as_fd(), Some(LinkNameSpaceType::Network))?;
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(RAW)))?;
        socket.set_header_included_v4(true)?;
        Ok(socket)
    };
    let socket = thread::scope(|scope| scope.spawn(open).join());
    let socket = socket.map_err(|_| Failure::new("a thread of replay has failed"))?;
    socket.map_err(Failure::io("raw socket"))
}
