//! Packets of EIDs that enter or leave the LISP tunnels.

use std::time::Duration;

use eidway::addr::Rloc;
use eidway::router::io::{DropReason, Inbound, Input, Outbound, Output, PathEvent};
use eidway::wire::IcmpErrorKind;

use crate::bench::*;

fn datagram(inner: &[u8]) -> Vec<u8> {
    [&[0; 8], inner].concat()
}

fn dropped(reason: DropReason) -> Inbound {
    Inbound::Dropped(reason)
}

#[test]
fn a_packet_for_the_site_is_delivered_with_the_smaller_ttl() {
    let mut bench = Bench::new(XTR2);
    for (inner_ttl, outer_ttl, ttl) in [(64, 61, 61), (5, 61, 5)] {
        let inner = packet("172.16.0.12", "192.168.0.22", inner_ttl, b"ping");
        let mut datagram = datagram(&inner);
        let inbound = bench.decapsulate(&mut datagram, outer_ttl, 0);
        assert!(matches!(inbound, Inbound::Deliver { len, .. } if len == inner.len()));
        assert_eq!(datagram[8 + 8], ttl);
    }
    assert_eq!(bench.router.counters().decapsulations, 2);
}

#[test]
fn an_etr_takes_only_packets_for_its_own_site() {
    let mut bench = Bench::new(XTR2);
    let mut stray = datagram(&packet("172.16.0.12", "10.0.0.99", 64, b"ping"));
    assert_eq!(bench.decapsulate(&mut stray, 61, 0), dropped(DropReason::NotOurEid));
    let mut pxtr = Bench::new(PXTR1);
    let inbound = pxtr.decapsulate(&mut stray, 61, 0);
    assert!(matches!(inbound, Inbound::Deliver { .. }), "a proxy ETR takes packets of any source");
}

#[test]
fn a_site_without_route_gets_nothing() {
    let mut bench = Bench::new(XTR2);
    bench.link("et1-0", false);
    let mut lost = datagram(&packet("172.16.0.12", "192.168.0.22", 64, b"ping"));
    assert_eq!(bench.decapsulate(&mut lost, 61, 0), dropped(DropReason::NoRouteToEid));
    bench.link("et1-0", true);
    assert!(matches!(bench.decapsulate(&mut lost, 61, 0), Inbound::Deliver { .. }));
}

#[test]
fn each_malformation_of_a_datagram_has_its_name() {
    let mut bench = Bench::new(XTR2);
    let good = datagram(&packet("172.16.0.12", "192.168.0.22", 64, b"ping"));
    let mut check = |mut bytes: Vec<u8>, reason| {
        assert_eq!(bench.decapsulate(&mut bytes, 61, 0), dropped(reason));
    };
    check(good[..7].to_vec(), DropReason::BadDataHeader);
    check(good[..20].to_vec(), DropReason::BadInnerPacket);
    check([&[0x01, 0, 0, 0, 0, 0, 0, 0], &good[8..]].concat(), DropReason::BadDataHeader);
    check([&[0x08, 0, 0, 0, 0, 0, 7, 0], &good[8..]].concat(), DropReason::UnknownInstance);
    let multicast = packet("172.16.0.12", "224.0.0.5", 64, b"hello");
    check(datagram(&multicast), DropReason::InnerLinkScoped);
    let link_local = packet("fe80::1", "2001:db8:b::22", 64, b"hello");
    check(datagram(&link_local), DropReason::InnerLinkScoped);
}

#[test]
fn congestion_marked_on_the_way_reaches_the_host() {
    let mut bench = Bench::new(XTR2);
    let mut inner = packet("172.16.0.12", "192.168.0.22", 64, b"ping");
    eidway::packet::set_tos(&mut inner, 0b10);
    let mut marked = datagram(&inner);
    assert!(matches!(bench.decapsulate(&mut marked, 61, 0b11), Inbound::Deliver { .. }));
    assert_eq!(marked[8 + 1], 0b11);
    eidway::packet::set_tos(&mut inner, 0);
    let mut unaware = datagram(&inner);
    assert_eq!(bench.decapsulate(&mut unaware, 61, 0b11), dropped(DropReason::EcnMismatch));
}

#[test]
fn an_itr_encapsulates_for_its_own_site_only() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let mut foreign = packet("198.18.0.1", "172.16.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut foreign), Outbound::Native);
    assert_eq!(foreign[8], 64, "the hop into lisp0 is given back");
    assert_eq!(bench.router.counters().native_foreign_source, 1);
    assert!(bench.messages().is_empty());
}

