//! A map-server sends news by a Map-Notify that does not answer a Map-Register. The router then
//! asks the map-server whether the news is still true.

use std::time::Duration;

use eidway::router::counters::ControlDrop;
use eidway::router::io::{KernelEvent, Mac, NeighbourState};
use eidway::wire::{Algorithm, Key, MapNotify, MapRequest, MappingRecord, Message, Nonce};

use crate::bench::*;
use crate::network::{appear, roaming_network};
use crate::relay::{Relay, What};

/// A prefix that is more specific than a prefix of xTR2.
const INSIDE: &str = "192.168.0.128/25";
const HOST: &str = "172.16.0.12";

/// A Map-Notify of New that does not answer a Map-Register.
fn news(nonce: u64, records: Vec<MappingRecord>) -> Vec<u8> {
    let key = Key { algorithm: Algorithm::HmacSha1, secret: b"cisco".to_vec(), key_id: 0 };
    MapNotify { nonce: Nonce(nonce), records, ..MapNotify::default() }.emit_signed(&key)
}

fn elsewhere(eids: &str) -> MappingRecord {
    let mut record = record(eids, 1440, &[RLOC_1]);
    record.locators[0].local = false;
    record
}

fn withdrawn(eids: &str) -> MappingRecord {
    MappingRecord { ttl_minutes: 0, ..record(eids, 0, &[]) }
}

/// xTR2 after New has sent it `record` as news. Also returns the Map-Request with which xTR2 asks
/// New.
fn told(record: MappingRecord) -> (Bench, MapRequest) {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    tell(&mut bench, 77, record)
        .map(|request| (bench, request))
        .unwrap_or_else(|messages| panic!("one Map-Request expected: {messages:?}"))
}

/// New sends `record` as news. Returns the Map-Request that follows. If there is not exactly one,
/// the error has all messages.
fn tell(bench: &mut Bench, nonce: u64, record: MappingRecord) -> Result<MapRequest, Vec<Message>> {
    bench.control(NEW, RLOC_2, &news(nonce, vec![record]));
    let messages = bench.messages();
    let acknowledged =
        matches!(&messages[0], (_, Message::MapNotifyAck(ack)) if ack.0.nonce == Nonce(nonce));
    assert!(acknowledged, "{messages:?}");
    match &requests(&messages)[..] {
        [(server, request)] => {
            assert_eq!((server.as_str(), messages.len()), (NEW, 2));
            Ok(request.clone())
        }
        _ => Err(messages.into_iter().map(|(_, message)| message).collect()),
    }
}

fn is_away(bench: &Bench) -> bool {
    bench.router.away().entries().contains(&prefix(INSIDE))
}

fn denied(bench: &Bench) -> u64 {
    let drops = &bench.router.counters().control_drops;
    drops.get(&ControlDrop::OldNews).copied().unwrap_or_default()
}

/// A map-server forwards the router's own Map-Request to the router.
fn forward_back(bench: &mut Bench, request: &MapRequest) {
    let eids = request.records[0].eid_prefix.to_string();
    let back = encapsulated_request(&eids, request.nonce.0, |back| *back = request.clone());
    bench.control(NEW, RLOC_2, &back);
}

#[test]
fn news_are_believed_when_a_reply_names_locators_of_others() {
    let (mut bench, request) = told(elsewhere(INSIDE));
    assert_eq!((request.records.len(), request.source_eid, request.smr_invoked), (1, None, false));
    assert_eq!(request.records[0].eid_prefix, prefix(INSIDE));
    assert!(!is_away(&bench));
    bench.control(RLOC_1, RLOC_2, &reply(Nonce(1), vec![record(INSIDE, 1440, &[RLOC_1])]));
    assert!(!is_away(&bench), "a reply to something else");
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![record(INSIDE, 1440, &[OLD])]));
    let entry = bench.router.away().entries().get(&prefix(INSIDE)).unwrap();
    assert_eq!(entry.locators[0].rloc.to_string(), OLD, "the reply is newer");
    assert_eq!(denied(&bench), 0);
    bench.advance(Duration::from_secs(600));
    assert!(is_away(&bench), "it holds as long as its record");
}

