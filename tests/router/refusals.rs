//! The log lines about refused control messages, for the operator. The tests check the whole text
//! of each line and the number of lines.

use std::time::Duration;

use eidway::addr::Rloc;
use eidway::router::counters::ControlDrop;
use eidway::router::debug;
use eidway::router::debugging::Debugging;
use eidway::router::io::{Command, Input};
use eidway::wire::{
    Algorithm, Key, MapRegister, MapReply, MapRequest, Message, Nonce, XtrIdentity,
};

use crate::bench::*;

const MINUTE: Duration = Duration::from_secs(60);

fn register(nonce: u64, secret: &str) -> Vec<u8> {
    let key = Key { algorithm: Algorithm::HmacSha1, secret: secret.as_bytes().to_vec(), key_id: 0 };
    let register = MapRegister {
        want_map_notify: true,
        nonce: Nonce(nonce),
        records: vec![record("172.16.0.0/24", 1440, &[RLOC_1])],
        xtr_identity: Some(XtrIdentity { xtr_id: 1, site_id: 0 }),
        ..MapRegister::default()
    };
    register.emit_signed(&key)
}

fn map_server() -> Bench {
    Bench::new(MSMR)
}

/// The source address with the number `last`.
fn sender(last: u32) -> String {
    format!("203.0.{}.{}", last / 200 + 1, last % 200 + 1)
}

#[test]
fn a_wrong_key_is_told_with_site_source_and_remedy() {
    let mut bench = map_server();
    bench.control(RLOC_1, NEW, &register(10, "cisko"));
    let line = "refused Map-Register for 172.16.0.0/24 of site SITE_1 from 203.0.113.11: the \
                message is signed with another key; compare `authentication-key` of the site on \
                this router with the key in `etr map-server` on the sender";
    assert_eq!(bench.log(), [line]);
}

#[test]
fn a_replay_is_told_with_both_nonces() {
    let mut bench = map_server();
    bench.control(RLOC_1, NEW, &register(10, "cisco"));
    bench.control("192.0.2.66", NEW, &register(9, "cisco"));
    let line = "refused Map-Register for 172.16.0.0/24 of site SITE_1 from 192.0.2.66: its nonce \
                0x00000000-0x00000009 is not greater than 0x00000000-0x0000000A, the last nonce of \
                xTR-ID 0x00000000-0x00000000-0x00000000-0x00000001: the message is old, or the \
                clock of its sender was set back; if you know the sender, correct its clock (its \
                nonces come from the clock), or turn this check off with `nonce-order none` in \
                site SITE_1; if you do not know the sender, the message may be an attack";
    assert_eq!(bench.log(), [line]);
}

#[test]
fn an_unknown_address_family_is_told_with_its_place() {
    let mut bench = map_server();
    let mut octets = register(10, "cisco");
    // The AFI and address of the locator are 6 octets. The xTR-ID and the Site-ID, 24 octets,
    // follow them.
    let at = octets.len() - 24 - 6;
    octets[at..at + 2].copy_from_slice(&[0, 99]);
    bench.control(RLOC_1, NEW, &octets);
    let line = "refused Map-Register from 203.0.113.11: this router cannot read the message: \
                Record 1 has an address of the unknown address family (AFI) 99; configure only \
                IPv4 and IPv6 addresses on the sender";
    assert_eq!(bench.log(), [line]);
}

#[test]
fn a_wrong_checksum_is_told_with_the_right_one() {
    let mut bench = map_server();
    let mut octets = encapsulated_request("172.16.0.12/32", 1, |_| {});
    // The octet is in the inner UDP checksum, after the ECM header, the inner IPv4 header, and the
    // ports and length of the inner UDP header.
    octets[4 + 20 + 6] ^= 0x55;
    bench.control(RLOC_2, NEW, &octets);
    let line = "refused Encapsulated Control Message from 198.51.100.21: this router cannot read \
                the message: inner UDP header has the checksum 0x8b2f, but the right checksum is \
                0xde2f; capture these messages at the sender and at this router: if the captures \
                differ, the path damages the messages; if the captures are equal, the sender \
                computes the checksum wrongly";
    assert_eq!(bench.log(), [line]);
}

#[test]
fn a_reply_that_does_not_cover_its_request_is_told_with_both() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    let mut ping = packet("192.168.0.22", "172.16.0.12", 64, b"ping");
    let _ = bench.encapsulate(&mut ping);
    let (_, request) = only_request(&bench.messages());
    let elsewhere = reply(request.nonce, vec![record("10.0.0.0/8", 1440, &[RLOC_1])]);
    bench.control(RLOC_1, RLOC_2, &elsewhere);
    let line = "refused Map-Reply for 10.0.0.0/8 from 203.0.113.11: this router requested the \
                mapping of 172.16.0.12, but the reply contains only other EIDs; compare the EID \
                prefixes in the database of the replying ETR with the prefixes in `show lisp site` \
                on the map-server";
    assert_eq!(bench.log(), [line]);
}

