//! Tables that other hosts can fill. Each host can use only its own share of a table.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use eidway::addr::Rloc;
use eidway::router::io::{DropReason, Inbound, KernelEvent, KernelRoute, Outbound, Outer};
use eidway::wire::{IcmpErrorKind, MapRequest, Nonce};

use crate::bench::*;

const A: &str = "172.16.0.12";
const B: &str = "192.168.0.22";

fn mtu(bench: &Bench, rloc: &str) -> Option<u32> {
    bench.router.paths().mtu(Rloc(rloc.parse().unwrap()))
}

fn too_big(bench: &mut Bench, rloc: &str, reporter: &str, mtu: u32) {
    bench.icmp(rloc, reporter, IcmpErrorKind::TooBig { mtu }, &[]);
}

#[test]
fn icmp_about_a_locator_that_no_packet_goes_to_has_no_effect() {
    let mut bench = with_reserve(XTR2, B);
    too_big(&mut bench, RLOC_1, CORE, 1420);
    for number in 0..5000_u32 {
        let rloc = Ipv4Addr::from_bits(0x0b00_0000 + number * 77).to_string();
        too_big(&mut bench, &rloc, &rloc, 1316);
        bench.icmp(&rloc, &rloc, IcmpErrorKind::HostUnreachable, &[]);
    }
    assert_eq!((mtu(&bench, RLOC_1), mtu(&bench, "11.0.0.0")), (Some(1420), None));
    assert_eq!(bench.router.reachability().all_unreachable().count(), 0);
    assert_eq!(bench.router.counters().icmp_disbelieved, 10_000);
    let lines = bench.log().len();
    assert_eq!(lines, 1 + 14, "one about the path, and one at each power of two");
}

#[test]
fn the_locator_of_a_proxy_etr_is_in_use() {
    let mut bench = Bench::new(&format!("{XTR2}\nrouter lisp\n ipv4 use-petr 192.0.2.51\n"));
    too_big(&mut bench, "192.0.2.51", CORE, 1420);
    assert_eq!(mtu(&bench, "192.0.2.51"), Some(1420));
}

#[test]
fn one_reporter_of_path_mtus_does_not_push_out_those_of_another() {
    let mut bench = with_reserve(XTR2, B);
    too_big(&mut bench, RLOC_1, CORE, 1420);
    // Six mappings with 250 locators each. A packet is sent to each mapping.
    for site in 1..=6_u8 {
        let rlocs: Vec<String> = (1..=250).map(|last| format!("100.64.{site}.{last}")).collect();
        let rlocs: Vec<&str> = rlocs.iter().map(String::as_str).collect();
        let host = format!("10.{site}.0.9");
        let mut first = packet(B, &host, 63, b"first");
        assert_eq!(bench.encapsulate(&mut first), Outbound::Held);
        let (_, request) = only_request(&bench.messages());
        let eids = format!("10.{site}.0.0/24");
        bench.control(OLD, RLOC_2, &reply(request.nonce, vec![record(&eids, 15, &rlocs)]));
        bench.outputs();
        for rloc in rlocs {
            too_big(&mut bench, rloc, "100.64.9.2", 1316);
            bench.icmp(rloc, "100.64.9.2", IcmpErrorKind::HostUnreachable, &[]);
        }
    }
    assert_eq!(mtu(&bench, RLOC_1), Some(1420));
    assert_eq!(mtu(&bench, "100.64.6.250"), Some(1316));
    let of_paths = bench.router.paths().fills().into_iter();
    let fills = [bench.router.reachability().fill()].into_iter().chain(of_paths);
    let fills: Vec<_> = fills.map(|fill| (fill.entries, fill.evicted)).collect();
    assert_eq!(fills, [(1024, 1500 - 1024), (1024, 1501 - 1024), (0, 0)]);
}

/// A host of the site of xTR2.
const SCANNER: &str = "192.168.0.66";

fn scan(bench: &mut Bench, sources: impl Fn(u32) -> String, from: u32, count: u32) {
    for number in from..from + count {
        let to = Ipv4Addr::from_bits(0x0b00_0000 + number * 77).to_string();
        let held = bench.encapsulate(&mut packet(&sources(number), &to, 63, b"scan"));
        assert_eq!(held, Outbound::Held, "{number}");
        bench.outputs();
    }
}

/// Sends a packet of `source` to `destination`. Returns the nonce of the Map-Request that the
/// packet causes.
fn ask(bench: &mut Bench, source: &str, destination: &str) -> Nonce {
    let mut ping = packet(source, destination, 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    only_request(&bench.messages()).1.nonce
}

fn is_answered(bench: &mut Bench, nonce: Nonce) -> bool {
    bench.control(RLOC_1, RLOC_2, &reply(nonce, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]));
    bench.released().len() == 1
}

#[test]
fn a_host_that_scans_takes_no_place_of_another_host() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    scan(&mut bench, |_| SCANNER.to_owned(), 0, 6000);
    let nonce = ask(&mut bench, B, A);
    scan(&mut bench, |_| SCANNER.to_owned(), 6000, 6000);
    assert!(is_answered(&mut bench, nonce), "its request and its packet are there");
    let fills = bench.router.resolver_fills();
    let fills: Vec<_> = fills.iter().map(|fill| (fill.entries, fill.evicted)).collect();
    let (asked, waiting) = ((4095, 12_001 - 4096), (2047, 12_001 - 2048));
    assert_eq!(fills, [asked, waiting, (0, 0), (0, 0), (0, 0)]);
}

