//! Links that go down and up under traffic.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::capture::{Capture, Captured};
use crate::live::*;

/// A filter for encapsulated packets, and for packets to an EID without encapsulation, which must
/// never be in the core.
const OF_SITES: &str = "udp port 4341 or dst net 172.16.0.0/24 or dst net 192.168.0.0/24 or dst net 10.10.10.0/24 \
     or dst net 10.20.20.0/24 or dst net 2001:db8:a::/64 or dst net 2001:db8:b::/64";

#[test]
fn a_link_that_was_down_works_again_with_its_routes() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "link");
    live.expect_pings(&[("B", "A")]);
    expect_success(&live.lab("link", &["Core1:eth1", "down"]));
    assert_eq!(live.ping("B", "A", &["-c", "1"]), ".");
    expect_success(&live.lab("link", &["Core1:eth1", "up"]));
    until(LONG, "pings are back", || live.ping("B", "A", &["-c", "1"]) == "!");
    live.expect_pings(&[("B", "A")]);
}

#[test]
fn under_a_flapping_core_link_nothing_circles_and_nothing_leaks() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "core");
    let captures = [("Core1", "eth0"), ("Core2", "eth0")]
        .map(|(node, device)| Capture::start(&live, node, &[device], OF_SITES));
    live.expect_pings(&[("B", "A")]);
    flap_under_traffic(&live, "Core1:eth1");
    for capture in captures {
        expect_no_leak(&capture.end());
    }
    until(LONG, "pings are back", || live.ping("B", "A", &["-c", "1"]) == "!");
}

#[test]
fn under_a_flapping_site_link_nothing_circles_and_nothing_leaks() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "site");
    // The capture is only on the link of xTR1. On the link of xTR2, packets without encapsulation
    // are right: xTR2 learns that the EID has gone, and forwards them natively.
    let capture = Capture::start(&live, "Core1", &["eth0"], OF_SITES);
    live.expect_pings(&[("B", "A")]);
    flap_under_traffic(&live, "xTR1:Ethernet1/0");
    expect_no_leak(&capture.end());
    until(Duration::from_secs(65), "pings are back", || live.ping("B", "A", &["-c", "1"]) == "!");
}

/// Checks that there was traffic, and that all of it was encapsulated.
fn expect_no_leak(seen: &Captured) {
    let encapsulated = seen.fields("udp.dstport == 4341", &["frame.number"]);
    assert!(encapsulated.len() >= 20, "only {} packets in LISP", encapsulated.len());
    let leaked =
        seen.fields("!(udp.dstport == 4341)", &["frame.time_relative", "ip.src", "ip.dst"]);
    assert!(leaked.is_empty(), "{leaked:#?}");
}

/// Sets a port down and up while B sends 100 echo requests a second to A. Checks the number of
/// packets that pass through the routers' `lisp0`.
fn flap_under_traffic(live: &Live, port: &str) {
    let before = ["xTR1", "xTR2"].map(|router| lisp0_packets(live, router));
    let namespace = live.namespace("B");
    let ping = ["ping", "-n", "-q", "-i", "0.01", "-w", "6", "172.16.0.12"];
    let mut ping = Command::new("ip")
        .args(["netns", "exec", &namespace])
        .args(ping)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut up = true;
    while ping.try_wait().unwrap().is_none() {
        up = !up;
        expect_success(&live.lab("link", &[port, if up { "up" } else { "down" }]));
        std::thread::sleep(Duration::from_millis(300));
    }
    expect_success(&live.lab("link", &[port, "up"]));
    let after = ["xTR1", "xTR2"].map(|router| lisp0_packets(live, router));
    for (before, after) in before.iter().zip(after) {
        // There are 600 echo requests and 600 replies. A packet in a loop would quickly make
        // thousands.
        let passed = after - before;
        assert!(passed < 3000, "{passed} packets through lisp0");
    }
}

/// Returns the number of packets in and out of a router's `lisp0`.
fn lisp0_packets(live: &Live, router: &str) -> u64 {
    let script = "cd /sys/class/net/lisp0/statistics && cat rx_packets tx_packets";
    live.shell(router, script).lines().map(|line| line.parse::<u64>().unwrap()).sum()
}