#[test]
fn news_are_not_believed_when_the_map_server_says_that_the_eid_is_here_or_nowhere() {
    let ours = |request: &MapRequest| {
        reply(request.nonce, vec![record("192.168.0.0/24", 1440, &[RLOC_2])])
    };
    let nowhere = |request: &MapRequest| reply(request.nonce, vec![record(INSIDE, 1, &[])]);
    for answer in [
        &forward_back as &dyn Fn(&mut Bench, &MapRequest),
        &|bench, request| bench.control(NEW, RLOC_2, &ours(request)),
        &|bench, request| bench.control(NEW, RLOC_2, &nowhere(request)),
    ] {
        let (mut bench, request) = told(elsewhere(INSIDE));
        answer(&mut bench, &request);
        assert_eq!((is_away(&bench), denied(&bench)), (false, 1));
        assert!(bench.messages().is_empty(), "it answers nothing to itself");
        for (_, said) in bench.advance(Duration::from_secs(300)) {
            assert!(requests(&messages(&said)).is_empty());
        }
        assert!(!is_away(&bench));
    }
}

#[test]
fn what_is_not_true_any_more_is_told_with_its_map_server_and_what_to_do() {
    let (mut bench, request) = told(elsewhere(INSIDE));
    forward_back(&mut bench, &request);
    let line = "refused Map-Notify for 192.168.0.128/25 from 209.165.201.31: the message says that \
                the EID is at 203.0.113.11, but a Map-Reply of the map-server says that the EID is \
                here; ignore rare messages of this kind: the EID has just moved; if they are \
                frequent, an attacker may send old messages";
    assert_eq!(bench.log(), [line]);
}

#[test]
fn news_without_an_answer_are_believed_for_three_minutes_and_asked_again() {
    let (mut bench, _) = told(elsewhere(INSIDE));
    bench.advance(Duration::from_micros(2_999_999));
    assert!(!is_away(&bench));
    bench.log();
    bench.advance(Duration::from_micros(1));
    assert!(is_away(&bench));
    let line = "map-server 209.165.201.31 reported that 192.168.0.128/25 is at 203.0.113.11, but \
                does not answer the Map-Request that checks this report: this router believes the \
                report for 3 minutes and then asks again; check that 209.165.201.31 can be reached \
                and answers Map-Requests";
    assert_eq!(bench.log(), [line]);
    let asked = |bench: &mut Bench, span| {
        let said: Vec<_> = bench.advance(span).into_iter().flat_map(|(_, said)| said).collect();
        requests(&messages(&said))
    };
    assert!(asked(&mut bench, Duration::from_micros(179_999_999)).is_empty());
    let again = asked(&mut bench, Duration::from_micros(1));
    let (_, again) = &again[..1][0];
    assert!(is_away(&bench));
    let mut other = Bench::new(XTR2);
    std::mem::swap(&mut bench, &mut other);
    // If the map-server denies the news, the router removes the entry immediately.
    forward_back(&mut other, again);
    assert!(!is_away(&other));
    // If there is no answer, the router removes the entry soon.
    let (mut bench, _) = told(elsewhere(INSIDE));
    bench.advance(Duration::from_secs(3 + 180 + 30));
    assert!(!is_away(&bench));
}

