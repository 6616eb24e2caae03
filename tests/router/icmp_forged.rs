//! ICMP errors that any host can send: their effects, and the number of lines that they cause in
//! the log.

use std::time::Duration;

use eidway::addr::Rloc;
use eidway::router::io::{IcmpError, Inbound, Input, Outbound, Outer, Output, PathEvent};
use eidway::wire::IcmpErrorKind;

use crate::bench::*;
use crate::network::{appear, roaming_network};

const A: &str = "172.16.0.12";
const B: &str = "192.168.0.22";
const RLOC_V6: &str = "2001:db8:c:1::11";
const KINDS: [IcmpErrorKind; 6] = [
    IcmpErrorKind::NetUnreachable,
    IcmpErrorKind::HostUnreachable,
    IcmpErrorKind::PortUnreachable,
    IcmpErrorKind::Prohibited,
    IcmpErrorKind::TooBig { mtu: 1400 },
    IcmpErrorKind::TimeExceeded,
];
const LISP_LEN: usize = 8;
const IPV4_LEN: usize = 20;

/// xTR2 with RLOCs of both families. It has a mapping of A's site with one RLOC, and B has sent a
/// packet to it.
fn sending_to(rloc: &str) -> (Bench, Vec<u8>) {
    let with_v6 = "255.255.255.0\n ipv6 address 2001:db8:c:2::21/64\ninterface Ethernet1/0";
    let config = XTR2.replacen("255.255.255.0\ninterface Ethernet1/0", with_v6, 1).replacen(
        "  198.51.100.21 priority 1 weight 100\n",
        "  198.51.100.21 priority 1 weight 100\n  2001:db8:c:2::21 priority 1 weight 100\n",
        1,
    );
    let mut bench = Bench::new(&config);
    bench.outputs();
    let echo = packet(B, A, 63, b"echo");
    assert_eq!(bench.encapsulate(&mut echo.clone()), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    let mapping = record("172.16.0.0/24", 1440, &[rloc]);
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![mapping]));
    bench.outputs();
    let mut inner = echo;
    let Outbound::Encapsulate(wrap) = bench.encapsulate(&mut inner) else { panic!("a hit") };
    assert_eq!(wrap.destination.to_string(), rloc);
    (bench, [&wrap.header[..], &inner].concat())
}

/// Whether an error about `rloc` changes the state of the router or makes it send an error to a
/// host.
fn changes(bench: &mut Bench, error: IcmpError) -> bool {
    let rloc = error.rloc;
    bench.router.handle(Input::Path(PathEvent::Icmp(error)), bench.now);
    bench.drain();
    let tells = bench.outputs().iter().any(|output| matches!(output, Output::Native(..)));
    let paths = bench.router.paths();
    bench.router.reachability().unreachable(rloc).is_some() || paths.mtu(rloc).is_some() || tells
}

fn error(rloc: &str, port: u16, kind: IcmpErrorKind, quoted: &[u8]) -> IcmpError {
    let (rloc, reporter) = (Rloc(rloc.parse().unwrap()), CORE.parse().unwrap());
    IcmpError { rloc, port, reporter, kind, quoted: quoted.to_vec() }
}

#[test]
fn an_error_of_any_kind_is_believed_only_of_what_this_router_has_sent() {
    for rloc in [RLOC_1, RLOC_V6] {
        for kind in KINDS {
            let (mut bench, quoted) = sending_to(rloc);
            let with_inner = |inner: Vec<u8>| [&quoted[..LISP_LEN], &inner[..]].concat();
            let mut encrypted = quoted.clone();
            encrypted[0] |= 1;
            let mut damaged = quoted.clone();
            damaged[LISP_LEN + 12] ^= 1;
            let mut instance = quoted.clone();
            (instance[0], instance[6]) = (8, 7);
            let unused = "192.0.2.99";
            let forged = [
                ("of the control port", error(rloc, 4342, kind, &quoted)),
                ("of a locator that is not in use", error(unused, 4341, kind, &quoted)),
                ("likewise, and short", error(unused, 4341, kind, &[])),
                ("of no LISP header", error(rloc, 4341, kind, &quoted[LISP_LEN..])),
                ("of a key", error(rloc, 4341, kind, &encrypted)),
                ("of another instance", error(rloc, 4341, kind, &instance)),
                ("of a damaged packet", error(rloc, 4341, kind, &damaged)),
                ("of no packet", error(rloc, 4341, kind, &with_inner(vec![0; 40]))),
                (
                    "of another host's packet",
                    error(rloc, 4341, kind, &with_inner(packet("192.168.0.23", A, 63, b"echo"))),
                ),
                (
                    "of a packet to another host",
                    error(rloc, 4341, kind, &with_inner(packet(B, "172.16.0.13", 63, b"echo"))),
                ),
            ];
            let count = forged.len() as u64;
            for (what, error) in forged {
                assert!(!changes(&mut bench, error), "{kind:?} {what}, {rloc}");
            }
            assert_eq!(bench.router.counters().icmp_disbelieved, count);
            assert!(changes(&mut bench, error(rloc, 4341, kind, &quoted)), "{kind:?}, {rloc}");
            assert_eq!(bench.router.counters().icmp_disbelieved, count);
        }
    }
}

