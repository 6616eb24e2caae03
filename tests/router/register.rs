//! Tests of the registrations of an ETR.

use std::time::Duration;

use eidway::router::counters::ControlDrop;
use eidway::router::io::{Connection, Input, Output, TcpEvent, TcpRequest};
use eidway::time::Time;
use eidway::wire::{Algorithm, Key, MapNotify, MapRegister, Message, verify};

use crate::bench::*;

fn key() -> Key {
    Key { algorithm: Algorithm::HmacSha1, secret: b"cisco".to_vec(), key_id: 0 }
}

fn registers(messages: Vec<(std::net::IpAddr, Message)>) -> Vec<MapRegister> {
    let register = |(_, message)| match message {
        Message::MapRegister(register) => Some(register),
        _ => None,
    };
    messages.into_iter().filter_map(register).collect()
}

fn notify(register: &MapRegister) -> Vec<u8> {
    let notify = MapNotify {
        nonce: register.nonce,
        records: register.records.clone(),
        ..MapNotify::default()
    };
    notify.emit_signed(&key())
}

/// xTR2, and the first Map-Register that it sent.
fn registering() -> (Bench, MapRegister) {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let said = bench.advance(Duration::ZERO);
    let mut registers = registers(messages(&said[0].1));
    assert_eq!(registers.len(), 1);
    (bench, registers.remove(0))
}

#[test]
fn a_prefix_with_a_route_is_registered_at_once() {
    let (_, register) = registering();
    assert!(register.want_map_notify && register.xtr_identity.is_some());
    let record = &register.records[0];
    assert_eq!(record.eid_prefix, prefix("192.168.0.0/24"));
    assert_eq!((record.ttl_minutes, record.authoritative), (1440, true));
    assert_eq!(record.locators, [locator(RLOC_2)]);
    assert!(verify(&register.emit_signed(&key()), &key()).is_ok());
}

#[test]
fn a_register_is_repeated_quickly_until_a_map_notify_comes() {
    let (mut bench, first) = registering();
    let mut times = vec![];
    let mut last = first;
    for (at, said) in bench.advance(Duration::from_secs(20)) {
        times.push(at.0 / 1_000_000);
        let next = registers(messages(&said)).remove(0);
        assert!(next.nonce > last.nonce, "every transmission takes a greater nonce");
        last = next;
    }
    assert_eq!(times, [1, 3, 7, 15]);
    bench.control(NEW, RLOC_2, &notify(&last));
    assert_eq!(bench.router.registrations(bench.now)[0].acknowledged, 1);
    let acknowledged_at = bench.now;
    let next = bench.advance(Duration::from_secs(60));
    let next = next.iter().find(|(_, said)| !registers(messages(said)).is_empty());
    let period = next.unwrap().0.since(acknowledged_at);
    assert!(period >= Duration::from_secs(54) && period <= Duration::from_secs(60));
}

#[test]
fn a_map_notify_with_another_key_or_nonce_acknowledges_nothing() {
    let (mut bench, register) = registering();
    let mut forged = notify(&register);
    *forged.last_mut().unwrap() ^= 1;
    bench.control(NEW, RLOC_2, &forged);
    let drops = &bench.router.counters().control_drops;
    assert_eq!(drops.get(&ControlDrop::Authentication), Some(&1));
    assert_eq!(bench.router.registrations(bench.now)[0].acknowledged, 0);
}

#[test]
fn news_that_are_said_again_are_acknowledged_and_not_asked_about() {
    let (mut bench, register) = registering();
    let mut elsewhere = record("192.168.0.128/25", 1440, &[RLOC_1]);
    elsewhere.locators[0].local = false;
    let nonce = eidway::wire::Nonce(77);
    let news = notify(&MapRegister { nonce, records: vec![elsewhere], ..register });
    bench.control(NEW, RLOC_2, &news);
    let [acknowledgement, request] = &bench.messages()[..] else { panic!("two messages expected") };
    assert!(matches!(acknowledgement.1, Message::MapNotifyAck(_)));
    assert!(matches!(request.1, Message::Encapsulated(_)));
    bench.control(NEW, RLOC_2, &news);
    assert!(matches!(&bench.messages()[..], [(_, Message::MapNotifyAck(_))]));
}

