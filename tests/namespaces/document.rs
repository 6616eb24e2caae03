//! The results of the document "LISP Generalized SMR", in its own network.

use std::time::Duration;

use regex::Regex;

use crate::capture::Capture;
use crate::live::*;

const SHUTDOWN: [&str; 4] = ["configure terminal", "interface Ethernet1/0", "shutdown", "end"];
const NO_SHUTDOWN: [&str; 4] =
    ["configure terminal", "interface Ethernet1/0", "no shutdown", "end"];

#[test]
fn the_pings_of_the_document_lose_nothing_not_even_the_first() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "doc");
    live.expect_pings(&[("B", "A"), ("A", "B"), ("N", "A"), ("A", "N"), ("B", "C"), ("N", "C")]);
    assert_eq!(live.ping("B", "10.10.10.10", &[]), "!!!!!");
    expect_success(&live.lab("status", &[]));
}

#[test]
fn every_host_of_the_lab_reaches_every_other() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "all");
    let output = live.lab("pingall", &["-c", "2"]);
    assert!(output.status.success(), "{}{}", text(&output), errors(&output));
}

#[test]
fn a_shut_interface_leaves_no_route_within_a_second_and_comes_back() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "shut");
    live.expect_pings(&[("B", "A")]);
    live.console("xTR1", &SHUTDOWN);
    for family in ["ip", "ipv6"] {
        let command = format!("show {family} lisp database");
        until(Duration::from_secs(1), "no route to the EID prefix", || {
            let text = live.console("xTR1", &[&command]);
            text.contains("no-route 1") && text.contains("*** NO ROUTE TO EID PREFIX ***")
        });
    }
    assert_eq!(live.ping("B", "A", &["-c", "2"]), "..", "and no ICMP error");

    live.console("xTR1", &NO_SHUTDOWN);
    for family in ["ip", "ipv6"] {
        let command = format!("show {family} lisp database");
        until(Duration::from_secs(1), "the route is back", || {
            !live.console("xTR1", &[&command]).contains("NO ROUTE")
        });
    }
    // xTR2 forgets a negative entry after a minute, if no SMR comes earlier.
    until(Duration::from_secs(65), "pings are back", || live.ping("B", "A", &["-c", "1"]) == "!");
    live.expect_pings(&[("A", "B")]);
}

#[test]
fn a_sender_is_told_by_an_smr_that_an_eid_has_no_route() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "smr");
    live.expect_pings(&[("B", "A")]);
    live.console("xTR1", &SHUTDOWN);
    assert_eq!(live.ping("B", "A", &[]), ".....", "and no ICMP error");
    let away = live.console("xTR1", &["show ip lisp away"]);
    assert!(away.contains("172.16.0.0/24") && away.contains("local EID"), "{away}");
    let cache = live.console("xTR2", &["show ip lisp map-cache"]);
    assert!(cache.contains("172.16.0.0/24") && cache.contains("forward-native"), "{cache}");
}

#[test]
fn the_map_cache_is_printed_as_in_the_document() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "show");
    live.expect_pings(&[("B", "A")]);
    live.console("xTR2", &["clear ip lisp map-cache"]);
    assert_eq!(live.ping("B", "A", &[]), "!!!!!");
    assert_eq!(live.ping("B", "10.20.20.20", &[]), "!!!!!");
    let expected = "\
LISP IPv4 Mapping Cache for EID-table default (IID 0), 3 entries

0.0.0.0/0, uptime: TIME, expires: never, via static send map-request
  Negative cache entry, action: send-map-request
10.20.20.0/24, uptime: TIME, expires: TIME, via map-reply, complete
  Locator       Uptime    State      Pri/Wgt
  203.0.113.11  TIME  up           1/100
172.16.0.0/24, uptime: TIME, expires: TIME, via map-reply, complete
  Locator       Uptime    State      Pri/Wgt
  203.0.113.11  TIME  up           1/100
";
    assert_eq!(timeless(&live.console("xTR2", &["show ip lisp map-cache"])), expected);
    assert_eq!(timeless(&live.console("xTR2", &["sh ip li map"])), expected);
}

#[test]
fn the_database_is_printed_as_in_the_document() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "data");
    let expected = "\
LISP ETR IPv4 Mapping Database for EID-table default (IID 0), LSBs: 0x1
Entries total 3, no-route 0, inactive 0

10.10.10.0/24, locator-set set1
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
10.20.20.0/24, locator-set set1
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
172.16.0.0/24, locator-set set1
  Locator       Pri/Wgt  Source     State
  203.0.113.11    1/100  cfg-addr   site-self, reachable
";
    assert_eq!(live.console("xTR1", &["show ip lisp database"]), expected);

    live.console("xTR1", &SHUTDOWN);
    let expected = expected
        .replace("no-route 0", "no-route 1")
        .replace("172.16.0.0/24, locator-set set1", NO_ROUTE_LINE);
    until(Duration::from_secs(1), "the block of the document", || {
        live.console("xTR1", &["show ip lisp data"]) == expected
    });
}

const NO_ROUTE_LINE: &str = "172.16.0.0/24, locator-set set1 *** NO ROUTE TO EID PREFIX ***";

/// Replaces every uptime in a text, because uptimes differ from run to run.
fn timeless(text: &str) -> String {
    Regex::new(r"\d\d:\d\d:\d\d").unwrap().replace_all(text, "TIME").into_owned()
}

#[test]
fn with_use_petr_the_sites_reach_the_outside_through_the_proxy() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "petr");
    let petr = ["ipv4 use-petr 192.0.2.51", "ipv6 use-petr 192.0.2.51"];
    for router in ["xTR1", "xTR2"] {
        let head = ["configure terminal", "router lisp"];
        live.console(router, &[&head[..], &petr[..], &["end"]].concat());
    }
    let capture = Capture::start(&live, "PxTR1", &["et0-0"], "udp port 4341");
    live.expect_pings(&[("B", "N"), ("A", "N"), ("N", "A")]);
    let seen = capture.end();
    // The outer and the inner header of each packet, in one column.
    for way in [
        "198.51.100.21,192.168.0.22\t192.0.2.51,10.0.0.99\t",
        "203.0.113.11,172.16.0.12\t192.0.2.51,10.0.0.99\t",
        "198.51.100.21\t192.0.2.51\t2001:db8:b::22",
    ] {
        let lines = seen.fields("udp.dstport == 4341", &["ip.src", "ip.dst", "ipv6.src"]);
        assert!(lines.iter().any(|line| line.starts_with(way)), "{way}: {lines:#?}");
    }
    let cache = live.console("xTR2", &["show ip lisp map-cache"]);
    assert!(cache.contains("Encapsulating to proxy ETR"), "{cache}");
}
