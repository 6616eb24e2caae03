//! The records of a Map-Reply that the router puts into the map-cache. They may not cover more EIDs
//! than the Map-Request asked for (RFC 9301 sections 8.1 and 9).

use std::time::Duration;

use eidway::addr::Family;
use eidway::router::counters::ControlDrop;
use eidway::router::io::{Command, Input, Outbound};
use eidway::router::map_cache::{Mapping, Source};
use eidway::wire::Nonce;

use crate::bench::*;

/// The locator of the attacker.
const X: &str = "100.64.9.2";
const A: &str = "172.16.0.200";
const B: &str = "192.168.0.22";
const DAY: u32 = 1440;
const QUARTER: u64 = 15 * 60;

fn asking(config: &str, source: &str, destination: &str) -> (Bench, Nonce) {
    let mut bench = Bench::new(config);
    bench.outputs();
    let held = bench.encapsulate(&mut packet(source, destination, 63, b"ping"));
    assert_eq!(held, Outbound::Held);
    let (_, request) = only_request(&bench.messages());
    bench.log();
    (bench, request.nonce)
}

/// The learned entries, each with the seconds until it expires.
fn learned(bench: &Bench) -> Vec<(String, u64)> {
    let entries = bench.router.map_cache().entries().iter();
    entries
        .filter_map(|(prefix, entry)| {
            let ttl = bench.now.until(entry.expires_at?);
            Some((prefix.to_string(), ttl.as_secs()))
        })
        .collect()
}

fn overclaims(bench: &Bench) -> u64 {
    bench.router.counters().control_drops.get(&ControlDrop::Overclaim).copied().unwrap_or(0)
}

/// Gives the router a Map-Reply with one record. Returns the learned mappings, the number of
/// refusals, and the lines of the log.
fn answered(
    config: &str,
    asked: &str,
    (eids, ttl, rlocs): (&str, u32, &[&str]),
) -> (Vec<(String, u64)>, u64, Vec<String>) {
    let source = if asked.contains(':') { "2001:db8:b::22" } else { B };
    let (mut bench, nonce) = asking(config, source, asked);
    bench.control(X, RLOC_2, &reply(nonce, vec![record(eids, ttl, rlocs)]));
    (learned(&bench), overclaims(&bench), bench.log())
}

#[test]
fn a_mapping_for_all_eids_is_refused_and_the_next_resolver_is_asked() {
    let (mut bench, nonce) = asking(XTR2, B, A);
    bench.control(X, RLOC_2, &reply(nonce, vec![record("0.0.0.0/0", DAY, &[X])]));
    assert_eq!((learned(&bench), overclaims(&bench)), (vec![], 1));
    assert!(bench.released().is_empty(), "the packet waits on");
    let log = bench.log();
    let said = "refused Map-Reply for 0.0.0.0/0 from 100.64.9.2: the reply has one mapping that \
                covers all EIDs, but this router requested only 172.16.0.200; check the sender for \
                an attack or a wrong `database-mapping`; if a mapping for all EIDs is right, \
                configure `ipv4 itr accept-default`";
    assert_eq!(log, [said]);
    let (_, default) = bench.router.map_cache().lookup(eid("8.8.8.8")).unwrap();
    assert_eq!(default.source, Source::Static, "the static entry asks for all others as before");
    let later = bench.advance(Duration::from_secs(4));
    let next = later.iter().flat_map(|(_, said)| requests(&messages(said)));
    let (_, request) = next.last().unwrap();
    bench.control(
        RLOC_1,
        RLOC_2,
        &reply(request.nonce, vec![record("172.16.0.0/24", DAY, &[RLOC_1])]),
    );
    assert_eq!(bench.released().len(), 1);
    let of_ipv6 = answered(XTR2, "2001:db8:a::12", ("::/0", DAY, &[X]));
    assert_eq!((of_ipv6.0, of_ipv6.1), (vec![], 1));
    assert!(of_ipv6.2[0].contains("`ipv6 itr accept-default`"));
}