#[test]
fn a_request_without_a_usable_itr_rloc_is_told_and_counted() {
    let mut bench = map_server();
    bench.outputs();
    let multicast = |request: &mut MapRequest| {
        request.itr_rlocs = vec![Rloc("224.0.0.1".parse().unwrap())];
    };
    bench.control(RLOC_2, NEW, &encapsulated_request("172.16.0.12/32", 1, multicast));
    let line = "refused Map-Request for 172.16.0.12/32 from 198.51.100.21: this router can send a \
                reply to none of the ITR-RLOCs of the request: 224.0.0.1; configure locators of \
                the same address family on this router and on the ITR";
    assert_eq!(bench.log(), [line]);
    let drops = &bench.router.counters().control_drops;
    assert_eq!(drops.get(&ControlDrop::NoReplyPath), Some(&1));
}

#[test]
fn a_reply_to_an_smr_is_no_forgery() {
    let mut bench = Bench::new(XTR2);
    let reply = MapReply {
        probe: true,
        nonce: Nonce(7),
        records: vec![record("172.16.0.0/24", 1440, &[RLOC_1])],
        ..MapReply::default()
    };
    bench.control(RLOC_1, RLOC_2, &Message::MapReply(reply).emit());
    let line = "refused Map-Reply for 172.16.0.0/24 from 203.0.113.11: the message answers an \
                RLOC-probe, but this router sends no RLOC-probe that asks for a reply; if this \
                message follows an SMR of this router, ignore the message: its sender does not \
                know the D bit";
    assert_eq!(bench.log(), [line]);
}

#[test]
fn a_source_and_reason_have_one_line_a_minute_and_the_rest_one_line_when_it_ends() {
    let mut bench = map_server();
    for _ in 0..10 {
        bench.control(RLOC_1, NEW, &register(10, "cisko"));
    }
    bench.control(RLOC_1, NEW, &[0x40]);
    assert_eq!(bench.log().len(), 2, "one for each reason");
    bench.advance(MINUTE);
    let rest = "refused 9 more messages in one minute: 9 for authentication failures; see `show \
                lisp refusals`";
    assert_eq!(bench.log(), [rest]);
    bench.control(RLOC_1, NEW, &register(10, "cisko"));
    assert_eq!(bench.log().len(), 1, "a new minute");
    bench.advance(MINUTE);
    assert!(bench.log().is_empty(), "there is no rest");
    let next = bench.router.poll_timeout();
    assert!(next.is_none_or(|next| next.why != "summary of refused messages"));
}

#[test]
fn a_sender_that_changes_its_address_has_16_lines_a_minute_and_no_more_memory() {
    let mut bench = map_server();
    for last in 0..1000 {
        bench.control(&sender(last), NEW, &register(10, "cisko"));
    }
    assert_eq!(bench.log().len(), 16);
    assert_eq!(bench.router.refusals().recent().count(), 64);
    assert_eq!(bench.router.refusals().forgotten(), 936);
    bench.advance(MINUTE);
    assert_eq!(bench.log().len(), 1);
    let counters = bench.router.counters();
    assert_eq!(counters.control_drops[&ControlDrop::Authentication], 1000);
    for minute in 1..10 {
        for last in 0..1000 {
            bench.control(&sender(1000 * minute + last), NEW, &register(10, "cisko"));
        }
        bench.advance(MINUTE);
    }
    assert_eq!(bench.router.refusals().recent().count(), 256);
}

#[test]
fn a_flood_for_one_reason_hides_no_message_that_is_refused_for_another() {
    let mut bench = map_server();
    bench.control(RLOC_1, NEW, &[0x40]);
    for minute in 0..10 {
        for last in 0..1000 {
            bench.control(&sender(1000 * minute + last), NEW, &register(10, "cisko"));
        }
        bench.advance(MINUTE);
    }
    let sources = bench.router.refusals().recent().map(|((source, _), _)| source.to_string());
    let sources: Vec<String> = sources.collect();
    assert!(sources.iter().any(|source| source == RLOC_1), "its row is there");
    bench.log();
    bench.control(RLOC_2, NEW, &[0x40]);
    let log = bench.log();
    assert!(log.len() == 1 && log[0].contains(RLOC_2), "and the next one has its line: {log:?}");
}

#[test]
fn debugging_has_a_line_for_each() {
    let mut bench = map_server();
    bench.router.handle(
        Input::Command(Command::Debug { types: Debugging::CONTROL_PLANE, on: true }),
        bench.now,
    );
    bench.events();
    for _ in 0..3 {
        bench.control(RLOC_1, NEW, &register(10, "cisko"));
    }
    let lines: Vec<String> = bench.events().iter().flat_map(debug::lines).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("refused")).count(), 3);
    assert_eq!(bench.log().len(), 1);
}
