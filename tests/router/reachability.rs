//! Reachability that the router learns from data packets: Locator-Status-Bits and echo-nonce (RFC
//! 9300 section 10).

use std::time::Duration;

use eidway::addr::Rloc;
use eidway::router::io::{Inbound, Outbound, Outer};
use eidway::wire::{DataHeader, MapReply, MapRequest, Message, Nonce, NonceField};

use crate::bench::*;

const RLOC_1B: &str = "203.0.113.12";
/// The RLOC of another xTR at the site of xTR2.
const RLOC_2B: &str = "198.51.100.22";
/// The RLOC of another xTR at the site of xTR2, at another provider.
const RLOC_2C: &str = "198.51.101.22";
const SECOND: Duration = Duration::from_secs(1);

/// xTR2 with `algorithm`. Its map-cache has 172.16.0.0/24 with `rlocs`. The remote site echoes
/// nonces.
fn xtr2(algorithm: &str, rlocs: &[&str]) -> Bench {
    let mut bench = Bench::new(&configured(algorithm));
    bench.outputs();
    learn(&mut bench, rlocs, true);
    bench
}

fn configured(algorithm: &str) -> String {
    format!("{XTR2}router lisp\n loc-reach-algorithm {algorithm}\n")
}

fn learn(bench: &mut Bench, rlocs: &[&str], echo_nonce: bool) {
    let mut ping = packet("192.168.0.22", "172.16.0.12", 63, b"ping");
    assert_eq!(bench.encapsulate(&mut ping), Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    let records = vec![record("172.16.0.0/24", 1440, rlocs)];
    let reply = MapReply { nonce: request.nonce, echo_nonce, records, ..MapReply::default() };
    bench.control(RLOC_1, RLOC_2, &reply.emit());
    bench.outputs();
}

/// B sends a packet to A. Returns the locator and the LISP header that the packet gets.
fn out(bench: &mut Bench) -> (String, DataHeader) {
    let mut ping = packet("192.168.0.22", "172.16.0.12", 63, b"ping");
    match bench.encapsulate(&mut ping) {
        Outbound::Encapsulate(wrap) => {
            (wrap.destination.to_string(), DataHeader::parse(&wrap.header).unwrap().0)
        }
        other => panic!("{other:?}"),
    }
}

fn nonce_out(bench: &mut Bench) -> NonceField {
    out(bench).1.nonce
}

/// A packet from A to B arrives. Its outer source is `from`.
fn come(bench: &mut Bench, from: &str, header: DataHeader) {
    let inner = packet("172.16.0.12", "192.168.0.22", 63, b"pong");
    let mut datagram = [&header.emit()[..], &inner].concat();
    let (source, destination) = (from.parse().unwrap(), RLOC_2.parse().unwrap());
    let outer = Outer { source, destination, ttl: 60, tos: 0 };
    let inbound = bench.decapsulate_from(&outer, &mut datagram);
    assert!(matches!(inbound, Inbound::Deliver { .. }), "{inbound:?}");
    // The time must advance, because the router learns nothing more from a second packet at one
    // instant.
    bench.advance(Duration::from_millis(1));
}

fn bits(bits: u32) -> DataHeader {
    DataHeader { locator_status_bits: Some(bits), ..DataHeader::default() }
}

fn nonce(nonce: u32, echo: bool) -> DataHeader {
    DataHeader { nonce: NonceField::Nonce { nonce, echo }, ..DataHeader::default() }
}

fn plain() -> DataHeader {
    DataHeader::default()
}

#[test]
fn status_bits_are_those_of_the_mapping_of_the_inner_source() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    learn(&mut bench, &[RLOC_1], false);
    assert_eq!(out(&mut bench).1, plain(), "not configured");
    bench.configure(&configured("lsb-reports"));
    assert_eq!(out(&mut bench).1, bits(0b1));
    // The locator of the other xTR has a higher address, so it comes after the locator of xTR2.
    let more = format!(
        "{}router lisp\n locator-set set1\n  {RLOC_2B} priority 1 weight 100\n",
        configured("lsb-reports")
    );
    bench.configure(&more);
    assert_eq!(out(&mut bench).1, plain(), "the peer has the old list");
    bench.advance(Duration::from_secs(299));
    assert_eq!(out(&mut bench).1, plain());
    bench.advance(Duration::from_secs(1));
    assert_eq!(out(&mut bench).1, bits(0b11), "after the use-LSB timer");
    bench.link("et0-0", false);
    assert_eq!(out(&mut bench).1, bits(0b10), "our own locator is down");
}