#[test]
fn a_scan_from_forged_addresses_pushes_out_the_longest_ago_wanted() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let forged = |number: u32| format!("192.168.0.{}", 1 + number % 250);
    scan(&mut bench, forged, 0, 6000);
    let nonce = ask(&mut bench, "192.168.0.252", A);
    scan(&mut bench, forged, 6000, 2000);
    assert!(is_answered(&mut bench, nonce));
}

#[test]
fn a_scan_of_one_family_takes_no_place_of_the_other() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let nonce = ask(&mut bench, B, A);
    for number in 0..6000 {
        let (source, to) = (format!("2001:db8:b::{number:x}"), format!("2001:db8:a::{number:x}"));
        let _ = bench.encapsulate(&mut packet(&source, &to, 63, b"scan"));
        bench.outputs();
    }
    assert!(is_answered(&mut bench, nonce));
}

#[test]
fn an_eid_that_rests_has_no_place_among_the_requests() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    scan(&mut bench, |_| SCANNER.to_owned(), 0, 4000);
    bench.advance(Duration::from_secs(16));
    let fills = bench.router.resolver_fills();
    assert_eq!((fills[0].entries, fills[4].entries), (0, 4000));
    scan(&mut bench, |_| SCANNER.to_owned(), 4000, 4000);
    let rests = bench.encapsulate(&mut packet(SCANNER, "11.0.0.0", 63, b"scan"));
    assert_eq!(rests, Outbound::Dropped(DropReason::Unresolved));
    bench.advance(Duration::from_secs(29));
    assert_eq!(bench.router.resolver_fills()[4].entries, 4000, "the first ones rest no longer");
}

fn solicit(bench: &mut Bench, solicited: &str) {
    let smr = MapRequest {
        smr: true,
        nonce: Nonce(7),
        source_eid: Some(eid(solicited)),
        itr_rlocs: vec![Rloc(RLOC_1.parse().unwrap())],
        records: vec![prefix("192.168.0.22/32").into()],
        ..MapRequest::default()
    };
    bench.control(RLOC_1, RLOC_2, &smr.emit());
}

#[test]
fn smrs_take_no_place_of_a_host() {
    let mut bench = with_reserve(XTR2, B);
    scan(&mut bench, |_| SCANNER.to_owned(), 0, 4096);
    solicit(&mut bench, A);
    let (_, request) = only_request(&bench.messages());
    assert!(request.smr_invoked, "the host that has the most makes room");
    assert_eq!(bench.router.resolver_fills()[0].evicted, 1);
}

#[test]
fn an_smr_is_followed_however_many_came_before() {
    let mut bench = with_reserve(XTR2, B);
    for site in 0..600_u32 {
        let network = Ipv4Addr::from_bits(0x0b00_0000 + site * 256).to_string();
        let mut first = packet(B, &network, 63, b"first");
        assert_eq!(bench.encapsulate(&mut first), Outbound::Held);
        let (_, request) = only_request(&bench.messages());
        let eids = format!("{network}/24");
        bench.control(OLD, RLOC_2, &reply(request.nonce, vec![record(&eids, 15, &[OLD])]));
        bench.outputs();
        for host in 1..=8 {
            solicit(&mut bench, &Ipv4Addr::from_bits(0x0b00_0000 + site * 256 + host).to_string());
            assert!(only_request(&bench.messages()).1.smr_invoked);
        }
    }
    let fill = bench.router.smr_fills().next().unwrap();
    assert_eq!((fill.entries, fill.evicted), (4096, 4800 - 4096));
    solicit(&mut bench, A);
    assert!(only_request(&bench.messages()).1.smr_invoked);
}

#[test]
fn a_sender_is_solicited_however_many_forged_ones_were_before() {
    let mut bench = Bench::new(XTR2);
    bench.link("et1-0", false);
    bench.kernel(KernelEvent::RouteRemoved(KernelRoute {
        prefix: "192.168.0.0/24".parse().unwrap(),
        device: "et1-0".to_owned(),
        gateway: None,
        metric: 0,
    }));
    bench.outputs();
    let solicited = |bench: &mut Bench, from: IpAddr| {
        let outer = Outer { source: from, destination: RLOC_2.parse().unwrap(), ttl: 60, tos: 0 };
        let mut datagram = [&[0; 8][..], &packet(A, B, 63, b"ping")].concat();
        let inbound = bench.decapsulate_from(&outer, &mut datagram);
        assert_eq!(inbound, Inbound::Dropped(DropReason::NoRouteToEid));
        bench.messages().iter().filter(|(to, _)| *to == from).count()
    };
    for number in 0..17_000 {
        let forged = Ipv4Addr::from_bits(0x0b00_0000 + number).into();
        assert_eq!(solicited(&mut bench, forged), 1);
    }
    let honest = RLOC_1.parse().unwrap();
    assert_eq!(solicited(&mut bench, honest), 1);
    assert_eq!(solicited(&mut bench, honest), 0, "once in three seconds");
    let fills: Vec<_> = bench.router.smr_fills().map(|fill| fill.entries).collect();
    assert_eq!(fills[2..], [16_384, 16_384, 0]);
}
