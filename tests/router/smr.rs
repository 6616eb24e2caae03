//! Tests of Solicit-Map-Requests that a router receives.

use std::time::Duration;

use eidway::addr::{Family, Rloc};
use eidway::router::counters::ControlDrop;
use eidway::router::io::{Command, Input, Outbound};
use eidway::wire::{MapRequest, Nonce};

use crate::bench::*;

fn smr(solicited: &str) -> Vec<u8> {
    let smr = MapRequest {
        probe: true,
        smr: true,
        do_not_reply: true,
        nonce: Nonce(0x68e4_5971_e3df_4931),
        source_eid: Some(eid(solicited)),
        itr_rlocs: vec![Rloc(RLOC_1.parse().unwrap())],
        records: vec![prefix("192.168.0.22/32").into()],
        ..MapRequest::default()
    };
    smr.emit()
}

/// xTR2 with 172.16.0.0/24 in its map-cache. The locator is xTR1.
fn cached() -> Bench {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let mut ping = packet("192.168.0.22", "172.16.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    let records = vec![record("172.16.0.0/24", 1440, &[RLOC_1])];
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, records));
    bench.outputs();
    bench
}

fn drops(bench: &Bench, reason: ControlDrop) -> u64 {
    bench.router.counters().control_drops.get(&reason).copied().unwrap_or(0)
}

#[test]
fn an_smr_makes_the_itr_ask_the_mapping_system_and_is_not_answered() {
    let mut bench = cached();
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    let (resolver, request) = only_request(&bench.messages());
    assert_eq!(resolver, OLD, "never the sender of the SMR");
    assert!(request.smr_invoked && !request.smr && !request.probe);
    assert_eq!(request.source_eid, Some(eid("192.168.0.22")), "the EID that the SMR named ours");
    assert_eq!(request.records[0].eid_prefix, prefix("172.16.0.12/32"));
    assert_ne!(request.nonce, Nonce(0x68e4_5971_e3df_4931));
}

#[test]
fn the_cached_mapping_is_used_until_the_reply_and_then_overwritten_in_place() {
    let mut bench = cached();
    bench.advance(Duration::from_secs(100));
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    let (_, request) = only_request(&bench.messages());
    let mut ping = packet("192.168.0.22", "172.16.0.12", 63, b"ping");
    assert!(matches!(bench.encapsulate(&mut ping), Outbound::Encapsulate(_)));
    bench.control(NEW, RLOC_2, &reply(request.nonce, vec![record("172.16.0.0/24", 1, &[])]));
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Native);
    let (_, entry) = bench.router.map_cache().lookup(eid("172.16.0.12")).unwrap();
    assert_eq!(bench.now.since(entry.created_at), Duration::from_secs(100));
}

#[test]
fn an_smr_that_crosses_with_the_answer_to_a_retry_makes_a_request_three_seconds_after_it() {
    let mut bench = cached();
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    let said = bench.advance(Duration::from_secs(3));
    let (at, third) = said.last().unwrap();
    let (resolver, request) = only_request(&messages(third));
    assert_eq!(resolver, NEW, "the third try");
    let answer = |nonce| reply(nonce, vec![record("172.16.0.0/24", 1, &[])]);
    bench.control(NEW, RLOC_2, &answer(request.nonce));
    for _ in 0..5 {
        bench.advance(Duration::from_millis(5));
        bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    }
    assert!(bench.messages().is_empty());
    assert_eq!(drops(&bench, ControlDrop::RateLimited), 4, "the first of them is not lost");
    let said = bench.advance(Duration::from_secs(3));
    let (again_at, again) = said.first().unwrap();
    assert_eq!(again_at.since(*at), Duration::from_secs(3));
    let (_, request) = only_request(&messages(again));
    assert!(request.smr_invoked);
    bench.control(OLD, RLOC_2, &answer(request.nonce));
    let said = bench.advance(Duration::from_secs(10));
    assert!(said.iter().all(|(_, outputs)| requests(&messages(outputs)).is_empty()));
}