#[test]
fn an_etr_without_a_resolver_asks_its_map_server_again() {
    let config = XTR2.replace(" ipv4 itr map-resolver 209.165.201.41\n", "");
    let config = config.replace(" ipv4 itr map-resolver 209.165.201.31\n", "");
    let mut bench = Bench::new(&config);
    bench.outputs();
    tell(&mut bench, 77, elsewhere(INSIDE)).unwrap();
    let said = bench.advance(Duration::from_secs(183));
    let said: Vec<_> = said.into_iter().flat_map(|(_, said)| said).collect();
    let (server, request) = only_request(&messages(&said));
    assert_eq!(server, NEW);
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![record(INSIDE, 1440, &[RLOC_1])]));
    bench.advance(Duration::from_secs(600));
    assert!(is_away(&bench));
}

#[test]
fn that_an_eid_is_elsewhere_no_more_is_asked_too() {
    let (mut bench, request) = told(elsewhere(INSIDE));
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![record(INSIDE, 1440, &[RLOC_1])]));
    bench.messages();
    let request = tell(&mut bench, 78, withdrawn(INSIDE)).unwrap();
    assert!(is_away(&bench));
    bench.control(RLOC_1, RLOC_2, &reply(request.nonce, vec![record(INSIDE, 1440, &[RLOC_1])]));
    assert!(is_away(&bench), "an old message");
    let request = tell(&mut bench, 79, withdrawn(INSIDE)).unwrap();
    forward_back(&mut bench, &request);
    assert_eq!((is_away(&bench), denied(&bench)), (false, 0));
}

#[test]
fn news_that_change_nothing_are_acknowledged_and_not_asked_about() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let ours = record("192.168.0.0/24", 1440, &[RLOC_2]);
    let records =
        [elsewhere("172.16.0.0/24"), elsewhere("192.168.0.0/24"), ours, withdrawn(INSIDE)];
    for (nonce, record) in (80..).zip(records) {
        let said = tell(&mut bench, nonce, record).unwrap_err();
        assert_eq!(said.len(), 1, "{said:?}");
    }
}

#[test]
fn what_is_told_while_an_answer_is_on_its_way_is_asked_about_after_it() {
    let (mut bench, first) = told(elsewhere(INSIDE));
    for nonce in 100..130 {
        tell(&mut bench, nonce, elsewhere(INSIDE)).unwrap_err();
    }
    bench.control(RLOC_1, RLOC_2, &reply(first.nonce, vec![record(INSIDE, 1440, &[RLOC_1])]));
    let (_, second) = only_request(&bench.messages());
    assert_ne!(first.nonce, second.nonce);
    forward_back(&mut bench, &second);
    assert!(!is_away(&bench), "the last answer counts");
    assert!(bench.messages().is_empty());
}

#[test]
fn a_thousand_news_and_more_are_bounded_by_a_table() {
    let mut bench = Bench::new(XTR2);
    for number in 0..5000_u32 {
        let address = std::net::Ipv4Addr::from_bits(0xc0a8_0000 + number % 256);
        let from = news(u64::from(1000 + number), vec![elsewhere(&format!("{address}/32"))]);
        bench.control(NEW, RLOC_2, &from);
    }
    let fill = bench.router.news_fill();
    assert_eq!((fill.entries, fill.capacity), (256, 4096), "one for each prefix");
}

/// The host moves to xTR2 and back to xTR1. Returns the Map-Notify that Old sent to xTR1 because of
/// the first move.
fn back(relay: &mut Relay) -> MapNotify {
    appear(relay, "xTR1", HOST);
    relay.advance(Duration::from_secs(20));
    relay.listen();
    appear(relay, "xTR2", HOST);
    relay.advance(Duration::from_secs(20));
    let of_host = |message: &Message| match message {
        Message::MapNotify(notify) if notify.records[0].eid_prefix == prefix("172.16.0.12/32") => {
            notify.records[0].locators.first().map(|_| notify.clone())
        }
        _ => None,
    };
    let old = relay.udp("Old", "xTR1").into_iter().find_map(|(_, message)| of_host(message));
    let asks = |said: &&crate::relay::Sent| {
        let is_request = matches!(&said.what, What::Udp(Message::Encapsulated(_)));
        is_request && (said.from, said.to) == ("xTR1", "Old")
    };
    assert_eq!(relay.said.iter().filter(asks).count(), 1, "one request for the news");
    assert!(relay.router("xTR1").away().entries().contains(&prefix("172.16.0.12/32")));
    appear(relay, "xTR1", HOST);
    relay.advance(Duration::from_secs(20));
    old.unwrap()
}

