//! Tests of the map-server and map-resolver.

use std::net::IpAddr;

use eidway::router::counters::ControlDrop;
use eidway::wire::{
    Action, Algorithm, Key, MapRegister, MapReply, MapRequest, MappingRecord, Message, Nonce,
    XtrIdentity,
};

use crate::bench::*;

fn key(secret: &str) -> Key {
    Key { algorithm: Algorithm::HmacSha1, secret: secret.as_bytes().to_vec(), key_id: 0 }
}

fn register(nonce: u64, records: Vec<MappingRecord>) -> MapRegister {
    MapRegister {
        want_map_notify: true,
        nonce: Nonce(nonce),
        records,
        xtr_identity: Some(XtrIdentity { xtr_id: 1, site_id: 0 }),
        ..MapRegister::default()
    }
}

fn site_1(nonce: u64) -> Vec<u8> {
    register(nonce, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]).emit_signed(&key("cisco"))
}

/// A map-server with a registration of 172.16.0.0/24. The nonce of the registration is 10.
fn registered() -> Bench {
    let mut bench = Bench::new(MSMR);
    bench.outputs();
    bench.control(RLOC_1, NEW, &site_1(10));
    bench
}

fn drops(bench: &Bench, reason: ControlDrop) -> u64 {
    bench.router.counters().control_drops.get(&reason).copied().unwrap_or(0)
}

fn only_reply(messages: &[(IpAddr, Message)]) -> &MapReply {
    match messages {
        [(_, Message::MapReply(reply))] => reply,
        other => panic!("one Map-Reply expected: {other:?}"),
    }
}

#[test]
fn a_register_is_acknowledged_with_its_nonce_and_records() {
    let mut bench = registered();
    let messages = bench.messages();
    let [(to, Message::MapNotify(notify))] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(to.to_string(), RLOC_1);
    assert_eq!(notify.nonce, Nonce(10));
    assert_eq!(notify.records[0].eid_prefix, prefix("172.16.0.0/24"));
    assert!(
        eidway::wire::verify(&notify.clone().emit_signed(&key("cisco")), &key("cisco")).is_ok()
    );
}

#[test]
fn a_wrong_key_registers_nothing() {
    let mut bench = Bench::new(MSMR);
    bench.outputs();
    let forged = register(10, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]);
    bench.control(RLOC_1, NEW, &forged.emit_signed(&key("other")));
    assert!(bench.messages().is_empty());
    assert_eq!(drops(&bench, ControlDrop::Authentication), 1);
    let entry = bench.router.map_server().entries().get(&prefix("172.16.0.0/24")).unwrap();
    assert_eq!((entry.is_registered(), entry.authentication_failures), (false, 1));
}

#[test]
fn one_sites_key_opens_no_other_site() {
    let mut bench = Bench::new(MSMR);
    bench.outputs();
    let records =
        vec![record("172.16.0.0/24", 1440, &[RLOC_1]), record("192.168.0.0/24", 1440, &[RLOC_1])];
    bench.control(RLOC_1, NEW, &register(10, records).emit_signed(&key("cisco")));
    let messages = bench.messages();
    let [(_, Message::MapNotify(notify))] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(notify.records.len(), 1, "a refused record is not acknowledged");
    let other = bench.router.map_server().entries().get(&prefix("192.168.0.0/24")).unwrap();
    assert!(!other.is_registered());
}

#[test]
fn an_old_register_changes_nothing_and_a_repeat_is_answered_again() {
    let mut bench = registered();
    bench.outputs();
    bench.control(RLOC_1, NEW, &site_1(9));
    assert_eq!(drops(&bench, ControlDrop::Replay), 1);
    assert!(bench.messages().is_empty());
    bench.advance(std::time::Duration::from_secs(31));
    bench.control(RLOC_1, NEW, &site_1(10));
    assert!(matches!(&bench.messages()[..], [(_, Message::MapNotify(_))]));
    bench.advance(std::time::Duration::from_secs(1));
    bench.control(RLOC_1, NEW, &site_1(10));
    assert!(bench.messages().is_empty(), "late, it is a replay");
    assert_eq!(drops(&bench, ControlDrop::Replay), 2);
    bench.advance(std::time::Duration::from_secs(148));
    let entry = bench.router.map_server().entries().get(&prefix("172.16.0.0/24")).unwrap();
    assert!(!entry.is_registered(), "a replayed register keeps nothing alive");
}

#[test]
fn a_map_server_answers_a_request_without_the_role_of_a_resolver() {
    let no_resolver = MSMR.replace(" ipv4 map-resolver\n", "").replace(" ipv6 map-resolver\n", "");
    let mut bench = Bench::new(&no_resolver);
    bench.control(RLOC_1, NEW, &site_1(10));
    bench.outputs();
    bench.control(RLOC_2, NEW, &encapsulated_request("172.16.0.12/32", 5, |_| ()));
    let messages = bench.messages();
    assert!(matches!(&messages[..], [(_, Message::Encapsulated(_))]), "{messages:?}");
    bench.control(RLOC_2, NEW, &encapsulated_request("192.168.0.22/32", 6, |_| ()));
    assert_eq!(only_reply(&bench.messages()).nonce, Nonce(6));
}

#[test]
fn a_request_for_a_registered_eid_is_forwarded_to_its_etr() {
    let mut bench = registered();
    bench.outputs();
    bench.control(RLOC_2, NEW, &encapsulated_request("172.16.0.12/32", 5, |_| ()));
    let messages = bench.messages();
    let [(etr, Message::Encapsulated(forwarded))] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(etr.to_string(), RLOC_1);
    let request = MapRequest::parse(&forwarded.message).unwrap();
    assert_eq!(request.nonce, Nonce(5));
    assert_eq!(request.itr_rlocs[0].to_string(), RLOC_2);
}

