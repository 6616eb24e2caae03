//! Map-Registers that are received again, and the MACs of the answers (RFC 9301 sections 5.6 and
//! 5.7).

use std::time::Duration;

use eidway::router::counters::ControlDrop;
use eidway::router::io::{Connection, Input, Output, TcpEvent, TcpRequest};
use eidway::router::kept::{KeptNonces, NonceRequest};
use eidway::wire::{
    self, Algorithm, FrameReader, Key, MacForm, MapNotify, MapNotifyAck, MapRegister,
    MappingRecord, Message, Nonce, Registration, ReliableMessage, XtrIdentity,
};

use crate::bench::*;

const HERE: &str = "192.0.2.9";
const ELSEWHERE: &str = "192.0.2.66";
const SITE: &str = "172.16.0.32/28";

fn key() -> Key {
    Key { algorithm: Algorithm::HmacSha1, secret: b"cisco".to_vec(), key_id: 0 }
}

/// A Map-Register for `SITE` with this TTL and one locator. The locator has no L bit.
fn plain(nonce: u64, ttl_minutes: u32) -> MapRegister {
    let mut record = record(SITE, ttl_minutes, &[HERE]);
    record.locators[0].local = false;
    of(nonce, vec![record])
}

fn of(nonce: u64, records: Vec<MappingRecord>) -> MapRegister {
    MapRegister { want_map_notify: true, nonce: Nonce(nonce), records, ..MapRegister::default() }
}

fn with_id(register: MapRegister, xtr_id: u128) -> MapRegister {
    MapRegister { xtr_identity: Some(XtrIdentity { xtr_id, site_id: 0 }), ..register }
}

/// A Map-Register whose MAC ends at the last record, so it does not cover the xTR-ID. A sender that
/// interprets section 5.6 differently sends it. An attacker can change the xTR-ID.
fn short(register: MapRegister, xtr_id: u128) -> Vec<u8> {
    with_id(register, xtr_id).emit_signed_to_records(&key())
}

fn server(order: &str) -> Bench {
    let site = format!("site SITE_1\n  nonce-order {order}");
    let mut bench = Bench::new(&MSMR.replace("site SITE_1", &site));
    bench.outputs();
    bench
}

/// Whether the Map-Register is acknowledged. Any other message is an error.
fn acknowledged(bench: &mut Bench, from: &str, octets: &[u8]) -> bool {
    bench.control(from, NEW, octets);
    match &bench.messages()[..] {
        [] => false,
        [(to, Message::MapNotify(_))] => {
            assert_eq!(to.to_string(), from);
            true
        }
        other => panic!("{other:?}"),
    }
}

fn replays(bench: &Bench) -> u64 {
    let counted = bench.router.counters().control_drops.get(&ControlDrop::Replay).copied();
    let entry = bench.router.map_server().entries().get(&prefix("172.16.0.0/24")).unwrap();
    assert_eq!(counted.unwrap_or(0), entry.replays, "each is counted under its site");
    entry.replays
}

/// The ETRs to which the map-server forwards a Map-Request for the host.
fn asked(bench: &mut Bench, host: &str) -> Vec<String> {
    bench.control(RLOC_2, NEW, &encapsulated_request(host, 5, |_| ()));
    let forwarded = |(to, message): (std::net::IpAddr, Message)| {
        matches!(message, Message::Encapsulated(_)).then(|| to.to_string())
    };
    bench.messages().into_iter().filter_map(forwarded).collect()
}

#[test]
fn random_nonces_without_xtr_id_are_all_taken() {
    let mut bench = server("id");
    for nonce in [7, 3, u64::MAX, 1, 0x8000_0000_0000_0000, 2] {
        assert!(acknowledged(&mut bench, HERE, &plain(nonce, 1440).emit_signed(&key())), "{nonce}");
    }
    assert_eq!(replays(&bench), 0);
}

#[test]
fn a_register_without_xtr_id_replayed_from_anywhere_is_refused() {
    let mut bench = server("id");
    let first = plain(7, 1440).emit_signed(&key());
    assert!(acknowledged(&mut bench, HERE, &first));
    let withdrawn = plain(8, 0).emit_signed(&key());
    assert!(acknowledged(&mut bench, HERE, &withdrawn));
    for from in [HERE, ELSEWHERE] {
        assert!(!acknowledged(&mut bench, from, &first), "{from}");
    }
    let longer = [&first[..], b"more"].concat();
    assert!(!acknowledged(&mut bench, HERE, &longer), "a change outside the MAC is no difference");
    assert_eq!(replays(&bench), 3);
    assert!(asked(&mut bench, "172.16.0.33/32").is_empty());
}