#[test]
fn a_packet_does_not_wait_until_the_request_of_an_smr_may_begin() {
    let mut bench = cached();
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    let (_, request) = only_request(&bench.messages());
    bench.control(OLD, RLOC_2, &reply(request.nonce, vec![record("172.16.0.0/24", 1, &[RLOC_1])]));
    bench.advance(Duration::from_secs(1));
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    assert!(bench.messages().is_empty());
    let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
    bench.router.handle(Input::Command(clear), bench.now);
    let mut ping = packet("192.168.0.22", "172.16.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    only_request(&bench.messages());
}

#[test]
fn an_smr_for_what_is_not_cached_makes_no_request() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    assert!(bench.messages().is_empty());
    assert_eq!(drops(&bench, ControlDrop::SmrNotCached), 1);
}

#[test]
fn an_itr_ignores_smrs_while_its_configuration_says_so() {
    let mut bench = cached();
    let deaf = XTR2.replace(" ipv4 itr\n", " ipv4 itr\n ipv4 solicit-map-request ignore\n");
    bench.configure(&deaf);
    bench.outputs();
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    assert!(bench.messages().is_empty());
    assert_eq!(drops(&bench, ControlDrop::SmrIgnored), 1);
    bench.configure(XTR2);
    bench.outputs();
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    only_request(&bench.messages());
}

#[test]
fn a_flood_for_one_host_starts_one_request_in_three_seconds() {
    let mut bench = cached();
    let mut requests = 0;
    for _ in 0..2900 {
        bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
        for (_, message) in bench.messages() {
            let eidway::wire::Message::Encapsulated(ecm) = message else { panic!("{message}") };
            let nonce = MapRequest::parse(&ecm.message).unwrap().nonce;
            let records = vec![record("172.16.0.0/24", 1440, &[RLOC_1])];
            bench.control(RLOC_1, RLOC_2, &reply(nonce, records));
            requests += 1;
        }
        bench.advance(Duration::from_millis(1));
    }
    assert_eq!(requests, 1);
}

#[test]
fn an_eid_that_an_smr_made_us_ask_for_is_remembered_until_it_is_learned_otherwise() {
    let mut bench = cached();
    let solicited =
        |bench: &Bench| bench.router.map_cache().solicited().iter().copied().collect::<Vec<_>>();
    assert!(solicited(&bench).is_empty(), "a packet made us ask");
    bench.control(RLOC_1, RLOC_2, &smr("172.16.0.12"));
    let (_, request) = only_request(&bench.messages());
    let records = vec![record("172.16.0.12/32", 1440, &[RLOC_1])];
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, records));
    assert_eq!(solicited(&bench), [prefix("172.16.0.12/32")]);
    bench.advance(Duration::from_secs(24 * 3600));
    assert!(solicited(&bench).is_empty(), "it has expired");
}

#[test]
fn a_flood_over_a_site_starts_eight_requests_in_twenty_seconds() {
    let mut bench = cached();
    for host in 0..=255u8 {
        bench.control(RLOC_1, RLOC_2, &smr(&format!("172.16.0.{host}")));
    }
    assert_eq!(bench.messages().len(), 8);
}

#[test]
fn a_map_server_ignores_an_smr_and_a_probe() {
    let mut bench = Bench::new(MSMR);
    bench.outputs();
    bench.control(RLOC_1, NEW, &smr("172.16.0.12"));
    assert!(bench.messages().is_empty());
    let probe = MapRequest {
        probe: true,
        nonce: Nonce(1),
        itr_rlocs: vec![Rloc(RLOC_1.parse().unwrap())],
        records: vec![prefix("172.16.0.12/32").into()],
        ..MapRequest::default()
    };
    bench.control(RLOC_1, NEW, &probe.emit());
    assert!(bench.messages().is_empty());
    assert_eq!(drops(&bench, ControlDrop::ProbeToMappingSystem), 2);
    assert_eq!(bench.router.counters().smrs.received, 0, "one that counts is one for an ITR");
}
