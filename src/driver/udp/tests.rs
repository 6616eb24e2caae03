//! Tests with the sockets of two RLOCs on one loopback device, in a separate namespace.

use std::collections::BTreeSet;

use super::*;
use crate::driver::namespace::{in_namespace, ip, wait_until};
use crate::router::io::{IcmpError, PathEvent};
use crate::wire::IcmpErrorKind;

const PACKET: &[u8] = b"an inner packet";
const LISP_HEADER: [u8; 8] = [0x80, 1, 2, 3, 0, 0, 0, 1];

fn rloc(text: &str) -> Rloc {
    Rloc(text.parse().unwrap())
}

fn open(address: &str) -> RlocSockets {
    open_with(address, UdpChecksum::Auto)
}

/// Opens the sockets of an RLOC. Another test may start a program at the same time. Between fork
/// and exec, this program also has all sockets of this process open. So the ports of closed sockets
/// may be in use for a short time, and this function tries again.
fn open_with(address: &str, checksum: UdpChecksum) -> RlocSockets {
    let mut opened = None;
    wait_until("free ports", || {
        opened = RlocSockets::open(rloc(address), true, checksum).ok();
        opened.is_some()
    });
    opened.unwrap()
}

/// Sends a packet immediately. Returns the number of failed sends: 0 or 1.
fn send(from: &mut RlocSockets, wrap: &Encapsulation, payload: &[u8]) -> u64 {
    let mut faults = Faults::default();
    from.send_data(wrap, &Packet::single(&mut payload.to_vec()), &mut faults);
    faults.of("sending an encapsulated packet")
}

fn wrap(source: &str, destination: &str, flow_hash: u32) -> Encapsulation {
    Encapsulation {
        source: rloc(source),
        destination: rloc(destination),
        flow_hash,
        ttl: 17,
        tos: 0xb9,
        header: LISP_HEADER,
    }
}

/// Waits for a datagram, for at most one second, and reads it.
fn read<T>(fd: RawFd, mut receive: impl FnMut() -> io::Result<T>) -> T {
    let mut poll = mio::Poll::new().unwrap();
    let mut source = mio::unix::SourceFd(&fd);
    let registry = poll.registry();
    registry.register(&mut source, mio::Token(0), mio::Interest::READABLE).unwrap();
    let mut events = mio::Events::with_capacity(1);
    poll.poll(&mut events, Some(std::time::Duration::from_secs(1))).unwrap();
    receive().expect("a datagram within a second")
}

const PAIRS: [(&str, &str); 2] = [("127.0.0.1", "127.0.0.2"), ("2001:db8::1", "2001:db8::2")];

/// Adds the addresses of both RLOCs. Then waits, because the kernel adds the local route of an IPv6
/// address some time after it has added the address.
fn addresses() {
    for address in ["2001:db8::1", "2001:db8::2"] {
        ip(&format!("addr add {address}/128 dev lo nodad"));
        let route = format!("local {address} ");
        wait_until(&route, || ip("-6 route show table local").contains(&route));
    }
}

#[test]
fn outer_ttl_and_tos_travel_with_each_packet_both_ways() {
    in_namespace(|| {
        addresses();
        for (one, other) in PAIRS {
            let mut ends = [one, other].map(open);
            for (from, to) in [(0, 1), (1, 0)] {
                let names = [one, other];
                assert_eq!(send(&mut ends[from], &wrap(names[from], names[to], 3), PACKET), 0);
                let mut buffer = [0; 2048];
                let (outer, datagram) = read(ends[to].data_fd(), || {
                    let received = message::receive(ends[to].data.as_fd(), &mut buffer)?;
                    Ok((received, buffer[..received.len].to_vec()))
                });
                assert_eq!((outer.ttl, outer.tos), (17, 0xb9), "{one}");
                assert_eq!(outer.source, SocketAddr::new(rloc(names[from]).0, 0xc003));
                assert_eq!(datagram, [&LISP_HEADER[..], PACKET].concat());
            }
        }
    });
}

#[test]
fn a_flow_keeps_its_source_port_and_flows_spread() {
    in_namespace(|| {
        let mut ends = ["127.0.0.1", "127.0.0.2"].map(open);
        let mut port = |flow_hash| {
            let wrap = wrap("127.0.0.1", "127.0.0.2", flow_hash);
            send(&mut ends[0], &wrap, PACKET);
            let mut buffer = [0; 2048];
            let receive = || message::receive(ends[1].data.as_fd(), &mut buffer);
            read(ends[1].data_fd(), receive).source.port()
        };
        let ports: BTreeSet<u16> = (0..32).map(&mut port).collect();
        assert_eq!(ports, (0xc000..0xc010).collect());
        assert_eq!(port(u32::MAX), port(u32::MAX));
    });
}