#[test]
fn an_unsolicited_map_notify_is_acknowledged_with_its_nonce() {
    let (mut bench, register) = registering();
    bench.control(NEW, RLOC_2, &notify(&register));
    assert!(bench.messages().is_empty());
    let news = MapRegister { nonce: eidway::wire::Nonce(77), ..register };
    bench.control(NEW, RLOC_2, &notify(&news));
    let messages = bench.messages();
    assert!(
        matches!(&messages[..], [(_, Message::MapNotifyAck(ack))] if ack.0.nonce == news.nonce),
        "{messages:?}"
    );
}

#[test]
fn a_lost_route_withdraws_and_a_route_back_registers() {
    let (mut bench, register) = registering();
    bench.control(NEW, RLOC_2, &notify(&register));
    bench.outputs();
    bench.link("et1-0", false);
    let withdrawn = registers(bench.messages());
    assert_eq!(withdrawn[0].records[0].ttl_minutes, 0);
    assert!(!withdrawn[0].want_map_notify);
    for (_, said) in bench.advance(Duration::from_secs(200)) {
        assert!(registers(messages(&said)).is_empty(), "and is not registered again");
    }
    bench.link("et1-0", true);
    let back = bench.advance(Duration::ZERO);
    assert_eq!(registers(messages(&back[0].1))[0].records[0].ttl_minutes, 1440);
}

#[test]
fn a_router_that_stops_withdraws() {
    let (mut bench, _) = registering();
    bench.router.handle(Input::Stop, bench.now);
    let mut outputs = Vec::new();
    while let Some(output) = bench.router.poll_output() {
        outputs.push(output);
    }
    assert_eq!(registers(messages(&outputs))[0].records[0].ttl_minutes, 0);
}

#[test]
fn a_register_keeps_within_the_smallest_mtu_of_every_path() {
    let mut config = XTR2.to_owned();
    config.push_str("router lisp\n eid-table default instance-id 0\n");
    for third in 0..40 {
        config.push_str(&format!("  database-mapping 10.1.{third}.0/24 locator-set set1\n"));
    }
    config.push_str("ip route 10.1.0.0 255.255.0.0 192.168.0.2\n");
    let mut bench = Bench::new(&config);
    let site = eidway::router::io::KernelRoute {
        prefix: "10.1.0.0/16".parse().unwrap(),
        device: "et1-0".to_owned(),
        gateway: None,
        metric: 0,
    };
    bench.kernel(eidway::router::io::KernelEvent::RouteAdded(site));
    bench.outputs();
    let said = bench.advance(Duration::ZERO);
    let mut prefixes = 0;
    for output in &said[0].1 {
        if let eidway::router::io::Output::Control { payload, .. } = output {
            assert!(payload.len() <= 576 - 28, "{} octets", payload.len());
            prefixes += registers(messages(std::slice::from_ref(output)))[0].records.len();
        }
    }
    assert_eq!(prefixes, 41);
    assert_eq!(said[0].0, Time::ZERO);
}

/// Lets time pass. A map-server answers each Map-Register for which `answers` returns true. Returns
/// the time of each Map-Register with its reliable-transport bit, and the connections that the
/// router requested.
fn beside_map_server(
    bench: &mut Bench,
    span: Duration,
    answers: impl Fn(&MapRegister) -> bool,
) -> (Vec<(Time, bool)>, Vec<Connection>) {
    let end = bench.now + span;
    let (mut came, mut connections) = (Vec::new(), Vec::new());
    while let Some(next) = bench.router.poll_timeout().filter(|next| next.at <= end) {
        let said = bench.advance(bench.now.until(next.at));
        let mut outputs: Vec<Output> = said.into_iter().flat_map(|(_, said)| said).collect();
        outputs.extend(bench.outputs());
        for register in registers(messages(&outputs)) {
            came.push((bench.now, register.reliable_transport));
            if answers(&register) {
                bench.control(NEW, RLOC_2, &notify(&register));
            }
        }
        outputs.extend(bench.outputs());
        connections.extend(outputs.iter().filter_map(|output| match output {
            Output::Tcp(TcpRequest::Connect { connection, .. }) => Some(*connection),
            _ => None,
        }));
    }
    bench.now = end;
    (came, connections)
}

fn bits(came: &[(Time, bool)]) -> Vec<bool> {
    came.iter().map(|(_, bit)| *bit).collect()
}

