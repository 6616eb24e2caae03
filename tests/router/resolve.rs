//! Tests of Map-Requests, their retries, and the packets that wait for an answer.

use std::time::Duration;

use eidway::addr::Family;
use eidway::router::counters::ControlDrop;
use eidway::router::io::{Command, DropReason, Input, Outbound, Output};
use eidway::wire::Nonce;

use crate::bench::*;

fn ping(bench: &mut Bench) -> Outbound {
    bench.encapsulate(&mut packet("192.168.0.22", "172.16.0.12", 63, b"ping"))
}

/// xTR2 with an unanswered Map-Request, and the nonce of the request.
fn asking() -> (Bench, Nonce) {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    assert_eq!(ping(&mut bench), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    (bench, request.nonce)
}

#[test]
fn a_miss_asks_the_first_resolver_for_the_host() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    assert_eq!(ping(&mut bench), Outbound::Held);
    let (resolver, request) = only_request(&bench.messages());
    assert_eq!(resolver, OLD);
    assert_eq!(request.records[0].eid_prefix, prefix("172.16.0.12/32"));
    assert_eq!(request.source_eid, Some(eid("192.168.0.22")));
    assert_eq!(request.itr_rlocs[0].to_string(), RLOC_2);
    assert!(!request.smr_invoked && !request.probe && !request.from_pitr);
}

#[test]
fn the_first_packets_are_delivered_in_order() {
    let (mut bench, nonce) = asking();
    for text in [b"two", b"thr"] {
        let mut packet = packet("192.168.0.22", "172.16.0.12", 63, text);
        assert_eq!(bench.encapsulate(&mut packet), Outbound::Held);
    }
    bench.control(RLOC_1, RLOC_2, &reply(nonce, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]));
    let released = bench.released();
    let payloads: Vec<&[u8]> = released.iter().map(|(_, packet)| &packet.bytes[28..]).collect();
    assert_eq!(payloads, [b"ping".as_slice(), b"two", b"thr"]);
    let (encapsulation, _) = released[0];
    assert_eq!(encapsulation.source.to_string(), RLOC_2);
    assert_eq!(encapsulation.destination.to_string(), RLOC_1);
    assert_eq!(encapsulation.ttl, 63);
    assert!(matches!(ping(&mut bench), Outbound::Encapsulate(_)), "and the next goes at once");
}

#[test]
fn retries_double_switch_resolvers_and_rest_after_ten() {
    let (mut bench, first) = asking();
    let mut tries = vec![(0, OLD.to_owned(), first)];
    for (at, said) in bench.advance(Duration::from_secs(40)) {
        for (resolver, request) in requests(&messages(&said)) {
            tries.push((at.0 / 1_000_000, resolver, request.nonce));
        }
    }
    let times: Vec<u64> = tries.iter().map(|each| each.0).collect();
    assert_eq!(times, [0, 1, 3, 4, 6, 7, 9, 10, 12, 13], "1 s, then 2 s, at each resolver");
    let resolvers: Vec<&str> = tries.iter().map(|each| each.1.as_str()).collect();
    assert_eq!(resolvers, [OLD, OLD, NEW, NEW, OLD, OLD, NEW, NEW, OLD, OLD]);
    for pair in tries.chunks(2) {
        assert_eq!(pair[0].2, pair[1].2, "one resolver, one nonce");
    }
    assert_ne!(tries[1].2, tries[2].2, "another resolver, another nonce");
    assert_eq!(bench.router.counters().drops.get(&DropReason::Unresolved), Some(&1));
}

#[test]
fn a_request_that_failed_rests_for_thirty_seconds() {
    let (mut bench, _) = asking();
    bench.advance(Duration::from_secs(16));
    assert_eq!(ping(&mut bench), Outbound::Dropped(DropReason::Unresolved));
    assert!(bench.messages().is_empty());
    bench.advance(Duration::from_secs(30));
    assert_eq!(ping(&mut bench), Outbound::Held);
    assert_eq!(only_request(&bench.messages()).0, OLD, "each request starts at the first");
}

#[test]
fn only_the_outstanding_nonce_changes_the_cache() {
    let (mut bench, nonce) = asking();
    let records = || vec![record("172.16.0.0/24", 1440, &[RLOC_1])];
    bench.control(RLOC_1, RLOC_2, &reply(Nonce(nonce.0 ^ 1), records()));
    assert!(bench.released().is_empty());
    assert_eq!(bench.router.map_cache().entries().len(), 2, "0.0.0.0/0 and ::/0");
    bench.control(RLOC_1, RLOC_2, &reply(nonce, records()));
    bench.control(RLOC_1, RLOC_2, &reply(nonce, vec![record("172.16.0.0/24", 1, &[])]));
    let ignored = &bench.router.counters().control_drops;
    assert_eq!(ignored.get(&ControlDrop::UnknownNonce), Some(&2), "and a nonce answers once");
    assert!(matches!(ping(&mut bench), Outbound::Encapsulate(_)));
}