#[test]
fn accept_default_takes_a_mapping_for_all_eids_for_a_quarter_of_an_hour() {
    let config = format!("{XTR2}\nrouter lisp\n ipv4 itr accept-default\n");
    let (learned, refused, _) = answered(&config, A, ("0.0.0.0/0", DAY, &[X]));
    assert_eq!((learned, refused), (vec![("0.0.0.0/0".to_owned(), QUARTER)], 0));
}

#[test]
fn a_wide_mapping_is_cut_around_the_eid_that_was_asked_for() {
    for (asked, eids, expected) in [
        (A, "128.0.0.0/1", "172.0.0.0/8"),
        (A, "172.0.0.0/7", "172.0.0.0/8"),
        ("2001:db8:a::12", "2000::/3", "2001::/16"),
    ] {
        let (learned, refused, log) = answered(XTR2, asked, (eids, DAY, &[X]));
        assert_eq!((learned, refused), (vec![(expected.to_owned(), QUARTER)], 1), "{eids}");
        assert!(
            log[0].contains(&format!("refused part of a Map-Reply record for {eids} from {X}")),
            "{log:?}"
        );
        assert!(log[0].contains(&format!("only for {expected}, the widest")), "{log:?}");
    }
    for eids in ["172.0.0.0/8", "172.16.0.0/24", "172.16.0.200/32"] {
        let (learned, refused, log) = answered(XTR2, A, (eids, DAY, &[RLOC_1]));
        assert_eq!((learned, refused), (vec![(eids.to_owned(), 24 * 3600)], 0));
        assert!(log.is_empty());
    }
}

#[test]
fn widest_mapping_says_how_wide_a_mapping_may_be() {
    for (length, expected) in [(4, "160.0.0.0/4"), (0, "128.0.0.0/1"), (24, "172.16.0.0/24")] {
        let config = format!("{XTR2}\nrouter lisp\n ipv4 itr widest-mapping {length}\n");
        let (learned, ..) = answered(&config, A, ("128.0.0.0/1", DAY, &[X]));
        assert_eq!(learned, [(expected.to_owned(), QUARTER)]);
    }
}

#[test]
fn a_mapping_is_no_wider_than_the_static_entry_that_asks() {
    let (mut bench, nonce) = asking(PXTR1, "10.0.0.99", "172.16.0.12");
    bench.control(X, "192.0.2.51", &reply(nonce, vec![record("172.0.0.0/8", DAY, &[X])]));
    assert_eq!(learned(&bench), [("172.16.0.0/16".to_owned(), QUARTER)]);
    let log = bench.log();
    assert!(log[0].contains("only for 172.16.0.0/16, the prefix of the static entry"));
    assert!(log[0].ends_with("configure `map-cache PREFIX map-request`"));
}

#[test]
fn a_hole_is_cut_to_the_static_entry_and_never_refused() {
    for (eids, asked) in [("0.0.0.0/1", "10.0.0.9"), ("0.0.0.0/0", A), ("::/0", "2001:db8:a::12")] {
        let (learned, refused, log) = answered(XTR2, asked, (eids, DAY, &[]));
        assert_eq!((learned, refused), (vec![(eids.to_owned(), QUARTER)], 0));
        assert!(log.is_empty(), "{log:?}");
    }
    let (mut bench, nonce) = asking(PXTR1, "10.0.0.99", "172.16.0.12");
    bench.control(OLD, "192.0.2.51", &reply(nonce, vec![record("128.0.0.0/1", 30, &[])]));
    assert_eq!(learned(&bench), [("172.16.0.0/16".to_owned(), QUARTER)]);
    assert_eq!((overclaims(&bench), bench.router.counters().negative_records_cut), (0, 1));
    assert!(bench.log().is_empty(), "it happens where every router is well configured");
    let (narrow, ..) = answered(XTR2, A, ("172.16.0.0/12", DAY, &[]));
    assert_eq!(narrow, [("172.16.0.0/12".to_owned(), 24 * 3600)]);
}