fn is_here(relay: &Relay) -> bool {
    relay.router("xTR1").database().get(&prefix("172.16.0.12/32")).is_some()
}

#[test]
fn a_map_notify_from_before_a_restart_takes_no_host_away() {
    let mut relay = roaming_network();
    let old = back(&mut relay);
    assert!(is_here(&relay));
    // xTR1 is killed and started again.
    let config = crate::network::roaming_xtr1();
    let now = relay.now;
    relay.kill("xTR1");
    relay.nodes.insert("xTR1", Bench::starting(&config, now, now.0 + 1000));
    relay.advance(Duration::from_secs(1));
    appear(&mut relay, "xTR1", HOST);
    relay.advance(Duration::from_secs(20));
    assert!(is_here(&relay));
    relay.listen();
    let key = Key { algorithm: Algorithm::HmacSha1, secret: b"cisco".to_vec(), key_id: 0 };
    let octets = old.emit_signed(&key);
    relay.at("xTR1", |bench| bench.control(OLD, RLOC_1, &octets));
    assert_eq!(denied(&relay.nodes["xTR1"]), 1);
    relay.advance(Duration::from_secs(600));
    assert!(is_here(&relay));
    assert!(!relay.router("xTR1").away().entries().contains(&prefix("172.16.0.12/32")));
}

#[test]
fn a_session_that_told_of_a_host_is_believed_before_a_map_server_that_does_not_answer() {
    let mut relay = roaming_network();
    appear(&mut relay, "xTR1", HOST);
    relay.advance(Duration::from_secs(20));
    appear(&mut relay, "xTR2", HOST);
    relay.advance(Duration::from_secs(20));
    let rloc = |relay: &Relay| {
        let entries = relay.router("xTR1").away().entries();
        entries.get(&prefix("172.16.0.12/32")).map(|entry| entry.locators[0].rloc.to_string())
    };
    assert_eq!(rloc(&relay).as_deref(), Some(RLOC_2));
    let mut wrong = elsewhere("172.16.0.12/32");
    wrong.locators[0] = locator("192.0.2.66");
    relay.deaf = Some(("xTR1", "Old"));
    relay.at("xTR1", |bench| bench.control(OLD, RLOC_1, &news(5, vec![wrong])));
    relay.advance(Duration::from_secs(10));
    assert_eq!(rloc(&relay).as_deref(), Some(RLOC_2), "New's session would tell");
}

#[test]
fn a_host_is_asked_about_before_it_is_let_go() {
    let mut relay = roaming_network();
    appear(&mut relay, "xTR1", HOST);
    relay.advance(Duration::from_secs(20));
    relay.deaf = Some(("xTR1", "Old"));
    let octets = news(5, vec![record("172.16.0.12/32", 1440, &[RLOC_2])]);
    relay.at("xTR1", |bench| bench.control(OLD, RLOC_1, &octets));
    relay.advance(Duration::from_secs(2));
    assert!(is_here(&relay));
    // If there is no answer, the router believes the news for a time. But first it asks the host
    // itself.
    relay.advance(Duration::from_secs(10));
    assert!(!is_here(&relay));
    let state = NeighbourState::Known(Mac([2, 0, 0, 0, 0, 12]));
    let event = KernelEvent::Neighbour {
        device: "et1-0".to_owned(),
        address: HOST.parse().unwrap(),
        state,
    };
    relay.at("xTR1", |bench| bench.kernel(event));
    assert!(is_here(&relay), "it is found again by its next packet");
}
