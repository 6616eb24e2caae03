//! Map-servers could forward a Map-Request to each other without end. With any registrations, the
//! request must cause only a limited number of messages.

use std::collections::VecDeque;
use std::net::IpAddr;

use eidway::router::counters::ControlDrop;
use eidway::wire::{Algorithm, Encapsulated, Key, MapRegister, Message, Nonce};
use proptest::prelude::*;

use crate::bench::*;

const SERVERS: [&str; 3] = ["100.64.0.1", "100.64.0.2", "100.64.0.3"];
const ETR: &str = "100.64.0.9";
const ASKER: &str = "100.64.0.8";
/// The number of records of the request. Each record is in a different prefix, which may be
/// registered.
const RECORDS: u8 = 8;
/// The maximum number of messages: one for each record and for each hop that the inner TTL allows,
/// and one reply for each.
const MOST_MESSAGES: usize = 64;

/// A router that is a map-server and a map-resolver. If `xtr`, it is also an xTR of 10.0.0.0/16.
fn server(rloc: &str, xtr: bool) -> Bench {
    let role = match xtr {
        true => format!(
            " ipv4 etr\n ipv4 etr map-server {rloc} key cisco\n \
             ipv4 itr\n ipv4 itr map-resolver {rloc}\n"
        ),
        false => String::new(),
    };
    Bench::new(&format!(
        "hostname MS\ninterface Ethernet0/0\n ip address {rloc} 255.255.255.0\n\
         interface Ethernet1/0\n ip address 10.0.0.1 255.255.0.0\n\
         router lisp\n locator-set set1\n  {rloc} priority 1 weight 100\n  exit\n \
         eid-table default instance-id 0\n  database-mapping 10.0.0.0/16 locator-set set1\n  exit\n \
         site S\n  authentication-key cisco\n  eid-prefix 10.0.0.0/8 accept-more-specifics\n  exit\n \
         ipv4 map-server\n ipv4 map-resolver\n{role}"
    ))
}

/// `source` registers 10.N.0.0/16 with the locator `rloc`. N is `number`.
fn register(bench: &mut Bench, server: &str, number: u8, rloc: &str, source: &str) {
    let key = Key { algorithm: Algorithm::HmacSha1, secret: b"cisco".to_vec(), key_id: 0 };
    let register = MapRegister {
        nonce: Nonce(u64::from(number)),
        records: vec![record(&format!("10.{number}.0.0/16"), 1440, &[rloc])],
        ..MapRegister::default()
    };
    bench.control(source, server, &register.emit_signed(&key));
    bench.drain();
}

/// A Map-Request for one host of each 10.N.0.0/16.
fn request(numbers: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut numbers = numbers.map(|number| format!("10.{number}.0.5/32"));
    let first = numbers.next().unwrap();
    let others: Vec<_> = numbers.map(|eids| prefix(&eids)).collect();
    encapsulated_request(&first, 7, |request| {
        let one = request.records[0];
        request.itr_rlocs = vec![eidway::addr::Rloc(ASKER.parse().unwrap())];
        for &eid_prefix in &others {
            request.records.push(eidway::wire::EidRecord { eid_prefix, ..one });
        }
    })
}

/// Sends the request to the first server and carries the messages between the servers until no
/// server sends a message. Returns their messages.
fn play(benches: &mut [Bench], octets: Vec<u8>) -> Vec<(IpAddr, Message)> {
    let mut said = Vec::new();
    let mut on_the_way = VecDeque::from([(ASKER.to_owned(), SERVERS[0].to_owned(), octets)]);
    while let Some((from, to, octets)) = on_the_way.pop_front() {
        let Some(at) = SERVERS.iter().position(|server| *server == to) else { continue };
        if at >= benches.len() {
            continue;
        }
        benches[at].control(&from, &to, &octets);
        for (destination, message) in benches[at].messages() {
            assert!(said.len() < 1000, "it circles");
            on_the_way.push_back((to.clone(), destination.to_string(), message.emit()));
            said.push((destination, message));
        }
    }
    said
}

proptest! {
    #[test]
    fn whatever_three_map_servers_have_registered_a_request_ends(
        registered in prop::collection::vec((0usize..3, 0..RECORDS, 0usize..4, 0usize..4), 0..40),
        xtr in any::<bool>(),
    ) {
        let places = [SERVERS[0], SERVERS[1], SERVERS[2], ETR];
        let mut benches = SERVERS.map(|rloc| server(rloc, xtr));
        benches.iter_mut().for_each(Bench::drain);
        for (at, number, rloc, source) in registered {
            register(&mut benches[at], SERVERS[at], number, places[rloc], places[source]);
        }
        let said = play(&mut benches, request(0..RECORDS));
        prop_assert!(said.len() <= MOST_MESSAGES, "{}", said.len());
    }
}