#[test]
fn a_quote_that_ends_early_is_believed_as_far_as_it_reaches() {
    let kind = IcmpErrorKind::TooBig { mtu: 1400 };
    for len in [0, 7, LISP_LEN, LISP_LEN + IPV4_LEN - 1, LISP_LEN + IPV4_LEN + 7] {
        let (mut bench, quoted) = sending_to(RLOC_1);
        assert!(changes(&mut bench, error(RLOC_1, 4341, kind, &quoted[..len])), "{len} octets");
    }
}

#[test]
fn a_locator_that_packets_no_longer_go_to_is_not_in_use() {
    let (mut bench, quoted) = sending_to(RLOC_1);
    bench.advance(Duration::from_secs(180));
    let kind = IcmpErrorKind::HostUnreachable;
    assert!(!changes(&mut bench, error(RLOC_1, 4341, kind, &quoted)));
}

#[test]
fn an_error_about_a_packet_that_went_on_to_where_its_host_moved_is_believed() {
    let mut network = roaming_network();
    appear(&mut network, "xTR1", A);
    network.advance(Duration::from_secs(5));
    appear(&mut network, "xTR2", A);
    network.advance(Duration::from_secs(5));
    let mut bench = network.nodes.remove("xTR1").unwrap();
    let inner = packet(B, A, 64, b"straggler");
    let (source, destination) = ("192.0.2.51".parse().unwrap(), RLOC_1.parse().unwrap());
    let outer = Outer { source, destination, ttl: 64, tos: 0 };
    let mut datagram = [&[0; 8], &inner[..]].concat();
    let Inbound::Forward { encapsulation, .. } = bench.decapsulate_from(&outer, &mut datagram)
    else {
        panic!("it goes on")
    };
    let quoted = [&encapsulation.header[..], &datagram[LISP_LEN..]].concat();
    assert_eq!(encapsulation.destination.to_string(), RLOC_2);
    let kind = IcmpErrorKind::HostUnreachable;
    assert!(changes(&mut bench, error(RLOC_2, 4341, kind, &quoted)));
}

#[test]
fn a_path_is_said_to_take_less_and_never_more() {
    let (mut bench, quoted) = sending_to(RLOC_1);
    let mtu = |bench: &Bench| bench.router.paths().mtu(Rloc(RLOC_1.parse().unwrap()));
    for (told, known) in [(1420, 1420), (1500, 1420), (1400, 1400), (1420, 1400)] {
        bench.icmp(RLOC_1, CORE, IcmpErrorKind::TooBig { mtu: told }, &quoted);
        assert_eq!(mtu(&bench), Some(known), "{told}");
    }
    // The limit of the MTU ends after ten minutes. A report of a larger MTU does not extend it.
    bench.advance(Duration::from_secs(599));
    let _ = bench.encapsulate(&mut packet(B, A, 63, b"echo"));
    bench.icmp(RLOC_1, CORE, IcmpErrorKind::TooBig { mtu: 1420 }, &quoted);
    bench.advance(Duration::from_secs(1));
    assert_eq!(mtu(&bench), None);
    bench.icmp(RLOC_1, CORE, IcmpErrorKind::TooBig { mtu: 1420 }, &quoted);
    assert_eq!(mtu(&bench), Some(1420));
}

#[test]
fn fifty_thousand_forged_errors_cost_the_log_a_few_lines() {
    // An attacker sends quotes that end before the LISP header.
    let in_use = |_: u32| RLOC_1.to_owned();
    let random =
        |number: u32| std::net::Ipv4Addr::from_bits(0x0b00_0000 + number * 7919).to_string();
    let rlocs: [(&str, &dyn Fn(u32) -> String); 2] = [("in use", &in_use), ("random", &random)];
    for (which, rloc) in rlocs {
        let (mut bench, quoted) = sending_to(RLOC_1);
        bench.log();
        for number in 0..50_000 {
            let kind = IcmpErrorKind::TooBig { mtu: 51_400 - number };
            bench.icmp(&rloc(number), "88.200.50.83", kind, &[]);
        }
        let log = bench.log();
        assert!((1..=17).contains(&log.len()), "{which}: {} lines: {log:?}", log.len());
        bench.icmp(RLOC_1, CORE, IcmpErrorKind::TooBig { mtu: 1384 }, &quoted);
        let mtu = bench.router.paths().mtu(Rloc(RLOC_1.parse().unwrap()));
        assert_eq!(mtu, Some(1384), "{which}: the core is heard as before");
    }
}
