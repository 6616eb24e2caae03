//! ICMP errors that the core sends about encapsulated packets. Some kinds make a locator
//! unreachable. The router relays a Time Exceeded to the host (RFC 6830 sections 6.3 and 9).

use std::net::IpAddr;
use std::time::Duration;

use eidway::packet::IpHeader;
use eidway::router::io::{Input, Outbound, Output, PathEvent};
use eidway::wire::IcmpErrorKind;
use etherparse::PacketBuilder;

use crate::bench::*;

const A: &str = "172.16.0.12";
const B: &str = "192.168.0.22";
const LISP_HEADER_LEN: usize = 8;
const IPV4_LEN: usize = 20;
const ICMP_LEN: usize = 8;

/// Sends a packet. Returns its destination and the octets that the core quotes in an ICMP error.
fn send(bench: &mut Bench, inner: &[u8]) -> (String, Vec<u8>) {
    let mut inner = inner.to_vec();
    let Outbound::Encapsulate(wrap) = bench.encapsulate(&mut inner) else { panic!("a hit") };
    (wrap.destination.to_string(), [&wrap.header[..], &inner].concat())
}

/// The ICMP errors that the router has sent to hosts since the last call.
fn told(bench: &mut Bench) -> Vec<Vec<u8>> {
    let native = |output| match output {
        Output::Native(_, packet) => Some(packet.bytes),
        _ => None,
    };
    bench.outputs().into_iter().filter_map(native).collect()
}

fn ping(source: &str, destination: &str, kind: u8) -> Vec<u8> {
    let octets = |address: &str| address.parse::<std::net::Ipv4Addr>().unwrap().octets();
    let mut bytes = Vec::new();
    PacketBuilder::ipv4(octets(source), octets(destination), 1)
        .icmpv4_raw(kind, 0, [0, 7, 0, 1])
        .write(&mut bytes, &[9; 56])
        .unwrap();
    bytes
}

#[test]
fn only_what_says_unreachable_makes_a_locator_unreachable() {
    use IcmpErrorKind::{
        HostUnreachable, NetUnreachable, Other, PortUnreachable, Prohibited, TimeExceeded, TooBig,
    };
    for kind in [TimeExceeded, Other, TooBig { mtu: 1400 }] {
        let mut bench = with_reserve(XTR2, B);
        bench.icmp(RLOC_1, CORE, kind, &[]);
        assert_eq!(send(&mut bench, &packet(B, A, 63, b"")).0, RLOC_1, "{kind:?}");
    }
    for kind in [NetUnreachable, HostUnreachable, PortUnreachable, Prohibited] {
        let mut bench = with_reserve(XTR2, B);
        bench.icmp(RLOC_1, CORE, kind, &[]);
        assert_eq!(send(&mut bench, &packet(B, A, 63, b"")).0, OLD, "{kind:?}");
    }
    let mut bench = with_reserve(XTR2, B);
    let no_route = PathEvent::NoRoute(eidway::addr::Rloc(RLOC_1.parse().unwrap()));
    bench.router.handle(Input::Path(no_route), bench.now);
    assert_eq!(send(&mut bench, &packet(B, A, 63, b"")).0, OLD, "the kernel has no route");
}

#[test]
fn a_host_hears_from_the_cores_router_that_its_ttl_was_used_up() {
    let mut bench = with_reserve(XTR2, B);
    let echo = ping(B, A, 8);
    let (rloc, quoted) = send(&mut bench, &echo);
    for quoted_len in [quoted.len(), LISP_HEADER_LEN + IPV4_LEN + 8] {
        bench.icmp(&rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted[..quoted_len]);
        let [answer] = &told(&mut bench)[..] else { panic!("one error") };
        let header = IpHeader::parse(answer).unwrap();
        assert_eq!((header.source, header.destination), (ip(CORE), ip(B)));
        assert_eq!(answer[IPV4_LEN..IPV4_LEN + 2], [11, 0], "TTL exceeded in transit");
        let sum = eidway::checksum::sum(&answer[IPV4_LEN..]);
        assert_eq!(eidway::checksum::finish(sum), 0);
        let rest = &answer[IPV4_LEN + ICMP_LEN..];
        assert_eq!(rest, &echo[..quoted_len - LISP_HEADER_LEN], "no more than came");
    }
    assert_eq!(bench.router.counters().time_exceeded_relayed, 2);
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn padding_of_the_core_is_no_part_of_the_quote() {
    let mut bench = with_reserve(XTR2, B);
    let echo = ping(B, A, 8);
    let (rloc, mut quoted) = send(&mut bench, &echo);
    quoted.resize(1200, 0xff);
    bench.icmp(&rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted);
    assert_eq!(told(&mut bench)[0][IPV4_LEN + ICMP_LEN..], echo);
    let (rloc, quoted) = send(&mut bench, &packet(B, A, 63, &[0; 1200]));
    bench.icmp(&rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted);
    assert_eq!(told(&mut bench)[0].len(), 576, "RFC 1812 section 4.3.2.3");
}

#[test]
fn a_host_of_another_family_than_the_core_hears_it_from_its_gateway() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let inner = packet("2001:db8:b::22", "2001:db8:a::12", 1, b"probe");
    assert_eq!(bench.encapsulate(&mut inner.clone()), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    let mapping = record("2001:db8:a::/64", 1440, &[RLOC_1]);
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![mapping]));
    let [(wrap, held)] = &bench.released()[..] else { panic!("one packet") };
    // The router also recognises a packet that waited for its mapping.
    let quoted = [&wrap.header[..], &held.bytes].concat();
    bench.icmp(RLOC_1, CORE, IcmpErrorKind::TimeExceeded, &quoted);
    let [answer] = &told(&mut bench)[..] else { panic!("one error") };
    let header = IpHeader::parse(answer).unwrap();
    assert_eq!((header.source, header.destination), (ip("2001:db8:b::1"), ip("2001:db8:b::22")));
    assert_eq!(answer[40..42], [3, 0], "hop limit exceeded in transit");
    assert_eq!(answer[48..], inner);
}