#[test]
fn any_checksum_is_taken() {
    in_namespace(|| {
        addresses();
        for (one, other) in PAIRS {
            for checksum in [UdpChecksum::Zero, UdpChecksum::On, UdpChecksum::Auto] {
                let mut from = open_with(one, checksum);
                let to = open(other);
                assert_eq!(send(&mut from, &wrap(one, other, 0), PACKET), 0);
                let mut buffer = [0; 2048];
                let received =
                    read(to.data_fd(), || message::receive(to.data.as_fd(), &mut buffer));
                assert_eq!(received.len, 8 + PACKET.len(), "{one}, {checksum:?}");
            }
        }
    });
}

/// Packets that wait in the queue are sent together and arrive together. There are two exceptions:
/// a packet that is longer than the first packet, and a packet that follows a shorter packet.
#[test]
fn packets_of_one_length_travel_together_and_in_order() {
    in_namespace(|| {
        addresses();
        for (one, other) in PAIRS {
            let (mut from, to) = (open(one), open(other));
            let lengths = [100, 100, 100, 60, 100, 100, 200];
            let mut arena = Vec::new();
            let mut faults = Faults::default();
            let mut places = Vec::new();
            for (number, len) in lengths.into_iter().enumerate() {
                places.push(arena.len()..arena.len() + len);
                arena.resize(arena.len() + len, number as u8);
            }
            for place in places {
                from.queue(&wrap(one, other, 0), &arena, place, None, &mut faults);
            }
            from.flush(&arena, &mut faults);
            let mut buffer = vec![0; 1 << 16];
            let mut arrived = Vec::new();
            for expected in [360 + 4 * 8, 200 + 2 * 8, 208] {
                let header = read(to.data_fd(), || to.receive_data(&mut buffer));
                assert_eq!(header.len, expected, "{one}");
                let datagrams = buffer[..header.len].chunks(header.segment_size);
                arrived.extend(datagrams.map(|datagram| (datagram.len() - 8, datagram[8])));
            }
            let sent: Vec<_> = lengths.into_iter().zip(0..).collect();
            assert_eq!(arrived, sent);
        }
    });
}

#[test]
fn a_control_message_keeps_its_boundaries_and_ports() {
    in_namespace(|| {
        addresses();
        for (one, other) in PAIRS {
            let [from, to] = [one, other].map(open);
            let destination = SocketAddr::new(rloc(other).0, CONTROL_PORT);
            from.send_control(destination, b"register").unwrap();
            let mut buffer = [0; 2048];
            let header = read(to.control_fd(), || to.receive_control(&mut buffer));
            assert_eq!(header.source, SocketAddr::new(rloc(one).0, CONTROL_PORT));
            assert_eq!(header.destination, rloc(other).0);
            assert_eq!(&buffer[..header.len], b"register");
        }
    });
}

#[test]
fn a_datagram_that_does_not_fit_is_an_error_and_not_a_piece() {
    in_namespace(|| {
        let [from, to] = ["127.0.0.1", "127.0.0.2"].map(open);
        from.send_control(SocketAddr::new(to.rloc.0, CONTROL_PORT), &[0; 100]).unwrap();
        let mut buffer = [0; 99];
        let outcome = read(to.control_fd(), || Ok(to.receive_control(&mut buffer)));
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::InvalidData);
    });
}

#[test]
fn sockets_do_not_wait_for_their_address() {
    in_namespace(|| {
        for absent in ["192.0.2.2", "2001:db8::99"] {
            open(absent);
        }
        let _first = open("192.0.2.1");
        let second = RlocSockets::open(rloc("192.0.2.1"), true, UdpChecksum::Auto).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
    });
}

/// When a packet of 1280 octets is encapsulated, it is longer than the MTU of the link. So it can
/// be sent only in fragments.
#[test]
fn a_packet_that_the_link_does_not_take_leaves_in_fragments_or_not_at_all() {
    in_namespace(|| {
        ip("link add et1-0 mtu 1290 type veth peer name peer");
        ip("addr add 192.0.2.1/24 dev et1-0");
        ip("addr add 2001:db8:1::1/64 dev et1-0 nodad");
        ip("link set et1-0 up");
        ip("link set peer up");
        for (own, peer) in [("192.0.2.1", "192.0.2.2"), ("2001:db8:1::1", "2001:db8:1::2")] {
            let mac = "02:00:00:00:00:01";
            ip(&format!("neigh add {peer} lladdr {mac} dev et1-0 nud permanent"));
            let mut sockets = open(own);
            let wrap = wrap(own, peer, 0);
            assert_eq!(send(&mut sockets, &wrap, &[0; 1280]), 1, "{own}");
            sockets.set_fragmentation(Fragmentation::Always).unwrap();
            assert_eq!(send(&mut sockets, &wrap, &[0; 1280]), 0, "{own}");
            sockets.set_fragmentation(Fragmentation::Never).unwrap();
            assert_eq!(send(&mut sockets, &wrap, &[0; 1280]), 1, "{own}");
        }
    });
}

