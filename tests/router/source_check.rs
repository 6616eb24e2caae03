//! Packets from the core whose inner source is an EID of this site. The source is forged, or the
//! host has just moved.

use std::time::Duration;

use eidway::router::io::{
    Device, DropReason, Inbound, KernelEvent, KernelRequest, Mac, NeighbourState, Outer,
};

use crate::bench::*;
use crate::network::{appear, roaming_network, roaming_xtr1};

const A: &str = "172.16.0.12";
const B: &str = "192.168.0.22";

/// The decision on a packet from the core.
fn arrives(bench: &mut Bench, source: &str, destination: &str) -> Inbound {
    let inner = packet(source, destination, 64, b"from the core");
    let (from, to) = ("100.64.9.2".parse().unwrap(), RLOC_1.parse().unwrap());
    let outer = Outer { source: from, destination: to, ttl: 64, tos: 0 };
    bench.decapsulate_from(&outer, &mut [&[0; 8], &inner[..]].concat())
}

fn is_delivered(bench: &mut Bench, source: &str, destination: &str) -> bool {
    match arrives(bench, source, destination) {
        Inbound::Deliver { .. } => true,
        Inbound::Dropped(DropReason::SourceIsHere) => false,
        other => panic!("{source}: {other:?}"),
    }
}

/// xTR1 with a static site and a range of roaming hosts. The host A is found in the range.
fn with_roaming_host() -> Bench {
    let mut bench = Bench::new(&roaming_xtr1());
    neighbour(&mut bench, A, NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])));
    bench.outputs();
    bench
}

fn neighbour(bench: &mut Bench, address: &str, state: NeighbourState) {
    let (device, address) = ("et1-0".to_owned(), address.parse().unwrap());
    bench.kernel(KernelEvent::Neighbour { device, address, state });
}

#[test]
fn a_source_that_the_configuration_places_here_is_forged() {
    let mut bench = Bench::new(XTR2);
    let cases = [
        ("192.168.0.23", B),
        ("192.168.0.1", B),
        ("198.51.100.21", B),
        ("2001:db8:b::23", "2001:db8:b::22"),
        ("2001:db8:b::1", "2001:db8:b::22"),
    ];
    for (source, destination) in cases {
        assert!(!is_delivered(&mut bench, source, destination), "{source}");
        // A packet with a remote source between the two packets does not change the decision.
        assert!(is_delivered(&mut bench, A, B));
        assert!(!is_delivered(&mut bench, source, destination), "{source} again");
    }
    assert_eq!(bench.router.counters().drops[&DropReason::SourceIsHere], 10);
}

#[test]
fn a_site_in_two_places_checks_no_sources_of_the_family() {
    let config = XTR2.replacen(" ipv4 etr\n", " ipv4 etr\n no ipv4 etr source-check\n", 1);
    let mut bench = Bench::new(&config);
    assert!(is_delivered(&mut bench, "192.168.0.23", B));
    assert!(is_delivered(&mut bench, "192.168.0.1", B));
    assert!(!is_delivered(&mut bench, "2001:db8:b::23", "2001:db8:b::22"));
}

#[test]
fn what_is_away_or_was_not_found_may_be_anywhere() {
    let mut bench = with_roaming_host();
    assert!(is_delivered(&mut bench, "172.16.0.99", A), "in the range, and not found");
    assert!(is_delivered(&mut bench, "172.16.0.1", A), "every xTR has the roaming gateway");
    assert!(!is_delivered(&mut bench, "10.10.10.10", A));
    bench.link("et2-0", false);
    assert!(is_delivered(&mut bench, "10.10.10.10", A), "the site has lost its link");
    bench.link("et2-0", true);
    assert!(!is_delivered(&mut bench, "10.10.10.10", A));
}

#[test]
fn a_host_that_moved_away_may_send_from_there() {
    let mut network = roaming_network();
    for (router, host) in [("xTR1", A), ("xTR1", "172.16.0.13"), ("xTR2", A)] {
        appear(&mut network, router, host);
        network.advance(Duration::from_secs(5));
    }
    let mut bench = network.nodes.remove("xTR1").unwrap();
    bench.outputs();
    assert!(is_delivered(&mut bench, A, "172.16.0.13"));
    assert!(bench.kernel_requests().is_empty(), "no host is asked");
}

#[test]
fn a_found_host_is_asked_once_a_second_and_its_packets_are_delivered() {
    let mut bench = with_roaming_host();
    neighbour(&mut bench, "172.16.0.13", NeighbourState::Known(Mac([2, 0, 0, 0, 0, 13])));
    bench.advance(Duration::from_secs(2));
    bench.outputs();
    let port = Device::Interface("Ethernet1/0".parse().unwrap());
    let asked = KernelRequest::Probe { device: port, address: A.parse().unwrap() };
    for _ in 0..3 {
        for _ in 0..100 {
            assert!(is_delivered(&mut bench, A, "172.16.0.13"));
        }
        assert_eq!(bench.kernel_requests(), [asked]);
        bench.advance(Duration::from_secs(1));
    }
    // The host is here and has just answered.
    neighbour(&mut bench, A, NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])));
    bench.outputs();
    assert!(is_delivered(&mut bench, A, "172.16.0.13"));
    assert_eq!(bench.kernel_requests(), []);
    // The host has left, but no map-server has reported this.
    neighbour(&mut bench, A, NeighbourState::Failed);
    assert!(bench.router.mobility().hosts().get(&eid(A)).is_none());
    bench.outputs();
    assert!(is_delivered(&mut bench, A, "172.16.0.13"));
    assert_eq!(bench.kernel_requests(), []);
}