#[test]
fn a_time_exceeded_about_what_was_never_sent_tells_nobody() {
    let mut bench = with_reserve(XTR2, B);
    let echo = ping(B, A, 8);
    let (rloc, quoted) = send(&mut bench, &echo);
    let header = &quoted[..LISP_HEADER_LEN];
    let unsent = |inner: Vec<u8>| [header, &inner[..]].concat();
    let mut encrypted = quoted.clone();
    encrypted[0] |= 1;
    let of_instance_7 = [&[8, 0, 0, 0, 0, 0, 7, 0], &echo[..]].concat();
    for (reason, rloc, quoted) in [
        ("7 octets behind the inner header", &rloc, quoted[..LISP_HEADER_LEN + 27].to_vec()),
        ("no LISP header of ours", &rloc, encrypted),
        ("another instance", &rloc, of_instance_7),
        ("no LISP header", &rloc, echo.clone()),
        ("nothing", &rloc, Vec::new()),
        ("another locator", &OLD.to_owned(), quoted.clone()),
        ("another host", &rloc, unsent(ping("192.168.0.23", A, 8))),
        ("another destination", &rloc, unsent(ping(B, "172.16.0.13", 8))),
        ("another port", &rloc, unsent(from_another_port(packet(B, A, 1, b"probe")))),
    ] {
        bench.icmp(rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted);
        assert_eq!(told(&mut bench), Vec::<Vec<u8>>::new(), "{reason}");
    }
    let counters = bench.router.counters();
    // The two quotes end before the ports. The router believes the errors, but it does not know the
    // flow, so it sends no error to a host.
    assert_eq!((counters.icmp_ignored, counters.icmp_disbelieved), (2, 7));
    bench.icmp(&rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted);
    assert_eq!(told(&mut bench).len(), 1);
}

fn from_another_port(mut udp: Vec<u8>) -> Vec<u8> {
    udp[IPV4_LEN] ^= 1;
    udp
}

#[test]
fn an_icmp_error_and_a_later_fragment_deserve_no_error() {
    for inner in [ping(B, A, 11), fragment()] {
        let mut bench = with_reserve(XTR2, B);
        let (rloc, quoted) = send(&mut bench, &inner);
        bench.icmp(&rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted);
        assert_eq!(told(&mut bench), Vec::<Vec<u8>>::new());
    }
}

/// The second fragment of a packet from B to A.
fn fragment() -> Vec<u8> {
    let mut bytes = packet(B, A, 1, &[0; 64]);
    bytes[7] = 8;
    bytes[10..12].fill(0);
    let sum = eidway::checksum::finish(eidway::checksum::sum(&bytes[..IPV4_LEN]));
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes
}

#[test]
fn a_host_that_left_is_told_nothing() {
    let mut bench = with_reserve(XTR2, B);
    let (rloc, quoted) = send(&mut bench, &ping(B, A, 8));
    bench.link("et1-0", false);
    bench.outputs();
    bench.icmp(&rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted);
    assert_eq!(told(&mut bench), Vec::<Vec<u8>>::new());
}

#[test]
fn a_proxy_itr_tells_any_host_whose_flow_it_encapsulated() {
    let host = "10.0.0.99";
    let mut bench = with_reserve(PXTR1, host);
    let (rloc, quoted) = send(&mut bench, &ping(host, A, 8));
    bench.icmp(&rloc, "192.0.2.1", IcmpErrorKind::TimeExceeded, &quoted);
    let [answer] = &told(&mut bench)[..] else { panic!("one error") };
    let header = IpHeader::parse(answer).unwrap();
    assert_eq!((header.source, header.destination), (ip("192.0.2.1"), ip(host)));
}

#[test]
fn ten_errors_a_second_go_to_a_host() {
    let mut bench = with_reserve(XTR2, B);
    let (rloc, quoted) = send(&mut bench, &ping(B, A, 8));
    for expected in [10, 10] {
        for _ in 0..50 {
            bench.icmp(&rloc, CORE, IcmpErrorKind::TimeExceeded, &quoted);
        }
        assert_eq!(told(&mut bench).len(), expected);
        bench.advance(Duration::from_secs(1));
    }
    let counters = bench.router.counters();
    assert_eq!((counters.time_exceeded_relayed, counters.icmp_ignored), (20, 80));
}
