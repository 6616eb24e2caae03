//! The number of octets that a router sends for the octets that it receives, for all types of
//! messages. If requests name one ITR-RLOC, the router sends at most three times the octets
//! received and 1,280 octets more in a second.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use eidway::addr::{EidPrefix, Rloc};
use eidway::router::io::{DropReason, Inbound, Outbound, Outer, Output};
use eidway::wire::{
    Algorithm, Encapsulated, IcmpErrorKind, Key, MapNotify, MapNotifyAck, MapRegister, MapReply,
    MapRequest, Message, Nonce, XtrIdentity,
};

use crate::bench::*;
use crate::reflection::{ALLOWANCE, ASKED, VICTIM, etr, headers, request};

const ETR: &str = "203.0.113.20";
const SENDER: &str = "100.64.9.2";
const PER_SECOND: u64 = 300;

fn key() -> Key {
    Key { algorithm: Algorithm::HmacSha1, secret: b"cisco".to_vec(), key_id: 0 }
}

/// A map-server and map-resolver that is also an ETR. 10.N.0.0/16 is registered by an ETR of its
/// own. 10.100.0.0/16 has 60 locators, and the map-server answers for it. 10.200.0.0/16 is not
/// registered.
fn map_server() -> Bench {
    let mut bench = Bench::new(&format!(
        "hostname MS\ninterface Ethernet0/0\n ip address {ASKED} 255.255.255.0\n\
         interface Ethernet1/0\n ip address 172.16.0.1 255.255.0.0\n\
         router lisp\n locator-set set1\n  {ASKED} priority 1 weight 100\n  exit\n \
         eid-table default instance-id 0\n  database-mapping 172.16.0.0/16 locator-set set1\n  exit\n \
         site S\n  authentication-key cisco\n  eid-prefix 10.0.0.0/8 accept-more-specifics\n  exit\n \
         ipv4 map-server\n ipv4 map-resolver\n ipv4 etr\n"
    ));
    for number in 1..=8 {
        let etr = format!("203.0.113.{}", 20 + number);
        register(&mut bench, &etr, record(&format!("10.{number}.0.0/16"), 1440, &[&etr]), false);
    }
    let many: Vec<String> = (0..60).map(|host| format!("100.64.0.{host}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    register(&mut bench, ETR, record("10.100.0.0/16", 1440, &many), true);
    bench.outputs();
    bench
}

fn register(bench: &mut Bench, etr: &str, record: eidway::wire::MappingRecord, proxy_reply: bool) {
    let register = MapRegister {
        proxy_reply,
        nonce: Nonce(1),
        records: vec![record],
        ..MapRegister::default()
    };
    bench.control(etr, ASKED, &register.emit_signed(&key()));
}

/// A site with all roles of an xTR. Its map-cache has the 64 prefixes 10.0.0.0/16 to 10.63.0.0/16.
fn xtr() -> Bench {
    let mut bench = etr(" ipv4 itr\n ipv4 itr map-resolver 209.165.201.31\n");
    for number in 0..64 {
        let mut ping = packet("172.16.0.12", &format!("10.{number}.0.12"), 63, b"ping");
        let _ = bench.encapsulate(&mut ping);
        let (_, request) = only_request(&bench.messages());
        let known = record(&format!("10.{number}.0.0/16"), 1440, &[ETR]);
        bench.control(ETR, ASKED, &reply(request.nonce, vec![known]));
        bench.outputs();
    }
    bench
}

/// A site whose map-server is the sender of all the messages of the test.
fn registering() -> Bench {
    let mut bench = Bench::new(&format!(
        "hostname xTR\ninterface Ethernet0/0\n ip address {ASKED} 255.255.255.0\n\
         interface Ethernet1/0\n ip address 172.16.0.1 255.255.0.0\n\
         router lisp\n locator-set set1\n  {ASKED} priority 1 weight 100\n  exit\n \
         eid-table default instance-id 0\n  database-mapping 172.16.0.0/16 locator-set set1\n  exit\n \
         ipv4 etr map-server {SENDER} key cisco\n ipv4 etr\n"
    ));
    bench.advance(Duration::from_secs(1));
    bench.outputs();
    bench
}

fn hosts(number: u64, count: u64) -> Vec<EidPrefix> {
    let host = |other| format!("10.{}.{}.9/32", (number + other) % 256, number % 256);
    (0..count).map(|other| prefix(&host(other))).collect()
}

fn encapsulated(request: &MapRequest) -> Vec<u8> {
    let inner = |address: &str| format!("{address}:4342").parse().unwrap();
    Encapsulated::new(inner(VICTIM), inner("10.1.0.9"), request.emit()).emit()
}

fn changed(request: MapRequest, change: impl Fn(&mut MapRequest)) -> Vec<u8> {
    let mut request = request;
    change(&mut request);
    request.emit()
}

/// A type of message. A number makes each message of the type different.
struct Kind {
    name: &'static str,
    router: fn() -> Bench,
    message: fn(u64) -> Vec<u8>,
    /// Whether the router sends an answer to a message of this type.
    is_answered: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "Map-Request to an ETR",
        router: xtr,
        message: |n| {
            let eids = format!("172.{}.{}.9/32", 16 + n % 2, n % 256);
            request(VICTIM, n, &[prefix(&eids)]).emit()
        },
        is_answered: true,
    },
    Kind {
        name: "Map-Request of many records",
        router: xtr,
        message: |n| {
            let eids = (0..255).map(|other| prefix(&format!("172.16.{}.9/32", (n + other) % 256)));
            request(VICTIM, n, &eids.collect::<Vec<_>>()).emit()
        },
        is_answered: true,
    },
    Kind {
        name: "RLOC-probe",
        router: xtr,
        message: |n| {
            let eids = format!("172.16.{}.9/32", n % 256);
            changed(request(VICTIM, n, &[prefix(&eids)]), |it| it.probe = true)
        },
        is_answered: true,
    },
    Kind {
        name: "Map-Request that wants no reply",
        router: xtr,
        message: |n| changed(request(VICTIM, n, &hosts(n, 1)), |it| it.do_not_reply = true),
        is_answered: false,
    },
    Kind {
        name: "Map-Request for EIDs that are not here",
        router: xtr,
        message: |n| request(VICTIM, n, &hosts(n, 8)).emit(),
        is_answered: false,
    },
    Kind {
        name: "SMR with a source EID",
        router: xtr,
        message: |n| {
            changed(request(VICTIM, n, &[prefix("172.16.0.12/32")]), |it| {
                it.smr = true;
                it.source_eid = Some(hosts(n, 1)[0].network());
            })
        },
        is_answered: true,
    },
    Kind {
        name: "SMR with records alone",
        router: xtr,
        message: |n| changed(request(VICTIM, n, &hosts(64 * n, 64)), |it| it.smr = true),
        is_answered: true,
    },
    Kind {
        name: "encapsulated Map-Request that an ETR answers",
        router: xtr,
        message: |n| {
            let eids = format!("172.16.{}.9/32", n % 256);
            encapsulated(&request(VICTIM, n, &[prefix(&eids)]))
        },
        is_answered: true,
    },
    Kind {
        name: "encapsulated Map-Request, negative",
        router: map_server,
        message: |n| encapsulated(&request(VICTIM, n, &[prefix(&format!("{}.9.9.9/32", n % 223))])),
        is_answered: true,
    },
    Kind {
        name: "encapsulated Map-Request, not registered",
        router: map_server,
        message: |n| encapsulated(&request(VICTIM, n, &hosts(n, 3))),
        is_answered: true,
    },
    Kind {
        name: "encapsulated Map-Request, proxy reply",
        router: map_server,
        message: |n| {
            let eids = format!("10.100.{}.9/32", n % 256);
            encapsulated(&request(VICTIM, n, &[prefix(&eids)]))
        },
        is_answered: true,
    },
    Kind {
        name: "encapsulated Map-Request, forwarded to four ETRs",
        router: map_server,
        message: |n| {
            let eids = [1, 2, 3, 4].map(|number| prefix(&format!("10.{number}.0.9/32")));
            encapsulated(&request(VICTIM, n, &eids))
        },
        is_answered: true,
    },
    Kind {
        name: "encapsulated Map-Request, forwarded and answered",
        router: map_server,
        message: |n| {
            let eids =
                ["10.1.0.9/32", "10.100.0.9/32", "10.200.0.9/32", "172.16.0.9/32", "9.9.9.9/32"];
            encapsulated(&request(VICTIM, n, &eids.map(prefix)))
        },
        is_answered: true,
    },
    Kind {
        name: "encapsulated message that is no Map-Request",
        router: map_server,
        message: |n| {
            let inner = "10.1.0.9:4342".parse().unwrap();
            Encapsulated::new(inner, inner, reply(Nonce(n), Vec::new())).emit()
        },
        is_answered: false,
    },
    Kind {
        name: "Map-Reply that answers nothing",
        router: xtr,
        message: |n| {
            let records = vec![record("10.1.0.0/16", 1440, &[SENDER])];
            MapReply { nonce: Nonce(n), records, ..MapReply::default() }.emit()
        },
        is_answered: false,
    },
    Kind {
        name: "Map-Register without a key",
        router: map_server,
        message: |n| map_register(n).emit_signed(&Key { secret: b"other".to_vec(), ..key() }),
        is_answered: false,
    },
    Kind {
        name: "Map-Register with the key",
        router: map_server,
        message: |n| map_register(n).emit_signed(&key()),
        is_answered: true,
    },
    Kind {
        name: "Map-Notify without a key",
        router: xtr,
        message: |n| map_notify(n).emit_signed(&Key { secret: b"other".to_vec(), ..key() }),
        is_answered: false,
    },
    Kind {
        name: "Map-Notify with the key",
        router: registering,
        message: |n| map_notify(n).emit_signed(&key()),
        is_answered: true,
    },
    Kind {
        name: "Map-Notify-Ack",
        router: map_server,
        message: |n| MapNotifyAck(map_notify(n)).emit_signed(&key()),
        is_answered: false,
    },
    Kind {
        name: "Info-Request",
        router: map_server,
        message: |n| {
            let mut octets = vec![0x70, 0, 0, 0];
            octets.extend(n.to_be_bytes());
            octets.extend([0; 24]);
            octets
        },
        is_answered: false,
    },
    Kind {
        name: "no message",
        router: map_server,
        message: |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes().repeat(8),
        is_answered: false,
    },
];

fn map_register(number: u64) -> MapRegister {
    MapRegister {
        want_map_notify: true,
        nonce: Nonce(number + 10),
        records: vec![record("10.9.0.0/16", 1440, &[ETR])],
        xtr_identity: Some(XtrIdentity { xtr_id: 7, site_id: 0 }),
        ..MapRegister::default()
    }
}

fn map_notify(number: u64) -> MapNotify {
    let records = vec![record(&format!("172.16.{}.0/24", number % 256), 1440, &[ETR])];
    MapNotify { nonce: Nonce(number), records, ..MapNotify::default() }
}

/// The number of octets of the IP packets in the outputs. Panics if an output uses a TCP
/// connection.
fn octets(outputs: &[Output]) -> usize {
    let octets = |output: &Output| match output {
        Output::Control { destination, payload, .. } => {
            payload.len() + headers(destination.is_ipv6())
        }
        Output::Encapsulate(_, packet) | Output::Native(_, packet) => packet.bytes.len() + 36,
        Output::Tcp(request) => panic!("{request:?}"),
        _ => 0,
    };
    outputs.iter().map(octets).sum()
}

#[test]
fn whatever_arrives_the_octets_sent_in_a_second_are_bounded_by_those_received() {
    for Kind { name, router, message, is_answered } in KINDS {
        for burst in [1, PER_SECOND] {
            let mut bench = router();
            let mut all = 0;
            for second in 0..4 {
                let (mut received, mut sent) = (0, 0);
                for number in 0..burst {
                    let message = message(second * burst + number);
                    received += message.len() + headers(false);
                    bench.control(SENDER, ASKED, &message);
                    sent += octets(&bench.outputs());
                }
                let said = bench.advance(Duration::from_secs(1));
                sent += said.iter().map(|(_, outputs)| octets(outputs)).sum::<usize>();
                assert!(sent <= 3 * received + ALLOWANCE, "{name}: {sent} for {received}");
                all += sent;
            }
            assert_eq!(all > 0, *is_answered, "{name}: {all}");
        }
    }
}

/// The SMRs for data packets. The router sends an SMR to an ITR with an old mapping, for at most
/// eight EIDs at once.
#[test]
fn the_smrs_for_packets_that_have_strayed_are_bounded_likewise() {
    let mut bench = etr("");
    bench.link("et1-0", false);
    bench.outputs();
    let (mut received, mut sent) = (0, 0);
    for number in 0..PER_SECOND {
        let inner = packet(&format!("10.0.0.{}", number % 250), "172.16.7.9", 64, b"");
        let mut datagram = [&[0; 8], &inner[..]].concat();
        received += datagram.len() + headers(false);
        let (source, destination) = (VICTIM.parse().unwrap(), ASKED.parse().unwrap());
        let outer = Outer { source, destination, ttl: 64, tos: 0 };
        assert!(matches!(bench.decapsulate_from(&outer, &mut datagram), Inbound::Dropped(_)));
        sent += octets(&bench.outputs());
    }
    assert!(sent > 0 && sent <= 3 * received + ALLOWANCE, "{sent} for {received}");
}

/// The ICMP errors for hosts. For a packet that is too big, the router sends an error of at most
/// 576 octets. It relays at most ten Time Exceeded of the core to a host in a second.
#[test]
fn the_icmp_errors_that_hosts_get_are_bounded_likewise() {
    let (a, b) = ("172.16.0.12", "192.168.0.22");
    let mut bench = with_reserve(XTR2, b);
    let sent_packet = packet(b, a, 63, b"");
    let Outbound::Encapsulate(wrap) = bench.encapsulate(&mut sent_packet.clone()) else {
        panic!("it has a mapping")
    };
    let quoted = [&wrap.header[..], &sent_packet].concat();
    let (mut received, mut sent) = (0, 0);
    for _ in 0..PER_SECOND {
        received += headers(false) + 28 + quoted.len();
        bench.icmp(RLOC_1, CORE, IcmpErrorKind::TimeExceeded, &quoted);
        sent += octets(&bench.outputs());
    }
    assert!(sent > 0 && sent <= received / 10, "{sent} for {received}");
    bench.icmp(RLOC_1, CORE, IcmpErrorKind::TooBig { mtu: 1400 }, &quoted);
    bench.outputs();
    let (mut received, mut sent) = (0, 0);
    for _ in 0..PER_SECOND {
        let mut large = packet(b, a, 63, &[0; 1400]);
        received += large.len();
        let outbound = bench.encapsulate(&mut large);
        assert_eq!(outbound, Outbound::Dropped(DropReason::TooBigForPath));
        sent += octets(&bench.outputs());
    }
    assert!(sent > 0 && sent < received, "{sent} for {received}");
}

/// The exception from the rule is an unsolicited Map-Notify. The router sends it at most seven
/// times, to the RLOC that had registered the prefix.
#[test]
fn an_unsolicited_map_notify_goes_at_most_seven_times_to_an_rloc_that_has_registered() {
    let mut bench = map_server();
    let by = |xtr_id, etr: &str| MapRegister {
        records: vec![record("10.9.0.0/16", 1440, &[etr])],
        xtr_identity: Some(XtrIdentity { xtr_id, site_id: 0 }),
        want_map_notify: false,
        ..map_register(1)
    };
    bench.control(ETR, ASKED, &by(7, ETR).emit_signed(&key()));
    bench.control(SENDER, ASKED, &by(8, SENDER).emit_signed(&key()));
    let mut said = bench.outputs();
    said.extend(bench.advance(Duration::from_secs(170)).into_iter().flat_map(|(_, said)| said));
    let mut notifies: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for (to, message) in messages(&said) {
        assert!(matches!(message, Message::MapNotify(_)), "{message:?}");
        *notifies.entry(to).or_default() += 1;
    }
    assert_eq!(notifies, BTreeMap::from([(Rloc(ETR.parse().unwrap()).0, 7)]));
}