fn tcp(bench: &mut Bench, event: TcpEvent<'_>) {
    bench.router.handle(Input::Tcp(event), bench.now);
    bench.drain();
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

#[test]
fn after_three_unanswered_registers_every_second_one_offers_no_reliable_transport() {
    let (mut bench, first) = registering();
    assert!(first.reliable_transport);
    let (came, _) = beside_map_server(&mut bench, Duration::from_secs(300), |_| false);
    assert_eq!(bits(&came)[..7], [true, true, false, true, false, true, false]);
}

#[test]
fn a_map_server_that_answers_only_without_the_bit_gets_none_for_ten_minutes() {
    let (mut bench, _) = registering();
    let without = |register: &MapRegister| !register.reliable_transport;
    let (came, connections) = beside_map_server(&mut bench, Duration::from_secs(20), without);
    // In the first part, three Map-Registers had no answer and one had an answer. Then two
    // Map-Registers with the bit are compared with one without the bit.
    assert_eq!(bits(&came), [true, true, false, true, true, false]);
    assert!(connections.is_empty());
    let (decided_at, _) = *came.last().unwrap();
    let is_registered = |bench: &Bench| bench.router.registrations(bench.now)[0].acknowledged == 1;
    assert!(is_registered(&bench));
    let rest = TEN_MINUTES - bench.now.since(decided_at) - Duration::from_secs(1);
    let (came, _) = beside_map_server(&mut bench, rest, without);
    assert!(came.len() >= 9 && came.iter().all(|(_, bit)| !bit), "{came:?}");
    let (came, _) = beside_map_server(&mut bench, Duration::from_secs(80), without);
    assert!(bits(&came).starts_with(&[true, true, false]), "asked again: {came:?}");
    assert!(is_registered(&bench));
}

#[test]
fn a_map_server_that_was_silent_altogether_keeps_the_bit() {
    for silence in [4, 8, 20, 40, 100, 200] {
        let (mut bench, _) = registering();
        beside_map_server(&mut bench, Duration::from_secs(silence), |_| false);
        let (came, connections) = beside_map_server(&mut bench, Duration::from_secs(70), |_| true);
        assert!(!connections.is_empty(), "{silence} s of silence: {came:?}");
        let answered_at = came[0].0;
        let offered_at = came.iter().find(|(_, bit)| *bit).unwrap().0;
        assert!(offered_at.since(answered_at) <= Duration::from_secs(1), "{came:?}");
    }
}

#[test]
fn a_map_server_that_refuses_tcp_gets_no_bit_for_ten_minutes() {
    let (mut bench, register) = registering();
    bench.control(NEW, RLOC_2, &notify(&register));
    let connection = bench.outputs().into_iter().find_map(|output| match output {
        Output::Tcp(TcpRequest::Connect { connection, .. }) => Some(connection),
        _ => None,
    });
    tcp(&mut bench, TcpEvent::Refused(connection.unwrap()));
    let span = TEN_MINUTES - Duration::from_secs(1);
    let (came, connections) = beside_map_server(&mut bench, span, |_| true);
    assert!(came.len() >= 9 && came.iter().all(|(_, bit)| !bit), "{came:?}");
    assert!(connections.is_empty(), "it did not ask for a session");
    let (came, connections) = beside_map_server(&mut bench, Duration::from_secs(70), |_| true);
    assert!(came[0].1 && !connections.is_empty(), "{came:?}");
}

#[test]
fn a_connection_that_is_not_refused_but_fails_leaves_the_bit() {
    let (mut bench, register) = registering();
    bench.control(NEW, RLOC_2, &notify(&register));
    tcp(&mut bench, TcpEvent::Closed(Connection(0)));
    let (came, _) = beside_map_server(&mut bench, Duration::from_secs(130), |_| true);
    assert!(came.len() >= 2 && came.iter().all(|(_, bit)| *bit), "{came:?}");
}

#[test]
fn without_reliable_registration_no_register_offers_it() {
    let config = format!("{XTR2}router lisp\n no reliable-registration\n");
    let mut bench = Bench::new(&config);
    let (came, connections) = beside_map_server(&mut bench, Duration::from_secs(200), |_| true);
    assert!(came.len() >= 4 && came.iter().all(|(_, bit)| !bit), "{came:?}");
    assert!(connections.is_empty());
    // After `no reliable-registration` is undone, the next Map-Register offers reliable transport.
    bench.configure(&format!("{config} reliable-registration\n"));
    let (came, connections) = beside_map_server(&mut bench, Duration::from_secs(70), |_| true);
    assert!(came[0].1 && !connections.is_empty(), "{came:?}");
}