#[test]
fn requests_go_to_the_locators_of_such_a_register_and_not_to_its_source() {
    let mut bench = server("id");
    bench.control(ELSEWHERE, NEW, &plain(7, 1440).emit_signed(&key()));
    bench.outputs();
    assert_eq!(asked(&mut bench, "172.16.0.33/32"), [HERE]);
    let mut silent = plain(8, 1440);
    silent.records[0].locators[0].reachable = false;
    bench.control(ELSEWHERE, NEW, &silent.emit_signed(&key()));
    bench.outputs();
    assert!(asked(&mut bench, "172.16.0.33/32").is_empty());
    // If the MAC covers the xTR-ID, the map-server forwards requests to the source of the
    // Map-Register.
    let proven = with_id(plain(9, 1440), 0x11).emit_signed(&key());
    bench.control(ELSEWHERE, NEW, &proven);
    bench.outputs();
    assert_eq!(asked(&mut bench, "172.16.0.33/32"), [ELSEWHERE]);
}

#[test]
fn the_newest_of_a_source_renews_for_as_long_as_it_comes() {
    let mut bench = server("id");
    let constant = plain(7, 1440).emit_signed(&key());
    for _ in 0..10 {
        assert!(acknowledged(&mut bench, HERE, &constant));
        bench.advance(Duration::from_secs(100));
    }
    assert_eq!(asked(&mut bench, "172.16.0.33/32"), [HERE]);
    bench.advance(Duration::from_secs(80));
    assert!(asked(&mut bench, "172.16.0.33/32").is_empty());
    assert!(acknowledged(&mut bench, HERE, &constant), "also when it had lapsed");
}

#[test]
fn what_renews_takes_nothing_over() {
    let mut bench = server("id");
    let old = plain(7, 1440).emit_signed(&key());
    bench.control(HERE, NEW, &old);
    bench.control(
        ELSEWHERE,
        NEW,
        &of(9, vec![record(SITE, 1440, &[ELSEWHERE])]).emit_signed(&key()),
    );
    bench.advance(Duration::from_secs(100));
    bench.outputs();
    assert!(!acknowledged(&mut bench, HERE, &old));
    assert_eq!(asked(&mut bench, "172.16.0.33/32"), [ELSEWHERE]);
}

#[test]
fn without_a_proven_order_no_session_is_admitted() {
    let registers = |order: &str, register: MapRegister, octets: fn(MapRegister) -> Vec<u8>| {
        let mut bench = server(order);
        let register = MapRegister { reliable_transport: true, ..register };
        bench.control(HERE, NEW, &octets(register));
        let peer = format!("{HERE}:40000").parse().unwrap();
        let connection = Connection(Connection::ACCEPTED);
        let accepted = TcpEvent::Accepted { connection, peer, local: NEW.parse().unwrap() };
        bench.router.handle(Input::Tcp(accepted), bench.now);
        bench.drain();
        let closed = Output::Tcp(TcpRequest::Close(connection));
        !bench.outputs().contains(&closed)
    };
    let whole = |register: MapRegister| register.emit_signed(&key());
    assert!(registers("id", with_id(plain(7, 1440), 1), whole));
    assert!(registers("strict", with_id(plain(7, 1440), 1), whole));
    assert!(!registers("none", with_id(plain(7, 1440), 1), whole));
    assert!(!registers("id", plain(7, 1440), whole));
    assert!(!registers("strict", plain(7, 1440), whole));
    assert!(!registers("id", plain(7, 1440), |register| short(register, 1)));
}

#[test]
fn an_xtr_id_that_the_mac_does_not_cover_is_none() {
    let mut bench = server("id");
    let first = short(plain(7, 1440), 1 << 70);
    bench.control(HERE, NEW, &first);
    let messages = bench.messages();
    let [(_, Message::MapNotify(notify))] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(notify.xtr_identity, None, "an unproven xTR-ID is not signed");
    let site = bench.router.map_server().entries().get(&prefix(SITE)).unwrap();
    let registration = site.registrations.iter().next().unwrap();
    assert_eq!((registration.identity, registration.is_proven), (None, false));
    assert!(acknowledged(&mut bench, HERE, &short(plain(8, 0), 1 << 70)));
    assert!(!acknowledged(&mut bench, HERE, &first));
    assert!(!acknowledged(&mut bench, HERE, &short(plain(7, 1440), 77)), "the id is changed");
    assert_eq!(replays(&bench), 2);
}