#[test]
fn a_request_for_many_eids_goes_to_few_etrs() {
    let mut bench = Bench::new(MSMR);
    bench.outputs();
    let hosts: Vec<String> = (1..=20).map(|host| format!("172.16.0.{host}/32")).collect();
    for (number, host) in hosts.iter().enumerate() {
        let etr = format!("203.0.113.{}", 100 + number);
        let mut own = register(10, vec![record(host, 1440, &[&etr])]);
        own.xtr_identity = Some(XtrIdentity { xtr_id: 100 + number as u128, site_id: 0 });
        bench.control(&etr, NEW, &own.emit_signed(&key("cisco")));
    }
    bench.messages();
    let many = |asked: &mut MapRequest| {
        asked.records = hosts.iter().map(|host| prefix(host).into()).collect();
    };
    bench.control(RLOC_2, NEW, &encapsulated_request(&hosts[0], 7, many));
    assert_eq!(bench.messages().len(), 4);
    assert_eq!(drops(&bench, ControlDrop::RateLimited), 4);
    assert_eq!(drops(&bench, ControlDrop::TooManyRecords), 12);
}

#[test]
fn an_unregistered_prefix_is_answered_natively_for_a_minute() {
    let mut bench = Bench::new(MSMR);
    bench.outputs();
    bench.control(RLOC_2, NEW, &encapsulated_request("172.16.0.12/32", 5, |_| ()));
    let messages = bench.messages();
    let reply = only_reply(&messages);
    assert_eq!(messages[0].0.to_string(), RLOC_2, "to the ITR-RLOC");
    assert_eq!(reply.nonce, Nonce(5));
    let record = &reply.records[0];
    assert_eq!(record.eid_prefix, prefix("172.16.0.0/24"));
    assert_eq!((record.ttl_minutes, record.action), (1, Action::NativelyForward));
    assert!(!record.authoritative && record.locators.is_empty());
}

#[test]
fn a_proxy_reply_is_given_where_the_etr_wants_it() {
    let mut bench = Bench::new(MSMR);
    let wants = MapRegister {
        proxy_reply: true,
        ..register(10, vec![record("172.16.0.0/24", 1440, &[RLOC_1])])
    };
    bench.control(RLOC_1, NEW, &wants.emit_signed(&key("cisco")));
    bench.outputs();
    bench.control(RLOC_2, NEW, &encapsulated_request("172.16.0.12/32", 5, |_| ()));
    let messages = bench.messages();
    let record = &only_reply(&messages).records[0];
    assert!(!record.authoritative && !record.locators[0].local);
}

#[test]
fn probes_and_smrs_have_no_business_in_the_mapping_system() {
    let mut bench = registered();
    bench.outputs();
    let probe = encapsulated_request("172.16.0.12/32", 5, |request| request.probe = true);
    let smr = encapsulated_request("172.16.0.12/32", 6, |request| request.smr = true);
    bench.control(RLOC_2, NEW, &probe);
    bench.control(RLOC_2, NEW, &smr);
    assert_eq!(drops(&bench, ControlDrop::ProbeToMappingSystem), 2);
    assert!(bench.messages().is_empty());
}

#[test]
fn an_etr_answers_what_is_forwarded_to_it_from_the_asked_rloc_to_the_itr() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let request = encapsulated_request("192.168.0.22/32", 5, |request| {
        request.itr_rlocs = vec![eidway::addr::Rloc(RLOC_1.parse().unwrap())];
    });
    bench.control(NEW, RLOC_2, &request);
    let messages = bench.messages();
    let reply = only_reply(&messages);
    assert_eq!(messages[0].0.to_string(), RLOC_1);
    let record = &reply.records[0];
    assert_eq!(record.eid_prefix, prefix("192.168.0.0/24"));
    assert!(record.authoritative && record.locators[0].local && record.locators[0].reachable);
    assert_eq!(reply.nonce, Nonce(5));
}

#[test]
fn an_etr_answers_neither_for_strangers_nor_for_an_eid_without_route() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    bench.control(NEW, RLOC_2, &encapsulated_request("172.16.0.12/32", 5, |_| ()));
    bench.link("et1-0", false);
    bench.outputs();
    bench.control(NEW, RLOC_2, &encapsulated_request("192.168.0.22/32", 6, |_| ()));
    assert!(bench.messages().is_empty());
    assert_eq!(drops(&bench, ControlDrop::NotOurEid), 2);
}

#[test]
fn an_etr_answers_a_probe_with_a_probe_reply() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let probe = MapRequest {
        probe: true,
        nonce: Nonce(9),
        itr_rlocs: vec![eidway::addr::Rloc(RLOC_1.parse().unwrap())],
        records: vec![prefix("192.168.0.0/24").into()],
        ..MapRequest::default()
    };
    bench.control(RLOC_1, RLOC_2, &probe.emit());
    let messages = bench.messages();
    assert!(only_reply(&messages).probe);
}

#[test]
fn replies_to_one_asker_about_one_eid_are_limited() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let request = encapsulated_request("192.168.0.22/32", 5, |_| ());
    for _ in 0..100 {
        bench.control(NEW, RLOC_2, &request);
    }
    assert_eq!(bench.messages().len(), 3);
    assert_eq!(drops(&bench, ControlDrop::RateLimited), 97);
}
