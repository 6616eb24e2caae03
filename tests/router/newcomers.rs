//! The first packets of a host that has not been found yet. No packet may be lost.

use eidway::router::Router;
use eidway::router::io::{
    Input, KernelEvent, KernelRequest, Mac, NeighbourState, Outbound, Output,
};

use crate::bench::*;
use crate::network::roaming_xtr1;

fn speaks(bench: &mut Bench, host: &str) {
    let event = KernelEvent::Neighbour {
        device: "et1-0".to_owned(),
        address: host.parse().unwrap(),
        state: NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12])),
    };
    bench.router.handle(Input::Kernel(event), bench.now);
}

/// The packets that the router sends natively.
fn native(router: &mut Router) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some(output) = router.poll_output() {
        if let Output::Native(_, packet) = output {
            found.push(packet.bytes);
        }
    }
    found
}

fn bench() -> Bench {
    let mut bench = Bench::new(&roaming_xtr1());
    bench.outputs();
    bench
}

#[test]
fn the_gateways_answer_to_a_host_that_is_found_a_moment_later_is_delivered() {
    let mut bench = bench();
    let mut answer = packet("172.16.0.1", "172.16.0.12", 64, b"pong");
    assert_eq!(bench.encapsulate(&mut answer), Outbound::Held);
    assert!(native(&mut bench.router).is_empty());
    speaks(&mut bench, "172.16.0.12");
    assert_eq!(native(&mut bench.router), [packet("172.16.0.1", "172.16.0.12", 64, b"pong")]);
}

#[test]
fn the_gateways_answer_that_arrives_after_the_host_was_found_is_delivered() {
    let mut bench = bench();
    speaks(&mut bench, "172.16.0.12");
    bench.outputs();
    let mut answer = packet("172.16.0.1", "172.16.0.12", 64, b"pong");
    assert_eq!(bench.encapsulate(&mut answer), Outbound::Native);
}

#[test]
fn a_packet_of_another_site_host_to_the_range_is_asked_for_and_starts_no_search() {
    let mut bench = bench();
    let mut ping = packet("10.10.10.10", "172.16.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    let outputs = bench.outputs();
    assert_eq!(messages(&outputs).len(), 1, "it is asked for");
    let probes = |output: &Output| matches!(output, Output::Kernel(KernelRequest::Probe { .. }));
    assert!(!outputs.iter().any(probes), "{outputs:?}");
}

#[test]
fn the_first_packet_of_a_host_to_a_remote_eid_is_held_for_its_mapping_like_any_other() {
    let mut bench = bench();
    let mut ping = packet("172.16.0.12", "192.168.0.22", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    speaks(&mut bench, "172.16.0.12");
    let (_, request) = only_request(&bench.messages());
    bench.control(
        RLOC_2,
        RLOC_1,
        &reply(request.nonce, vec![record("192.168.0.0/24", 1440, &[RLOC_2])]),
    );
    let outputs = bench.outputs();
    assert!(outputs.iter().any(|output| matches!(output, Output::Encapsulate(..))), "{outputs:?}");
}