#[test]
fn nobody_without_the_key_moves_the_nonce_of_an_xtr() {
    let mut bench = server("id");
    let victim = |nonce| with_id(of(nonce, vec![record("172.16.0.0/24", 1440, &[RLOC_1])]), 0x11);
    assert!(acknowledged(&mut bench, RLOC_1, &victim(100).emit_signed(&key())));
    bench.control(HERE, NEW, &short(plain(1 << 60, 1440), 1 << 71));
    bench.control(HERE, NEW, &short(plain(1 << 60, 1440), 0x11));
    bench.outputs();
    assert!(acknowledged(&mut bench, RLOC_1, &victim(101).emit_signed(&key())));
}

#[test]
fn nonces_are_of_an_xtr_id_and_a_site_id_and_a_key() {
    let mut bench = server("id");
    let of_site = |nonce, site_id| {
        let identity = Some(XtrIdentity { xtr_id: 0x11, site_id });
        MapRegister { xtr_identity: identity, ..plain(nonce, 1440) }.emit_signed(&key())
    };
    assert!(acknowledged(&mut bench, HERE, &of_site(100, 0)));
    assert!(!acknowledged(&mut bench, HERE, &of_site(99, 0)));
    assert!(acknowledged(&mut bench, HERE, &of_site(99, 1)));
    // A new key begins with a new order of nonces. If the old key returns, its old order continues.
    bench.configure(&MSMR.replace("key cisco", "key new"));
    let new = Key { secret: b"new".to_vec(), ..key() };
    assert!(acknowledged(&mut bench, HERE, &with_id(plain(5, 1440), 0x11).emit_signed(&new)));
    bench.configure(MSMR);
    assert!(!acknowledged(&mut bench, HERE, &of_site(98, 0)));
}

#[test]
fn nonces_do_not_expire_and_outlive_a_restart() {
    let mut bench = server("id");
    let mut kept = KeptNonces::default();
    let last = with_id(plain(100, 1440), 0x11).emit_signed(&key());
    bench.control(HERE, NEW, &last);
    for output in bench.outputs() {
        if let Output::Nonce(request) = output {
            assert!(matches!(request, NonceRequest::Keep(kept) if kept.nonce == 100));
            kept.apply(request);
        }
    }
    let year = Duration::from_secs(365 * 86_400);
    bench.advance(year);
    assert!(!acknowledged(&mut bench, HERE, &last));
    let mut again = server("id");
    again.router.handle(Input::Nonces(kept), again.now);
    assert!(!acknowledged(&mut again, HERE, &last), "not even the last: its memory is gone");
    assert!(acknowledged(&mut again, HERE, &with_id(plain(101, 1440), 0x11).emit_signed(&key())));
    assert!(acknowledged(&mut server("id"), HERE, &last), "the test can fail");
}

#[test]
fn an_xtr_that_repeats_its_nonces_registers_where_no_order_is_asked_for() {
    let constant = |prefix: &str| {
        with_id(of(0, vec![record(prefix, 1440, &[HERE])]), 0x11).emit_signed(&key())
    };
    let mut bench = server("none");
    for prefix in [SITE, "172.16.0.64/28", SITE.replace("28", "29").as_str()] {
        assert!(acknowledged(&mut bench, HERE, &constant(prefix)));
    }
    assert!(!acknowledged(&mut bench, HERE, &constant(SITE)), "and yet no octets twice");
    let mut bench = server("id");
    assert!(acknowledged(&mut bench, HERE, &constant(SITE)));
    assert!(!acknowledged(&mut bench, HERE, &constant("172.16.0.64/28")));
}

/// Every form of the MAC of a Map-Register.
fn forms() -> impl Iterator<Item = MacForm> {
    let forms = [
        (Algorithm::HmacSha1, [12, 20]),
        (Algorithm::HmacSha256, [16, 32]),
        (Algorithm::HmacSha256Hkdf, [16, 32]),
    ];
    forms.into_iter().flat_map(|(algorithm, lengths)| {
        lengths.map(|length| MacForm::new(algorithm, length).unwrap())
    })
}

fn form_of(octets: &[u8]) -> MacForm {
    wire::verify(octets, &key()).unwrap().form
}

/// The control messages among the outputs.
fn datagrams(bench: &mut Bench) -> Vec<Vec<u8>> {
    let payload = |output| match output {
        Output::Control { payload, .. } => Some(payload),
        _ => None,
    };
    bench.outputs().into_iter().filter_map(payload).collect()
}

