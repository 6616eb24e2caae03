//! A reply goes to the address that the request names, which may differ from the source of the
//! request. The octets that a router sends are limited by the octets of the requests (RFC 9301
//! sections 5 and 5.3).

use std::collections::BTreeSet;
use std::time::Duration;

use eidway::addr::{EidPrefix, Rloc};
use eidway::router::counters::ControlDrop;
use eidway::router::io::Output;
use eidway::wire::{EidRecord, MapReply, MapRequest, Message, Nonce};

use crate::bench::*;

pub const VICTIM: &str = "198.51.100.66";
pub const ASKED: &str = "203.0.113.11";
const VICTIM_V6: &str = "2001:db8:ffff::66";
const ASKED_V6: &str = "2001:db8:c:1::11";
/// The largest packets that every path carries without fragments, in octets.
const LARGEST_V4: usize = 576;
const LARGEST_V6: usize = 1280;
/// The octets that a router may send in a second, in addition to three times the received octets.
pub const ALLOWANCE: usize = 1280;

/// An ETR with two prefixes. 172.16.0.0/16 has 200 more specific prefixes of 24 bits. 172.17.0.0/16
/// has 60 locators.
pub fn etr(roles: &str) -> Bench {
    let inside: String = (0..200)
        .map(|octet| format!("  database-mapping 172.16.{octet}.0/24 locator-set set1\n"))
        .collect();
    let others: String =
        (1..60).map(|host| format!("  100.64.0.{host} priority 2 weight 1\n")).collect();
    let mut bench = Bench::new(&format!(
        "hostname xTR1\ninterface Ethernet0/0\n ip address {ASKED} 255.255.255.0\n \
         ipv6 address {ASKED_V6}/64\n\
         interface Ethernet1/0\n ip address 172.16.0.1 255.255.0.0\n\
         interface Ethernet2/0\n ip address 172.17.0.1 255.255.0.0\n\
         router lisp\n locator-set set1\n  {ASKED} priority 1 weight 100\n  \
         {ASKED_V6} priority 1 weight 100\n  exit\n \
         locator-set many\n  {ASKED} priority 1 weight 100\n{others}  exit\n \
         eid-table default instance-id 0\n  database-mapping 172.16.0.0/16 locator-set set1\n  \
         database-mapping 172.17.0.0/16 locator-set many\n{inside}  exit\n \
         ipv4 etr\n{roles}"
    ));
    for octet in 0..200 {
        bench.route(&format!("172.16.{octet}.0/24"), "et1-0");
    }
    bench.outputs();
    bench
}

pub fn request(itr: &str, nonce: u64, eids: &[EidPrefix]) -> MapRequest {
    let records: Vec<EidRecord> = eids.iter().map(|eids| (*eids).into()).collect();
    MapRequest {
        nonce: Nonce(nonce),
        itr_rlocs: vec![Rloc(itr.parse().unwrap())],
        records,
        ..MapRequest::default()
    }
}

/// Sends a Map-Request whose source is the address of the victim.
fn ask(bench: &mut Bench, eids: &[EidPrefix]) {
    bench.control(VICTIM, ASKED, &request(VICTIM, 1, eids).emit());
}

/// The replies since the last call, each with the octets of its IP packet. All of them go to the
/// victim.
fn replies(bench: &mut Bench) -> Vec<(MapReply, usize)> {
    let reply = |output: Output| match output {
        Output::Control { destination, payload, .. } => {
            assert!([VICTIM, VICTIM_V6].contains(&destination.ip().to_string().as_str()));
            let Message::MapReply(reply) = Message::parse(&payload).unwrap() else {
                panic!("{payload:?}")
            };
            (reply, payload.len() + headers(destination.is_ipv6()))
        }
        other => panic!("{other:?}"),
    };
    bench.outputs().into_iter().map(reply).collect()
}

/// The length of the IP and UDP headers, in octets.
pub fn headers(is_v6: bool) -> usize {
    if is_v6 { 48 } else { 28 }
}

fn drops(bench: &Bench, reason: ControlDrop) -> u64 {
    bench.router.counters().control_drops.get(&reason).copied().unwrap_or(0)
}

/// The prefixes of 24 bits of the ETR that are inside `about`.
fn inside(about: &EidPrefix) -> BTreeSet<EidPrefix> {
    let all = (0..200).map(|octet| prefix(&format!("172.16.{octet}.0/24")));
    all.filter(|inside| about.covers(inside)).collect()
}