/// A locator of another xTR of the site is reachable while a route leads to it, if the default route
/// does not count (RFC 9300, section 10: the IGP of the site shows which ITRs are up).
#[test]
fn the_status_bit_of_another_xtr_follows_the_route_to_it() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    learn(&mut bench, &[RLOC_1], false);
    let set = format!("locator-set set1\n  {RLOC_2C} priority 1 weight 100\n  exit\n");
    let both = format!("{}router lisp\n {set}", configured("lsb-reports"));
    bench.configure(&both);
    bench.advance(Duration::from_secs(300));
    assert_eq!(out(&mut bench).1, bits(0b11), "it is always up, unless the default is excluded");
    bench.configure(&format!("{both} ipv4 locator reachability exclude-default\n"));
    assert_eq!(out(&mut bench).1, bits(0b01), "only the default route leads to it");
    let to = format!("{RLOC_2C}/32");
    bench.route(&to, "et1-0");
    assert_eq!(out(&mut bench).1, bits(0b11));
    bench.link("et1-0", false);
    assert_eq!(out(&mut bench).1, bits(0b00), "the site has lost its route too");
    bench.link("et1-0", true);
    assert_eq!(out(&mut bench).1, bits(0b11));
    bench.no_route(&to, "et1-0");
    assert_eq!(out(&mut bench).1, bits(0b01));
}

#[test]
fn a_locator_whose_status_bit_falls_is_left_until_it_rises() {
    let mut bench = xtr2("lsb-reports", &[RLOC_1, RLOC_1B]);
    let taken = |bench: &mut Bench| out(bench).0;
    let first = taken(&mut bench);
    let (down, other) = match first == RLOC_1 {
        true => (0b10, RLOC_1B),
        false => (0b01, RLOC_1),
    };
    bench.advance(SECOND);
    come(&mut bench, other, bits(down));
    assert_eq!(taken(&mut bench), other);
    come(&mut bench, other, bits(0b11));
    assert_eq!(taken(&mut bench), other, "states change once in a second at most");
    bench.advance(SECOND);
    come(&mut bench, other, plain());
    assert_eq!(taken(&mut bench), other, "no bits, no news");
    come(&mut bench, other, bits(0b11));
    assert_eq!(taken(&mut bench), first);
    assert_eq!(bench.router.counters().status_bit_changes, 2);
}

#[test]
fn status_bits_are_believed_from_a_locator_of_the_mapping_and_where_configured() {
    let mut bench = xtr2("lsb-reports", &[RLOC_1]);
    bench.advance(SECOND);
    come(&mut bench, RLOC_1B, bits(0));
    assert_eq!(out(&mut bench).0, RLOC_1);
    let mut wary = Bench::new(XTR2);
    wary.outputs();
    learn(&mut wary, &[RLOC_1], false);
    wary.advance(SECOND);
    come(&mut wary, RLOC_1, bits(0));
    assert_eq!(out(&mut wary).0, RLOC_1);
    assert_eq!(wary.router.counters().status_bit_changes, 0);
}

#[test]
fn a_nonce_is_sent_until_it_comes_back_and_again_after_a_minute() {
    let mut bench = xtr2("echo-nonce", &[RLOC_1]);
    bench.advance(SECOND);
    let asked = nonce_out(&mut bench);
    let NonceField::Nonce { nonce: number, echo: true } = asked else { panic!("{asked:?}") };
    assert_eq!(nonce_out(&mut bench), asked, "every packet has it");
    come(&mut bench, RLOC_1, nonce(number ^ 1, false));
    assert_eq!(nonce_out(&mut bench), asked, "another nonce is none");
    come(&mut bench, RLOC_1, nonce(number, false));
    assert_eq!(nonce_out(&mut bench), NonceField::None);
    let counters = bench.router.counters();
    assert_eq!((counters.nonces.sent, counters.nonces_echoed), (1, 1));
    bench.advance(Duration::from_secs(59));
    assert_eq!(nonce_out(&mut bench), NonceField::None);
    bench.advance(SECOND);
    let again = nonce_out(&mut bench);
    assert!(matches!(again, NonceField::Nonce { echo: true, .. }) && again != asked, "{again:?}");
}