#[test]
fn the_static_entry_is_there_again_when_a_learned_default_ends() {
    let hole = || {
        let (mut bench, nonce) = asking(XTR2, B, A);
        bench.control(OLD, RLOC_2, &reply(nonce, vec![record("0.0.0.0/0", DAY, &[])]));
        assert_eq!(bench.encapsulate(&mut packet(B, A, 63, b"ping")), Outbound::Native);
        bench.outputs();
        bench
    };
    let asks = |bench: &mut Bench| {
        let (default, entry) = bench.router.map_cache().lookup(eid(A)).unwrap();
        assert_eq!((default, entry.source), (prefix("0.0.0.0/0"), Source::Static));
        assert_eq!(entry.mapping, Mapping::SendMapRequest);
        assert_eq!(bench.encapsulate(&mut packet(B, A, 63, b"ping")), Outbound::Held);
    };
    let mut expired = hole();
    expired.advance(Duration::from_secs(QUARTER));
    asks(&mut expired);
    let mut cleared = hole();
    let clear = Command::ClearMapCache { family: Family::Ipv4, prefix: None };
    cleared.router.handle(Input::Command(clear), cleared.now);
    asks(&mut cleared);
    // A static entry is configured while the map-cache has a learned entry for its prefix. The
    // static entry is used after the learned entry expires.
    let mut configured = hole();
    configured.configure(&XTR2.replace(" ipv4 itr\n", ""));
    configured.configure(XTR2);
    configured.outputs();
    assert_eq!(learned(&configured), [("0.0.0.0/0".to_owned(), QUARTER)]);
    configured.advance(Duration::from_secs(QUARTER));
    asks(&mut configured);
}

#[test]
fn every_record_of_a_reply_is_held_to_what_was_asked() {
    let (mut bench, nonce) = asking(XTR2, B, A);
    let records = vec![
        record("0.0.0.0/0", DAY, &[X]),
        record("8.8.8.0/24", DAY, &[X]),
        record("128.0.0.0/1", DAY, &[X]),
        record("172.16.0.0/24", DAY, &[RLOC_1]),
        record("172.16.0.0/25", DAY, &[]),
        record("173.0.0.0/8", DAY, &[]),
    ];
    bench.control(X, RLOC_2, &reply(nonce, records));
    let day = 24 * 3600;
    let expected = [("172.0.0.0/8", QUARTER), ("172.16.0.0/24", day), ("172.16.0.0/25", day)];
    assert_eq!(learned(&bench), expected.map(|(eids, ttl)| (eids.to_owned(), ttl)));
    assert_eq!(overclaims(&bench), 4, "the default, the cut one, and two beside");
}

#[test]
fn a_hole_brings_no_mappings_for_eids_that_were_not_asked_for() {
    let (mut bench, nonce) = asking(XTR2, B, A);
    let records = vec![record("0.0.0.0/0", DAY, &[]), record("8.8.8.0/24", DAY, &[X])];
    bench.control(X, RLOC_2, &reply(nonce, records));
    assert_eq!(learned(&bench), [("0.0.0.0/0".to_owned(), QUARTER)]);
    assert_eq!(overclaims(&bench), 1);
}

#[test]
fn the_answer_to_the_request_of_an_smr_is_held_to_what_was_asked_too() {
    let mut bench = with_reserve(XTR2, B);
    let solicit = eidway::wire::MapRequest {
        smr: true,
        nonce: Nonce(7),
        source_eid: Some(eid("172.16.0.12")),
        itr_rlocs: vec![eidway::addr::Rloc(RLOC_1.parse().unwrap())],
        records: vec![prefix("192.168.0.22/32").into()],
        ..Default::default()
    };
    bench.control(RLOC_1, RLOC_2, &solicit.emit());
    let (_, request) = only_request(&bench.messages());
    assert!(request.smr_invoked);
    bench.control(X, RLOC_2, &reply(request.nonce, vec![record("0.0.0.0/0", DAY, &[X])]));
    assert_eq!(overclaims(&bench), 1);
    bench.control(X, RLOC_2, &reply(request.nonce, vec![record("128.0.0.0/2", DAY, &[X])]));
    let prefixes: Vec<String> = learned(&bench).into_iter().map(|(prefix, _)| prefix).collect();
    assert_eq!(prefixes, ["172.0.0.0/8"], "in the place of 172.16.0.0/24, which held the EID");
}