#[test]
fn no_reply_is_larger_than_a_packet_that_no_path_fragments() {
    for eids in ["172.16.7.9/32", "172.16.250.0/24", "172.16.224.0/19", "172.16.255.255/32"] {
        let mut bench = etr("");
        for (itr, largest) in [(VICTIM, LARGEST_V4), (VICTIM_V6, LARGEST_V6)] {
            bench.control(VICTIM, ASKED, &request(itr, 1, &[prefix(eids)]).emit());
            let [(_, octets)] = &replies(&mut bench)[..] else { panic!("{eids}: no reply") };
            assert!(*octets <= largest, "{eids}: {octets}");
        }
    }
}

#[test]
fn a_reply_that_is_cut_is_about_the_widest_prefix_whose_more_specific_ones_fit() {
    // The number of more specific prefixes: 8 in 172.16.192.0/18, 72 in 172.16.128.0/17, and 200 in
    // 172.16.0.0/16.
    for (itr, widest) in [(VICTIM, "172.16.192.0/18"), (VICTIM_V6, "172.16.192.0/18")] {
        let mut bench = etr("");
        bench.control(VICTIM, ASKED, &request(itr, 1, &[prefix("172.16.250.9/32")]).emit());
        let [(reply, _)] = &replies(&mut bench)[..] else { panic!("no reply") };
        assert_eq!(reply.records[0].eid_prefix, prefix(widest));
        let others: BTreeSet<_> = reply.records[1..].iter().map(|it| it.eid_prefix).collect();
        assert_eq!(others, inside(&prefix(widest)));
        assert_eq!(reply.records.len(), 1 + others.len());
    }
}

#[test]
fn a_reply_about_a_prefix_that_fits_is_whole() {
    let mut bench = etr("");
    ask(&mut bench, &[prefix("172.16.7.9/32")]);
    let [(reply, _)] = &replies(&mut bench)[..] else { panic!("no reply") };
    let eids: Vec<String> = reply.records.iter().map(|it| it.eid_prefix.to_string()).collect();
    assert_eq!(eids, ["172.16.7.0/24"]);
}

#[test]
fn a_requested_prefix_is_answered_though_a_more_specific_one_begins_at_its_address() {
    let mut bench = etr("");
    ask(&mut bench, &[prefix("172.16.0.0/16")]);
    let [(reply, octets)] = &replies(&mut bench)[..] else { panic!("no reply") };
    let about = reply.records[0].eid_prefix;
    assert!(about.mask_len() < 24 && about.contains(eid("172.16.0.1")), "{about}");
    let others: BTreeSet<_> = reply.records[1..].iter().map(|it| it.eid_prefix).collect();
    assert_eq!(others, inside(&about));
    assert!(*octets <= LARGEST_V4);
    // If few octets are left, the reply is about a small part of the prefix. If too few octets are
    // left, there is no reply. For 172.16.0.0/24, the ETR has a record.
    bench.advance(Duration::from_secs(9));
    for _ in 0..2 {
        ask(&mut bench, &[prefix("172.17.0.0/16")]);
    }
    assert_eq!(replies(&mut bench).len(), 2);
    for _ in 0..2 {
        ask(&mut bench, &[prefix("172.16.0.0/16")]);
        let [(reply, _)] = &replies(&mut bench)[..] else { panic!("no reply") };
        assert_eq!(reply.records[0].eid_prefix, prefix("172.16.0.0/23"));
    }
    ask(&mut bench, &[prefix("172.16.0.0/16")]);
    assert!(replies(&mut bench).is_empty());
}

#[test]
fn a_record_is_never_cut_and_alone_it_may_be_up_to_one_mtu() {
    let mut bench = etr("");
    let large = || [prefix("172.17.0.9/32")];
    ask(&mut bench, &large());
    let [(reply, octets)] = &replies(&mut bench)[..] else { panic!("no reply") };
    assert_eq!(reply.records[0].locators.len(), 60);
    assert!((LARGEST_V4..1500).contains(octets), "{octets}");
    // The limit for a second allows two large replies. A small reply is still sent.
    ask(&mut bench, &large());
    assert_eq!(replies(&mut bench).len(), 1);
    ask(&mut bench, &large());
    assert!(replies(&mut bench).is_empty());
    ask(&mut bench, &[prefix("172.16.7.9/32")]);
    assert_eq!(replies(&mut bench).len(), 1);
    bench.advance(Duration::from_secs(9));
    ask(&mut bench, &large());
    assert_eq!(replies(&mut bench).len(), 1);
}

