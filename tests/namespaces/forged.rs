//! Forged ICMP errors and forged inner sources from the core, sent to a running router.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use etherparse::PacketBuilder;
use socket2::{Domain, Protocol, Socket, Type};

use crate::live::*;

const XTR1: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);
const XTR2: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 21);
const UNUSED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);
/// The first of the source ports of encapsulated packets.
const SOURCE_PORT: u16 = 0xc000;
const DATA_PORT: u16 = 4341;

/// Makes the ICMP error "fragmentation needed" about a datagram with xTR1 as its sender.
fn too_big(mtu: u16, to: Ipv4Addr, port: u16, payload: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::new();
    let builder = PacketBuilder::ipv4(XTR1.octets(), to.octets(), 60).udp(SOURCE_PORT, port);
    builder.write(&mut quoted, payload).unwrap();
    let [high, low] = mtu.to_be_bytes();
    let mut message = [&[3, 4, 0, 0, 0, 0, high, low], &quoted[..]].concat();
    let sum = eidway::checksum::finish(eidway::checksum::sum(&message));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

fn count(live: &Live, label: &str) -> u64 {
    let text = live.console("xTR1", &["show ip lisp statistics"]);
    let line = text.lines().find(|line| line.trim_start().starts_with(label));
    let line = line.unwrap_or_else(|| panic!("{label}: {text}"));
    line.split_whitespace().last().unwrap().parse().unwrap()
}

#[test]
fn forged_icmp_changes_no_path_and_the_core_is_still_heard() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "icmp");
    live.expect_pings(&[("A", "B")]);
    let mut other = Vec::new();
    let builder = PacketBuilder::ipv4([172, 16, 0, 99], [192, 168, 0, 99], 60).udp(7, 7);
    builder.write(&mut other, &[0; 64]).unwrap();
    let other = [&[0; 8], &other[..]].concat();
    let forged = |number: u16| match number % 3 {
        0 => too_big(1316 + number % 80, UNUSED, DATA_PORT, &[]),
        1 => too_big(1316 + number % 80, XTR2, 4342, &[]),
        _ => too_big(1316 + number % 80, XTR2, DATA_PORT, &other),
    };
    live.inside("Core", || {
        let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
        let to = SocketAddr::new(XTR1.into(), 0).into();
        for number in 0..3_000 {
            raw.send_to(&forged(number), &to).unwrap();
        }
    });
    // The error queue of a socket is small, so some of the errors are lost before the router reads
    // them.
    until(LONG, "some are not believed", || count(&live, "ICMP errors about packets") > 0);
    assert_eq!(count(&live, "Path MTUs learned"), 0);
    live.shell("Core", "ip link set eth1 mtu 1400");
    live.shell("xTR2", "ip link set et0-0 mtu 1400");
    until(LONG, "the core is heard", || {
        let ping = "ping -n -M do -c 1 -W 1 -s 1380 192.168.0.22 || true";
        live.shell("A", ping).contains("Frag needed and DF set (mtu = 1364)")
    });
}

#[test]
fn a_packet_from_the_core_with_a_source_of_the_site_is_dropped_and_counted() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "source");
    live.expect_pings(&[("A", "B")]);
    live.inside("Core", || {
        let socket = UdpSocket::bind("203.0.113.1:0").unwrap();
        for source in [[172, 16, 0, 99], [172, 16, 0, 1], XTR1.octets()] {
            let mut inner = Vec::new();
            let builder = PacketBuilder::ipv4(source, [172, 16, 0, 12], 60).udp(7, 7);
            builder.write(&mut inner, &[0; 64]).unwrap();
            socket.send_to(&[&[0; 8], &inner[..]].concat(), (XTR1, DATA_PORT)).unwrap();
        }
    });
    until(LONG, "all are counted", || count(&live, "Inner source is at this site") == 3);
    live.expect_pings(&[("A", "B"), ("B", "A")]);
}