#[test]
fn a_reply_about_something_else_changes_nothing() {
    let (mut bench, nonce) = asking();
    bench.control(RLOC_1, RLOC_2, &reply(nonce, vec![record("10.0.0.0/8", 1440, &[RLOC_1])]));
    let ignored = &bench.router.counters().control_drops;
    assert_eq!(ignored.get(&ControlDrop::WrongRecord), Some(&1));
    let beside = vec![
        record("172.16.0.0/24", 1440, &[RLOC_1]),
        record("172.16.0.128/25", 1440, &[RLOC_2]),
        record("8.8.8.0/24", 1440, &[RLOC_1]),
    ];
    bench.control(RLOC_1, RLOC_2, &reply(nonce, beside));
    let cache = bench.router.map_cache();
    assert!(cache.entries().contains(&prefix("172.16.0.128/25")), "a more specific is taken");
    assert!(!cache.entries().contains(&prefix("8.8.8.0/24")), "a stranger is not");
}

#[test]
fn a_negative_reply_lets_packets_go_natively_with_their_hop_restored() {
    let (mut bench, nonce) = asking();
    bench.control(OLD, RLOC_2, &reply(nonce, vec![record("172.16.0.0/24", 1, &[])]));
    let outputs = bench.outputs();
    assert!(
        matches!(&outputs[..], [Output::Native(_, packet)] if packet.bytes[8] == 64),
        "{outputs:?}"
    );
    assert_eq!(ping(&mut bench), Outbound::Native);
    bench.advance(Duration::from_secs(60));
    assert_eq!(ping(&mut bench), Outbound::Held, "after its minute it is asked for again");
}

#[test]
fn a_negative_reply_leads_to_the_proxy_etr_where_one_is_configured() {
    let mut bench = Bench::new(&format!("{XTR2}\nrouter lisp\n ipv4 use-petr 192.0.2.51\n"));
    bench.outputs();
    assert_eq!(ping(&mut bench), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    bench.control(OLD, RLOC_2, &reply(request.nonce, vec![record("172.16.0.0/24", 1, &[])]));
    let petr: Vec<String> =
        bench.released().iter().map(|(to, _)| to.destination.to_string()).collect();
    assert_eq!(petr, ["192.0.2.51"]);
}

#[test]
fn one_answer_serves_every_packet_that_it_covers() {
    let (mut bench, nonce) = asking();
    let mut other = packet("192.168.0.22", "172.16.0.13", 63, b"other");
    assert_eq!(bench.encapsulate(&mut other), Outbound::Held);
    bench.outputs();
    bench.control(RLOC_1, RLOC_2, &reply(nonce, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]));
    assert_eq!(bench.released().len(), 2);
    for (_, said) in bench.advance(Duration::from_secs(10)) {
        assert!(requests(&messages(&said)).is_empty(), "nothing is asked again");
    }
}

#[test]
fn the_hold_queues_are_bounded() {
    let (mut bench, _) = asking();
    for _ in 0..31 {
        assert_eq!(ping(&mut bench), Outbound::Held);
    }
    assert_eq!(ping(&mut bench), Outbound::Dropped(DropReason::HoldQueueFull));
    for host in 0..20_000u32 {
        let to = format!("10.{}.{}.1", host >> 8, host & 0xff);
        let _ = bench.encapsulate(&mut packet("192.168.0.22", &to, 63, b"scan"));
        bench.outputs();
    }
    assert_eq!(bench.router.waiting_packets(), 2048);
    let counters = bench.router.counters();
    let gone = counters.drops[&DropReason::HoldQueueFull];
    assert_eq!((counters.held, gone), (32 + 20_000, 1 + 32 + 20_000 - 2048), "each is counted");
}

#[test]
fn a_proxy_itr_says_so_and_asks_only_within_its_aggregates() {
    let mut bench = Bench::new(PXTR1);
    bench.outputs();
    let mut inside = packet("10.0.0.99", "172.16.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut inside), Outbound::Held);
    assert!(only_request(&bench.messages()).1.from_pitr);
    let mut outside = packet("10.0.0.99", "172.17.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut outside), Outbound::Native);
}

#[test]
fn clear_forgets_what_was_learned_and_keeps_the_default() {
    let (mut bench, nonce) = asking();
    bench.control(RLOC_1, RLOC_2, &reply(nonce, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]));
    let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
    bench.router.handle(Input::Command(clear), bench.now);
    assert_eq!(bench.router.map_cache().entries().len(), 2);
    bench.outputs();
    assert_eq!(ping(&mut bench), Outbound::Held);
}

#[test]
fn ipv6_eids_resolve_over_ipv4_rlocs() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let mut ping = packet("2001:db8:b::22", "2001:db8:a::12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    let (resolver, request) = only_request(&bench.messages());
    assert_eq!(resolver, OLD);
    let records = vec![record("2001:db8:a::/64", 1440, &[RLOC_1])];
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, records));
    assert_eq!(bench.released().len(), 1);
}
