//! Bad input from the core to a running router. The router continues to work, and counts all of the
//! input.

use std::net::{SocketAddr, UdpSocket};

use eidway::rng::{Rng, Seed};
use serde_json::Value;

use crate::live::*;

const GOLDEN: &str = include_str!("../golden/lisp-golden.hex");
/// Datagrams of each kind.
const FLOOD: u64 = 100_000;
/// The number of datagrams between two checks of the counters. The sockets have room for more
/// datagrams.
const VOLLEY: u64 = 1000;

#[test]
fn mutated_control_messages_do_not_end_a_router_and_are_counted() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "ctl");
    for (router, address) in [("xTR1", "203.0.113.11:4342"), ("MSMR", "209.165.201.31:4342")] {
        let before = Counts::of(&live, router);
        flood(
            &live,
            address,
            &golden(),
            |_| (),
            |sent| {
                until(LONG, "every message is counted", || {
                    let seen = Counts::of(&live, router);
                    seen.control - before.control >= sent && seen.read - before.read >= sent
                });
            },
        );
        assert_eq!(Counts::of(&live, router).overflows, before.overflows);
        expect_success(&live.lab("status", &[]));
    }
    expect_recovery(&live);
}

#[test]
fn mutated_data_packets_do_not_end_a_router_and_are_counted() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "dat");
    live.expect_pings(&[("A", "B")]);
    let before = Counts::of(&live, "xTR1");
    let packets = [data_packet(ECHO_V4), data_packet(ECHO_V6)];
    flood(&live, "203.0.113.11:4341", &packets, keep_host, |sent| {
        until(LONG, "every packet is counted", || {
            Counts::of(&live, "xTR1").data - before.data >= sent
        });
    });
    let after = Counts::of(&live, "xTR1");
    assert_eq!(after.data - before.data, FLOOD, "each once");
    assert_eq!(after.overflows, before.overflows);
    expect_recovery(&live);
}

/// Waits until the router serves its site again. A flood uses up limited resources, such as replies
/// and entries for neighbours in the kernels. So the site may have no service for a moment.
fn expect_recovery(live: &Live) {
    for family in [&["-c", "1"][..], &["-c", "1", "--ipv6"]] {
        until(LONG, "pings are back", || live.ping("A", "B", family) == "!");
    }
    live.expect_pings(&[("A", "B"), ("B", "A")]);
}

/// Restores the host part of the destination of an IPv6 packet. All namespaces of Linux share one
/// neighbour table. A search for thousands of missing hosts would fill it and disturb the labs of
/// other tests.
fn keep_host(datagram: &mut [u8]) {
    const HOST: std::ops::Range<usize> = 8 + 32..8 + 40;
    let original = data_packet(ECHO_V6);
    if let Some(host) = datagram.get_mut(HOST) {
        host.copy_from_slice(&original[HOST]);
    }
}

/// Sends mutations of `originals` from the core. `mend` corrects each mutation. After each volley,
/// `check` gets the number of sent datagrams and waits, so that no socket overflows.
fn flood(live: &Live, to: &str, originals: &[Vec<u8>], mend: fn(&mut [u8]), check: impl Fn(u64)) {
    let to: SocketAddr = to.parse().unwrap();
    let socket = live.inside("Core", || UdpSocket::bind("0.0.0.0:0").unwrap());
    let mut rng = Rng::new(&Seed::from_number(100), "flood");
    for sent in 1..=FLOOD {
        let original = &originals[rng.below(originals.len() as u64) as usize];
        let mut datagram = mutated(original, &mut rng);
        mend(&mut datagram);
        socket.send_to(&datagram, to).unwrap();
        if sent % VOLLEY == 0 {
            check(sent);
        }
    }
}

/// Changes one to eight octets. Sometimes also cuts off the end, or adds octets.
fn mutated(original: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=rng.below(8) {
        let at = rng.below(bytes.len() as u64) as usize;
        bytes[at] = rng.next_u64() as u8;
    }
    match rng.below(8) {
        0 => bytes.truncate(rng.below(bytes.len() as u64 + 1) as usize),
        1 => bytes.extend(rng.next_u64().to_be_bytes()),
        _ => {}
    }
    bytes
}

/// The counters of a router.
struct Counts {
    /// The number of effects of control messages. Each message has at least one effect.
    control: u64,
    /// The number of counted packets from port 4341. Each packet is counted exactly once.
    data: u64,
    /// The number of datagrams that the kernel has passed to the sockets.
    read: u64,
    /// The number of datagrams for which the sockets had no room.
    overflows: u64,
}

impl Counts {
    fn of(live: &Live, router: &str) -> Self {
        let text = live.console(router, &["show ip lisp statistics json"]);
        let json: Value = serde_json::from_str(&text).unwrap();
        let received = |field: &Value| field["received"].as_u64().unwrap_or(0);
        let control: u64 = json.as_object().unwrap().values().map(received).sum();
        let is_inbound = |reason: &str| !OUTBOUND.contains(&reason);
        let udp = live.shell(router, "grep ^Udp: /proc/net/snmp | tail -1");
        let udp: Vec<u64> = udp.split(' ').filter_map(|word| word.trim().parse().ok()).collect();
        Counts {
            control: control + sum(&json["control_drops"], |_| true),
            data: sum(&json["drops"], is_inbound) + json["decapsulations"].as_u64().unwrap(),
            // InDatagrams and RcvbufErrors of the kernel's table.
            read: udp[0],
            overflows: udp[4],
        }
    }
}

fn sum(counters: &Value, wanted: impl Fn(&str) -> bool) -> u64 {
    let counters = counters.as_object().unwrap().iter();
    counters.filter(|(name, _)| wanted(name)).filter_map(|(_, count)| count.as_u64()).sum()
}

/// Reasons to drop a packet of the site. Some of these packets are A's answers to datagrams that
/// reached A.
const OUTBOUND: [&str; 9] = [
    "not-ip",
    "link-scoped",
    "not-an-itr",
    "local-eid-no-route",
    "mapping-drops",
    "no-usable-locator",
    "no-map-resolver",
    "hold-queue-full",
    "unresolved",
];

/// Echos from B to A, in hexadecimal.
const ECHO_V4: &str = "4500002000004000400125cbc0a80016ac10000c0800f7fd0001000100000000000000";
const ECHO_V6: &str = "60000000000c3a4020010db8000b0000000000000000002220010db8000a000000000000\
     0000001280002f2b00010001deadbeef";

/// Returns a LISP header in which no bit is set, followed by a packet.
fn data_packet(inner: &str) -> Vec<u8> {
    let mut packet = vec![0; 8];
    packet.extend(octets(inner));
    packet
}

fn golden() -> Vec<Vec<u8>> {
    let messages = GOLDEN.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    messages.map(octets).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len() / 2).map(|number| pair(number * 2)).collect()
}