/// Sends ICMP errors as a router would send them. The kernel adds them to the error queue of the
/// socket that sends flow 0 from 127.0.0.1. The errors quote a datagram to `rloc` with the payload
/// `payload`.
fn inject(kind: u8, code: u8, rloc: &str, payload: &[u8], times: usize) {
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(socket2::Protocol::ICMPV4)).unwrap();
    let from: SocketAddr = format!("{REPORTER}:0").parse().unwrap();
    raw.bind(&from.into()).unwrap();
    let IpAddr::V4(rloc) = rloc.parse().unwrap() else { panic!("{rloc}") };
    let mut quoted = Vec::new();
    etherparse::PacketBuilder::ipv4([127, 0, 0, 1], rloc.octets(), 1)
        .udp(DATA_SOURCE_PORTS.start, DATA_PORT)
        .write(&mut quoted, payload)
        .unwrap();
    let mut message = [&[kind, code, 0, 0, 0, 0, 0, 0], &quoted[..]].concat();
    let sum = crate::checksum::finish(crate::checksum::sum(&message));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    for _ in 0..times {
        let to: SocketAddr = "127.0.0.1:0".parse().unwrap();
        raw.send_to(&message, &to.into()).unwrap();
    }
}

const REPORTER: &str = "127.0.0.9";
/// The ICMPv4 type and the code of an error.
const TIME_EXCEEDED: (u8, u8) = (11, 0);
const HOST_UNREACHABLE: (u8, u8) = (3, 1);

/// Sends packets to `destination` until `enough` returns true. Returns the events about paths that
/// the driver has noticed.
fn paths(
    from: &mut RlocSockets,
    destination: &str,
    mut enough: impl FnMut(&[PathEvent], u64) -> bool,
) -> Vec<PathEvent> {
    let mut noted = Vec::new();
    wait_until("notes of the error queue", || {
        let mut faults = Faults::default();
        let wrap = wrap("127.0.0.1", destination, 0);
        from.send_data(&wrap, &Packet::single(&mut PACKET.to_vec()), &mut faults);
        noted.extend(faults.take_paths());
        enough(&noted, faults.of("sending an encapsulated packet"))
    });
    noted
}

#[test]
fn icmp_errors_are_told_by_kind_with_what_they_quote_however_many_wait() {
    in_namespace(|| {
        let mut from = open("127.0.0.1");
        let _to = open("127.0.0.3");
        let payload = [&LISP_HEADER[..], PACKET].concat();
        for ((kind, code), expected, times) in [
            (TIME_EXCEEDED, IcmpErrorKind::TimeExceeded, 1),
            (TIME_EXCEEDED, IcmpErrorKind::TimeExceeded, 17),
            (TIME_EXCEEDED, IcmpErrorKind::TimeExceeded, 200),
            (HOST_UNREACHABLE, IcmpErrorKind::HostUnreachable, 200),
            ((3, 13), IcmpErrorKind::Prohibited, 17),
            ((12, 0), IcmpErrorKind::Other, 17),
        ] {
            inject(kind, code, "127.0.0.2", &payload, times);
            let noted = paths(&mut from, "127.0.0.3", |noted, failed| {
                assert_eq!(failed, 0, "the ICMP errors are about other packets");
                !noted.is_empty()
            });
            let error = IcmpError {
                rloc: rloc("127.0.0.2"),
                port: super::DATA_PORT,
                reporter: REPORTER.parse().unwrap(),
                kind: expected,
                quoted: payload.clone(),
            };
            assert_eq!(noted, [PathEvent::Icmp(error)], "{expected:?}, {times} times");
        }
    });
}

#[test]
fn the_kernels_own_want_of_a_route_is_told_beside_errors_of_icmp() {
    in_namespace(|| {
        let mut from = open("127.0.0.1");
        let no_route = PathEvent::NoRoute(rloc("192.0.2.77"));
        let alone = paths(&mut from, "192.0.2.77", |noted, _| !noted.is_empty());
        assert_eq!(alone, std::slice::from_ref(&no_route).to_vec());
        inject(TIME_EXCEEDED.0, TIME_EXCEEDED.1, "127.0.0.2", &LISP_HEADER, 20);
        let both = paths(&mut from, "192.0.2.77", |noted, _| noted.len() > 1);
        assert!(both.contains(&no_route), "{both:?}");
        assert!(both.iter().all(|event| match event {
            PathEvent::NoRoute(_) => event == &no_route,
            PathEvent::Icmp(error) => error.rloc == rloc("127.0.0.2"),
        }));
    });
}