#[test]
fn two_map_servers_that_name_each_other_give_up() {
    let mut benches = [server(SERVERS[0], false), server(SERVERS[1], false)];
    register(&mut benches[0], SERVERS[0], 1, SERVERS[1], SERVERS[1]);
    register(&mut benches[1], SERVERS[1], 1, SERVERS[0], SERVERS[0]);
    let said = play(&mut benches, request(1..2));
    assert_eq!(said.len(), 7);
    let dropped = |bench: &Bench| {
        bench.router.counters().control_drops.get(&ControlDrop::InnerTtlExpired).copied()
    };
    assert_eq!(benches.iter().filter_map(dropped).sum::<u64>(), 1);
    let log: Vec<String> = benches.iter_mut().flat_map(Bench::log).collect();
    assert!(log.iter().any(|line| line.contains("forwarded this request too often")), "{log:?}");
}

/// The attack `loop1.py`: an attacker has the key of a site and registers the map-server as the ETR
/// of the site.
#[test]
fn a_map_server_that_is_registered_itself_answers_and_does_not_ask_itself() {
    let mut bench = server(SERVERS[0], false);
    bench.drain();
    register(&mut bench, SERVERS[0], 1, SERVERS[0], SERVERS[0]);
    bench.control(ASKER, SERVERS[0], &request(1..2));
    let [(to, Message::MapReply(reply))] = &bench.messages()[..] else { panic!("no reply") };
    assert_eq!(to.to_string(), ASKER);
    let [record] = &reply.records[..] else { panic!("{reply:?}") };
    assert!(record.locators.is_empty());
    assert_eq!(record.ttl_minutes, 1);
}

/// The attack `loop2.py`: a router has all roles and registers with itself. The request also asks
/// for one of its own EIDs.
#[test]
fn a_router_with_all_roles_answers_for_all_eids_in_one_reply() {
    let mut bench = server(SERVERS[0], true);
    bench.drain();
    register(&mut bench, SERVERS[0], 0, SERVERS[0], SERVERS[0]);
    bench.outputs();
    let octets = encapsulated_request("8.8.8.8/32", 7, |request| {
        request.itr_rlocs = vec![eidway::addr::Rloc(ASKER.parse().unwrap())];
        request.records.push(prefix("10.0.5.5/32").into());
    });
    let mut benches = [bench];
    let [(to, Message::MapReply(reply))] = &play(&mut benches, octets)[..] else {
        panic!("one reply")
    };
    assert_eq!(to.to_string(), ASKER);
    let eids: Vec<String> = reply.records.iter().map(|it| it.eid_prefix.to_string()).collect();
    assert_eq!(eids, ["8.0.0.0/7", "10.0.0.0/16"]);
}

#[test]
fn an_etr_is_asked_only_for_its_own_records() {
    let mut bench = server(SERVERS[0], false);
    bench.drain();
    for (number, etr) in [(1, "100.64.0.20"), (2, "100.64.0.21"), (3, "100.64.0.20")] {
        register(&mut bench, SERVERS[0], number, etr, etr);
    }
    bench.control(ASKER, SERVERS[0], &request(1..4));
    let asked: Vec<_> = bench
        .messages()
        .into_iter()
        .map(|(etr, message)| {
            let Message::Encapsulated(Encapsulated { message, destination, ttl, .. }) = message
            else {
                panic!("{message:?}")
            };
            let request = eidway::wire::MapRequest::parse(&message).unwrap();
            let eids: Vec<_> =
                request.records.iter().map(|record| record.eid_prefix.to_string()).collect();
            (etr.to_string(), destination.to_string(), ttl, eids.join(" "))
        })
        .collect();
    let expected = [
        ("100.64.0.20", "10.1.0.5:4342", 7, "10.1.0.5/32 10.3.0.5/32"),
        ("100.64.0.21", "10.2.0.5:4342", 7, "10.2.0.5/32"),
    ];
    let expected =
        expected.map(|(etr, to, ttl, eids)| (etr.to_owned(), to.to_owned(), ttl, eids.to_owned()));
    assert_eq!(asked, expected);
}

#[test]
fn of_a_request_for_many_eids_the_first_eight_are_answered_and_the_others_counted() {
    let mut bench = server(SERVERS[0], false);
    bench.drain();
    register(&mut bench, SERVERS[0], 9, ETR, ETR);
    bench.control(ASKER, SERVERS[0], &request(1..10));
    let [(_, Message::MapReply(_))] = &bench.messages()[..] else { panic!("not a reply alone") };
    let drops = &bench.router.counters().control_drops;
    assert_eq!(drops.get(&ControlDrop::TooManyRecords), Some(&1));
}