#[test]
fn of_several_records_those_that_fit_are_answered_and_the_others_counted() {
    let mut bench = etr("");
    ask(&mut bench, &[prefix("172.16.7.9/32"), prefix("172.17.0.9/32"), prefix("172.16.7.8/32")]);
    let [(reply, octets)] = &replies(&mut bench)[..] else { panic!("no reply") };
    assert_eq!(reply.records.len(), 1);
    assert!(*octets <= LARGEST_V4);
    assert_eq!(drops(&bench, ControlDrop::TooManyRecords), 1);
}

#[test]
fn of_a_request_for_many_eids_an_etr_answers_the_first_eight_and_counts_the_others() {
    let mut bench = etr("");
    let eids: Vec<EidPrefix> =
        (0..9).map(|octet| prefix(&format!("172.16.{octet}.9/32"))).collect();
    ask(&mut bench, &eids);
    let [(reply, _)] = &replies(&mut bench)[..] else { panic!("no reply") };
    let answered: BTreeSet<_> = reply.records.iter().map(|record| record.eid_prefix).collect();
    assert_eq!(answered, inside(&prefix("172.16.0.0/21")));
    assert_eq!(drops(&bench, ControlDrop::TooManyRecords), 1);
}

#[test]
fn a_prefix_is_replied_about_three_times_however_its_eids_are_varied() {
    let mut bench = etr("");
    for host in 1..=50 {
        ask(&mut bench, &[prefix(&format!("172.16.7.{host}/32"))]);
    }
    assert_eq!(replies(&mut bench).len(), 3);
    assert_eq!(drops(&bench, ControlDrop::RateLimited), 47);
    bench.advance(Duration::from_secs(3));
    ask(&mut bench, &[prefix("172.16.7.9/32")]);
    assert_eq!(replies(&mut bench).len(), 1);
}

/// The attack `amp.py`: the attacker uses one false source address. The requested EIDs are in a
/// prefix with 200 more specific prefixes.
#[test]
fn a_spoofed_asker_who_varies_the_eid_of_a_large_prefix_does_not_flood_the_victim() {
    let mut bench = etr("");
    for second in 0..4 {
        let (mut received, mut sent) = (0, 0);
        for number in 0..1000_u32 {
            let (third, last) = (200 + number % 56, number * 7 % 256);
            let octets = request(VICTIM, 1, &[prefix(&format!("172.16.{third}.{last}/32"))]).emit();
            received += octets.len() + headers(false);
            bench.control(VICTIM, ASKED, &octets);
            sent += replies(&mut bench).iter().map(|(_, octets)| octets).sum::<usize>();
            bench.advance(Duration::from_millis(1));
        }
        // Three replies are sent at once, and one more after three seconds.
        let least = if second % 3 == 0 { 1 } else { 0 };
        assert!(sent >= least && sent <= 3 * LARGEST_V4, "{second} s: {sent} for {received}");
    }
}

/// The attack `rec6.py`: a request with 255 records. An earlier version built all the more specific
/// records for each of them.
#[test]
fn a_request_with_255_records_costs_no_more_than_one_with_eight() {
    let mut bench = etr("");
    let eids: Vec<EidPrefix> =
        (0..255).map(|n| prefix(&format!("172.16.{}.{n}/32", 200 + n % 56))).collect();
    for number in 0..100 {
        bench.control(VICTIM, ASKED, &request(VICTIM, number, &eids).emit());
        bench.advance(Duration::from_millis(5));
    }
    let replies = replies(&mut bench);
    assert_eq!(replies.len(), 3, "one bucket for all the EIDs");
    assert!(replies.iter().all(|(_, octets)| *octets <= LARGEST_V4));
    assert_eq!(drops(&bench, ControlDrop::TooManyRecords), 100 * 247);
    assert_eq!(drops(&bench, ControlDrop::RateLimited), 97 * 8, "and nothing is built for them");
}

#[test]
fn what_others_ask_in_its_name_does_not_leave_an_itr_without_an_answer() {
    let mut bench = etr("");
    for host in 1..=200 {
        ask(&mut bench, &[prefix(&format!("172.16.250.{host}/32"))]);
        ask(&mut bench, &[prefix(&format!("172.17.0.{host}/32"))]);
    }
    replies(&mut bench);
    for octet in 0..200 {
        ask(&mut bench, &[prefix(&format!("172.16.{octet}.9/32"))]);
        assert_eq!(replies(&mut bench).len(), 1, "{octet}");
    }
}
