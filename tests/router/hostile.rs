//! Hostile input. No input may stop a router, and every input must be counted.

use eidway::rng::{Rng, Seed};
use eidway::router::io::{Inbound, Outbound};

use crate::bench::*;

const GOLDEN: &str = include_str!("../golden/lisp-golden.hex");

fn golden() -> Vec<Vec<u8>> {
    let octets = |line: &str| -> Vec<u8> {
        let pair = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
        (0..line.len()).step_by(2).map(pair).collect()
    };
    GOLDEN.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(octets).collect()
}

/// Changes one to eight octets. Sometimes it also removes or adds octets at the end.
fn mutate(original: &[u8], rng: &mut Rng) -> Vec<u8> {
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

#[test]
fn mutated_control_messages_do_no_harm_and_are_counted() {
    let messages = golden();
    for config in [XTR2, MSMR, PXTR1] {
        let mut bench = Bench::new(config);
        bench.outputs();
        let mut rng = Rng::new(&Seed::from_number(42), config);
        for _ in 0..20_000 {
            let message = &messages[rng.below(messages.len() as u64) as usize];
            let before = bench.router.counters().clone();
            bench.control(RLOC_1, NEW, &mutate(message, &mut rng));
            assert_ne!(*bench.router.counters(), before, "every datagram is counted");
            bench.outputs();
        }
    }
}

#[test]
fn mutated_data_packets_are_delivered_or_dropped_by_name() {
    let mut bench = Bench::new(XTR2);
    let mut rng = Rng::new(&Seed::from_number(43), "data");
    let inner = packet("172.16.0.12", "192.168.0.22", 64, b"ping");
    let inner_v6 = packet("2001:db8:a::12", "2001:db8:b::22", 64, b"ping");
    let originals = [[&[0; 8], &inner[..]].concat(), [&[0; 8], &inner_v6[..]].concat()];
    let mut delivered = 0;
    let mut dropped = 0;
    for step in 0..20_000 {
        let mut datagram = mutate(&originals[step % 2], &mut rng);
        let tos = rng.next_u64() as u8;
        match bench.decapsulate(&mut datagram, rng.next_u64() as u8, tos) {
            Inbound::Deliver { len, .. } => {
                assert!(len + 8 <= datagram.len());
                delivered += 1;
            }
            Inbound::Dropped(_) => dropped += 1,
            verdict => panic!("no EID of this router ever moved: {verdict:?}"),
        }
    }
    let counters = bench.router.counters();
    assert_eq!(counters.decapsulations, delivered);
    assert_eq!(counters.drops.values().sum::<u64>(), dropped);
    assert!(delivered > 100 && dropped > 100, "{delivered} delivered, {dropped} dropped");
}

#[test]
fn mutated_packets_of_the_site_are_accounted_for() {
    let mut bench = Bench::new(XTR2);
    let mut rng = Rng::new(&Seed::from_number(44), "site");
    let original = packet("192.168.0.22", "172.16.0.12", 64, b"ping");
    let mut seen = [0; 4];
    for _ in 0..20_000 {
        let mut bytes = mutate(&original, &mut rng);
        // The checksum is corrected, because a wrong checksum would be the reason to refuse almost
        // all of the packets.
        if bytes.len() >= 20 && bytes[0] == 0x45 {
            bytes[10..12].fill(0);
            let sum: u32 =
                bytes[..20].chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
            let sum = (sum & 0xffff) + (sum >> 16);
            let sum = (sum & 0xffff) + (sum >> 16);
            bytes[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
        }
        match bench.encapsulate(&mut bytes) {
            Outbound::Encapsulate(_) => seen[0] += 1,
            Outbound::Native => seen[1] += 1,
            Outbound::Held => seen[2] += 1,
            Outbound::Dropped(_) => seen[3] += 1,
        }
        bench.outputs();
    }
    let counters = bench.router.counters();
    let counted = [counters.encapsulations, counters.native, counters.held];
    assert_eq!(counted, seen[..3]);
    let gave_way = counters.held - bench.router.waiting_packets();
    assert_eq!(counters.drops.values().sum::<u64>(), seen[3] + gave_way);
}

#[test]
fn nothing_is_sent_to_an_address_that_is_no_routers() {
    let mut bench = Bench::new(XTR2);
    bench.outputs();
    for nobody in ["224.0.0.1", "127.0.0.1", "0.0.0.0", "255.255.255.255"] {
        let rloc = || vec![eidway::addr::Rloc(nobody.parse().unwrap())];
        let request = encapsulated_request("192.168.0.0/24", 7, |it| it.itr_rlocs = rloc());
        bench.control(RLOC_1, RLOC_2, &request);
        let request = encapsulated_request("192.168.0.0/24", 8, |_| {});
        bench.control(nobody, RLOC_2, &request);
        assert_eq!(bench.outputs(), [], "{nobody}");
    }
}