#[test]
fn the_routers_own_native_packets_keep_their_ttl() {
    let mut bench = Bench::new(XTR2);
    let mut own = packet("198.51.100.21", "172.16.0.12", 64, b"ping");
    assert_eq!(bench.encapsulate(&mut own), Outbound::Native);
    assert_eq!(own[8], 64);
}

#[test]
fn a_packet_for_the_own_site_is_never_sent_into_the_core() {
    let mut bench = Bench::new(XTR2);
    bench.link("et1-0", false);
    let mut lost = packet("192.168.0.1", "192.168.0.22", 64, b"ping");
    let outbound = bench.encapsulate(&mut lost);
    assert_eq!(outbound, Outbound::Dropped(DropReason::LocalEidNoRoute));
}

#[test]
fn what_stays_on_its_link_is_not_forwarded() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    for (source, destination) in
        [("192.168.0.22", "224.0.0.1"), ("169.254.1.1", "172.16.0.12"), ("fe80::1", "ff02::2")]
    {
        let mut packet = packet(source, destination, 1, b"hello");
        let outbound = bench.encapsulate(&mut packet);
        assert_eq!(outbound, Outbound::Dropped(DropReason::LinkScoped), "{destination}");
    }
    assert!(bench.messages().is_empty());
}

#[test]
fn the_outer_headers_copy_ttl_and_type_of_service() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let mut ping = packet("192.168.0.22", "172.16.0.12", 63, b"ping");
    eidway::packet::set_tos(&mut ping, 0b1011_1001);
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    let records = vec![record("172.16.0.0/24", 1440, &[RLOC_1])];
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, records));
    let Outbound::Encapsulate(outer) = bench.encapsulate(&mut ping) else { panic!("a hit") };
    assert_eq!((outer.ttl, outer.tos, outer.header), (63, 0b1011_1001, [0; 8]));
}

fn destination_of_a_packet(bench: &mut Bench) -> String {
    let mut ping = packet("192.168.0.22", "172.16.0.12", 63, b"ping");
    let Outbound::Encapsulate(outer) = bench.encapsulate(&mut ping) else { panic!("a hit") };
    outer.destination.to_string()
}

#[test]
fn an_unreachable_locator_is_left_at_once_and_tried_again_later() {
    let mut bench = with_reserve(XTR2, "192.168.0.22");
    assert_eq!(destination_of_a_packet(&mut bench), RLOC_1);
    let path = |to: &str| Input::Path(PathEvent::NoRoute(Rloc(to.parse().unwrap())));
    let now = bench.now;
    bench.router.handle(path(RLOC_1), now);
    assert_eq!(destination_of_a_packet(&mut bench), OLD);
    bench.router.handle(path(OLD), now);
    assert_eq!(destination_of_a_packet(&mut bench), RLOC_1, "none is left: the best is tried");
    bench.router.handle_timeout(now + Duration::from_secs(15));
    assert_eq!(destination_of_a_packet(&mut bench), RLOC_1);
    assert_eq!(bench.router.counters().unreachable_rlocs, 2);
}

#[test]
fn a_sender_is_told_of_a_path_that_takes_less() {
    let mut bench = with_reserve(XTR2, "192.168.0.22");
    bench.icmp(RLOC_1, CORE, IcmpErrorKind::TooBig { mtu: 1400 }, &[]);
    let mut send = |len: usize, dont_fragment: u8| {
        let mut large = packet("192.168.0.22", "172.16.0.12", 63, &vec![0; len - 28]);
        large[6] = dont_fragment;
        large[10..12].fill(0);
        let sum = eidway::checksum::finish(eidway::checksum::sum(&large[..20]));
        large[10..12].copy_from_slice(&sum.to_be_bytes());
        let outbound = bench.encapsulate(&mut large);
        (outbound, bench.outputs())
    };
    assert!(matches!(send(1364, 0x40), (Outbound::Encapsulate(_), _)));
    assert!(matches!(send(1365, 0), (Outbound::Encapsulate(_), _)), "it may be fragmented");
    let (outbound, outputs) = send(1365, 0x40);
    assert_eq!(outbound, Outbound::Dropped(DropReason::TooBigForPath));
    let [Output::Native(_, answer)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(answer.bytes[20..22], [3, 4], "fragmentation needed");
    assert_eq!(answer.bytes[26..28], 1364u16.to_be_bytes());
}