#[test]
fn a_locator_that_sends_and_does_not_echo_is_left_for_another() {
    let mut bench = xtr2("echo-nonce", &[RLOC_1, RLOC_1B]);
    bench.advance(SECOND);
    let (first, _) = out(&mut bench);
    bench.advance(Duration::from_secs(100));
    assert_eq!(out(&mut bench).0, first, "silence says nothing");
    come(&mut bench, &first, plain());
    assert_ne!(out(&mut bench).0, first);
    assert_eq!(bench.router.counters().unreachable_rlocs, 1);
    bench.advance(Duration::from_secs(15));
    let (then, header) = out(&mut bench);
    assert_eq!(then, first, "tried again");
    assert!(matches!(header.nonce, NonceField::Nonce { echo: true, .. }));
    come(&mut bench, &first, plain());
    assert_eq!(out(&mut bench).0, first, "a packet that was on its way when we asked is no proof");
}

#[test]
fn who_asks_gets_its_nonce_back_until_it_asks_no_more() {
    let mut bench = xtr2("echo-nonce", &[RLOC_1]);
    learn_again(&mut bench, false);
    assert_eq!(nonce_out(&mut bench), NonceField::None, "a site that does not echo is not asked");
    for number in [0xab_cdef, 5] {
        come(&mut bench, RLOC_1, nonce(number, true));
        let echo = NonceField::Nonce { nonce: number, echo: false };
        assert_eq!([nonce_out(&mut bench), nonce_out(&mut bench)], [echo, echo]);
    }
    come(&mut bench, RLOC_1, plain());
    assert_eq!(nonce_out(&mut bench), NonceField::None);
    assert_eq!(bench.router.counters().nonces.received, 2);
}

/// The mapping expires, and the router learns it again.
fn learn_again(bench: &mut Bench, echo_nonce: bool) {
    bench.advance(Duration::from_secs(1440 * 60));
    learn(bench, &[RLOC_1], echo_nonce);
}

#[test]
fn when_both_ask_each_answers_first_and_both_are_answered() {
    let mut bench = xtr2("echo-nonce", &[RLOC_1]);
    bench.advance(SECOND);
    let NonceField::Nonce { nonce: ours, echo: true } = nonce_out(&mut bench) else { panic!() };
    come(&mut bench, RLOC_1, nonce(7, true));
    assert_eq!(nonce_out(&mut bench), NonceField::Nonce { nonce: 7, echo: false });
    // The router had suspended its own nonce request, but the answer to it still counts.
    come(&mut bench, RLOC_1, nonce(ours, false));
    assert_eq!(nonce_out(&mut bench), NonceField::None);
    assert_eq!(bench.router.counters().nonces_echoed, 1);
    // A peer that requests nonces all the time does not stop the requests of the router. The
    // packets of the peer arrive, but those of the router may not arrive.
    bench.advance(Duration::from_secs(60));
    let NonceField::Nonce { nonce: ours, echo: true } = nonce_out(&mut bench) else { panic!() };
    come(&mut bench, RLOC_1, nonce(8, true));
    assert_eq!(nonce_out(&mut bench), NonceField::Nonce { nonce: 8, echo: false });
    bench.advance(Duration::from_secs(3));
    assert_eq!(nonce_out(&mut bench), NonceField::Nonce { nonce: ours, echo: true });
}

#[test]
fn a_flood_of_nonces_changes_what_is_sent_64_times_a_second_at_most() {
    let mut bench = xtr2("echo-nonce", &[RLOC_1]);
    bench.advance(Duration::from_secs(1));
    for number in 0..1000u32 {
        come(&mut bench, RLOC_1, nonce(number, true));
    }
    let answers = bench.router.counters().nonces.received;
    assert!((64..=128).contains(&answers), "{answers} in a second and a bit");
}

#[test]
fn a_map_reply_says_whether_the_site_echoes() {
    for (config, echoes) in [(XTR2.to_owned(), false), (configured("echo-nonce"), true)] {
        let mut bench = Bench::new(&config);
        bench.outputs();
        let request = MapRequest {
            nonce: Nonce(9),
            itr_rlocs: vec![Rloc(RLOC_1.parse().unwrap())],
            records: vec![prefix("192.168.0.22/32").into()],
            ..MapRequest::default()
        };
        bench.control(RLOC_1, RLOC_2, &request.emit());
        let replies: Vec<bool> = bench
            .messages()
            .into_iter()
            .filter_map(|(_, message)| match message {
                Message::MapReply(reply) => Some(reply.echo_nonce),
                _ => None,
            })
            .collect();
        assert_eq!(replies, [echoes]);
    }
}