#[test]
fn a_map_notify_is_signed_as_the_register_was() {
    for form in forms() {
        let mut bench = server("id");
        bench.control(HERE, NEW, &with_id(plain(7, 1440), 1).emit_signed_as(&key(), form));
        let sent = datagrams(&mut bench);
        assert_eq!(sent.iter().map(|it| form_of(it)).collect::<Vec<_>>(), [form]);
        // Another xTR takes over the prefix and signs with another form. The map-server notifies
        // the first xTR with the form of the first xTR.
        let other = of(1, vec![record(SITE, 1440, &[ELSEWHERE])]);
        bench.control(ELSEWHERE, NEW, &with_id(other, 2).emit_signed(&key()));
        let sent = datagrams(&mut bench);
        assert_eq!(form_of(&sent[0]), form, "unsolicited");
        assert_eq!(form_of(&sent[1]), MacForm::of_first(Algorithm::HmacSha1));
    }
}

#[test]
fn a_map_notify_ack_is_signed_as_the_notify_was() {
    for form in forms() {
        let mut bench = Bench::new(XTR2);
        bench.outputs();
        let notify = MapNotify {
            nonce: Nonce(77),
            records: vec![record("172.31.0.0/24", 1440, &[RLOC_1])],
            xtr_identity: Some(XtrIdentity { xtr_id: 9, site_id: 3 }),
            ..MapNotify::default()
        };
        bench.control(NEW, RLOC_2, &notify.emit_signed_as(&key(), form));
        let sent = datagrams(&mut bench);
        assert_eq!(sent.iter().map(|it| form_of(it)).collect::<Vec<_>>(), [form]);
        let MapNotifyAck(acknowledged) = MapNotifyAck::parse(&sent[0]).unwrap();
        assert_eq!(acknowledged.xtr_identity, notify.xtr_identity);
    }
}

/// Gives a map-server a frame on its session. Returns the messages that it sends on the session.
fn on_session(bench: &mut Bench, connection: Connection, frame: &[u8]) -> Vec<ReliableMessage> {
    bench.router.handle(Input::Tcp(TcpEvent::Bytes(connection, frame)), bench.now);
    bench.drain();
    let mut reader = FrameReader::new();
    for output in bench.outputs() {
        if let Output::Tcp(TcpRequest::Send(_, octets, _)) = output {
            reader.push(&octets);
        }
    }
    std::iter::from_fn(|| reader.next()).map(|frame| frame.unwrap().message).collect()
}

#[test]
fn a_registration_that_is_repeated_is_acknowledged_while_it_holds() {
    let mut bench = server("id");
    let hello = MapRegister { reliable_transport: true, ..with_id(plain(1, 1440), 0x11) };
    bench.control(HERE, NEW, &hello.emit_signed(&key()));
    let connection = Connection(Connection::ACCEPTED);
    let peer = format!("{HERE}:40000").parse().unwrap();
    let accepted = TcpEvent::Accepted { connection, peer, local: NEW.parse().unwrap() };
    bench.router.handle(Input::Tcp(accepted), bench.now);
    bench.drain();
    bench.outputs();
    let frame = Registration::emit_signed(&with_id(plain(2, 1440), 0x11), 1, &key());
    for _ in 0..2 {
        let answers = on_session(&mut bench, connection, &frame);
        assert!(matches!(answers[..], [ReliableMessage::RegistrationAck(_)]), "{answers:?}");
    }
    let other = with_id(of(1, vec![record(SITE, 1440, &[ELSEWHERE])]), 0x12);
    bench.control(ELSEWHERE, NEW, &other.emit_signed(&key()));
    bench.outputs();
    let answers = on_session(&mut bench, connection, &frame);
    assert!(matches!(answers[..], [ReliableMessage::RegistrationReject(_)]), "{answers:?}");
    assert_eq!(asked(&mut bench, "172.16.0.33/32"), [ELSEWHERE]);
}

#[test]
fn a_key_holder_with_many_xtr_ids_fills_no_memory_and_drives_out_nobody_who_is_registered() {
    let mut bench = server("id");
    let mut kept = KeptNonces::default();
    assert!(acknowledged(&mut bench, HERE, &with_id(plain(100, 1440), 1).emit_signed(&key())));
    for xtr_id in 2..6000 {
        bench.control(ELSEWHERE, NEW, &with_id(plain(1, 0), xtr_id).emit_signed(&key()));
    }
    for output in bench.outputs() {
        if let Output::Nonce(request) = output {
            kept.apply(request);
        }
    }
    assert!(kept.len() <= 4096, "{}", kept.len());
    let forgotten = bench.router.counters().forgotten_nonces;
    assert_eq!(forgotten + kept.len() as u64, 5998, "the first one was kept before");
    assert!(!acknowledged(&mut bench, HERE, &with_id(plain(99, 1440), 1).emit_signed(&key())));
}
