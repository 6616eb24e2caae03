//! Tables that strangers fill: what one of them uses up is its own share.

use std::net::Ipv4Addr;

use eidway::addr::Rloc;
use eidway::router::io::Outbound;
use eidway::wire::IcmpErrorKind;

use crate::bench::*;

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
    assert_eq!(bench.router.paths().unreachable().count(), 0);
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
    // Six mappings of 250 locators each, and a packet for each mapping.
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
    let fills = bench.router.paths().fills();
    let fills: Vec<_> = fills.iter().map(|fill| (fill.entries, fill.evicted)).collect();
    assert_eq!(fills, [(1024, 1500 - 1024), (1024, 1501 - 1024), (0, 0)]);
}
